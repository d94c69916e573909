/* SPDX-License-Identifier: Apache-2.0 */
/* condition_test — an item, conditions, and whether they hold. */
#include "unit/expr/fixture.h"

static const char item_text[] =
    "{'s':{'S':'hello'},'u':{'S':'h\\u00e9\\ud834\\udd1e'},'n':{'N':'10'},'b':{'B':'AQID'},"
    "'t':{'BOOL':true},'z':{'NULL':true},'l':{'L':[{'N':'1'},{'S':'x'},{'L':[{'N':'2'}]}]},"
    "'o':{'M':{'k':{'N':'5'},'m':{'M':{'d':{'S':'deep'}}}}},'ss':{'SS':['a','b','c']},"
    "'ns':{'NS':['1','2.5','-3']},'bs':{'BS':['AQ==','Ag==']},'e':{'S':''}}";

static const char values[] =
    "{':10':{'N':'10.0'},':9':{'N':'9'},':2':{'N':'2'},':3':{'N':'3'},':1':{'N':'1'},"
    "':4':{'N':'4'},':0':{'N':'0'},':25':{'N':'2.50'},':hello':{'S':'hello'},':he':{'S':'he'},"
    "':ll':{'S':'ll'},':a':{'S':'a'},':x':{'S':'x'},':z':{'S':'z'},':empty':{'S':''},"
    "':b':{'B':'AQID'},':b1':{'B':'AQ=='},':b2':{'B':'AgM='},':t':{'BOOL':true},"
    "':f':{'BOOL':false},':null':{'NULL':true},':ss':{'SS':['c','a','b']},"
    "':l':{'L':[{'N':'1.0'},{'S':'x'},{'L':[{'N':'2'}]}]},':l2':{'L':[{'N':'2'}]},"
    "':o':{'M':{'m':{'M':{'d':{'S':'deep'}}},'k':{'N':'5'}}},':S':{'S':'S'},':SS':{'S':'SS'},"
    "':BOOL':{'S':'BOOL'},':NULL':{'S':'NULL'},':M':{'S':'M'}}";

static bool evaluate(struct fixture *fixture, const char *text, struct slice item)
{
    struct expression_set set = {0};
    const enum error_code code = fixture_parse(
        fixture, &(struct fixture_input){EXPRESSION_FILTER, text, NULL, values}, &set);
    if (code != OK) {
        const struct slice message = fixture->call.error.message;
        if (!slice_has_prefix(message, SLICE("Value provided in "))) {
            fail_msg("%s: %.*s", text, SLICE_ARGS(message));
        }
        call_reset(&fixture->call);
    }
    return condition_evaluate(set.filter, item, &fixture->arena);
}

static void assert_all(const char *const *texts, size_t count, bool expected)
{
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice item = fixture_item(&fixture, item_text);
    for (size_t i = 0; i < count; i++) {
        ASSERT_CASE(evaluate(&fixture, texts[i], item) == expected, texts[i]);
    }
    fixture_close(&fixture);
}

static const char *const true_conditions[] = {
    /* comparisons */
    "s = :hello",
    "n = :10",
    "b = :b",
    "t = :t",
    "z = :null",
    "ss = :ss",
    "l = :l",
    "o = :o",
    "s <> :he",
    "n <> :9",
    "n > :9",
    "n >= :10",
    "n <= :10",
    ":9 < n",
    "s > :he",
    "s < :z",
    "b > :b1",
    "b < :b2",
    "l[0] = :1",
    "l[2][0] = :2",
    "o.k > :4",
    "o.m.d < :he",
    "ns <> ss",
    "s <> n",
    /* what is not there */
    "absent <> :9",
    "absent.x <> :9",
    "o.x <> s",
    "l[9] <> :1",
    "absent <> absent2",
    /* BETWEEN and IN */
    "n BETWEEN :9 AND :10",
    "n BETWEEN :10 AND :10",
    "s BETWEEN :he AND :x",
    ":9 BETWEEN :1 AND n",
    "n IN (:1, :10)",
    "s IN (n, :hello)",
    "t IN (:f, :t)",
    "l IN (:l)",
    /* functions */
    "attribute_exists(s)",
    "attribute_exists(o.m.d)",
    "attribute_exists(l[2][0])",
    "attribute_exists(z)",
    "attribute_exists(e)",
    "attribute_not_exists(absent)",
    "attribute_not_exists(o.m.x)",
    "attribute_not_exists(l[3])",
    "attribute_not_exists(s.x)",
    "attribute_not_exists(o[0])",
    "attribute_not_exists(l.x)",
    "attribute_type(s, :S)",
    "attribute_type(ss, :SS)",
    "attribute_type(t, :BOOL)",
    "attribute_type(z, :NULL)",
    "attribute_type(o.m, :M)",
    "begins_with(s, :he)",
    "begins_with(s, :hello)",
    "begins_with(s, :empty)",
    "begins_with(b, :b1)",
    "contains(s, :ll)",
    "contains(s, :empty)",
    "contains(e, :empty)",
    "contains(b, :b2)",
    "contains(ss, :a)",
    "contains(ns, :25)",
    "contains(bs, :b1)",
    "contains(l, :x)",
    "contains(l, :1)",
    "contains(l, :l2)",
    "contains(:hello, s)",
    /* size() */
    "size(s) > :4",
    "size(u) = :4",
    "size(b) = :3",
    "size(ss) = :3",
    "size(ns) = :3",
    "size(bs) = :2",
    "size(l) = :3",
    "size(o) = :2",
    "size(e) = :0",
    "size(:he) = :2",
    "size(s) BETWEEN :4 AND :9",
    "size(b) IN (:1, :3)",
    "size(ss) = size(l)",
    "contains(ns, size(absent)) OR contains(l, size(e)) OR size(bs) < size(l)",
    /* AND, OR, NOT */
    "s = :hello AND n = :10 AND t = :t",
    "s = :he OR n = :9 OR t = :t",
    "NOT s = :he",
    "NOT (s = :hello AND n = :9)",
    "NOT NOT s = :hello",
};

