/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse_update — update expressions.
 *
 *   update      section {section}
 *   section     SET path = value {, …} | REMOVE path {, …}
 *               | ADD path :value {, …} | DELETE path :value {, …}
 *   value       operand | arithmetic
 *   arithmetic  operand (+|-) operand | ( arithmetic )
 *
 * Arithmetic is no operand: a + b + c and (a + b) + c are syntax errors, as they are at the
 * service.
 */
#include "expr/parse.h"

enum { ACTIONS_GUESS = 4 };

struct update_parser {
    struct parser parser;
    unsigned sections; /* 1 << enum action_kind of those seen */
    struct action *actions;
    struct path *paths; /* of the actions, for overlaps and for update->touched */
    size_t count;
    size_t capacity;
};

static enum error_code parse_section(struct update_parser *update);
static parse_call make_call;

enum error_code parse_update(struct call *call, const struct parse_source *source,
                             const struct update **update)
{
    static const enum parse_error order[] = {
        PARSE_PARENTHESES,      PARSE_OPERATORS, PARSE_RESERVED, PARSE_PATH,
        PARSE_UNKNOWN_FUNCTION, PARSE_SECTION,   PARSE_NAME,     PARSE_VALUE,
        PARSE_OVERLAP,          PARSE_CONFLICT,  PARSE_ACTION,   PARSE_FUNCTION};
    struct update_parser state = {0};
    struct parser *parser = &state.parser;
    TRY(parse_start(parser, call, source));
    parser->count_error = PARSE_FUNCTION;
    do {
        TRY(parse_section(&state));
    } while (parser->current.kind != TOKEN_END);
    TRY(parse_report(parser, order, sizeof order / sizeof order[0]));
    struct update *made = arena_new(call->arena, struct update);
    made->actions = state.actions;
    made->count = state.count;
    made->touched = projection_new(call->arena, state.paths, state.count);
    *update = made;
    return OK;
}

/* ---- functions ------------------------------------------------------------------------------- */

static void check_literal(struct parser *parser, struct slice name, const struct node *operand,
                          enum value_type wanted)
{
    const enum value_type type = parse_literal_type(operand);
    if (type == VALUE_ABSENT || type == wanted) return;
    parse_note_type(parser, name, value_type_name(type));
}

static const struct node *make_call(struct parser *parser, struct slice function,
                                    const struct parse_part *operands, size_t count)
{
    const bool is_append = slice_equal_string(function, "list_append");
    if (!is_append && !slice_equal_string(function, "if_not_exists")) {
        parse_note(parser, PARSE_UNKNOWN_FUNCTION, "Invalid function name; function: %.*s",
                   SLICE_ARGS(function));
        return parse_dummy(parser);
    }
    if (!parse_check_count(parser, function, count, 2)) return parse_dummy(parser);
    const struct node *left = operands[0].node;
    const struct node *right = operands[1].node;
    if (is_append) {
        check_literal(parser, function, left, VALUE_LIST);
        check_literal(parser, function, right, VALUE_LIST);
        return parse_node(parser, NODE_LIST_APPEND, left, right);
    }
    if (left->kind != NODE_PATH) {
        parse_note(parser, PARSE_FUNCTION,
                   "Operator or function requires a document path; operator or function: %.*s",
                   SLICE_ARGS(function));
    }
    return parse_node(parser, NODE_IF_NOT_EXISTS, left, right);
}

/* ---- the value of SET ------------------------------------------------------------------------ */

static bool is_sign(enum token_kind kind)
{
    return kind == TOKEN_PLUS || kind == TOKEN_MINUS;
}

static enum error_code parse_arithmetic(struct parser *parser, struct parse_part *part)
{
    const struct token sign = parser->current;
    parse_count_operator(parser);
    parse_advance(parser);
    struct parse_part right;
    TRY(parse_operand(parser, make_call, &right));
    check_literal(parser, sign.text, part->node, VALUE_NUMBER);
    check_literal(parser, sign.text, right.node, VALUE_NUMBER);
    const enum node_kind kind = sign.kind == TOKEN_PLUS ? NODE_PLUS : NODE_MINUS;
    *part = (struct parse_part){
        .form = PARSE_ARITHMETIC,
        .node = parse_node(parser, kind, part->node, right.node),
    };
    return OK;
}

