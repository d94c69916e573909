/* SPDX-License-Identifier: Apache-2.0 */
/* fixture — what the tests of expr/ share: a call, items from JSON, expressions, printed trees. */
#ifndef STATOR_TESTS_EXPR_FIXTURE_H
#define STATOR_TESTS_EXPR_FIXTURE_H

#include "expr/expressions.h"
#include "model/value_json.h"
#include "unit/unit.h"

struct fixture {
    struct arena arena;
    struct call call;
};

static inline void fixture_open(struct fixture *fixture)
{
    arena_open(&fixture->arena, 0);
    fixture->call = (struct call){.arena = &fixture->arena};
}

static inline void fixture_close(struct fixture *fixture)
{
    arena_close(&fixture->arena);
}

/* JSON with ' for ", so that cases stay readable. NULL gives NULL. */
static inline const struct json_token *fixture_json(struct fixture *fixture, const char *text)
{
    if (text == NULL) return NULL;
    char *copy = arena_string(&fixture->arena, slice_of_string(text));
    for (char *at = copy; *at != '\0'; at++) {
        if (*at == '\'') *at = '"';
    }
    const struct json_token *root = json_parse(&fixture->arena, slice_of_string(copy), NULL);
    assert_non_null(root);
    return root;
}

static inline struct slice fixture_item(struct fixture *fixture, const char *text)
{
    struct slice item = {0};
    if (text == NULL) return item;
    const struct json_token *token = fixture_json(fixture, text);
    if (item_from_json(&fixture->call, token, &item) != OK) {
        fail_msg("item %s: %.*s", text, SLICE_ARGS(fixture->call.error.message));
    }
    assert_true(value_is_valid(item));
    return item;
}

static inline const char *fixture_string(struct fixture *fixture, struct slice text)
{
    return arena_string(&fixture->arena, text);
}

/* An item as JSON with ' for ". */
static inline const char *fixture_print_item(struct fixture *fixture, struct slice item)
{
    assert_true(value_is_valid(item));
    struct buffer out = buffer_open(&fixture->arena, 0);
    item_to_json(&out, item);
    char *text = arena_string(&fixture->arena, buffer_slice(&out));
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '"') *at = '\'';
    }
    return text;
}

/* An expression with its placeholders as JSON. */
struct fixture_input {
    enum expression_kind kind;
    const char *text;
    const char *names;
    const char *values;
};

/* Checks and parses an expression. */
static inline enum error_code fixture_parse(struct fixture *fixture,
                                            const struct fixture_input *given,
                                            struct expression_set *set)
{
    struct buffer quoted = buffer_open(&fixture->arena, 0);
    json_append_string(&quoted, slice_of_string(given->text));
    struct expression_input input = {.known = 1U << given->kind};
    input.text[given->kind] = json_parse(&fixture->arena, buffer_slice(&quoted), NULL);
    assert_non_null(input.text[given->kind]);
    input.names = fixture_json(fixture, given->names);
    input.values = fixture_json(fixture, given->values);
    TRY(expressions_check(&fixture->call, &input));
    return expressions_parse(&fixture->call, &input, set);
}

/* As fixture_parse, for expressions that are right. */
static inline struct expression_set fixture_parsed(struct fixture *fixture,
                                                   enum expression_kind kind, const char *text,
                                                   const char *names, const char *values)
{
    struct expression_set set;
    const struct fixture_input input = {kind, text, names, values};
    if (fixture_parse(fixture, &input, &set) != OK) {
        fail_msg("%s: %.*s", text, SLICE_ARGS(fixture->call.error.message));
    }
    return set;
}

static inline void fixture_print_path(struct buffer *out, const struct path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        const struct path_step *step = &path->steps[i];
        if (step->name.data == NULL) {
            buffer_append_format(out, "[%u]", (unsigned)step->index);
        } else {
            buffer_append_format(out, "%s%.*s", i == 0 ? "" : "/", SLICE_ARGS(step->name));
        }
    }
}

/* Prints a tree as (AND (= a {N:1}) (contains b/c {S:x})). */
static inline void fixture_print_node(struct buffer *out, const struct node *node)
{
    static const char *const heads[] = {
        [NODE_SIZE] = "size",
        [NODE_PLUS] = "+",
        [NODE_MINUS] = "-",
        [NODE_IF_NOT_EXISTS] = "if_not_exists",
        [NODE_LIST_APPEND] = "list_append",
        [NODE_EQ] = "=",
        [NODE_NE] = "<>",
        [NODE_LT] = "<",
        [NODE_LE] = "<=",
        [NODE_GT] = ">",
        [NODE_GE] = ">=",
        [NODE_BETWEEN] = "BETWEEN",
        [NODE_IN] = "IN",
        [NODE_AND] = "AND",
        [NODE_OR] = "OR",
        [NODE_NOT] = "NOT",
        [NODE_ATTRIBUTE_EXISTS] = "exists",
        [NODE_ATTRIBUTE_NOT_EXISTS] = "not_exists",
        [NODE_ATTRIBUTE_TYPE] = "type",
        [NODE_BEGINS_WITH] = "begins_with",
        [NODE_CONTAINS] = "contains",
        [NODE_NOT_CONTAINS] = "not_contains",
    };
    if (node->kind == NODE_PATH) {
        fixture_print_path(out, &node->path);
        return;
    }
    if (node->kind == NODE_VALUE) {
        value_to_text(out, node->value);
        return;
    }
    buffer_append_format(out, "(%s", heads[node->kind]);
    const struct node *operands[] = {node->left, node->right};
    for (size_t i = 0; i < COUNT_OF(operands); i++) {
        if (operands[i] == NULL) continue;
        BUFFER_TEXT(out, " ");
        fixture_print_node(out, operands[i]);
    }
    for (size_t i = 0; i < node->child_count; i++) {
        BUFFER_TEXT(out, " ");
        fixture_print_node(out, node->children[i]);
    }
    BUFFER_TEXT(out, ")");
}

#endif
