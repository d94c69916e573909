/* SPDX-License-Identifier: Apache-2.0 */
/* expiry: which items have an expiry time, which statuses are shown, and that what expired goes. */
#include "store/expiry.h"

#include <unistd.h>

#include "model/number.h"
#include "store/item.h"
#include "store/layout.h"
#include "unit/unit.h"

enum { NOW_S = 1763712000, ITEMS = 1000, WAIT_MS = 20000 };

static struct arena arena;

static int open_arena(void **state)
{
    (void)state;
    arena_open(&arena, 0);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

static struct table make_table(void)
{
    return (struct table){
        .id = 1,
        .name = SLICE("Sessions"),
        .key = {1, 0, {{SLICE("id"), VALUE_STRING}}},
        .on_demand = {UNITS_UNSET, UNITS_UNSET},
        .warm = {UNITS_UNSET, UNITS_UNSET},
        .ttl = {.attribute = SLICE("until"), .enabled = true},
    };
}

static struct slice number_value(const char *text)
{
    struct number number;
    assert_int_equal(number_parse(slice_of_string(text), &number), NUMBER_OK);
    return value_scalar(&arena, VALUE_NUMBER, number_slice(&number)).encoded;
}

static struct slice make_item(const char *id, struct slice until)
{
    struct attribute attributes[] = {
        {SLICE("id"), value_scalar(&arena, VALUE_STRING, slice_of_string(id)).encoded},
        {SLICE("until"), until},
    };
    return item_build(&arena, attributes, until.length > 0 ? 2 : 1);
}

static void expiry_times_are_numbers_of_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t expiry_ms; /* -1: never */
    } cases[] = {
        {"1763712000", 1763712000000},
        {"1763712000.5", 1763712000500},
        {"1763712000.0009", 1763712000000},
        {"0", 0},
        {"0.001", 1},
        {"-1", -1},
        {"1763712000000", 1763712000000000}, /* milliseconds by mistake: in 50,000 years */
        {"922337203685477", 922337203685477000},
        {"9223372036854776", -1},
        {"1E+100", -1},
    };
    const struct table table = make_table();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t expiry_ms = -1;
        const struct slice item = make_item("a", number_value(cases[i].text));
        const bool expires = expiry_of_item(&table, item, &expiry_ms);
        ASSERT_CASE(expires == (cases[i].expiry_ms >= 0), cases[i].text);
        if (expires) ASSERT_CASE(expiry_ms == cases[i].expiry_ms, cases[i].text);
    }
}

static void other_items_have_no_expiry_time(void **state)
{
    (void)state;
    struct table table = make_table();
    int64_t expiry_ms;
    const struct slice text = value_scalar(&arena, VALUE_STRING, SLICE("1763712000")).encoded;
    assert_false(expiry_of_item(&table, make_item("a", text), &expiry_ms));
    assert_false(expiry_of_item(&table, make_item("a", (struct slice){0}), &expiry_ms));
    assert_false(expiry_of_item(&table, (struct slice){0}, &expiry_ms));
    table.ttl.enabled = false;
    assert_false(expiry_of_item(&table, make_item("a", number_value("5")), &expiry_ms));
}