static void what_is_true_of_the_item_holds(void **state)
{
    (void)state;
    assert_all(true_conditions, COUNT_OF(true_conditions), true);
}

static const char *const false_conditions[] = {
    "s = :he",
    "n = :9",
    "s <> :hello",
    "n <> :10",
    "ss <> :ss",
    "l <> :l",
    "o <> :o",
    "n < :10",
    "n > :10",
    "n <= :9",
    "n >= s",
    "n < s",
    "s < n",
    "t <> :t",
    "n = s",
    /* what is not there equals nothing and has no order */
    "absent = :9",
    "absent < :9",
    "absent > :9",
    "absent = absent2",
    "s = absent",
    "n BETWEEN :1 AND :9",
    "absent BETWEEN :1 AND :9",
    "s BETWEEN :1 AND :9",
    "n BETWEEN absent AND :10",
    "n BETWEEN :9 AND s",
    "n IN (:1, :9, s)",
    "absent IN (:1)",
    "absent IN (absent2)",
    "attribute_exists(absent)",
    "attribute_exists(o.x)",
    "attribute_exists(s.x)",
    "attribute_exists(l[3])",
    "attribute_not_exists(s)",
    "attribute_type(s, :SS)",
    "attribute_type(absent, :S)",
    "begins_with(s, :ll)",
    "begins_with(n, :he)",
    "begins_with(absent, :he)",
    "begins_with(b, :he)",
    "begins_with(s, absent)",
    "contains(s, :x)",
    "contains(s, :1)",
    "contains(n, :1)",
    "contains(ss, :x)",
    "contains(ss, :1)",
    "contains(ns, :a)",
    "contains(l, :2)",
    "contains(l, :t)",
    "contains(absent, :a)",
    "contains(o, :a)",
    "contains(s, absent)",
    "size(n) > :0",
    "size(t) >= :0",
    "size(z) >= :0",
    "size(absent) >= :0",
    "size(u) = :3",
    "size(u) = s",
    "s = :hello AND n = :9",
    "s = :he AND t = :t",
    "s = :he OR n = :9",
    "NOT (s = :hello OR n = :9)",
};

static void what_is_not_true_of_the_item_does_not_hold(void **state)
{
    (void)state;
    assert_all(false_conditions, COUNT_OF(false_conditions), false);
}

static void no_item_has_no_attributes(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice none = {0};
    assert_true(evaluate(&fixture, "attribute_not_exists(s)", none));
    assert_true(evaluate(&fixture, "s <> :he", none));
    assert_false(evaluate(&fixture, "attribute_exists(s)", none));
    assert_false(evaluate(&fixture, "s = :hello", none));
    assert_false(evaluate(&fixture, "size(s) >= :0", none));
    fixture_close(&fixture);
}

/* NOT_CONTAINS has no expression: only legacy parameters make it. */
static void not_contains_is_the_opposite_of_contains_where_something_is(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice item = fixture_item(&fixture, item_text);
    const struct path_step step = {.name = SLICE("ss")};
    const struct node path = {.kind = NODE_PATH, .path = {&step, 1}};
    struct node member = {.kind = NODE_VALUE};
    member.value = value_scalar(&fixture.arena, VALUE_STRING, SLICE("a"));
    const struct node condition = {.kind = NODE_NOT_CONTAINS, .left = &path, .right = &member};
    assert_false(condition_evaluate(&condition, item, &fixture.arena));
    member.value = value_scalar(&fixture.arena, VALUE_STRING, SLICE("q"));
    assert_true(condition_evaluate(&condition, item, &fixture.arena));
    assert_false(condition_evaluate(&condition, (struct slice){0}, &fixture.arena));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_true_of_the_item_holds),
        cmocka_unit_test(what_is_not_true_of_the_item_does_not_hold),
        cmocka_unit_test(no_item_has_no_attributes),
        cmocka_unit_test(not_contains_is_the_opposite_of_contains_where_something_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
