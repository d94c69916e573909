/* SPDX-License-Identifier: Apache-2.0 */
/* parser — words, errors, names and paths for the grammars of PartiQL. */
#include "partiql/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "model/limits.h"

/* ---- words ----------------------------------------------------------------------------------- */

void parser_open(struct parser *parser, struct call *call, struct slice text)
{
    *parser = (struct parser){.call = call, .text = text};
    parser_advance(parser);
    parser_advance(parser);
}

void parser_advance(struct parser *parser)
{
    parser->current = parser->next;
    parser->next = words_next(parser->call->arena, parser->text, &parser->offset);
}

static bool is_keyword(const struct word *word, const char *keyword)
{
    return word->kind == WORD_NAME && word->raw.length == strlen(keyword) &&
           strncasecmp((const char *)word->raw.data, keyword, word->raw.length) == 0;
}

bool parser_at(const struct parser *parser, const char *keyword)
{
    return is_keyword(&parser->current, keyword);
}

bool parser_at_call(const struct parser *parser, const char *function)
{
    return parser_at(parser, function) && parser->next.kind == WORD_OPEN;
}

bool parser_take(struct parser *parser, const char *keyword)
{
    if (!parser_at(parser, keyword)) return false;
    parser_advance(parser);
    return true;
}

bool parser_take_kind(struct parser *parser, enum word_kind kind)
{
    if (parser->current.kind != kind) return false;
    parser_advance(parser);
    return true;
}

enum error_code parser_expect(struct parser *parser, const char *keyword)
{
    if (parser_take(parser, keyword)) return OK;
    return parser_malformed(parser, "Expected %s", keyword);
}

