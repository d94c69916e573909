/* SPDX-License-Identifier: Apache-2.0 */
/* contract — transactions one after another, and what those of one group see of each other. */
#include "unit/kv/contract.h"

#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>

enum { LARGE_VALUES = 12, MANY_ROWS = 3000 };

/* A script's steps, written as arguments. */
#define SCRIPT(...)   ((struct fixture_script){.steps = {__VA_ARGS__}})
#define DECLINED(...) ((struct fixture_script){.steps = {__VA_ARGS__}, .status = KV_ABORTED})

static void own_writes_are_visible(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture, SCRIPT({STEP_PUT, "a", "1"}, {STEP_PUT, "b", "2"}));
    fixture_update(fixture,
                   SCRIPT({STEP_GET, "a", "1"}, {STEP_PUT, "a", "new"}, {STEP_GET, "a", "new"},
                          {STEP_DELETE, "b"}, {STEP_GET, "b"}, {STEP_PUT, "c", ""},
                          {STEP_GET, "c", ""}, {STEP_SCAN, "a", "a=new c= ", .end = "d"}));
    fixture_view(fixture, SCRIPT({STEP_GET, "a", "new"}, {STEP_GET, "b"}, {STEP_GET, "c", ""}));
}

static void declined_body_leaves_no_trace(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(
        fixture, SCRIPT({STEP_PUT, "a", "1"}, {STEP_PUT, "b", "2"}, {STEP_ADD, "n", .number = 5}));
    fixture_update(fixture,
                   DECLINED({STEP_PUT, "a", "no"}, {STEP_DELETE, "b"}, {STEP_PUT, "c", "no"},
                            {STEP_ADD, "n", .number = 1}, {STEP_APPEND, "log", "no"},
                            {STEP_RANGE, "x", "z"}, {STEP_GET, "a", "no"}, {STEP_GET, "b"}));
    fixture_view(fixture,
                 SCRIPT({STEP_GET, "a", "1"}, {STEP_GET, "b", "2"}, {STEP_GET, "c"},
                        {STEP_COUNTER, "n", .number = 5}, {STEP_SCAN, "log", "", .end = "loh"}));
}

static void later_body_sees_what_earlier_ones_of_its_group_wrote(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture, SCRIPT({STEP_PUT, "old", "0"}));
    struct fixture_script scripts[] = {
        SCRIPT({STEP_PUT, "a", "1"}, {STEP_DELETE, "old"}, {STEP_ADD, "n", .number = 2}),
        SCRIPT({STEP_GET, "a", "1"}, {STEP_GET, "old"}, {STEP_COUNTER, "n", .number = 2},
               {STEP_PUT, "b", "2"}, {STEP_ADD, "n", .number = 3}),
        SCRIPT({STEP_SCAN, "a", "a=1 b=2 ", .end = "c"}, {STEP_COUNTER, "n", .number = 5},
               {STEP_SCAN_BACK, "a", "b=2 a=1 ", .end = "c"}),
    };
    fixture_group(fixture, scripts, 3);
    fixture_view(fixture, SCRIPT({STEP_SCAN, "a", "a=1 b=2 ", .end = "c"}));
}

static void declined_body_of_a_group_takes_back_only_its_own_writes(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture, SCRIPT({STEP_PUT, "stored", "s"}));
    struct fixture_script scripts[] = {
        SCRIPT({STEP_PUT, "a", "1"}, {STEP_DELETE, "stored"}),
        DECLINED({STEP_PUT, "a", "no"}, {STEP_PUT, "a", "no again"}, {STEP_DELETE, "a"},
                 {STEP_PUT, "stored", "no"}, {STEP_PUT, "z", "no"}, {STEP_ADD, "n", .number = 7}),
        SCRIPT({STEP_GET, "a", "1"}, {STEP_GET, "stored"}, {STEP_GET, "z"},
               {STEP_COUNTER, "n", .number = 0}, {STEP_PUT, "b", "2"}),
        DECLINED({STEP_DELETE, "b"}),
    };
    fixture_group(fixture, scripts, 4);
    fixture_view(fixture, SCRIPT({STEP_SCAN, "a", "a=1 b=2 ", .end = "zz"}));
}

