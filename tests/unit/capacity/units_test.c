/* SPDX-License-Identifier: Apache-2.0 */
/* units_test — sizes become units, and units become ConsumedCapacity, as facts/capacity.md says. */
#include "capacity/units.h"

#include "unit/unit.h"

struct fixture {
    struct arena arena;
    struct index indexes[3];
    struct table table;
};

static int open_fixture(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){
        .indexes = {{.name = SLICE("by_age"), .kind = INDEX_GLOBAL},
                    {.name = SLICE("local"), .kind = INDEX_LOCAL},
                    {.name = SLICE("by_name"), .kind = INDEX_GLOBAL}},
        .table = {.name = SLICE("users"), .index_count = 3},
    };
    fixture.table.indexes = fixture.indexes;
    arena_open(&fixture.arena, 0);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    arena_close(&fixture->arena);
    return 0;
}

/* ---- sizes to units -------------------------------------------------------------------------- */

static void a_read_costs_a_unit_per_4_kb_begun(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t bytes;
        int64_t consistent_halves;
    } cases[] = {
        {"nothing", 0, 2},       {"one byte", 1, 2},    {"4 KB", 4096, 2},
        {"4 KB and 1", 4097, 4}, {"9 KB", 9 * 1024, 6}, {"400 KB", 400 * 1024, 200},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t halves = cases[i].consistent_halves;
        ASSERT_CASE(units_of_read(cases[i].bytes, true) == halves, cases[i].name);
        ASSERT_CASE(units_of_read(cases[i].bytes, false) == halves / 2, cases[i].name);
    }
}

static void a_write_costs_a_unit_per_kb_begun_of_the_larger_image(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t old_bytes;
        size_t new_bytes;
        int64_t halves;
    } cases[] = {
        {"delete of nothing", 0, 0, 2}, {"new", 0, 1024, 2},     {"new and 1", 0, 1025, 4},
        {"shrinks", 5000, 10, 10},      {"grows", 10, 5000, 10}, {"goes", 3000, 0, 6},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t halves = units_of_write(cases[i].old_bytes, cases[i].new_bytes);
        ASSERT_CASE(halves == cases[i].halves, cases[i].name);
    }
}

static void an_index_costs_what_its_entry_went_through(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct index_cost cost;
        int64_t halves;
    } cases[] = {
        {"no entry before or after", {0, 0, false, false}, UNITS_NONE},
        {"entry appears", {0, 1500, false, false}, 4},
        {"entry goes", {1500, 0, false, false}, 4},
        {"entry unchanged", {1500, 1500, false, false}, UNITS_NONE},
        {"content changed", {100, 1500, false, true}, 4},
        {"key changed, each rounded by itself", {1500, 100, true, false}, 6},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ASSERT_CASE(units_of_index_write(&cases[i].cost) == cases[i].halves, cases[i].name);
    }
}

/* ---- ConsumedCapacity ------------------------------------------------------------------------ */

static struct slice shown(struct fixture *fixture, const struct consumption *consumption,
                          enum consumption_detail detail, enum consumption_mirror mirror)
{
    struct buffer out = buffer_open(&fixture->arena, 0);
    consumption_write(&out, consumption, detail, mirror);
    return buffer_slice(&out);
}

static void total_shows_one_sum_over_table_and_indexes(void **state)
{
    struct fixture *fixture = *state;
    struct consumption consumption;
    consumption_open(&consumption, &fixture->arena, &fixture->table);
    consumption_add_table(&consumption, 1);
    consumption_add_index(&consumption, 0, 4);
    ASSERT_SLICE(shown(fixture, &consumption, CONSUMED_TOTAL, MIRROR_NONE),
                 SLICE("{\"TableName\":\"users\",\"CapacityUnits\":2.5}"));
}

