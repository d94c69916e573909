/* SPDX-License-Identifier: Apache-2.0 */
/* change — SET and REMOVE clauses to the actions of an update. */
#include "partiql/change.h"

#include "partiql/literal.h"

struct actions {
    struct action *list;
    size_t count;
    size_t capacity;
};

static enum error_code parse_sum(struct parser *parser, const struct node **node);

/* ---- operands -------------------------------------------------------------------------------- */

static enum error_code check_operand(struct parser *parser, const char *operator_name,
                                     const struct node *node, enum value_type wanted)
{
    if (node->kind != NODE_VALUE || node->value.type == wanted) return OK;
    return parser_wrong_type(parser, operator_name, node->value.type);
}

/* list_append "(" sum "," sum ")" */
static enum error_code parse_list_append(struct parser *parser, const struct node **node)
{
    const struct node *first;
    const struct node *second;
    TRY(parser_enter(parser));
    parser_advance(parser);
    parser_advance(parser);
    TRY(parse_sum(parser, &first));
    TRY(parser_expect_kind(parser, WORD_COMMA, ","));
    TRY(parse_sum(parser, &second));
    TRY(parser_expect_kind(parser, WORD_CLOSE, ")"));
    parser_leave(parser);
    TRY(check_operand(parser, "list_append", first, VALUE_LIST));
    TRY(check_operand(parser, "list_append", second, VALUE_LIST));
    *node = parser_node(parser, NODE_LIST_APPEND, first, second);
    return OK;
}

/* term ::= list_append(…) | "(" sum ")" | literal | path */
static enum error_code parse_term(struct parser *parser, const struct node **node)
{
    if (parser_at_call(parser, "list_append")) return parse_list_append(parser, node);
    if (parser->current.kind == WORD_OPEN) {
        TRY(parser_enter(parser));
        parser_advance(parser);
        TRY(parse_sum(parser, node));
        parser_leave(parser);
        return parser_expect_kind(parser, WORD_CLOSE, ")");
    }
    if (literal_begins(parser)) {
        struct value value;
        TRY(literal_parse(parser, &value));
        *node = parser_value_node(parser, value);
        return OK;
    }
    if (parser_at_path(parser)) {
        struct node *path = parser_node(parser, NODE_PATH, NULL, NULL);
        *node = path;
        return parser_path(parser, &path->path);
    }
    if (parser->current.kind == WORD_NAME) {
        return parser_refuse(parser, "Unrecognized function: %.*s",
                             SLICE_ARGS(parser->current.raw));
    }
    return parser_malformed(parser, "Expected an expression");
}

/* sum ::= term { ("+" | "-") term } */
static enum error_code parse_sum(struct parser *parser, const struct node **node)
{
    TRY(parse_term(parser, node));
    for (;;) {
        const bool plus = parser->current.kind == WORD_PLUS;
        if (parser->current.kind == WORD_OTHER_OPERATOR || parser->current.kind == WORD_STAR) {
            return parser_refuse(parser,
                                 "Unsupported operator in Update Expression. Operator: %.*s",
                                 SLICE_ARGS(parser->current.raw));
        }
        if (!plus && parser->current.kind != WORD_MINUS) return OK;
        const char *const sign = plus ? "+" : "-";
        const struct node *right;
        TRY(parser_count(parser));
        parser_advance(parser);
        TRY(parse_term(parser, &right));
        TRY(check_operand(parser, sign, *node, VALUE_NUMBER));
        TRY(check_operand(parser, sign, right, VALUE_NUMBER));
        *node = parser_node(parser, plus ? NODE_PLUS : NODE_MINUS, *node, right);
    }
}

/* ---- clauses --------------------------------------------------------------------------------- */

static enum error_code check_apart(struct parser *parser, const struct actions *actions,
                                   const struct path *path)
{
    struct arena *arena = parser->call->arena;
    for (size_t i = 0; i < actions->count; i++) {
        const struct path *earlier = &actions->list[i].path;
        const enum path_relation relation = path_relate(earlier, path);
        if (relation == PATHS_APART) continue;
        return parser_refuse(parser,
                             "Two document paths %s with each other; must remove or rewrite one "
                             "of these paths; path one: %.*s, path two: %.*s",
                             relation == PATHS_OVERLAP ? "overlap" : "conflict",
                             SLICE_ARGS(path_print(arena, earlier)),
                             SLICE_ARGS(path_print(arena, path)));
    }
    return OK;
}

