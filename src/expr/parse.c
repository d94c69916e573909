/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse — the part of the parsers that all grammars share. They are recursive descents without
 * backtracking, so the token that a syntax error names is the first that no expression could have.
 */
#include "expr/parse.h"

#include "expr/reserved.h"
#include "model/limits.h"
#include <stdarg.h>
#include <stdio.h>

enum {
    STEPS_GUESS = 4,   /* steps of a path, doubled as needed */
    OPERANDS_KEPT = 2, /* no function takes more; the others are only counted */
    MESSAGE_GUESS = 160,
};

/* ---- tokens ---------------------------------------------------------------------------------- */

enum error_code parse_start(struct parser *parser, struct call *call,
                            const struct parse_source *source)
{
    *parser = (struct parser){
        .call = call,
        .parameter = source->parameter,
        .text = source->text,
        .names = source->names,
        .values = source->values,
        .value_error = PARSE_VALUE,
        .count_error = PARSE_OPERAND_COUNT,
    };
    if (source->text.length == 0) {
        return fail_enveloped(call, "Invalid %s: The expression can not be empty;",
                              source->parameter);
    }
    if (source->text.length > LIMIT_EXPRESSION_BYTES) {
        return fail_enveloped(call,
                              "Invalid %s: Expression size has exceeded the maximum allowed size; "
                              "expression size: %zu",
                              source->parameter, source->text.length);
    }
    parser->current = lex_next(parser->text, &parser->offset);
    parser->next = lex_next(parser->text, &parser->offset);
    return OK;
}

void parse_advance(struct parser *parser)
{
    parser->previous = parser->current;
    parser->current = parser->next;
    parser->next = lex_next(parser->text, &parser->offset);
}

enum error_code parse_expect(struct parser *parser, enum token_kind kind)
{
    if (parser->current.kind != kind) return parse_syntax_error(parser);
    parse_advance(parser);
    return OK;
}

/* The text from the token before the current one to the token after it. */
static struct slice near_window(const struct parser *parser)
{
    const struct token *first =
        parser->previous.kind == TOKEN_END ? &parser->current : &parser->previous;
    const struct token *last = &parser->current;
    if (parser->next.kind != TOKEN_END) last = &parser->next;
    if (parser->current.kind == TOKEN_END) last = first;
    const uint8_t *end = last->text.data + last->text.length;
    return slice_of(first->text.data, (size_t)(end - first->text.data));
}

enum error_code parse_syntax_error(struct parser *parser)
{
    const bool at_end = parser->current.kind == TOKEN_END;
    const struct slice token = at_end ? SLICE("<EOF>") : parser->current.text;
    const struct slice window = near_window(parser);
    return fail_enveloped(parser->call, "Invalid %s: Syntax error; token: \"%.*s\", near: \"%.*s\"",
                          parser->parameter, SLICE_ARGS(token), SLICE_ARGS(window));
}

enum error_code parse_enter(struct parser *parser)
{
    if (++parser->depth <= LIMIT_EXPRESSION_DEPTH) return OK;
    /* Too many operators, or more parentheses than so few operators can need. */
    static const enum parse_error order[] = {PARSE_OPERATORS};
    TRY(parse_report(parser, order, 1));
    return fail_enveloped(parser->call, "Invalid %s: The expression has redundant parentheses;",
                          parser->parameter);
}

void parse_leave(struct parser *parser)
{
    CHECK(parser->depth > 0);
    parser->depth--;
}

/* ---- errors that wait ------------------------------------------------------------------------ */

void parse_note(struct parser *parser, enum parse_error error, const char *format, ...)
{
    if (parser->errors[error].length > 0) return;
    struct arena *const arena = parser->call->arena;
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    char *text = arena_alloc_raw(arena, MESSAGE_GUESS);
    const int length = vsnprintf(text, MESSAGE_GUESS, format, arguments);
    CHECK(length > 0);
    if (length >= MESSAGE_GUESS) {
        text = arena_alloc_raw(arena, (size_t)length + 1);
        vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    va_end(arguments);
    parser->errors[error] = slice_of(text, (size_t)length);
}

void parse_count_operator(struct parser *parser)
{
    if (++parser->operators <= LIMIT_EXPRESSION_OPERATORS) return;
    parse_note(parser, PARSE_OPERATORS,
               "The expression contains too many operators; operator count: %d",
               LIMIT_EXPRESSION_OPERATORS + 1);
}

enum error_code parse_report(struct parser *parser, const enum parse_error *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct slice message = parser->errors[order[i]];
        if (message.length == 0) continue;
        return fail_enveloped(parser->call, "Invalid %s: %.*s", parser->parameter,
                              SLICE_ARGS(message));
    }
    return OK;
}

