/* SPDX-License-Identifier: Apache-2.0 */
/* paths_test — paths that reach into keys are found in any corner of an expression, in key order.
 */
#include "ops/paths.h"

#include "expr/expressions.h"
#include "unit/unit.h"

struct fixture {
    struct arena arena;
    struct call call;
    struct slice projected[3];
    struct index indexes[2];
    struct table table;
};

/* Key p, s; a local index on l, listed before a global one on g that projects v. */
static int open_fixture(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){
        .projected = {SLICE("g"), SLICE("p"), SLICE("v")},
        .indexes = {{.name = SLICE("local"),
                     .kind = INDEX_LOCAL,
                     .projection = PROJECT_ALL,
                     .key = {1, 1, {{SLICE("p"), VALUE_STRING}, {SLICE("l"), VALUE_STRING}}}},
                    {.name = SLICE("global"),
                     .kind = INDEX_GLOBAL,
                     .projection = PROJECT_INCLUDE,
                     .projected = fixture.projected,
                     .projected_count = COUNT_OF(fixture.projected),
                     .key = {1, 0, {{SLICE("g"), VALUE_STRING}}}}},
        .table = {.index_count = COUNT_OF(fixture.indexes),
                  .indexes = fixture.indexes,
                  .key = {1, 1, {{SLICE("p"), VALUE_STRING}, {SLICE("s"), VALUE_STRING}}}},
    };
    arena_open(&fixture.arena, 0);
    fixture.call = (struct call){.arena = &fixture.arena};
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    arena_close(&fixture->arena);
    return 0;
}

/* The expression of this kind, with :v at hand. */
static struct expression_set parse(struct fixture *fixture, enum expression_kind kind,
                                   const char *text)
{
    struct slice body = arena_format(&fixture->arena, "[\"%s\", {\":v\": {\"S\": \"x\"}}]", text);
    const struct json_token *root = json_parse(&fixture->arena, body, NULL);
    assert_non_null(root);
    const struct json_token *expression = json_first(root);
    struct expression_input input = {
        .known = 1U << kind,
        .values = strstr(text, ":v") == NULL ? NULL : json_next(expression),
    };
    input.text[kind] = expression;
    struct expression_set set;
    assert_int_equal(expressions_parse(&fixture->call, &input, &set), OK);
    return set;
}

/* "" when the check passes, else the end of its message. */
static struct slice outcome(struct fixture *fixture, enum error_code code)
{
    struct slice message = fixture->call.error.message;
    assert_int_equal(code == OK, message.length == 0);
    call_reset(&fixture->call);
    const uint8_t *tail = code == OK ? NULL : memmem(message.data, message.length, ": ", 2);
    if (tail == NULL) return message;
    return slice_of(tail + 2, (size_t)(message.data + message.length - tail - 2));
}

static void a_filter_may_not_reach_into_a_key(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *filter;
        const char *found;
    } cases[] = {
        {"p = :v AND g = :v", ""},
        {"a.p = :v OR b[1].s = :v", ""},
        {"p.x = :v", "Key: p"},
        {"a = :v OR NOT (b = :v AND s[0] = :v)", "Key: s"},
        {"a BETWEEN :v AND s.x", "Key: s"},
        {"a IN (:v, b, p.x)", "Key: p"},
        {"size(g.x) > :v", "IndexKey: g"},
        {"attribute_exists(l[3])", "IndexKey: l"},
        {"l.x = :v AND g.x = :v", "IndexKey: g"},
        {"g.x = :v AND s.x = :v AND p.x = :v", "Key: p"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct expression_set set = parse(fixture, EXPRESSION_FILTER, cases[i].filter);
        enum error_code code = paths_check_filter(&fixture->call, &fixture->table, set.filter);
        ASSERT_SLICE(outcome(fixture, code), slice_of_string(cases[i].found));
    }
}

static void a_projection_may_not_reach_into_a_key(void **state)
{
    struct fixture *fixture = *state;
    struct expression_set good = parse(fixture, EXPRESSION_PROJECTION, "p, a.s, g, b[0].g");
    struct expression_set bad = parse(fixture, EXPRESSION_PROJECTION, "a, g.x");
    assert_int_equal(paths_check_projection(&fixture->call, &fixture->table, good.projection), OK);
    assert_int_equal(paths_check_projection(&fixture->call, &fixture->table, NULL), OK);
    enum error_code code = paths_check_projection(&fixture->call, &fixture->table, bad.projection);
    ASSERT_SLICE(outcome(fixture, code), SLICE("IndexKey: g"));
}

static void an_update_may_read_a_key_but_not_touch_it(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *update;
        const char *found;
    } cases[] = {
        {"SET a = s, g = p", ""},
        {"SET a = if_not_exists(s, :v) REMOVE l", ""},
        {"REMOVE a, s", "Cannot update attribute s. This attribute is part of the key"},
        {"SET s = :v, p = :v", "Cannot update attribute p. This attribute is part of the key"},
        {"SET a = s.x", "Key: s"},
        {"SET g.x = :v", "IndexKey: g"},
        {"SET a = list_append(b, l[0])", "IndexKey: l"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct expression_set set = parse(fixture, EXPRESSION_UPDATE, cases[i].update);
        enum error_code code = paths_check_update(&fixture->call, &fixture->table, set.update);
        ASSERT_SLICE(outcome(fixture, code), slice_of_string(cases[i].found));
    }
}

static void a_filter_may_not_name_the_key_that_is_queried(void **state)
{
    struct fixture *fixture = *state;
    struct expression_set set =
        parse(fixture, EXPRESSION_FILTER, "a = :v OR begins_with(s, :v) OR g = :v");
    enum error_code code = paths_check_filter_keys(&fixture->call, &fixture->table.key, set.filter,
                                                   "Filter Expression");
    ASSERT_SLICE(outcome(fixture, code), SLICE("Primary key attribute: s"));
    code = paths_check_filter_keys(&fixture->call, &fixture->indexes[1].key, set.filter,
                                   "Filter Expression");
    ASSERT_SLICE(outcome(fixture, code), SLICE("Primary key attribute: g"));
    code = paths_check_filter_keys(&fixture->call, &fixture->indexes[0].key, set.filter,
                                   "Filter Expression");
    ASSERT_SLICE(outcome(fixture, code), SLICE(""));
}

static void each_attribute_that_an_index_lacks_is_named_once(void **state)
{
    struct fixture *fixture = *state;
    const struct index *local = &fixture->indexes[0];
    const struct index *global = &fixture->indexes[1];
    struct expression_set set = parse(fixture, EXPRESSION_PROJECTION, "w.a, v.b, w.b, p, u");
    ASSERT_SLICE(paths_unprojected(&fixture->arena, global, set.projection), SLICE("w, u"));
    ASSERT_SLICE(paths_unprojected(&fixture->arena, local, set.projection), SLICE(""));
    set = parse(fixture, EXPRESSION_FILTER, "v = :v AND (w = :v OR size(w) > size(u))");
    ASSERT_SLICE(paths_unprojected_by_filter(&fixture->arena, global, set.filter), SLICE("w, u"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_filter_may_not_reach_into_a_key, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(a_projection_may_not_reach_into_a_key, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(an_update_may_read_a_key_but_not_touch_it, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(a_filter_may_not_name_the_key_that_is_queried, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(each_attribute_that_an_index_lacks_is_named_once,
                                        open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
