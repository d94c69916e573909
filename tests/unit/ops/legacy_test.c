/* SPDX-License-Identifier: Apache-2.0 */
/* legacy_test — maps of legacy parameters: names that come twice, and very many of them. */
#include "ops/legacy.h"

#include "ops/legacy_condition.h"
#include "ops/legacy_update.h"
#include "unit/expr/fixture.h"

static int open_fixture(void **state)
{
    static struct fixture fixture;
    fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    fixture_close(*state);
    return 0;
}

static void of_a_name_that_comes_again_the_last_entry_counts(void **state)
{
    struct fixture *fixture = *state;
    const struct json_token *map = fixture_json(fixture, "{'b':1,'a':2,'b':3,'c':4,'b':5,'a':6}");
    struct legacy_entry *entries;
    struct buffer out = buffer_open(&fixture->arena, 0);
    const size_t count = legacy_entries(&fixture->arena, map, &entries);
    for (size_t i = 0; i < count; i++)
        buffer_append_format(&out, "%.*s%.*s ", SLICE_ARGS(entries[i].name),
                             SLICE_ARGS(json_raw(entries[i].value)));
    ASSERT_SLICE(buffer_slice(&out), SLICE("c4 b5 a6 "));
}

static void an_update_touches_each_attribute_once(void **state)
{
    struct fixture *fixture = *state;
    const struct slice item = fixture_item(fixture, "{'id':{'S':'k'},'n':{'N':'1'}}");
    const struct update *update = NULL;
    const struct json_token *updates =
        fixture_json(fixture, "{'n':{'Action':'DELETE'},'n':{'Action':'ADD','Value':{'N':'2'}}}");
    assert_int_equal(legacy_update_read(&fixture->call, updates, &update), OK);
    assert_int_equal(update->count, 1);
    struct slice result = {0};
    assert_int_equal(update_apply(&fixture->call, update, item, item, &result), OK);
    assert_string_equal(fixture_print_item(fixture, result), "{'id':{'S':'k'},'n':{'N':'3'}}");
}

static void an_update_that_only_takes_away_makes_no_item(void **state)
{
    struct fixture *fixture = *state;
    const struct slice key = fixture_item(fixture, "{'id':{'S':'k'}}");
    static const struct {
        const char *updates;
        bool makes;
    } cases[] = {
        {"{'a':{'Action':'DELETE'}}", false},
        {"{'a':{'Action':'DELETE'},'b':{'Action':'DELETE','Value':{'SS':['x']}}}", false},
        {"{'a':{'Action':'DELETE'},'b':{'Action':'ADD','Value':{'SS':['x']}}}", true},
        {"{'a':{'Action':'DELETE'},'b':{'Value':{'S':'x'}}}", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct update *update = NULL;
        const struct json_token *updates = fixture_json(fixture, cases[i].updates);
        struct slice result = {0};
        assert_int_equal(legacy_update_read(&fixture->call, updates, &update), OK);
        assert_int_equal(update_apply(&fixture->call, update, result, key, &result), OK);
        ASSERT_CASE((result.length > 0) == cases[i].makes, cases[i].updates);
    }
}

enum { CONDITIONS = 100 * 1000 };

/* Attributes a0, a1, …, each of which is wanted to be 1. */
static const struct json_token *many_conditions(struct fixture *fixture)
{
    struct buffer text = buffer_open(&fixture->arena, 0);
    for (unsigned i = 0; i < CONDITIONS; i++) {
        buffer_append_format(&text,
                             "%s'a%u':{'ComparisonOperator':'EQ','AttributeValueList':[{'N':'1'}]}",
                             i == 0 ? "{" : ",", i);
    }
    BUFFER_TEXT(&text, "}");
    return fixture_json(fixture, arena_string(&fixture->arena, buffer_slice(&text)));
}

static unsigned depth_of(const struct node *node)
{
    if (node->kind != NODE_AND && node->kind != NODE_OR) return 0;
    const unsigned left = depth_of(node->left);
    const unsigned right = depth_of(node->right);
    return 1 + (left > right ? left : right);
}

/* Walks over conditions recurse: a chain of as many as a request holds would exhaust the stack. */
static void many_conditions_make_a_shallow_tree(void **state)
{
    struct fixture *fixture = *state;
    enum { DEPTH = 17 }; /* the logarithm of CONDITIONS, rounded up */
    const struct json_token *filter = many_conditions(fixture);
    const struct json_token *joiner = fixture_json(fixture, "'OR'");
    const struct slice item = fixture_item(fixture, "{'a77777':{'N':'1'}}");
    const struct node *all = NULL;
    const struct node *any = NULL;
    assert_int_equal(legacy_condition_filter(&fixture->call, filter, NULL, &all), OK);
    assert_int_equal(legacy_condition_filter(&fixture->call, filter, joiner, &any), OK);
    assert_int_equal(depth_of(all), DEPTH);
    assert_false(condition_evaluate(all, item, &fixture->arena));
    assert_true(condition_evaluate(any, item, &fixture->arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_name_that_comes_again_the_last_entry_counts),
        cmocka_unit_test(an_update_touches_each_attribute_once),
        cmocka_unit_test(an_update_that_only_takes_away_makes_no_item),
        cmocka_unit_test(many_conditions_make_a_shallow_tree),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