void parse_close_part(struct parser *parser, struct parse_part *part)
{
    if (part->parenthesised) {
        parse_note(parser, PARSE_PARENTHESES, "The expression has redundant parentheses;");
    }
    part->parenthesised = true;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

struct node *parse_node(struct parser *parser, enum node_kind kind, const struct node *left,
                        const struct node *right)
{
    struct node *node = arena_new(parser->call->arena, struct node);
    node->kind = kind;
    node->left = left;
    node->right = right;
    return node;
}

const struct node *parse_dummy(struct parser *parser)
{
    return parse_node(parser, NODE_VALUE, NULL, NULL);
}

enum value_type parse_literal_type(const struct node *node)
{
    return node->kind == NODE_VALUE ? node->value.type : VALUE_ABSENT;
}

/* ---- paths and values ------------------------------------------------------------------------ */

static enum error_code name_step(struct parser *parser, struct path_step *step)
{
    const struct slice text = parser->current.text;
    *step = (struct path_step){.name = text};
    if (parser->current.kind == TOKEN_NAME) {
        const struct placeholder *placeholder = placeholders_find(parser->names, text);
        if (placeholder != NULL) {
            step->name = placeholder->name;
        } else {
            parse_note(parser, PARSE_NAME,
                       "An expression attribute name used in the document path is not defined; "
                       "attribute name: %.*s",
                       SLICE_ARGS(text));
        }
    } else if (parser->current.kind != TOKEN_IDENTIFIER) {
        return parse_syntax_error(parser);
    } else if (reserved_contains(text)) {
        parse_note(parser, PARSE_RESERVED,
                   "Attribute name is a reserved keyword; reserved keyword: %.*s",
                   SLICE_ARGS(text));
    }
    parse_advance(parser);
    return OK;
}

/* An index that is not allowed stays so, whatever its digits. */
_Static_assert(LIMIT_LIST_INDEX < UINT32_MAX, "there is an index beyond all that are allowed");
static uint32_t index_of(struct slice digits)
{
    enum { BASE = 10 };
    uint64_t index = 0;
    for (size_t i = 0; i < digits.length && index < UINT32_MAX; i++) {
        index = index * BASE + (uint64_t)(digits.data[i] - '0');
    }
    return index < UINT32_MAX ? (uint32_t)index : UINT32_MAX;
}

static enum error_code index_step(struct parser *parser, struct path_step *step)
{
    if (parser->current.kind != TOKEN_INDEX) return parse_syntax_error(parser);
    const struct slice digits = parser->current.text;
    *step = (struct path_step){.index = index_of(digits)};
    if (step->index > LIMIT_LIST_INDEX) {
        parse_note(parser, PARSE_PATH,
                   "List index is not within the allowable range; index: [%.*s]",
                   SLICE_ARGS(digits));
    }
    parse_advance(parser);
    return parse_expect(parser, TOKEN_CLOSE_BRACKET);
}

enum error_code parse_path(struct parser *parser, struct path *path)
{
    struct arena *const arena = parser->call->arena;
    size_t capacity = 1;
    struct path_step *steps = arena_array(arena, struct path_step, capacity);
    TRY(name_step(parser, &steps[0]));
    size_t count = 1;
    for (;;) {
        const enum token_kind kind = parser->current.kind;
        if (kind != TOKEN_DOT && kind != TOKEN_OPEN_BRACKET) break;
        parse_advance(parser);
        if (count == capacity) {
            const size_t more = capacity < STEPS_GUESS ? STEPS_GUESS : capacity * 2;
            steps = arena_grow(arena, steps, capacity * sizeof *steps, more * sizeof *steps);
            capacity = more;
        }
        TRY(kind == TOKEN_DOT ? name_step(parser, &steps[count])
                              : index_step(parser, &steps[count]));
        count++;
    }
    if (count > LIMIT_NESTING_LEVELS) {
        parse_note(parser, PARSE_PATH,
                   "The document path has too many nesting levels; nesting levels: %zu", count);
    }
    *path = (struct path){steps, count};
    return OK;
}

enum error_code parse_value(struct parser *parser, const struct node **node)
{
    if (parser->current.kind != TOKEN_VALUE) return parse_syntax_error(parser);
    const struct slice key = parser->current.text;
    const struct placeholder *placeholder = placeholders_find(parser->values, key);
    struct node *made = parse_node(parser, NODE_VALUE, NULL, NULL);
    if (placeholder != NULL) {
        made->value = placeholder->value;
    } else {
        parse_note(parser, parser->value_error,
                   "An expression attribute value used in expression is not defined; attribute "
                   "value: %.*s",
                   SLICE_ARGS(key));
    }
    *node = made;
    parse_advance(parser);
    return OK;
}

/* ---- operands -------------------------------------------------------------------------------- */

static enum error_code parse_function(struct parser *parser, parse_call *make_call,
                                      struct parse_part *part)
{
    const struct slice function = parser->current.text;
    parse_count_operator(parser);
    parse_advance(parser);
    TRY(parse_expect(parser, TOKEN_OPEN));
    TRY(parse_enter(parser));
    struct parse_part operands[OPERANDS_KEPT] = {{0}};
    struct parse_part more;
    size_t count = 0;
    for (;;) {
        struct parse_part *operand = count < OPERANDS_KEPT ? &operands[count] : &more;
        TRY(parse_operand(parser, make_call, operand));
        parse_check_operand(parser, operand);
        count++;
        if (parser->current.kind != TOKEN_COMMA) break;
        parse_advance(parser);
    }
    TRY(parse_expect(parser, TOKEN_CLOSE));
    parse_leave(parser);
    *part = (struct parse_part){.form = PARSE_CALL, .function = function};
    part->node = make_call(parser, function, operands, count);
    return OK;
}

static enum error_code path_operand(struct parser *parser, struct parse_part *part)
{
    struct node *node = parse_node(parser, NODE_PATH, NULL, NULL);
    *part = (struct parse_part){.form = PARSE_OPERAND, .node = node};
    return parse_path(parser, &node->path);
}

enum error_code parse_simple_operand(struct parser *parser, parse_call *make_call,
                                     struct parse_part *part)
{
    if (parser->current.kind == TOKEN_VALUE) {
        *part = (struct parse_part){.form = PARSE_OPERAND};
        return parse_value(parser, &part->node);
    }
    if (parser->current.kind == TOKEN_IDENTIFIER && parser->next.kind == TOKEN_OPEN) {
        return parse_function(parser, make_call, part);
    }
    return path_operand(parser, part);
}

enum error_code parse_operand(struct parser *parser, parse_call *make_call, struct parse_part *part)
{
    if (parser->current.kind != TOKEN_OPEN) return parse_simple_operand(parser, make_call, part);
    parse_advance(parser);
    TRY(parse_enter(parser));
    TRY(parse_operand(parser, make_call, part));
    TRY(parse_expect(parser, TOKEN_CLOSE));
    parse_leave(parser);
    parse_close_part(parser, part);
    return OK;
}

void parse_check_operand(struct parser *parser, const struct parse_part *part)
{
    if (!parser->only_size_nests || part->form != PARSE_CALL) return;
    if (slice_equal_string(part->function, "size")) return;
    parse_note(parser, PARSE_MISUSED_FUNCTION,
               "The function is not allowed to be used this way in an expression; function: %.*s",
               SLICE_ARGS(part->function));
}

bool parse_check_count(struct parser *parser, struct slice function, size_t count, size_t wanted)
{
    if (count == wanted) return true;
    parse_note(parser, parser->count_error,
               "Incorrect number of operands for operator or function; operator or function: %.*s, "
               "number of operands: %zu",
               SLICE_ARGS(function), count);
    return false;
}

void parse_note_type(struct parser *parser, struct slice function, const char *type)
{
    parse_note(parser, PARSE_FUNCTION,
               "Incorrect operand type for operator or function; operator or function: %.*s, "
               "operand type: %s",
               SLICE_ARGS(function), type);
}

/* ---- overlapping paths ----------------------------------------------------------------------- */

void parse_check_paths(struct parser *parser, const struct path *paths, size_t count,
                       const struct path *path)
{
    if (parser->errors[PARSE_OVERLAP].length > 0) return;
    struct arena *const arena = parser->call->arena;
    for (size_t i = 0; i < count; i++) {
        const enum path_relation found = path_relate(&paths[i], path);
        if (found == PATHS_APART) continue;
        const bool overlap = found == PATHS_OVERLAP;
        parse_note(parser, overlap ? PARSE_OVERLAP : PARSE_CONFLICT,
                   "Two document paths %s with each other; must remove or rewrite one of these "
                   "paths; path one: %.*s, path two: %.*s",
                   overlap ? "overlap" : "conflict", SLICE_ARGS(path_print(arena, &paths[i])),
                   SLICE_ARGS(path_print(arena, path)));
        if (overlap) return;
    }
}