static void indexes_shows_only_the_arms_that_were_touched(void **state)
{
    struct fixture *fixture = *state;
    struct consumption consumption;
    consumption_open(&consumption, &fixture->arena, &fixture->table);
    consumption_add_index(&consumption, 1, 1);
    ASSERT_SLICE(shown(fixture, &consumption, CONSUMED_INDEXES, MIRROR_NONE),
                 SLICE("{\"TableName\":\"users\",\"CapacityUnits\":0.5,"
                       "\"Table\":{\"CapacityUnits\":0.0},"
                       "\"LocalSecondaryIndexes\":{\"local\":{\"CapacityUnits\":0.5}}}"));
}

static void a_transaction_doubles_the_table_but_not_its_indexes(void **state)
{
    struct fixture *fixture = *state;
    struct index_cost costs[3] = {{.new_bytes = 100}, {0}, {.new_bytes = 2000}};
    struct write_cost cost = {.new_bytes = 1100, .indexes = costs};
    struct consumption consumption;
    consumption_open(&consumption, &fixture->arena, &fixture->table);
    consumption_add_write(&consumption, &cost, 2);
    ASSERT_SLICE(shown(fixture, &consumption, CONSUMED_INDEXES, MIRROR_WRITE),
                 SLICE("{\"TableName\":\"users\",\"CapacityUnits\":7.0,\"WriteCapacityUnits\":7.0,"
                       "\"Table\":{\"CapacityUnits\":4.0,\"WriteCapacityUnits\":4.0},"
                       "\"GlobalSecondaryIndexes\":{"
                       "\"by_age\":{\"CapacityUnits\":1.0,\"WriteCapacityUnits\":1.0},"
                       "\"by_name\":{\"CapacityUnits\":2.0,\"WriteCapacityUnits\":2.0}}}"));
}

static void a_write_that_touched_no_index_has_no_index_arm(void **state)
{
    struct fixture *fixture = *state;
    struct write_cost cost = {.old_bytes = 10, .new_bytes = 10};
    struct consumption consumption;
    consumption_open(&consumption, &fixture->arena, &fixture->table);
    consumption_add_write(&consumption, &cost, 1);
    ASSERT_SLICE(shown(fixture, &consumption, CONSUMED_INDEXES, MIRROR_NONE),
                 SLICE("{\"TableName\":\"users\",\"CapacityUnits\":1.0,"
                       "\"Table\":{\"CapacityUnits\":1.0}}"));
}

static void a_list_has_one_entry_per_table_under_the_name_first_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct table other = {.name = SLICE("orders")};
    struct consumption_list list = consumption_list_open(&fixture->arena, 2);
    consumption_add_table(consumption_list_find(&list, &other, SLICE("arn:orders")), 4);
    consumption_add_table(consumption_list_find(&list, &fixture->table, SLICE("users")), 2);
    consumption_add_table(consumption_list_find(&list, &other, SLICE("orders")), 4);

    struct buffer out = buffer_open(&fixture->arena, 0);
    consumption_list_write(&out, &list, CONSUMED_TOTAL, MIRROR_READ);
    ASSERT_SLICE(
        buffer_slice(&out),
        SLICE("[{\"TableName\":\"arn:orders\",\"CapacityUnits\":4.0,\"ReadCapacityUnits\":4.0},"
              "{\"TableName\":\"users\",\"CapacityUnits\":1.0,\"ReadCapacityUnits\":1.0}]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_costs_a_unit_per_4_kb_begun),
        cmocka_unit_test(a_write_costs_a_unit_per_kb_begun_of_the_larger_image),
        cmocka_unit_test(an_index_costs_what_its_entry_went_through),
        cmocka_unit_test_setup_teardown(total_shows_one_sum_over_table_and_indexes, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(indexes_shows_only_the_arms_that_were_touched, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(a_transaction_doubles_the_table_but_not_its_indexes,
                                        open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(a_write_that_touched_no_index_has_no_index_arm,
                                        open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(
            a_list_has_one_entry_per_table_under_the_name_first_asked_for, open_fixture,
            close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