static void deleted_range_is_empty_for_the_next_body_and_takes_its_writes(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture, SCRIPT({STEP_PUT, "r/1", "1"}, {STEP_PUT, "s", "kept"},
                                   {STEP_ADD, "r/n", .number = 4}));
    struct fixture_script scripts[] = {
        SCRIPT({STEP_PUT, "r/2", "2"}),
        SCRIPT({STEP_RANGE, "r/", "r0"}, {STEP_PUT, "q", "with it"}),
        SCRIPT({STEP_SCAN, "r/", "", .end = "r0"}, {STEP_COUNTER, "r/n", .number = 0},
               {STEP_PUT, "r/3", "3"}, {STEP_ADD, "r/n", .number = 1}),
        SCRIPT({STEP_GET, "r/3", "3"}, {STEP_GET, "r/1"}, {STEP_GET, "r/2"}),
        DECLINED({STEP_RANGE, "r/", "r0"}),
    };
    fixture_group(fixture, scripts, 5);
    fixture_view(fixture, SCRIPT({STEP_SCAN, "q", "q=with it r/3=3 ", .end = "r/n"},
                                 {STEP_COUNTER, "r/n", .number = 1}, {STEP_GET, "s", "kept"}));
}

static void cursor_returns_the_rows_of_its_range_in_both_directions(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture,
                   SCRIPT({STEP_PUT, "a", "1"}, {STEP_PUT, "ab", "2"}, {STEP_PUT, "b", "3"},
                          {STEP_PUT, "d", "4"}, {STEP_TOUCH}, {STEP_APPEND, "\xFE", "x"}));
    static const struct fixture_script scripts[] = {
        {.steps = {{STEP_SCAN, "a", "a=1 ab=2 ", .end = "b"},
                   {STEP_SCAN_BACK, "a", "ab=2 a=1 ", .end = "b"},
                   {STEP_SCAN, "aa", "ab=2 b=3 d=4 ", .end = "e"},
                   {STEP_SCAN_BACK, "aa", "d=4 b=3 ab=2 ", .end = "e"},
                   {STEP_SCAN, "", "a=1 ab=2 ", .end = "b"},
                   {STEP_SCAN_BACK, "", "ab=2 a=1 ", .end = "b"},
                   {STEP_SCAN, "c", "", .end = "d"},
                   {STEP_SCAN_BACK, "c", "", .end = "d"},
                   {STEP_SCAN, "d", "", .end = "b"},
                   {STEP_SCAN_BACK, "d", "", .end = "b"}}},
        {.steps = {{STEP_SCAN, "d", "d=4 ", .end = "\xFE"},
                   {STEP_SCAN_BACK, "d", "d=4 ", .end = "\xFE"}}},
    };
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        fixture_view(fixture, scripts[i]);
        fixture_update(fixture, scripts[i]);
    }
}

/* Counts the rows of everything, and those that are not the caller's. */
static enum kv_status count_all_body(struct kv_txn *txn, void *context)
{
    int *counts = context;
    counts[0] = counts[1] = 0;
    for (int reverse = 0; reverse < 2; reverse++) {
        struct kv_cursor *cursor = NULL;
        const struct kv_range all = {
            .end = SLICE("\xFF"), .reverse = reverse == 1, .expected = MANY_ROWS};
        enum kv_status status = kv_cursor_open(txn, all, &cursor);
        struct slice key;
        struct slice value;
        while (status == KV_OK && (status = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
            counts[0]++;
            if (key.data[0] != 'k') counts[1]++;
        }
        kv_cursor_close(cursor);
        if (status != KV_NOT_FOUND) return status;
    }
    return KV_OK;
}

static void engines_own_keys_are_never_seen(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture, SCRIPT({STEP_TOUCH}, {STEP_APPEND, "k", "x"}, {STEP_PUT, "k1", "1"}));
    int counts[2];
    assert_int_equal(kv_view_wait(fixture->kv, count_all_body, counts), KV_OK);
    assert_int_equal(counts[0], 4);
    assert_int_equal(counts[1], 0);
    assert_int_equal(kv_update_wait(fixture->kv, count_all_body, counts), KV_OK);
    assert_int_equal(counts[0], 4);
    assert_int_equal(counts[1], 0);
}

