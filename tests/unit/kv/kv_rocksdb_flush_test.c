/* SPDX-License-Identifier: Apache-2.0 */
/* RocksDB's logs do not pile up, and are not replayed at start after start. */
#include "unit/kv/fixture.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    PATH_BYTES = 512,
    STARTS = 30,
    LOGS_MAX = 8,
    MANY_ROWS = 600, /* twice as many are written out after an opening */
    LARGE_ROWS = 10000,
    ROW_BYTES = 400,
    SMALL_LOG_BYTES = 64 * 1024,
    TRIES = 20,
    TRY_NS = 200 * 1000 * 1000,
};

struct files {
    int logs;
    int tables;
    int64_t log_bytes;
};

static bool ends_with(const char *name, const char *ending)
{
    const char *found = strrchr(name, '.');
    return found != NULL && strcmp(found, ending) == 0;
}

static struct files look(const struct fixture *fixture)
{
    struct files files = {0};
    DIR *directory = opendir(fixture->directory);
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[PATH_BYTES];
        struct stat found;
        (void)snprintf(path, sizeof path, "%s/%s", fixture->directory, entry->d_name);
        if (stat(path, &found) != 0) continue; /* removed meanwhile */
        if (ends_with(path, ".sst")) files.tables++;
        if (!ends_with(path, ".log")) continue;
        files.logs++;
        files.log_bytes += found.st_size;
    }
    closedir(directory);
    return files;
}

static void wait_a_little(void)
{
    const struct timespec step = {.tv_nsec = TRY_NS};
    nanosleep(&step, NULL);
}

/* The background may be cut short by a closing, and logs go at the opening after it. */
static bool few_logs_are_left(struct fixture *fixture)
{
    for (int i = 0; i < TRIES; i++) {
        if (look(fixture).logs <= LOGS_MAX) return true;
        wait_a_little();
        fixture_reopen(fixture);
    }
    return false;
}

static enum kv_status write_rows_body(struct kv_txn *txn, void *context)
{
    const int *rows = context;
    for (int i = 0; i < *rows; i++) {
        char key[16];
        const int length = snprintf(key, sizeof key, "row/%08d", i);
        uint8_t value[ROW_BYTES];
        memset(value, 'a' + i % 26, sizeof value);
        kv_put(txn, slice_of(key, (size_t)length), slice_of(value, sizeof value));
    }
    return KV_OK;
}

static enum kv_status count_rows_body(struct kv_txn *txn, void *context)
{
    int *rows = context;
    struct kv_cursor *cursor;
    enum kv_status status = kv_cursor_open(
        txn, (struct kv_range){.begin = SLICE("row/"), .end = SLICE("row0")}, &cursor);
    struct slice key;
    struct slice value;
    *rows = 0;
    while (status == KV_OK && (status = kv_cursor_next(cursor, &key, &value)) == KV_OK)
        if (value.length == ROW_BYTES) ++*rows;
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static void write_rows(struct fixture *fixture, int rows)
{
    assert_int_equal(kv_update_wait(fixture->kv, write_rows_body, &rows), KV_OK);
}

static void assert_rows(struct fixture *fixture, int rows)
{
    int found = 0;
    assert_int_equal(kv_view_wait(fixture->kv, count_rows_body, &found), KV_OK);
    assert_int_equal(found, rows);
}

static void starts_that_write_nothing_leave_few_logs(void **state)
{
    struct fixture *fixture = *state;
    write_rows(fixture, 1);
    for (int i = 0; i < STARTS; i++) {
        fixture_reopen(fixture);
        if (i % 10 == 9) assert_true(few_logs_are_left(fixture));
    }
    assert_rows(fixture, 1);
}

static void large_store_is_not_replayed_by_the_next_start(void **state)
{
    struct fixture *fixture = *state;
    write_rows(fixture, LARGE_ROWS);
    assert_true(look(fixture).log_bytes > SMALL_LOG_BYTES);
    fixture_reopen(fixture);
    assert_rows(fixture, LARGE_ROWS);
    assert_true(look(fixture).log_bytes < SMALL_LOG_BYTES);
    fixture_reopen(fixture);
    assert_rows(fixture, LARGE_ROWS);
}

static void closing_does_not_wait_for_a_small_store(void **state)
{
    struct fixture *fixture = *state;
    write_rows(fixture, 100);
    fixture_reopen(fixture);
    assert_int_equal(look(fixture).tables, 0);
    assert_rows(fixture, 100);
}

/* The number in the name of the oldest log. */
static long oldest_log(const struct fixture *fixture)
{
    long oldest = LONG_MAX;
    DIR *directory = opendir(fixture->directory);
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const long number = strtol(entry->d_name, NULL, 10);
        if (ends_with(entry->d_name, ".log") && number < oldest) oldest = number;
    }
    closedir(directory);
    return oldest;
}

static FILE *open_log(const struct fixture *fixture, long number, const char *mode)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%06ld.log", fixture->directory, number);
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    return file;
}

/* What is no longer needed is removed the newest first, and a crash may come between. */
static void oldest_of_the_logs_no_longer_needed_may_be_left(void **state)
{
    struct fixture *fixture = *state;
    static char bytes[MANY_ROWS * 2 * ROW_BYTES];
    write_rows(fixture, MANY_ROWS);
    const long oldest = oldest_log(fixture);
    FILE *file = open_log(fixture, oldest, "rb");
    const size_t length = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    assert_in_range(length, MANY_ROWS * ROW_BYTES, sizeof bytes - 1);
    fixture_reopen(fixture);
    write_rows(fixture, MANY_ROWS);

    fixture_reopen(fixture); /* enough to be written out in the background */
    for (int i = 0; i < TRIES && oldest_log(fixture) == oldest; i++)
        wait_a_little();
    assert_true(oldest_log(fixture) > oldest);
    write_rows(fixture, MANY_ROWS + 1);
    kv_close(fixture->kv);
    file = open_log(fixture, oldest, "wb");
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    const struct kv_options options = {.path = fixture->directory};
    struct slice detail;
    assert_int_equal(kv_open(&kv_rocksdb, &options, &fixture->kv, &fixture->arena, &detail),
                     KV_OPEN_OK);
    assert_rows(fixture, MANY_ROWS + 1);
}

int main(void)
{
    static struct fixture_setup setup = {.name = "rocksdb on disk"};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(starts_that_write_nothing_leave_few_logs,
                                                 fixture_open, fixture_close, &setup),
        cmocka_unit_test_prestate_setup_teardown(large_store_is_not_replayed_by_the_next_start,
                                                 fixture_open, fixture_close, &setup),
        cmocka_unit_test_prestate_setup_teardown(closing_does_not_wait_for_a_small_store,
                                                 fixture_open, fixture_close, &setup),
        cmocka_unit_test_prestate_setup_teardown(oldest_of_the_logs_no_longer_needed_may_be_left,
                                                 fixture_open, fixture_close, &setup),
    };
    return cmocka_run_group_tests_name("flushing", tests, NULL, NULL);
}
