/* SPDX-License-Identifier: Apache-2.0 */
/* catalog: snapshots never change, share what has not changed, and come when waited for. */
#include "unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "store/catalog.h"
#include "store/layout.h"

enum { THREADS = 3, PINS = 2000, CHANGES = 40 };

static struct arena arena;
static struct database database;

static int open_database(void **state)
{
    (void)state;
    arena_open(&arena, 0);
    database = (struct database){.region = SLICE("eu-west-1"), .account_id = SLICE("111122223333")};
    const struct kv_options options = {.in_memory = true};
    struct slice detail;
    assert_int_equal(kv_open(&kv_rocksdb, &options, &database.kv, &arena, &detail), KV_OPEN_OK);
    assert_int_equal(catalog_open(&database), KV_OK);
    return 0;
}

static int close_database(void **state)
{
    (void)state;
    catalog_close(database.catalog);
    kv_close(database.kv);
    arena_close(&arena);
    return 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

enum change_kind { CREATE, TOUCH, MARK_DELETING, ERASE };

struct change {
    enum change_kind kind;
    struct slice name;
    int64_t active_ms;
    uint64_t id; /* out */
};

static struct table new_table(struct slice name, uint64_t id)
{
    return (struct table){
        .id = id,
        .name = name,
        .key = {1, 0, {{SLICE("pk"), VALUE_STRING}}},
        .status = TABLE_CREATING,
        .on_demand = {UNITS_UNSET, UNITS_UNSET},
        .warm = {UNITS_UNSET, UNITS_UNSET},
    };
}

static enum kv_status change_body(struct kv_txn *txn, void *context)
{
    struct change *change = context;
    struct arena scratch;
    arena_open(&scratch, 0);
    enum kv_status status = KV_OK;
    struct table *table = NULL;
    if (change->kind == CREATE) {
        status = catalog_new_id(txn, &change->id);
        struct table created = new_table(change->name, change->id);
        created.active_ms = change->active_ms;
        if (status == KV_OK) catalog_write(txn, &scratch, &created);
    } else {
        status = catalog_read(txn, &scratch, change->name, &table);
        CHECK(status != KV_OK || table != NULL);
        if (status == KV_OK && change->kind == ERASE) catalog_erase(txn, table);
        if (status == KV_OK && change->kind != ERASE) {
            if (change->kind == MARK_DELETING) table->status = TABLE_DELETING;
            table->active_ms = change->active_ms;
            catalog_write(txn, &scratch, table);
        }
    }
    arena_close(&scratch);
    return status;
}

static uint64_t store_change(enum change_kind kind, const char *name, int64_t active_ms)
{
    struct change change = {.kind = kind, .name = slice_of_string(name), .active_ms = active_ms};
    assert_int_equal(kv_update_wait(database.kv, change_body, &change), KV_OK);
    return change.id;
}

static uint64_t make_change(enum change_kind kind, const char *name, int64_t active_ms)
{
    const uint64_t id = store_change(kind, name, active_ms);
    assert_int_equal(catalog_refresh(database.catalog), KV_OK);
    return id;
}

static const struct table *find(const struct catalog_snapshot *snapshot, const char *name)
{
    return catalog_find(snapshot, slice_of_string(name), 0);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static void new_store_has_no_tables(void **state)
{
    (void)state;
    const struct catalog_snapshot *snapshot = catalog_pin(database.catalog, 0);
    assert_int_equal(snapshot->table_count, 0);
    assert_null(find(snapshot, "Any"));
    catalog_unpin(database.catalog, snapshot);
}

static void tables_are_sorted_by_bytes_and_found(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "a", "B", "aa", "a.", "_"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        make_change(CREATE, names[i], 0);
    const struct catalog_snapshot *snapshot = catalog_pin(database.catalog, 0);
    assert_int_equal(snapshot->table_count, COUNT_OF(names));
    for (size_t i = 1; i < snapshot->table_count; i++)
        assert_true(slice_compare(snapshot->tables[i - 1]->name, snapshot->tables[i]->name) < 0);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        ASSERT_CASE(find(snapshot, names[i]) != NULL, names[i]);
    assert_null(find(snapshot, "ab"));
    assert_null(find(snapshot, ""));
    catalog_unpin(database.catalog, snapshot);
}

static void pinned_snapshot_does_not_change(void **state)
{
    (void)state;
    make_change(CREATE, "Kept", 0);
    const struct catalog_snapshot *before = catalog_pin(database.catalog, 0);
    make_change(ERASE, "Kept", 0);
    make_change(CREATE, "New", 0);
    assert_non_null(find(before, "Kept"));
    assert_null(find(before, "New"));
    const struct catalog_snapshot *after = catalog_pin(database.catalog, 0);
    assert_null(find(after, "Kept"));
    assert_non_null(find(after, "New"));
    assert_true(after->version > before->version);
    catalog_unpin(database.catalog, before);
    assert_non_null(find(after, "New"));
    catalog_unpin(database.catalog, after);
}

static void unchanged_tables_are_shared_and_changed_ones_are_not(void **state)
{
    (void)state;
    make_change(CREATE, "c", 0);
    make_change(CREATE, "e", 0);
    const struct catalog_snapshot *before = catalog_pin(database.catalog, 0);
    make_change(CREATE, "a", 0); /* before, between and behind what is there */
    make_change(CREATE, "d", 0);
    make_change(CREATE, "f", 0);
    make_change(TOUCH, "e", 5);
    const struct catalog_snapshot *after = catalog_pin(database.catalog, 0);
    assert_ptr_equal(find(before, "c"), find(after, "c"));
    assert_ptr_not_equal(find(before, "e"), find(after, "e"));
    assert_int_equal(find(before, "e")->active_ms, 0);
    assert_int_equal(find(after, "e")->active_ms, 5);
    assert_true(find(after, "e")->version > find(before, "e")->version);
    catalog_unpin(database.catalog, before);
    assert_int_equal(find(after, "c")->active_ms, 0);
    catalog_unpin(database.catalog, after);
}

static void refresh_without_a_change_keeps_the_snapshot(void **state)
{
    (void)state;
    make_change(CREATE, "T", 0);
    const struct catalog_snapshot *before = catalog_pin(database.catalog, 0);
    assert_int_equal(catalog_refresh(database.catalog), KV_OK);
    const struct catalog_snapshot *after = catalog_pin(database.catalog, 0);
    assert_ptr_equal(before, after);
    catalog_unpin(database.catalog, before);
    catalog_unpin(database.catalog, after);
}

static void waiting_for_a_version_reads_it_when_nobody_else_does(void **state)
{
    (void)state;
    const struct catalog_snapshot *before = catalog_pin(database.catalog, 0);
    store_change(CREATE, "T", 0); /* as another process would: no refresh here */
    const struct catalog_snapshot *old = catalog_pin(database.catalog, 0);
    assert_ptr_equal(before, old);
    const struct catalog_snapshot *after = catalog_pin(database.catalog, before->version + 1);
    assert_non_null(find(after, "T"));
    catalog_unpin(database.catalog, before);
    catalog_unpin(database.catalog, old);
    catalog_unpin(database.catalog, after);
}

static void catalog_is_the_same_after_opening_again(void **state)
{
    (void)state;
    const uint64_t id = make_change(CREATE, "T", 7);
    catalog_close(database.catalog);
    assert_int_equal(catalog_open(&database), KV_OK);
    const struct catalog_snapshot *snapshot = catalog_pin(database.catalog, 0);
    assert_int_equal(snapshot->table_count, 1);
    assert_true(find(snapshot, "T")->id == id);
    assert_int_equal(find(snapshot, "T")->active_ms, 7);
    catalog_unpin(database.catalog, snapshot);
}

static enum kv_status put_garbled(struct kv_txn *txn, void *context)
{
    (void)context;
    kv_put(txn, layout_table_record_key(&arena, SLICE("Broken")), SLICE("{\"format\":99}"));
    kv_touch_metadata(txn);
    return KV_OK;
}

static void unreadable_record_is_an_error_and_not_a_missing_table(void **state)
{
    (void)state;
    make_change(CREATE, "T", 0);
    assert_int_equal(kv_update_wait(database.kv, put_garbled, NULL), KV_OK);
    assert_int_equal(catalog_refresh(database.catalog), KV_CORRUPT);
    const struct catalog_snapshot *snapshot = catalog_pin(database.catalog, UINT64_MAX);
    assert_non_null(find(snapshot, "T"));
    catalog_unpin(database.catalog, snapshot);
}

/* ---- states ---------------------------------------------------------------------------------- */

static void status_follows_the_clock(void **state)
{
    (void)state;
    enum { UNTIL = 1000 };
    static const struct {
        const char *name;
        enum table_status recorded, before, from;
        bool gone;
    } cases[] = {
        {"creating", TABLE_CREATING, TABLE_CREATING, TABLE_ACTIVE, false},
        {"updating", TABLE_UPDATING, TABLE_UPDATING, TABLE_ACTIVE, false},
        {"active", TABLE_ACTIVE, TABLE_ACTIVE, TABLE_ACTIVE, false},
        {"deleting", TABLE_DELETING, TABLE_DELETING, TABLE_DELETING, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct table table = {.status = cases[i].recorded, .active_ms = UNTIL};
        ASSERT_CASE(table_status_at(&table, UNTIL - 1) == cases[i].before, cases[i].name);
        ASSERT_CASE(table_status_at(&table, UNTIL) == cases[i].from, cases[i].name);
        ASSERT_CASE(!table_is_gone(&table, UNTIL - 1), cases[i].name);
        ASSERT_CASE(table_is_gone(&table, UNTIL) == cases[i].gone, cases[i].name);
    }
}

static void table_is_found_until_its_deletion_is_over(void **state)
{
    (void)state;
    make_change(CREATE, "T", 0);
    make_change(MARK_DELETING, "T", 500);
    const struct catalog_snapshot *snapshot = catalog_pin(database.catalog, 0);
    assert_non_null(catalog_find(snapshot, SLICE("T"), 499));
    assert_null(catalog_find(snapshot, SLICE("T"), 500));
    catalog_unpin(database.catalog, snapshot);
}

/* ---- records --------------------------------------------------------------------------------- */

static void ids_are_never_used_twice(void **state)
{
    (void)state;
    uint64_t last = make_change(CREATE, "T", 0);
    assert_true(last > 0);
    for (int i = 0; i < 5; i++) {
        make_change(ERASE, "T", 0);
        const uint64_t id = make_change(CREATE, "T", 0);
        assert_true(id > last);
        last = id;
    }
}

struct look {
    const struct catalog_snapshot *snapshot;
    enum error_code checked;
    size_t garbage;
    struct table_size size;
};

static enum kv_status look_body(struct kv_txn *txn, void *context)
{
    struct look *look = context;
    look->garbage = 0;
    look->checked = catalog_check(txn, look->snapshot);
    struct kv_cursor *cursor;
    enum kv_status status = kv_cursor_open(txn, layout_garbage_range(), &cursor);
    if (status != KV_OK) return status;
    struct slice key, value;
    while (kv_cursor_next(cursor, &key, &value) == KV_OK)
        look->garbage++;
    kv_cursor_close(cursor);
    const struct table table = {.id = 1};
    return catalog_size(txn, &table, NULL, &look->size);
}

static void stale_snapshot_is_noticed_inside_a_transaction(void **state)
{
    (void)state;
    make_change(CREATE, "T", 0);
    struct look look = {.snapshot = catalog_pin(database.catalog, 0)};
    assert_int_equal(kv_view_wait(database.kv, look_body, &look), KV_OK);
    assert_int_equal(look.checked, OK);
    make_change(TOUCH, "T", 1);
    assert_int_equal(kv_view_wait(database.kv, look_body, &look), KV_OK);
    assert_int_equal(look.checked, ERROR_STALE);
    catalog_unpin(database.catalog, look.snapshot);
}

static void erased_table_leaves_a_note_of_its_data(void **state)
{
    (void)state;
    make_change(CREATE, "T", 0);
    struct look look = {.snapshot = catalog_pin(database.catalog, 0)};
    assert_int_equal(kv_view_wait(database.kv, look_body, &look), KV_OK);
    assert_int_equal(look.garbage, 0);
    make_change(ERASE, "T", 0);
    assert_int_equal(kv_view_wait(database.kv, look_body, &look), KV_OK);
    assert_int_equal(look.garbage, 1);
    catalog_unpin(database.catalog, look.snapshot);
}

static enum kv_status count_body(struct kv_txn *txn, void *context)
{
    (void)context;
    kv_add(txn, layout_count_key(&arena, 1, 0), 3);
    kv_add(txn, layout_bytes_key(&arena, 1, 0), 200);
    kv_add(txn, layout_count_key(&arena, 1, 4), 2);
    return KV_OK;
}

static void size_is_read_from_the_counters_of_table_or_index(void **state)
{
    (void)state;
    struct look look = {.snapshot = catalog_pin(database.catalog, 0)};
    assert_int_equal(kv_update_wait(database.kv, count_body, NULL), KV_OK);
    assert_int_equal(kv_view_wait(database.kv, look_body, &look), KV_OK);
    assert_int_equal(look.size.items, 3);
    assert_int_equal(look.size.bytes, 200);
    catalog_unpin(database.catalog, look.snapshot);
}

static void arns_name_region_account_table_and_index(void **state)
{
    (void)state;
    const struct index index = {.name = SLICE("by-date")};
    ASSERT_SLICE(table_arn(&arena, &database, SLICE("T"), NULL),
                 SLICE("arn:aws:dynamodb:eu-west-1:111122223333:table/T"));
    ASSERT_SLICE(table_arn(&arena, &database, SLICE("T"), &index),
                 SLICE("arn:aws:dynamodb:eu-west-1:111122223333:table/T/index/by-date"));
}

/* ---- threads --------------------------------------------------------------------------------- */

static atomic_bool is_wrong;

/* "Always" is in every snapshot, names are in order, versions of one thread never go back. */
static void *pin_and_look(void *context)
{
    (void)context;
    uint64_t version = 0;
    for (int i = 0; i < PINS; i++) {
        const struct catalog_snapshot *snapshot = catalog_pin(database.catalog, version);
        if (snapshot->version < version || find(snapshot, "Always") == NULL)
            atomic_store(&is_wrong, true);
        version = snapshot->version;
        catalog_unpin(database.catalog, snapshot);
    }
    return NULL;
}

static void snapshots_stay_whole_while_many_pin_and_one_changes(void **state)
{
    (void)state;
    make_change(CREATE, "Always", 0);
    atomic_store(&is_wrong, false);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pin_and_look, NULL), 0);
    for (int i = 0; i < CHANGES; i++) {
        make_change(CREATE, "Sometimes", i);
        make_change(ERASE, "Sometimes", 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_false(atomic_load(&is_wrong));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_database, close_database)
    const struct CMUnitTest tests[] = {
        TEST(new_store_has_no_tables),
        TEST(tables_are_sorted_by_bytes_and_found),
        TEST(pinned_snapshot_does_not_change),
        TEST(unchanged_tables_are_shared_and_changed_ones_are_not),
        TEST(refresh_without_a_change_keeps_the_snapshot),
        TEST(waiting_for_a_version_reads_it_when_nobody_else_does),
        TEST(catalog_is_the_same_after_opening_again),
        TEST(unreadable_record_is_an_error_and_not_a_missing_table),
        TEST(status_follows_the_clock),
        TEST(table_is_found_until_its_deletion_is_over),
        TEST(ids_are_never_used_twice),
        TEST(stale_snapshot_is_noticed_inside_a_transaction),
        TEST(erased_table_leaves_a_note_of_its_data),
        TEST(size_is_read_from_the_counters_of_table_or_index),
        TEST(arns_name_region_account_table_and_index),
        TEST(snapshots_stay_whole_while_many_pin_and_one_changes),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