static void cursor_of_an_update_merges_its_own_writes(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture,
                   SCRIPT({STEP_PUT, "b", "2"}, {STEP_PUT, "d", "4"}, {STEP_PUT, "f", "6"}));
    fixture_update(fixture,
                   SCRIPT({STEP_PUT, "a", "1"}, {STEP_PUT, "d", "new"}, {STEP_DELETE, "f"},
                          {STEP_PUT, "g", "7"}, {STEP_DELETE, "x"},
                          {STEP_SCAN, "a", "a=1 b=2 d=new g=7 ", .end = "z"},
                          {STEP_SCAN_BACK, "a", "g=7 d=new b=2 a=1 ", .end = "z"},
                          {STEP_SCAN, "b", "b=2 d=new ", .end = "g"},
                          {STEP_SCAN_BACK, "b", "d=new b=2 ", .end = "g"}, {STEP_DELETE, "a"}));
    fixture_view(fixture, SCRIPT({STEP_SCAN, "a", "b=2 d=new g=7 ", .end = "z"}));
}

/* The row must not change under writes; each row is rewritten longer while it is current. */
static enum kv_status rewrite_rows_body(struct kv_txn *txn, void *context)
{
    struct kv_cursor *cursor = NULL;
    enum kv_status status =
        kv_cursor_open(txn, (struct kv_range){.begin = SLICE("a"), .end = SLICE("z")}, &cursor);
    struct slice key;
    struct slice value;
    bool *is_stable = context;
    *is_stable = true;
    while (status == KV_OK && (status = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
        static const uint8_t long_value[4096] = {'!'};
        kv_put(txn, key, slice_of(long_value, sizeof long_value));
        kv_delete(txn, key);
        if (!slice_equal_string(value, "row") || key.length != 1) *is_stable = false;
    }
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static void row_of_a_cursor_survives_writes_until_it_moves(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture,
                   SCRIPT({STEP_PUT, "a", "row"}, {STEP_PUT, "c", "row"}, {STEP_PUT, "e", "row"}));
    bool is_stable = false;
    assert_int_equal(kv_update_wait(fixture->kv, rewrite_rows_body, &is_stable), KV_OK);
    assert_true(is_stable);
    fixture_view(fixture, SCRIPT({STEP_SCAN, "a", "", .end = "z"}));
}

static void counters_add_up_and_are_not_seen_by_their_own_body(void **state)
{
    struct fixture *fixture = *state;
    fixture_view(fixture, SCRIPT({STEP_COUNTER, "n", .number = 0}));
    fixture_update(fixture,
                   SCRIPT({STEP_ADD, "n", .number = 40}, {STEP_ADD, "n", .number = 3},
                          {STEP_ADD, "m", .number = -9}, {STEP_COUNTER, "n", .number = 0}));
    struct fixture_script scripts[] = {
        SCRIPT({STEP_ADD, "n", .number = -1}),
        SCRIPT({STEP_COUNTER, "n", .number = 42}, {STEP_ADD, "m", .number = INT64_MAX}),
    };
    fixture_group(fixture, scripts, 2);
    fixture_view(fixture, SCRIPT({STEP_COUNTER, "n", .number = 42},
                                 {STEP_COUNTER, "m", .number = INT64_MAX - 9}));
    fixture_update(fixture, SCRIPT({STEP_DELETE, "n"}));
    fixture_view(fixture, SCRIPT({STEP_COUNTER, "n", .number = 0}));
}

/* More counters than an engine may hold ready, each added to again after all the others. */
static void adds_to_many_counters_in_one_body_all_count(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture,
                   SCRIPT({STEP_ADD, "a", .number = 1}, {STEP_ADD, "b", .number = INT64_MAX},
                          {STEP_ADD, "c", .number = 4}, {STEP_ADD, "d", .number = -8},
                          {STEP_ADD, "e", .number = 16}, {STEP_ADD, "f", .number = 32},
                          {STEP_ADD, "a", .number = 100}, {STEP_ADD, "b", .number = INT64_MAX},
                          {STEP_ADD, "f", .number = 300}, {STEP_ADD, "d", .number = 8},
                          {STEP_ADD, "a", .number = -1}, {STEP_ADD, "b", .number = 2}));
    fixture_view(fixture,
                 SCRIPT({STEP_COUNTER, "a", .number = 100}, {STEP_COUNTER, "b", .number = 0},
                        {STEP_COUNTER, "c", .number = 4}, {STEP_COUNTER, "d", .number = 0},
                        {STEP_COUNTER, "e", .number = 16}, {STEP_COUNTER, "f", .number = 332}));
}

