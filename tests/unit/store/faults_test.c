/* SPDX-License-Identifier: Apache-2.0 */
/* faults: chance has the rate it was given, and a view sees each row as it was its delay ago. */
#include "store/faults.h"

#include "store/delayed.h"
#include "unit/unit.h"

enum { DRAWS = 10000 };

static struct arena arena;
static struct kv *kv;
static struct faults *faults;
static struct database database;
static struct table table;
static struct table other;

static int open_all(void **state)
{
    (void)state;
    struct slice detail;
    arena_open(&arena, 0);
    table = (struct table){.id = 5, .name = SLICE("Orders")};
    other = (struct table){.id = 6, .name = SLICE("Others")};
    faults = faults_open();
    faults_seed(faults, 11);
    database = (struct database){.faults = faults};
    const struct kv_options options = {.in_memory = true};
    return kv_open(&kv_rocksdb, &options, &kv, &arena, &detail) == KV_OPEN_OK ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    kv_close(kv);
    faults_close(faults);
    arena_close(&arena);
    return 0;
}

static void set(const struct fault_settings *settings)
{
    faults_set(faults, table.name, settings);
}

/* ---- chance ---------------------------------------------------------------------------------- */

static size_t count_conflicts(const struct table *of)
{
    size_t count = 0;
    for (int i = 0; i < DRAWS; i++) {
        struct call call = {.arena = &arena};
        const enum error_code code = faults_conflict(&call, &database, of);
        if (code != OK) assert_int_equal(code, ERROR_TRANSACTION_CONFLICT);
        count += code != OK;
    }
    return count;
}

static void conflicts_come_at_their_rate_and_to_their_table(void **state)
{
    (void)state;
    static const struct {
        int64_t rate;
        size_t least, most; /* four standard deviations around the mean */
    } cases[] = {
        {0, 0, 0},
        {FAULTS_RATE_ONE / 100, 60, 140},
        {FAULTS_RATE_ONE / 2, 4800, 5200},
        {FAULTS_RATE_ONE, DRAWS, DRAWS},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        set(&(struct fault_settings){.conflict_rate = cases[i].rate});
        const size_t count = count_conflicts(&table);
        assert_in_range(count, cases[i].least, cases[i].most);
        assert_int_equal(count_conflicts(&other), 0);
    }
}

static void seeds_repeat(void **state)
{
    (void)state;
    bool first[DRAWS];
    set(&(struct fault_settings){.unprocessed_rate = FAULTS_RATE_ONE / 3});
    for (int round = 0; round < 2; round++) {
        faults_seed(faults, 42);
        for (int i = 0; i < DRAWS; i++) {
            const bool left = faults_leave_out(&database, &table, 1);
            if (round == 0) first[i] = left;
            assert_int_equal(left, first[i]);
        }
    }
}

static void throttling_speaks_by_billing_mode(void **state)
{
    (void)state;
    static const struct {
        enum billing_mode billing;
        enum error_code code;
    } cases[] = {{BILLING_PROVISIONED, ERROR_THROUGHPUT_EXCEEDED},
                 {BILLING_PAY_PER_REQUEST, ERROR_THROTTLING}};
    set(&(struct fault_settings){.throttle_rate = FAULTS_RATE_ONE});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct call call = {.arena = &arena};
        table.billing = cases[i].billing;
        assert_int_equal(faults_throttle(&call, &database, &table), cases[i].code);
        assert_int_equal(faults_throttle(&call, &database, &other), OK);
    }
}

static void batch_always_keeps_its_first_member(void **state)
{
    (void)state;
    set(&(struct fault_settings){.unprocessed_rate = FAULTS_RATE_ONE});
    assert_false(faults_leave_out(&database, &table, 0));
    assert_true(faults_leave_out(&database, &table, 1));
    assert_false(faults_leave_out(&database, &other, 1));
}

static void without_faults_nothing_goes_wrong(void **state)
{
    (void)state;
    const struct database plain = {.faults = NULL};
    struct call call = {.arena = &arena};
    struct slice value;
    assert_int_equal(faults_throttle(&call, &plain, &table), OK);
    assert_int_equal(faults_conflict(&call, &plain, &table), OK);
    assert_false(faults_leave_out(&plain, &table, 1));
    const struct past_view view = {.table = &table};
    assert_false(faults_past_value(&view, SLICE("a"), &arena, &value));
}

