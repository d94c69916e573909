/* SPDX-License-Identifier: Apache-2.0 */
/* background: what a passing fault of the store interrupts is gone on with, unasked. */
#include "store/background.h"

#include <unistd.h>

#include "kv/kv_fault.h"
#include "store/item.h"
#include "unit/unit.h"

enum { NOW_S = 1763712000, ITEMS = 300, WAIT_MS = 20000, INDEX_ID = 1 };

static struct arena arena;
static struct database database;

/* What the background finds to do in a table with one index, and what there is of both after it. */
struct work {
    const char *name;
    enum table_status table;
    enum index_status index;
    size_t tables_left;
    size_t indexes_left;
    int64_t entries_left;
};

static struct table make_table(const struct work *work)
{
    static struct index index = {
        .id = INDEX_ID,
        .name = SLICE("by_id"),
        .kind = INDEX_GLOBAL,
        .key = {1, 0, {{SLICE("id"), VALUE_STRING}}},
        .projection = PROJECT_ALL,
        .on_demand = {UNITS_UNSET, UNITS_UNSET},
        .warm = {UNITS_UNSET, UNITS_UNSET},
    };
    static struct key_attribute definition = {SLICE("id"), VALUE_STRING};
    index.status = work->index;
    index.backfilling = work->index == INDEX_CREATING;
    return (struct table){
        .id = 1,
        .name = SLICE("Songs"),
        .key = {1, 0, {{SLICE("id"), VALUE_STRING}}},
        .status = work->table,
        .on_demand = {UNITS_UNSET, UNITS_UNSET},
        .warm = {UNITS_UNSET, UNITS_UNSET},
        .indexes = &index,
        .index_count = 1,
        .definitions = &definition,
        .definition_count = 1,
    };
}

static enum kv_status create_table(struct kv_txn *txn, void *context)
{
    struct table table = make_table(context);
    catalog_write(txn, &arena, &table);
    return KV_OK;
}

static enum kv_status write_items(struct kv_txn *txn, void *context)
{
    const struct table *table = context;
    struct call call = {.arena = &arena, .now_ms = (int64_t)NOW_S * 1000};
    for (int i = 0; i < ITEMS; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        struct attribute attribute = {
            SLICE("id"), value_scalar(&arena, VALUE_STRING, slice_of_string(id)).encoded};
        const struct slice item = item_build(&arena, &attribute, 1);
        struct write write = {.kind = WRITE_PUT, .table = table, .item = item, .key = item};
        if (item_write(&call, &database, txn, &write) != OK) return KV_ABORTED;
    }
    return KV_OK;
}

static enum kv_status count_entries(struct kv_txn *txn, void *context)
{
    const struct index index = {.id = INDEX_ID};
    const struct table table = {.id = 1};
    struct table_size size;
    const enum kv_status status = catalog_size(txn, &table, &index, &size);
    *(int64_t *)context = size.items;
    return status;
}

static bool is_done(const struct work *work)
{
    int64_t entries = -1;
    assert_int_equal(kv_view_wait(database.kv, count_entries, &entries), KV_OK);
    const struct catalog_snapshot *snapshot = catalog_pin(database.catalog, 0);
    bool is_done = snapshot->table_count == work->tables_left && entries == work->entries_left;
    for (size_t i = 0; i < snapshot->table_count; i++) {
        const struct table *table = snapshot->tables[i];
        is_done = is_done && table->index_count == work->indexes_left;
        for (size_t j = 0; j < table->index_count; j++)
            is_done = is_done && table->indexes[j].status == INDEX_ACTIVE;
    }
    catalog_unpin(database.catalog, snapshot);
    return is_done;
}

static bool has_struck(struct kv_fault_plan *plan)
{
    return atomic_load(&plan->points[KV_FAULT_GET].countdown) == 0;
}

static void open_database(struct kv_fault_plan *plan, const struct work *work)
{
    struct slice detail;
    kv_fault_plan_open(plan, &kv_rocksdb);
    const struct kv_options options = {.in_memory = true, .engine_options = plan};
    database = (struct database){.region = SLICE("eu-west-1"), .account_id = SLICE("1")};
    clock_open(&database.clock);
    clock_freeze(&database.clock, (int64_t)NOW_S * 1000);
    assert_int_equal(kv_open(&kv_fault, &options, &database.kv, &arena, &detail), KV_OPEN_OK);
    assert_int_equal(kv_update_wait(database.kv, create_table, (void *)(uintptr_t)work), KV_OK);
    assert_int_equal(catalog_open(&database), KV_OK);
    const struct catalog_snapshot *snapshot = catalog_pin(database.catalog, 0);
    struct table table = *snapshot->tables[0];
    assert_int_equal(kv_update_wait(database.kv, write_items, &table), KV_OK);
    catalog_unpin(database.catalog, snapshot);
}

/* Nothing changes the catalog meanwhile, so nobody wakes the background. */
static void work_that_failed_is_tried_again(void **state)
{
    (void)state;
    static const struct work works[] = {
        {"an index to fill", TABLE_ACTIVE, INDEX_CREATING, 1, 1, ITEMS},
        {"an index to delete", TABLE_ACTIVE, INDEX_DELETING, 1, 0, 0},
        {"a table to delete", TABLE_DELETING, INDEX_ACTIVE, 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(works); i++) {
        struct kv_fault_plan plan;
        arena_open(&arena, 0);
        open_database(&plan, &works[i]);
        kv_fault_arm(&plan, KV_FAULT_GET, 1, KV_UNAVAILABLE);
        assert_int_equal(background_open(&database), KV_OK);
        for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms++) {
            if (has_struck(&plan) && is_done(&works[i])) break;
            usleep(1000);
        }
        ASSERT_CASE(has_struck(&plan), works[i].name);
        ASSERT_CASE(is_done(&works[i]), works[i].name);
        background_close(database.background);
        catalog_close(database.catalog);
        kv_close(database.kv);
        arena_close(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_that_failed_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
