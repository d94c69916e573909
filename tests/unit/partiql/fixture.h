/* SPDX-License-Identifier: Apache-2.0 */
/* fixture — what the tests of partiql/ share: a call, parsed statements, items from JSON. */
#ifndef STATOR_TESTS_PARTIQL_FIXTURE_H
#define STATOR_TESTS_PARTIQL_FIXTURE_H

#include "model/value_json.h"
#include "partiql/statement.h"
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

/* JSON with ' for ", so that cases stay readable. */
static inline struct slice fixture_item(struct fixture *fixture, const char *text)
{
    struct slice item = {0};
    char *copy = arena_string(&fixture->arena, slice_of_string(text));
    for (char *at = copy; *at != '\0'; at++) {
        if (*at == '\'') *at = '"';
    }
    const struct json_token *root = json_parse(&fixture->arena, slice_of_string(copy), NULL);
    assert_non_null(root);
    assert_int_equal(item_from_json(&fixture->call, root, &item), OK);
    return item;
}

static inline const char *fixture_print(struct fixture *fixture, struct slice item)
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

static inline enum error_code fixture_parse(struct fixture *fixture, const char *text,
                                            struct statement *statement)
{
    const struct statement_input input = {.text = slice_of_string(text)};
    return statement_parse(&fixture->call, &input, statement);
}

/* The statement, which has to be one. */
static inline struct statement fixture_statement(struct fixture *fixture, const char *text)
{
    struct statement statement;
    if (fixture_parse(fixture, text, &statement) != OK)
        fail_msg("%s: %.*s", text, SLICE_ARGS(fixture->call.error.message));
    return statement;
}

#endif