/* ---- the past -------------------------------------------------------------------------------- */

static void note(const char *key, const char *before, int64_t now_ms)
{
    const struct past_row row = {slice_of_string(key), slice_of_string(before)};
    faults_note(faults, &table, &row, now_ms);
}

static struct past_view view_at(int64_t now_ms)
{
    return (struct past_view){
        .faults = faults, .table = &table, .now_ms = now_ms, .note_count = UINT64_MAX};
}

static void row_is_seen_as_it_was_the_delay_ago(void **state)
{
    (void)state;
    set(&(struct fault_settings){.read_delay_ms = 100});
    note("a", "", 1000);    /* created */
    note("a", "one", 1050); /* changed */
    note("a", "two", 1120); /* changed */
    note("b", "other", 1010);
    static const struct {
        int64_t now_ms;
        const char *value; /* NULL: as it is in the store */
    } cases[] = {
        {1000, ""},    {1099, ""},    {1100, "one"}, {1149, "one"},
        {1150, "two"}, {1219, "two"}, {1220, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct past_view view = view_at(cases[i].now_ms);
        struct slice value = {0};
        const bool found = faults_past_value(&view, SLICE("a"), &arena, &value);
        assert_int_equal(found, cases[i].value != NULL);
        if (found) ASSERT_SLICE(value, slice_of_string(cases[i].value));
    }
}

static void global_indexes_have_the_longer_delay(void **state)
{
    (void)state;
    set(&(struct fault_settings){.read_delay_ms = 100, .index_delay_ms = 300});
    note("a", "", 1000);
    struct past_view view = view_at(1200);
    struct slice value;
    assert_false(faults_past_value(&view, SLICE("a"), &arena, &value));
    view.of_global_index = true;
    assert_true(faults_past_value(&view, SLICE("a"), &arena, &value));
    view.now_ms = 1300;
    assert_false(faults_past_value(&view, SLICE("a"), &arena, &value));
}

static void notes_are_forgotten_oldest_first(void **state)
{
    (void)state;
    enum { MANY = 70000 };
    set(&(struct fault_settings){.read_delay_ms = 1000});
    note("first", "x", 500);
    for (int i = 0; i < MANY; i++)
        note("again", "y", 600); /* a frozen clock: nothing is ever old enough to go */
    const struct past_view view = view_at(600);
    struct slice value;
    assert_false(faults_past_value(&view, SLICE("first"), &arena, &value));
    assert_true(faults_past_value(&view, SLICE("again"), &arena, &value));
}

/* What a row holds now (NULL: it is not there), and what it held (NULL: it was not written). */
struct row {
    const char *key;
    const char *now;
    const char *before;
};

struct reading {
    const struct row *rows;
    size_t count;
    struct kv_range range;
    struct buffer seen;
};

static enum kv_status write_rows(struct kv_txn *txn, void *context)
{
    const struct reading *reading = context;
    for (size_t i = 0; i < reading->count; i++) {
        const struct row *row = &reading->rows[i];
        if (row->now != NULL) kv_put(txn, slice_of_string(row->key), slice_of_string(row->now));
    }
    return KV_OK;
}

static enum kv_status mark_notes(struct kv_txn *txn, void *context)
{
    (void)context;
    return faults_mark(faults, txn, &arena);
}

static enum kv_status decline(struct kv_txn *txn, void *context)
{
    assert_int_equal(mark_notes(txn, context), KV_OK);
    return KV_ABORTED;
}

static enum kv_status look(struct kv_txn *txn, void *context)
{
    return faults_look(context, txn, &arena);
}

/* What was put back of row a; empty: nothing. */
static struct slice seen(void)
{
    struct slice value = {0};
    struct past_view view = view_at(1300);
    assert_int_equal(kv_view_wait(kv, look, &view), KV_OK);
    if (!faults_past_value(&view, SLICE("a"), &arena, &value)) value = (struct slice){0};
    return value;
}

/* Issue 4: a delayed read showed what a write had found that was not committed itself. */
static void notes_count_once_their_writes_are_visible(void **state)
{
    (void)state;
    set(&(struct fault_settings){.read_delay_ms = 200});
    note("a", "one", 1000);
    assert_int_equal(kv_update_wait(kv, mark_notes, NULL), KV_OK);
    assert_int_equal(seen().length, 0);
    note("a", "two", 1250);
    assert_int_equal(seen().length, 0);
    assert_int_equal(kv_update_wait(kv, decline, NULL), KV_ABORTED);
    assert_int_equal(seen().length, 0);
    assert_int_equal(kv_update_wait(kv, mark_notes, NULL), KV_OK);
    ASSERT_SLICE(seen(), SLICE("two"));
}

/* The marks of a process before this one are in the same store. */
static void notes_of_a_new_process_count_from_its_own_marks(void **state)
{
    (void)state;
    set(&(struct fault_settings){.read_delay_ms = 200});
    for (int i = 0; i < DRAWS; i++)
        note("a", "one", 1250);
    assert_int_equal(kv_update_wait(kv, mark_notes, NULL), KV_OK);
    faults_close(faults);
    faults = faults_open();
    set(&(struct fault_settings){.read_delay_ms = 200});
    note("a", "new", 1250);
    assert_int_equal(seen().length, 0);
    assert_int_equal(kv_update_wait(kv, mark_notes, NULL), KV_OK);
    ASSERT_SLICE(seen(), SLICE("new"));
}

static enum kv_status read_rows(struct kv_txn *txn, void *context)
{
    struct reading *reading = context;
    const struct past_view view = view_at(1000);
    struct delayed rows;
    struct slice key;
    struct slice value;
    reading->seen = buffer_open(&arena, 0);
    enum kv_status status = delayed_open(txn, reading->range, &view, &arena, &rows);
    while (status == KV_OK && (status = delayed_next(&rows, &key, &value)) == KV_OK)
        buffer_append_format(&reading->seen, "%.*s=%.*s ", SLICE_ARGS(key), SLICE_ARGS(value));
    delayed_close(&rows);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static void range_shows_the_past_in_both_directions(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a", "a-now", NULL}, {"b", NULL, "b-was"}, {"c", "c-now", "c-was"}, {"d", "d-now", ""},
        {"e", NULL, ""},      {"f", "f-now", NULL}, {"g", "g-now", "g-was"}, {"h", NULL, "h-was"},
    };
    set(&(struct fault_settings){.read_delay_ms = 100});
    struct reading reading = {.rows = rows, .count = COUNT_OF(rows)};
    assert_int_equal(kv_update_wait(kv, write_rows, &reading), KV_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].before != NULL) note(rows[i].key, rows[i].before, 950);
        if (rows[i].before != NULL) note(rows[i].key, "later", 960);
    }
    assert_int_equal(kv_update_wait(kv, mark_notes, NULL), KV_OK);
    static const struct {
        const char *begin, *end;
        bool reverse;
        const char *seen;
    } cases[] = {
        {"a", "z", false, "a=a-now b=b-was c=c-was f=f-now g=g-was h=h-was "},
        {"a", "z", true, "h=h-was g=g-was f=f-now c=c-was b=b-was a=a-now "},
        {"b", "g", false, "b=b-was c=c-was f=f-now "},
        {"d", "f", false, ""},
        {"g", "h", true, "g=g-was "},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        reading.range = (struct kv_range){.begin = slice_of_string(cases[i].begin),
                                          .end = slice_of_string(cases[i].end),
                                          .reverse = cases[i].reverse};
        assert_int_equal(kv_view_wait(kv, read_rows, &reading), KV_OK);
        ASSERT_SLICE(buffer_slice(&reading.seen), slice_of_string(cases[i].seen));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(conflicts_come_at_their_rate_and_to_their_table, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(seeds_repeat, open_all, close_all),
        cmocka_unit_test_setup_teardown(throttling_speaks_by_billing_mode, open_all, close_all),
        cmocka_unit_test_setup_teardown(batch_always_keeps_its_first_member, open_all, close_all),
        cmocka_unit_test_setup_teardown(without_faults_nothing_goes_wrong, open_all, close_all),
        cmocka_unit_test_setup_teardown(row_is_seen_as_it_was_the_delay_ago, open_all, close_all),
        cmocka_unit_test_setup_teardown(global_indexes_have_the_longer_delay, open_all, close_all),
        cmocka_unit_test_setup_teardown(notes_are_forgotten_oldest_first, open_all, close_all),
        cmocka_unit_test_setup_teardown(notes_count_once_their_writes_are_visible, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(notes_of_a_new_process_count_from_its_own_marks, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(range_shows_the_past_in_both_directions, open_all,
                                        close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