static void statuses_follow_the_time(void **state)
{
    (void)state;
    static const struct {
        struct ttl ttl;
        int64_t now_ms;
        enum ttl_status status;
    } cases[] = {
        {{.enabled = false}, 5, TTL_DISABLED},
        {{.enabled = true, .filling = true}, 5, TTL_ENABLING},
        {{.enabled = true, .settled_ms = 6}, 5, TTL_ENABLING},
        {{.enabled = true, .settled_ms = 5}, 5, TTL_ENABLED},
        {{.enabled = false, .settled_ms = 6}, 5, TTL_DISABLING},
        {{.enabled = false, .settled_ms = 5}, 5, TTL_DISABLED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(expiry_status_at(&cases[i].ttl, cases[i].now_ms), cases[i].status);
}

static void keys_of_entries_sort_by_time_and_come_apart(void **state)
{
    (void)state;
    const struct table table = make_table();
    const struct slice row_key = layout_item_key(&arena, &table, make_item("a", (struct slice){0}));
    const int64_t times[] = {0, 1, 255, 256, 1763712000000, INT64_MAX - 1};
    struct slice last = {0};
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        int64_t expiry_ms;
        struct slice back;
        const struct slice key = layout_expiry_key(&arena, times[i], row_key);
        assert_true(slice_compare(last, key) < 0);
        assert_true(layout_expiry_of_key(&arena, key, &expiry_ms, &back));
        assert_int_equal(expiry_ms, times[i]);
        ASSERT_SLICE(back, row_key);
        const struct kv_range range = layout_expiry_range(&arena, table.id, times[i], times[i] + 1);
        assert_true(slice_compare(range.begin, key) <= 0 && slice_compare(key, range.end) < 0);
        last = key;
    }
}

/* ---- the thread ------------------------------------------------------------------------------ */

static struct database database;

static enum kv_status create_table(struct kv_txn *txn, void *context)
{
    struct table table = make_table();
    (void)context;
    table.ttl.filling = true;
    catalog_write(txn, &arena, &table);
    return KV_OK;
}

/* Half of the items expire now, half a minute later. */
static enum kv_status write_items(struct kv_txn *txn, void *context)
{
    const struct table *table = context;
    struct call call = {.arena = &arena, .now_ms = (int64_t)NOW_S * 1000};
    for (int i = 0; i < ITEMS; i++) {
        const struct slice id = arena_format(&arena, "%d", i);
        const struct slice until = arena_format(&arena, "%d", NOW_S + (i % 2 == 0 ? 0 : 60));
        const struct slice item =
            make_item(arena_string(&arena, id), number_value(arena_string(&arena, until)));
        struct write write = {.kind = WRITE_PUT, .table = table, .item = item, .key = item};
        if (item_write(&call, &database, txn, &write) != OK) return KV_ABORTED;
    }
    return KV_OK;
}

static enum kv_status count_items(struct kv_txn *txn, void *context)
{
    const struct table table = make_table();
    struct table_size size;
    const enum kv_status status = catalog_size(txn, &table, NULL, &size);
    *(int64_t *)context = size.items;
    return status;
}

static int64_t items_after_waiting_for(int64_t wanted)
{
    int64_t count = -1;
    for (int waited_ms = 0; waited_ms < WAIT_MS && count != wanted; waited_ms++) {
        assert_int_equal(kv_view_wait(database.kv, count_items, &count), KV_OK);
        usleep(1000);
    }
    return count;
}

/* Entries of items written while the table was being filled and of those the filling found. */
static void what_has_expired_goes_and_nothing_else(void **state)
{
    (void)state;
    struct slice detail;
    const struct kv_options options = {.in_memory = true};
    database = (struct database){.region = SLICE("eu-west-1"), .account_id = SLICE("1")};
    clock_open(&database.clock);
    clock_freeze(&database.clock, (int64_t)NOW_S * 1000);
    assert_int_equal(kv_open(&kv_rocksdb, &options, &database.kv, &arena, &detail), KV_OPEN_OK);
    assert_int_equal(kv_update_wait(database.kv, create_table, NULL), KV_OK);
    assert_int_equal(catalog_open(&database), KV_OK);
    const struct catalog_snapshot *snapshot = catalog_pin(database.catalog, 0);
    struct table table = *snapshot->tables[0];
    assert_int_equal(kv_update_wait(database.kv, write_items, &table), KV_OK);
    catalog_unpin(database.catalog, snapshot);

    struct expiry *expiry = expiry_open(&database);
    assert_non_null(expiry);
    /* Exactly at its time an item is not older than now; a moment later it is. */
    usleep(50 * 1000);
    assert_int_equal(items_after_waiting_for(ITEMS), ITEMS);
    clock_advance(&database.clock, 1);
    expiry_wake(expiry);
    assert_int_equal(items_after_waiting_for(ITEMS / 2), ITEMS / 2);
    clock_advance(&database.clock, 60 * 1000);
    expiry_wake(expiry);
    assert_int_equal(items_after_waiting_for(0), 0);
    expiry_close(expiry);
    catalog_close(database.catalog);
    kv_close(database.kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(expiry_times_are_numbers_of_seconds, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(other_items_have_no_expiry_time, open_arena, close_arena),
        cmocka_unit_test(statuses_follow_the_time),
        cmocka_unit_test_setup_teardown(keys_of_entries_sort_by_time_and_come_apart, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(what_has_expired_goes_and_nothing_else, open_arena,
                                        close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