static void value_that_is_no_counter_is_reported(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture, SCRIPT({STEP_PUT, "n", "not eight"}));
    struct fixture_script script = SCRIPT({STEP_ADD, "n", .number = 1}, {STEP_PUT, "a", "no"});
    assert_int_equal(kv_update_wait(fixture->kv, fixture_body, &script), KV_CORRUPT);
    fixture_view(fixture, SCRIPT({STEP_GET, "a"}, {STEP_GET, "n", "not eight"}));
}

/* ---- appends --------------------------------------------------------------------------------- */

/* Joins the values under "log" in order, and checks that keys are the prefix and a stamp. */
static enum kv_status read_log_body(struct kv_txn *txn, void *context)
{
    struct buffer *log = context;
    log->length = 0;
    struct kv_cursor *cursor = NULL;
    enum kv_status status =
        kv_cursor_open(txn, (struct kv_range){.begin = SLICE("log"), .end = SLICE("loh")}, &cursor);
    struct slice key;
    struct slice value;
    while (status == KV_OK && (status = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
        if (key.length != strlen("log") + KV_STAMP_BYTES) return KV_CORRUPT;
        buffer_append(log, value);
    }
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static void assert_log(struct fixture *fixture, const char *expected)
{
    struct buffer log = buffer_open(&fixture->arena, 0);
    assert_int_equal(kv_view_wait(fixture->kv, read_log_body, &log), KV_OK);
    BUFFER_TEXT(&log, "\0");
    assert_string_equal((const char *)log.data, expected);
}

static void appends_keep_the_order_of_their_commits(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture, SCRIPT({STEP_APPEND, "log", "a"}, {STEP_APPEND, "log", "b"},
                                   {STEP_SCAN, "log", "", .end = "loh"}));
    struct fixture_script scripts[] = {
        SCRIPT({STEP_APPEND, "log", "c"}, {STEP_APPEND, "other", "-"}),
        DECLINED({STEP_APPEND, "log", "no"}),
        SCRIPT({STEP_APPEND, "log", "d"}, {STEP_APPEND, "log", "e"}, {STEP_APPEND, "log", "f"}),
        SCRIPT({STEP_APPEND, "log", "g"}),
    };
    fixture_group(fixture, scripts, 4);
    assert_log(fixture, "abcdefg");
    if (!fixture->setup->in_memory) fixture_reopen(fixture);
    fixture_update(fixture, SCRIPT({STEP_APPEND, "log", "h"}));
    assert_log(fixture, "abcdefgh");
}

/* ---- the metadata version -------------------------------------------------------------------- */

static enum kv_status version_body(struct kv_txn *txn, void *context)
{
    return kv_metadata_version(txn, context);
}

static enum kv_status touch_body(struct kv_txn *txn, void *context)
{
    kv_touch_metadata(txn);
    return kv_metadata_version(txn, context);
}

static uint64_t version_of(struct fixture *fixture)
{
    uint64_t in_view = 0;
    uint64_t in_update = 1;
    assert_int_equal(kv_view_wait(fixture->kv, version_body, &in_view), KV_OK);
    assert_int_equal(kv_update_wait(fixture->kv, version_body, &in_update), KV_OK);
    assert_int_equal(in_view, in_update);
    return in_view;
}

static void touch_changes_the_version_for_everybody_after_it(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t before = version_of(fixture);
    fixture_update(fixture, DECLINED({STEP_TOUCH}));
    assert_int_equal(version_of(fixture), before);
    fixture_update(fixture, SCRIPT({STEP_PUT, "a", "1"}));
    assert_int_equal(version_of(fixture), before);

    uint64_t own = 0;
    assert_int_equal(kv_update_wait(fixture->kv, touch_body, &own), KV_OK);
    assert_int_equal(own, before);
    const uint64_t after = version_of(fixture);
    assert_true(after > before);
    if (fixture->setup->in_memory) return;
    fixture_reopen(fixture);
    assert_true(version_of(fixture) >= after);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

static enum kv_status put_odd_body(struct kv_txn *txn, void *context)
{
    const struct slice *large = context;
    kv_put(txn, SLICE("\0"), SLICE("zero"));
    kv_put(txn, SLICE("\0\0"), SLICE("\0\0"));
    kv_put(txn, SLICE("a\0b"), SLICE(""));
    kv_put(txn, slice_of(large->data, KV_KEY_BYTES_MAX), *large);
    return KV_OK;
}

static enum kv_status get_odd_body(struct kv_txn *txn, void *context)
{
    const struct slice *large = context;
    const struct {
        struct slice key;
        struct slice value;
    } rows[] = {{SLICE("\0"), SLICE("zero")},
                {SLICE("\0\0"), SLICE("\0\0")},
                {SLICE("a\0b"), SLICE("")},
                {slice_of(large->data, KV_KEY_BYTES_MAX), *large}};
    struct arena arena;
    arena_open(&arena, 0);
    enum kv_status status = KV_OK;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && status == KV_OK; i++) {
        struct slice value;
        status = kv_get(txn, rows[i].key, &arena, &value);
        if (status == KV_OK && !slice_equal(value, rows[i].value)) status = KV_CORRUPT;
    }
    struct slice absent;
    if (status == KV_OK && kv_get(txn, SLICE("a"), &arena, &absent) != KV_NOT_FOUND)
        status = KV_CORRUPT;
    arena_close(&arena);
    return status;
}

static void keys_with_zeros_empty_values_and_the_largest_are_kept(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = arena_alloc_raw(&fixture->arena, KV_VALUE_BYTES_MAX);
    for (size_t i = 0; i < KV_VALUE_BYTES_MAX; i++)
        bytes[i] = (uint8_t)((i * 2654435761U) >> 16 & 0x7F);
    struct slice large = slice_of(bytes, KV_VALUE_BYTES_MAX);
    assert_int_equal(kv_update_wait(fixture->kv, put_odd_body, &large), KV_OK);
    assert_int_equal(kv_view_wait(fixture->kv, get_odd_body, &large), KV_OK);
    if (!fixture->setup->in_memory) fixture_reopen(fixture);
    assert_int_equal(kv_update_wait(fixture->kv, get_odd_body, &large), KV_OK);
}

static void updates_larger_together_than_a_group_all_succeed(void **state)
{
    struct fixture *fixture = *state;
    char *large = arena_alloc_raw(&fixture->arena, KV_VALUE_BYTES_MAX + 1);
    memset(large, 'v', KV_VALUE_BYTES_MAX);
    large[KV_VALUE_BYTES_MAX] = '\0';
    struct fixture_script scripts[LARGE_VALUES];
    char keys[LARGE_VALUES][8];
    for (int i = 0; i < LARGE_VALUES; i++) {
        snprintf(keys[i], sizeof keys[i], "k%02d", i);
        scripts[i] = SCRIPT({STEP_PUT, keys[i], large}, {STEP_GET, keys[i == 0 ? 0 : i - 1], large},
                            {STEP_ADD, "n", .number = 1});
    }
    fixture_group(fixture, scripts, LARGE_VALUES);
    fixture_view(fixture, SCRIPT({STEP_COUNTER, "n", .number = LARGE_VALUES},
                                 {STEP_GET, "k00", large}, {STEP_GET, "k11", large}));
}

static enum kv_status put_many_body(struct kv_txn *txn, void *context)
{
    (void)context;
    for (int i = 0; i < MANY_ROWS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%05d", i);
        kv_put(txn, slice_of_string(key), slice_of_string(key + 1));
    }
    return KV_OK;
}

static void cursor_that_expects_many_rows_returns_them_all(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(kv_update_wait(fixture->kv, put_many_body, NULL), KV_OK);
    int counts[2];
    assert_int_equal(kv_view_wait(fixture->kv, count_all_body, counts), KV_OK);
    assert_int_equal(counts[0], 2 * MANY_ROWS);
}

static void contents_survive_reopening(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->setup->in_memory) skip();
    fixture_update(
        fixture, SCRIPT({STEP_PUT, "a", "1"}, {STEP_PUT, "b", "2"}, {STEP_ADD, "n", .number = 3}));
    fixture_reopen(fixture);
    fixture_update(fixture, SCRIPT({STEP_GET, "a", "1"}, {STEP_DELETE, "b"}, {STEP_PUT, "c", "3"},
                                   {STEP_ADD, "n", .number = 4}));
    fixture_reopen(fixture);
    fixture_view(fixture, SCRIPT({STEP_SCAN, "a", "a=1 c=3 ", .end = "d"},
                                 {STEP_COUNTER, "n", .number = 7}));
}

