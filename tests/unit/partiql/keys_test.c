/* SPDX-License-Identifier: Apache-2.0 */
/* keys — what clauses say about a key, and what the branches select. */
#include "partiql/keys.h"

#include "fixture.h"

static const struct key_schema schema = {
    .partition_count = 1,
    .sort_count = 1,
    .attributes = {{{(const uint8_t *)"p", 1}, VALUE_STRING},
                   {{(const uint8_t *)"s", 1}, VALUE_NUMBER}},
};

static enum error_code split(struct fixture *fixture, const char *where, struct keys *keys)
{
    const struct slice text = arena_format(&fixture->arena, "SELECT * FROM T WHERE %s", where);
    const struct statement statement = fixture_statement(fixture, (const char *)text.data);
    return keys_split(&fixture->call, statement.where, &schema, keys);
}

static void clauses_that_name_partitions_are_keyed(void **state)
{
    (void)state;
    static const struct {
        const char *where;
        size_t branches; /* 0: a scan */
        bool point;      /* the first branch */
        bool exact;      /* the condition says all that the first branch does about keys */
        size_t filters;  /* of the first branch */
    } cases[] = {
        {"p = 'a'", 1, false, true, 0},
        {"p = 'a' AND s = 1", 1, true, true, 0},
        {"s = 1 AND v = 2 AND p = 'a'", 1, true, true, 1},
        {"(p = 'a' AND s >= 1) AND s <= 1", 1, true, true, 0},
        {"p = 'a' AND s BETWEEN 1 AND 2", 1, false, true, 0},
        {"p = 'a' AND s > 1 AND s < 5", 1, false, false, 0},
        {"p = 'a' AND s <> 1", 1, false, true, 1},
        {"p = 'a' AND NOT s = 1", 1, false, true, 1},
        {"p IN ['a', 'b']", 2, false, true, 0},
        {"p = 'a' OR p = 'b' AND s = 1", 2, false, true, 0},
        {"p IN ['a', 'b'] AND s IN [1, 2, 3]", 6, true, true, 0},
        {"p = 'a' AND (v = 1 OR v = 2)", 1, false, true, 1},
        {"p = 'a' AND p = 'a'", 1, false, true, 0},
        {"p = 'a' AND p = 'b'", 0, false, false, 0},
        {"p = 'a' OR v = 1", 0, false, false, 0},
        {"p > 'a'", 0, false, false, 0},
        {"s = 1", 0, false, false, 0},
        {"NOT p = 'a'", 0, false, false, 0},
        {"p.x = 'a'", 0, false, false, 0},
        {"p = s", 0, false, false, 0},
    };
    struct fixture fixture;
    fixture_open(&fixture);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct keys keys;
        struct key_condition condition;
        ASSERT_CASE(split(&fixture, cases[i].where, &keys) == OK, cases[i].where);
        ASSERT_CASE(keys.keyed == (cases[i].branches > 0), cases[i].where);
        if (!keys.keyed) continue;
        ASSERT_CASE(keys.count == cases[i].branches, cases[i].where);
        ASSERT_CASE(keys_is_point(&keys, &keys.branches[0]) == cases[i].point, cases[i].where);
        ASSERT_CASE(keys_condition(&keys, &keys.branches[0], &condition) == cases[i].exact,
                    cases[i].where);
        ASSERT_CASE(keys.branches[0].filter_count == cases[i].filters, cases[i].where);
    }
    fixture_close(&fixture);
}

static void conditions_hold_the_tightest_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *where;
        enum sort_operator op;
        int64_t low, high;
    } cases[] = {
        {"s > 1 AND s >= 1", SORT_GT, 1, 0},
        {"s >= 1 AND s >= 3", SORT_GE, 3, 0},
        {"s < 9 AND s <= 9", SORT_LT, 9, 0},
        {"s <= 9 AND s <= 4", SORT_LE, 4, 0},
        {"s BETWEEN 1 AND 5 AND s BETWEEN 3 AND 9", SORT_BETWEEN, 3, 5},
        {"s > 1 AND s < 5", SORT_BETWEEN, 1, 5},
    };
    struct fixture fixture;
    fixture_open(&fixture);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct keys keys;
        struct key_condition condition;
        int64_t low = 0;
        int64_t high = 0;
        const struct slice where = arena_format(&fixture.arena, "p = 'a' AND %s", cases[i].where);
        ASSERT_CASE(split(&fixture, (const char *)where.data, &keys) == OK, cases[i].where);
        (void)keys_condition(&keys, &keys.branches[0], &condition);
        ASSERT_CASE(condition.op == cases[i].op, cases[i].where);
        ASSERT_CASE(number_to_int64(condition.low.data, &low) && low == cases[i].low,
                    cases[i].where);
        if (cases[i].op != SORT_BETWEEN) continue;
        ASSERT_CASE(number_to_int64(condition.high.data, &high) && high == cases[i].high,
                    cases[i].where);
    }
    fixture_close(&fixture);
}

static void branches_come_in_the_order_that_is_asked_for(void **state)
{
    (void)state;
    struct fixture fixture;
    struct keys keys;
    fixture_open(&fixture);
    assert_int_equal(split(&fixture, "p IN ['b', 'c', 'a'] AND s IN [2, 1]", &keys), OK);
    keys_sort(&keys, true, false);
    static const char *const partitions[] = {"c", "c", "b", "b", "a", "a"};
    for (size_t i = 0; i < keys.count; i++) {
        int64_t sort = 0;
        ASSERT_SLICE(keys.branches[i].partition[0].data, slice_of_string(partitions[i]));
        assert_true(number_to_int64(keys.branches[i].sort[0].low.data, &sort));
        assert_int_equal(sort, 1 + (int64_t)i % 2);
    }
    fixture_close(&fixture);
}

static void keys_that_cannot_be_read_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *where;
        const char *message;
    } cases[] = {
        {"p = 'a' AND (s > 1 OR s = 5)",
         "Overlapping conditions with range keys are not supported in where clause"},
        {"p IN ['a', 'a']",
         "Overlapping conditions with range keys are not supported in where clause"},
        {"v = 1 AND s = 'x'",
         "Key attribute's data type should match its data type in table's schema: Key s"},
        {"p = 'a' AND s = [1]", "Key value must be of type S, N, or B. Key name: s, Key type: L"},
    };
    struct fixture fixture;
    fixture_open(&fixture);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct keys keys;
        assert_int_equal(split(&fixture, cases[i].where, &keys), ERROR_VALIDATION);
        ASSERT_SLICE(fixture.call.error.message, slice_of_string(cases[i].message));
        call_reset(&fixture.call);
    }
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clauses_that_name_partitions_are_keyed),
        cmocka_unit_test(conditions_hold_the_tightest_bounds),
        cmocka_unit_test(branches_come_in_the_order_that_is_asked_for),
        cmocka_unit_test(keys_that_cannot_be_read_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