static enum error_code add_action(struct parser *parser, struct actions *actions,
                                  struct action action)
{
    enum { ACTIONS_AT_FIRST = 4 };
    TRY(check_apart(parser, actions, &action.path));
    if (actions->count == actions->capacity) {
        const size_t capacity = actions->capacity == 0 ? ACTIONS_AT_FIRST : 2 * actions->capacity;
        actions->list = arena_grow(parser->call->arena, actions->list,
                                   actions->count * sizeof action, capacity * sizeof action);
        actions->capacity = capacity;
    }
    actions->list[actions->count++] = action;
    return OK;
}

static bool paths_equal(const struct path *a, const struct path *b)
{
    return a->count == b->count && path_relate(a, b) == PATHS_OVERLAP;
}

/* set_add "(" path "," set ")", and set_delete: of the path that is assigned to */
static enum error_code parse_set_change(struct parser *parser, struct action *action)
{
    const bool adds = parser_at(parser, "set_add");
    const char *const name = adds ? "SET_ADD" : "SET_DELETE";
    const struct word function = parser->current;
    parser_advance(parser);
    parser_advance(parser);
    const struct word first = parser->current;
    struct path path = {0};
    struct value value;
    if (parser_at_path(parser)) TRY(parser_path(parser, &path));
    if (path.count == 0 || !paths_equal(&path, &action->path)) {
        const struct slice place = parser_place(parser, &function);
        return parser_refuse(parser,
                             "The first argument to %s must equal the assignment value at %.*s",
                             name, SLICE_ARGS(place));
    }
    TRY(parser_expect_kind(parser, WORD_COMMA, ","));
    if (!literal_begins(parser)) return parser_malformed(parser, "Expected a set");
    TRY(literal_parse(parser, &value));
    TRY(parser_expect_kind(parser, WORD_CLOSE, ")"));
    if (!value_is_set(value.type)) {
        const struct slice place = parser_place(parser, &first);
        return parser_refuse(parser,
                             "The second argument to %s must be a value with type SET at %.*s",
                             name, SLICE_ARGS(place));
    }
    action->kind = adds ? ACTION_ADD : ACTION_DELETE;
    action->operand = parser_value_node(parser, value);
    return OK;
}

/* assignment ::= path "=" (sum | set_add(…) | set_delete(…)) */
static enum error_code parse_assignment(struct parser *parser, struct actions *actions)
{
    struct action action = {.kind = ACTION_SET};
    TRY(parser_path(parser, &action.path));
    TRY(parser_expect_kind(parser, WORD_EQ, "="));
    if (parser_at_call(parser, "set_add") || parser_at_call(parser, "set_delete")) {
        TRY(parse_set_change(parser, &action));
    } else {
        TRY(parse_sum(parser, &action.operand));
    }
    return add_action(parser, actions, action);
}

static enum error_code parse_removal(struct parser *parser, struct actions *actions)
{
    struct action action = {.kind = ACTION_REMOVE};
    TRY(parser_path(parser, &action.path));
    return add_action(parser, actions, action);
}

static const struct projection *touched_paths(struct arena *arena, const struct actions *actions)
{
    struct path *paths = arena_array(arena, struct path, actions->count);
    for (size_t i = 0; i < actions->count; i++)
        paths[i] = actions->list[i].path;
    return projection_new(arena, paths, actions->count);
}

/* changes ::= { SET assignment { "," assignment } | REMOVE path { "," path } } */
enum error_code change_parse(struct parser *parser, const struct update **update)
{
    struct arena *arena = parser->call->arena;
    struct actions actions = {0};
    for (;;) {
        if (parser_take(parser, "SET")) {
            do {
                TRY(parse_assignment(parser, &actions));
            } while (parser_take_kind(parser, WORD_COMMA));
        } else if (parser_take(parser, "REMOVE")) {
            do {
                TRY(parse_removal(parser, &actions));
            } while (parser_take_kind(parser, WORD_COMMA));
        } else {
            break;
        }
    }
    if (actions.count == 0) return parser_malformed(parser, "Expected SET or REMOVE");
    struct update *parsed = arena_new(arena, struct update);
    *parsed = (struct update){actions.list, actions.count, touched_paths(arena, &actions)};
    *update = parsed;
    return OK;
}