/* An operand or arithmetic. What a parenthesis opened is known when its content has been seen. */
static enum error_code parse_set_value(struct parser *parser, struct parse_part *part)
{
    if (parser->current.kind == TOKEN_OPEN) {
        parse_advance(parser);
        TRY(parse_enter(parser));
        TRY(parse_set_value(parser, part));
        TRY(parse_expect(parser, TOKEN_CLOSE));
        parse_leave(parser);
        parse_close_part(parser, part);
    } else {
        TRY(parse_simple_operand(parser, make_call, part));
    }
    if (part->form == PARSE_ARITHMETIC || !is_sign(parser->current.kind)) return OK;
    return parse_arithmetic(parser, part);
}

/* ---- actions --------------------------------------------------------------------------------- */

static struct action *add_action(struct update_parser *update, enum action_kind kind)
{
    if (update->count == update->capacity) {
        struct arena *const arena = update->parser.call->arena;
        const size_t old = update->capacity;
        const size_t capacity = old == 0 ? ACTIONS_GUESS : old * 2;
        update->actions = arena_grow(arena, update->actions, old * sizeof(struct action),
                                     capacity * sizeof(struct action));
        update->paths = arena_grow(arena, update->paths, old * sizeof(struct path),
                                   capacity * sizeof(struct path));
        update->capacity = capacity;
    }
    struct action *action = &update->actions[update->count];
    *action = (struct action){.kind = kind};
    return action;
}

/* Now that the action is complete, its path joins those that later ones are checked against. */
static void keep_action(struct update_parser *update, const struct action *action)
{
    parse_check_paths(&update->parser, update->paths, update->count, &action->path);
    update->paths[update->count++] = action->path;
}

static enum error_code parse_set(struct update_parser *update)
{
    struct parser *parser = &update->parser;
    struct action *action = add_action(update, ACTION_SET);
    TRY(parse_path(parser, &action->path));
    TRY(parse_expect(parser, TOKEN_EQ));
    struct parse_part value;
    TRY(parse_set_value(parser, &value));
    action->operand = value.node;
    keep_action(update, action);
    return OK;
}

static enum error_code parse_remove(struct update_parser *update)
{
    struct action *action = add_action(update, ACTION_REMOVE);
    TRY(parse_path(&update->parser, &action->path));
    keep_action(update, action);
    return OK;
}

/* The type of ADD's or DELETE's literal. */
static void check_action(struct parser *parser, enum action_kind kind, enum value_type type)
{
    if (type == VALUE_ABSENT || value_is_set(type)) return;
    const bool is_add = kind == ACTION_ADD;
    if (is_add && type == VALUE_NUMBER) return;
    const char *name = is_add ? "ADD" : "DELETE";
    parse_note(parser, PARSE_ACTION,
               "Incorrect operand type for operator or function; operator: %s, operand type: %s, "
               "typeSet: ALLOWED_FOR_%s_OPERAND",
               name, value_type_word(type), name);
}

static enum error_code parse_add_or_delete(struct update_parser *update, enum action_kind kind)
{
    struct parser *parser = &update->parser;
    struct action *action = add_action(update, kind);
    TRY(parse_path(parser, &action->path));
    TRY(parse_value(parser, &action->operand));
    check_action(parser, kind, parse_literal_type(action->operand));
    keep_action(update, action);
    return OK;
}

static enum error_code parse_action(struct update_parser *update, enum action_kind kind)
{
    if (kind == ACTION_SET) return parse_set(update);
    if (kind == ACTION_REMOVE) return parse_remove(update);
    return parse_add_or_delete(update, kind);
}

static enum error_code parse_section(struct update_parser *update)
{
    static const struct {
        enum token_kind token;
        const char *name;
    } sections[] = {
        [ACTION_SET] = {TOKEN_SET, "SET"},
        [ACTION_REMOVE] = {TOKEN_REMOVE, "REMOVE"},
        [ACTION_ADD] = {TOKEN_ADD, "ADD"},
        [ACTION_DELETE] = {TOKEN_DELETE, "DELETE"},
    };
    struct parser *parser = &update->parser;
    enum action_kind kind = ACTION_SET;
    while (sections[kind].token != parser->current.kind) {
        if (kind == ACTION_DELETE) return parse_syntax_error(parser);
        kind++;
    }
    parse_advance(parser);
    for (;;) {
        TRY(parse_action(update, kind));
        if (parser->current.kind != TOKEN_COMMA) break;
        parse_advance(parser);
    }
    if ((update->sections & 1U << kind) != 0) {
        parse_note(parser, PARSE_SECTION,
                   "The \"%s\" section can only be used once in an update expression;",
                   sections[kind].name);
    }
    update->sections |= 1U << kind;
    return OK;
}