enum error_code parser_expect_kind(struct parser *parser, enum word_kind kind, const char *what)
{
    if (parser_take_kind(parser, kind)) return OK;
    return parser_malformed(parser, "Expected %s", what);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static struct slice __attribute__((format(printf, 2, 0)))
format_text(struct arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    CHECK(length >= 0);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    return slice_of(text, (size_t)length);
}

enum error_code parser_malformed(struct parser *parser, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const struct slice detail = format_text(parser->call->arena, format, arguments);
    va_end(arguments);
    return fail(parser->call, ERROR_VALIDATION,
                "Statement wasn't well formed, can't be processed: %.*s", SLICE_ARGS(detail));
}

enum error_code parser_refuse(struct parser *parser, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const struct slice message = format_text(parser->call->arena, format, arguments);
    va_end(arguments);
    return fail(parser->call, ERROR_VALIDATION, "%.*s", SLICE_ARGS(message));
}

/* Characters, not bytes. */
static size_t count_characters(const uint8_t *begin, const uint8_t *end)
{
    enum { TAIL_MASK = 0xC0, TAIL = 0x80 };
    size_t count = 0;
    for (; begin < end; begin++)
        count += (*begin & TAIL_MASK) != TAIL;
    return count;
}

struct slice parser_place(const struct parser *parser, const struct word *word)
{
    size_t line = 1;
    const uint8_t *line_begin = parser->text.data;
    for (const uint8_t *byte = parser->text.data; byte < word->raw.data; byte++) {
        if (*byte != '\n') continue;
        line++;
        line_begin = byte + 1;
    }
    return arena_format(parser->call->arena, "%zu:%zu:%zu", line,
                        count_characters(line_begin, word->raw.data) + 1,
                        count_characters(word->raw.data, word->raw.data + word->raw.length));
}

enum error_code parser_wrong_type(struct parser *parser, const char *operator_name,
                                  enum value_type type)
{
    return parser_refuse(parser,
                         "Incorrect operand type for operator or function; operator or function: "
                         "%s, operand type: %s",
                         operator_name, value_type_name(type));
}

enum error_code parser_enter(struct parser *parser)
{
    if (++parser->depth <= LIMIT_STATEMENT_DEPTH) return OK;
    return parser_malformed(parser, "The statement nests too deeply");
}

void parser_leave(struct parser *parser)
{
    CHECK(parser->depth > 0);
    parser->depth--;
}

enum error_code parser_count(struct parser *parser)
{
    if (++parser->operators <= LIMIT_EXPRESSION_OPERATORS) return OK;
    return parser_refuse(parser, "The expression contains too many operators; operator count: %d",
                         LIMIT_EXPRESSION_OPERATORS + 1);
}

/* ---- names, paths, parameters ---------------------------------------------------------------- */

enum error_code parser_name(struct parser *parser, struct slice *name)
{
    const enum word_kind kind = parser->current.kind;
    if (kind != WORD_NAME && kind != WORD_QUOTED)
        return parser_malformed(parser, "Expected identifier");
    if (parser->current.text.length == 0)
        return parser_refuse(parser, "Path component cannot be an empty string");
    *name = parser->current.text;
    parser_advance(parser);
    return OK;
}

/* [ digits ], behind the bracket. */
static enum error_code take_index(struct parser *parser, uint32_t *index)
{
    const struct word word = parser->current;
    const bool negative = word.kind == WORD_MINUS && parser->next.kind == WORD_NUMBER;
    if (negative) parser_advance(parser);
    if (parser->current.kind != WORD_NUMBER)
        return parser_malformed(parser, "Expected a list index");
    uint64_t value = 0;
    for (size_t i = 0; i < parser->current.raw.length; i++) {
        const uint8_t digit = parser->current.raw.data[i];
        if (digit < '0' || digit > '9') return parser_malformed(parser, "Expected a list index");
        enum { BASE = 10 };
        if (value <= INT32_MAX) value = value * BASE + (uint64_t)(digit - '0');
    }
    if (negative || value > INT32_MAX) {
        const struct slice place = parser_place(parser, &parser->current);
        return parser_refuse(parser,
                             "List index is not within the allowable range; index: [%s%.*s] at "
                             "%.*s",
                             negative ? "-" : "", SLICE_ARGS(parser->current.raw),
                             SLICE_ARGS(place));
    }
    *index = (uint32_t)value;
    parser_advance(parser);
    return parser_expect_kind(parser, WORD_CLOSE_BRACKET, "]");
}

/* Appends a step to an array that doubles. */
static void add_step(struct parser *parser, struct path *path, struct path_step **steps,
                     struct path_step step)
{
    enum { STEPS_AT_FIRST = 4 };
    const size_t count = path->count;
    if (count == 0 || (count >= STEPS_AT_FIRST && (count & (count - 1)) == 0)) {
        const size_t capacity = count == 0 ? STEPS_AT_FIRST : 2 * count;
        *steps =
            arena_grow(parser->call->arena, *steps, count * sizeof step, capacity * sizeof step);
    }
    (*steps)[path->count++] = step;
    path->steps = *steps;
}

/* path ::= name { "." name | "[" digits "]" } */
enum error_code parser_path(struct parser *parser, struct path *path)
{
    struct path_step *steps = NULL;
    struct path_step step = {0};
    *path = (struct path){0};
    TRY(parser_name(parser, &step.name));
    add_step(parser, path, &steps, step);
    for (;;) {
        step = (struct path_step){0};
        if (parser_take_kind(parser, WORD_DOT)) {
            TRY(parser_name(parser, &step.name));
        } else if (parser_take_kind(parser, WORD_OPEN_BRACKET)) {
            TRY(take_index(parser, &step.index));
        } else {
            return OK;
        }
        add_step(parser, path, &steps, step);
    }
}

enum error_code parser_parameter(struct parser *parser, struct value *value)
{
    CHECK(parser->current.kind == WORD_PARAMETER);
    parser_advance(parser);
    if (parser->parameters_used == parser->parameter_count) {
        return parser_refuse(parser, "Number of parameters in request and statement don't match.");
    }
    *value = parser->parameters[parser->parameters_used++];
    return OK;
}

bool parser_at_path(const struct parser *parser)
{
    if (parser->current.kind == WORD_QUOTED) return true;
    if (parser->current.kind != WORD_NAME || parser->next.kind == WORD_OPEN) return false;
    return !parser_at(parser, "TRUE") && !parser_at(parser, "FALSE") &&
           !parser_at(parser, "NULL") && !parser_at(parser, "MISSING");
}

/* ---- nodes ----------------------------------------------------------------------------------- */

struct node *parser_node(struct parser *parser, enum node_kind kind, const struct node *left,
                         const struct node *right)
{
    struct node *node = arena_new(parser->call->arena, struct node);
    node->kind = kind;
    node->left = left;
    node->right = right;
    return node;
}

const struct node *parser_value_node(struct parser *parser, struct value value)
{
    struct node *node = parser_node(parser, NODE_VALUE, NULL, NULL);
    node->value = value;
    return node;
}