static void memory_keeps_nothing(void **state)
{
    struct fixture *fixture = *state;
    if (!fixture->setup->in_memory) skip();
    fixture_update(fixture, SCRIPT({STEP_PUT, "a", "1"}));
    fixture_reopen(fixture);
    fixture_view(fixture, SCRIPT({STEP_GET, "a"}));
}

int contract_run_tests(struct CMUnitTest *tests, size_t count, struct fixture_setup *setup)
{
    print_message("# %s\n", setup->name);
    for (size_t i = 0; i < count; i++)
        tests[i].initial_state = setup;
    return _cmocka_run_group_tests(setup->name, tests, count, NULL, NULL);
}

int contract_run(struct fixture_setup *setup)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(own_writes_are_visible),
        CONTRACT_TEST(declined_body_leaves_no_trace),
        CONTRACT_TEST(later_body_sees_what_earlier_ones_of_its_group_wrote),
        CONTRACT_TEST(declined_body_of_a_group_takes_back_only_its_own_writes),
        CONTRACT_TEST(deleted_range_is_empty_for_the_next_body_and_takes_its_writes),
        CONTRACT_TEST(cursor_returns_the_rows_of_its_range_in_both_directions),
        CONTRACT_TEST(engines_own_keys_are_never_seen),
        CONTRACT_TEST(cursor_of_an_update_merges_its_own_writes),
        CONTRACT_TEST(row_of_a_cursor_survives_writes_until_it_moves),
        CONTRACT_TEST(counters_add_up_and_are_not_seen_by_their_own_body),
        CONTRACT_TEST(adds_to_many_counters_in_one_body_all_count),
        CONTRACT_TEST(value_that_is_no_counter_is_reported),
        CONTRACT_TEST(appends_keep_the_order_of_their_commits),
        CONTRACT_TEST(touch_changes_the_version_for_everybody_after_it),
        CONTRACT_TEST(keys_with_zeros_empty_values_and_the_largest_are_kept),
        CONTRACT_TEST(updates_larger_together_than_a_group_all_succeed),
        CONTRACT_TEST(cursor_that_expects_many_rows_returns_them_all),
        CONTRACT_TEST(contents_survive_reopening),
        CONTRACT_TEST(memory_keeps_nothing),
    };
    return contract_run_tests(tests, sizeof tests / sizeof tests[0], setup);
}
