/* SPDX-License-Identifier: Apache-2.0 */
/* RocksDB stores that cannot be opened, are damaged, are killed, or whose disk is full. */
#include "unit/kv/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <rocksdb/c.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PATH_BYTES = 512,
    ROWS = 200,
    ROW_BYTES = 400,
    KILLS = 3,
    KILL_AFTER_ROWS = 150,
    FILE_BYTES_MAX = 256 * 1024, /* of a full disk */
    UPDATES_TO_FILL = 2000,
    FORMAT_OF_THE_FUTURE = 2,
};

/* ---- helpers --------------------------------------------------------------------------------- */

struct place {
    char directory[64];
    struct arena arena;
};

static int place_open(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    CHECK(place != NULL);
    arena_open(&place->arena, 0);
    fixture_make_directory(place->directory);
    *state = place;
    return 0;
}

static int place_close(void **state)
{
    struct place *place = *state;
    fixture_remove_directory(place->directory);
    arena_close(&place->arena);
    free(place);
    return 0;
}

static enum kv_open_status try_open(struct place *place, const char *path, struct kv **kv)
{
    struct slice detail;
    const struct kv_options options = {.path = path};
    return kv_open(&kv_rocksdb, &options, kv, &place->arena, &detail);
}

static struct kv *open_store(struct place *place)
{
    struct kv *kv = NULL;
    assert_int_equal(try_open(place, place->directory, &kv), KV_OPEN_OK);
    return kv;
}

static void assert_does_not_open(struct place *place, const char *path, enum kv_open_status status)
{
    struct kv *kv = NULL;
    assert_int_equal(try_open(place, path, &kv), status);
    assert_null(kv);
}

struct row {
    int number;
};

static struct slice row_key(int number, char key[16])
{
    return slice_of(key, (size_t)snprintf(key, 16, "row%05d", number));
}

static enum kv_status put_row_body(struct kv_txn *txn, void *context)
{
    const struct row *row = context;
    char key[16];
    char value[ROW_BYTES];
    memset(value, 'a' + row->number % 26, sizeof value);
    kv_put(txn, row_key(row->number, key), slice_of(value, sizeof value));
    return KV_OK;
}

/* KV_OK only if the row is there with every byte as it was written. */
static enum kv_status get_row_body(struct kv_txn *txn, void *context)
{
    const struct row *row = context;
    char key[16];
    struct arena arena;
    arena_open(&arena, 0);
    struct slice value;
    enum kv_status status = kv_get(txn, row_key(row->number, key), &arena, &value);
    if (status == KV_OK && value.length != ROW_BYTES) status = KV_ABORTED;
    for (size_t i = 0; status == KV_OK && i < value.length; i++)
        if (value.data[i] != 'a' + row->number % 26) status = KV_ABORTED;
    arena_close(&arena);
    return status;
}

static void put_rows(struct kv *kv, int count)
{
    for (int number = 0; number < count; number++)
        assert_int_equal(kv_update_wait(kv, put_row_body, &(struct row){number}), KV_OK);
}

static enum kv_status get_row(struct kv *kv, int number)
{
    return kv_view_wait(kv, get_row_body, &(struct row){number});
}

/* The largest file of the directory whose name ends so. */
static void find_file(const char *directory, const char *suffix, char path[PATH_BYTES])
{
    DIR *listing = opendir(directory);
    assert_non_null(listing);
    off_t largest = -1;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        const size_t length = strlen(entry->d_name);
        if (length < strlen(suffix)) continue;
        if (strcmp(entry->d_name + length - strlen(suffix), suffix) != 0) continue;
        char candidate[PATH_BYTES];
        snprintf(candidate, sizeof candidate, "%s/%s", directory, entry->d_name);
        struct stat found;
        assert_int_equal(stat(candidate, &found), 0);
        if (found.st_size <= largest) continue;
        largest = found.st_size;
        memcpy(path, candidate, sizeof candidate);
    }
    closedir(listing);
    assert_true(largest > 0);
}

static void flip_byte(const char *path, off_t at)
{
    const int file = open(path, O_RDWR);
    assert_true(file >= 0);
    uint8_t byte = 0;
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    close(file);
}

/* Opens the directory with plain RocksDB, bypassing the engine. */
static rocksdb_t *open_plain(const char *directory)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    char *error = NULL;
    rocksdb_t *db = rocksdb_open(options, directory, &error);
    assert_null(error);
    rocksdb_options_destroy(options);
    return db;
}

static void put_plain(const char *directory, struct slice key, struct slice value)
{
    rocksdb_t *db = open_plain(directory);
    rocksdb_writeoptions_t *options = rocksdb_writeoptions_create();
    char *error = NULL;
    rocksdb_put(db, options, (const char *)key.data, key.length, (const char *)value.data,
                value.length, &error);
    assert_null(error);
    rocksdb_writeoptions_destroy(options);
    rocksdb_close(db);
}

/* This program again, in another role: RocksDB's threads do not survive a fork alone. */
struct child {
    pid_t process;
    int reports; /* what it writes to its standard output */
};

static struct child child_start(const struct place *place, const char *role)
{
    int reports[2];
    assert_int_equal(pipe2(reports, O_CLOEXEC), 0);
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        if (dup2(reports[1], STDOUT_FILENO) < 0) _exit(1);
        execl("/proc/self/exe", "child", role, place->directory, (char *)NULL);
        _exit(1);
    }
    close(reports[1]);
    return (struct child){process, reports[0]};
}

static int child_wait(struct child *child)
{
    int result = -1;
    assert_int_equal(waitpid(child->process, &result, 0), child->process);
    close(child->reports);
    return result;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void last_missing_directory_is_made(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/new", place->directory);
    struct kv *kv = NULL;
    assert_int_equal(try_open(place, path, &kv), KV_OPEN_OK);
    kv_close(kv);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0700);
}

static void place_that_cannot_hold_a_store_is_unwritable(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/missing/new", place->directory);
    assert_does_not_open(place, path, KV_OPEN_UNWRITABLE);
    snprintf(path, sizeof path, "%s/file", place->directory);
    const int file = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(file >= 0);
    close(file);
    assert_does_not_open(place, path, KV_OPEN_UNWRITABLE);
    snprintf(path, sizeof path, "%s/file/new", place->directory);
    assert_does_not_open(place, path, KV_OPEN_UNWRITABLE);
}

static void open_store_cannot_be_opened_again(void **state)
{
    struct place *place = *state;
    struct kv *kv = open_store(place);
    assert_does_not_open(place, place->directory, KV_OPEN_LOCKED);
    kv_close(kv);
    kv_close(open_store(place));
}

static void store_open_in_another_process_is_locked(void **state)
{
    struct place *place = *state;
    struct child child = child_start(place, "hold");
    int opened = -1;
    assert_int_equal(read(child.reports, &opened, sizeof opened), sizeof opened);
    assert_int_equal(opened, KV_OPEN_OK);
    assert_does_not_open(place, place->directory, KV_OPEN_LOCKED);
    assert_int_equal(kill(child.process, SIGKILL), 0);
    assert_true(WIFSIGNALED(child_wait(&child)));
    kv_close(open_store(place));
}

static void store_of_a_newer_version_is_refused(void **state)
{
    struct place *place = *state;
    kv_close(open_store(place));
    const uint8_t format[8] = {FORMAT_OF_THE_FUTURE};
    put_plain(place->directory, SLICE("\377format"), slice_of(format, sizeof format));
    assert_does_not_open(place, place->directory, KV_OPEN_NEWER);
}

static void database_of_another_program_is_refused(void **state)
{
    struct place *place = *state;
    put_plain(place->directory, SLICE("theirs"), SLICE("1"));
    assert_does_not_open(place, place->directory, KV_OPEN_FAILED);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void damaged_log_is_refused(void **state)
{
    struct place *place = *state;
    struct kv *kv = open_store(place);
    put_rows(kv, ROWS);
    kv_close(kv);
    char path[PATH_BYTES];
    find_file(place->directory, ".log", path);
    flip_byte(path, (off_t)ROWS * ROW_BYTES / 2);
    assert_does_not_open(place, place->directory, KV_OPEN_CORRUPT);
}

static void unfinished_last_record_of_the_log_is_dropped_alone(void **state)
{
    struct place *place = *state;
    struct kv *kv = open_store(place);
    put_rows(kv, ROWS);
    kv_close(kv);
    char path[PATH_BYTES];
    find_file(place->directory, ".log", path);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(truncate(path, found.st_size - ROW_BYTES / 2), 0);
    kv = open_store(place);
    for (int number = 0; number < ROWS - 1; number++)
        assert_int_equal(get_row(kv, number), KV_OK);
    assert_int_equal(get_row(kv, ROWS - 1), KV_NOT_FOUND);
    kv_close(kv);
}

static void damaged_table_is_reported_and_never_served(void **state)
{
    struct place *place = *state;
    struct kv *kv = open_store(place);
    put_rows(kv, ROWS);
    kv_close(kv);
    rocksdb_t *db = open_plain(place->directory); /* writes the log out as a table */
    rocksdb_close(db);
    char path[PATH_BYTES];
    find_file(place->directory, ".sst", path);
    for (off_t at = 0; at < 4096; at += 512)
        flip_byte(path, at);
    kv = open_store(place);
    int corrupt = 0;
    for (int number = 0; number < ROWS; number++) {
        const enum kv_status status = get_row(kv, number);
        if (status == KV_CORRUPT) corrupt++;
        assert_true(status == KV_OK || status == KV_CORRUPT);
    }
    assert_true(corrupt > 0);
    kv_close(kv);
}

/* ---- crashes --------------------------------------------------------------------------------- */

static void killed_store_has_every_acknowledged_row(void **state)
{
    struct place *place = *state;
    int next = 0;
    for (int round = 0; round < KILLS; round++) {
        struct child child = child_start(place, "write");
        int number = -1;
        for (int i = 0; i < KILL_AFTER_ROWS; i++)
            assert_int_equal(read(child.reports, &number, sizeof number), sizeof number);
        assert_int_equal(kill(child.process, SIGKILL), 0);
        while (read(child.reports, &number, sizeof number) == sizeof number)
            continue;
        assert_true(WIFSIGNALED(child_wait(&child)));
        if (number >= next) next = number + 1;
    }
    struct kv *kv = open_store(place);
    for (int number = 0; number < next; number++)
        assert_int_equal(get_row(kv, number), KV_OK);
    kv_close(kv);
}

static void failed_write_makes_the_store_read_only(void **state)
{
    struct place *place = *state;
    struct child child = child_start(place, "fill");
    const int result = child_wait(&child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    struct kv *kv = open_store(place);
    assert_int_equal(get_row(kv, 0), KV_OK);
    put_rows(kv, 1);
    kv_close(kv);
}

/* ---- the other processes --------------------------------------------------------------------- */

static void report(int number)
{
    if (write(STDOUT_FILENO, &number, sizeof number) != sizeof number) _exit(1);
}

/* Holds the store open until killed. */
static _Noreturn void role_hold(struct place *place)
{
    struct kv *kv = NULL;
    report((int)try_open(place, place->directory, &kv));
    for (;;)
        pause();
}

/* Writes rows for ever and reports each once it is acknowledged. */
static int role_write(struct place *place)
{
    struct kv *kv = NULL;
    if (try_open(place, place->directory, &kv) != KV_OPEN_OK) return 1;
    int number = 0;
    while (get_row(kv, number) == KV_OK)
        number++;
    for (;; number++) {
        if (kv_update_wait(kv, put_row_body, &(struct row){number}) != KV_OK) return 1;
        report(number);
    }
}

/* Writes until files may not grow any more; 0 if the store is then as kv.h says. */
static int role_fill(struct place *place)
{
    const struct rlimit limit = {FILE_BYTES_MAX, FILE_BYTES_MAX};
    signal(SIGXFSZ, SIG_IGN);
    struct kv *kv = NULL;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    if (try_open(place, place->directory, &kv) != KV_OPEN_OK) return 3;
    int number = 0;
    enum kv_status status = KV_OK;
    while (number < UPDATES_TO_FILL) {
        status = kv_update_wait(kv, put_row_body, &(struct row){number});
        if (status != KV_OK) break;
        number++;
    }
    if (status != KV_UNAVAILABLE || number == 0 || kv_health(kv) != KV_FAILED) return 4;
    if (kv_update_wait(kv, put_row_body, &(struct row){0}) != KV_UNAVAILABLE) return 5;
    for (int i = 0; i < number; i++)
        if (get_row(kv, i) != KV_OK) return 6;
    if (get_row(kv, number) != KV_NOT_FOUND) return 7;
    kv_close(kv);
    return 0;
}

static int run_role(const char *role, const char *directory)
{
    struct place place;
    snprintf(place.directory, sizeof place.directory, "%s", directory);
    arena_open(&place.arena, 0);
    int result = 1;
    if (strcmp(role, "hold") == 0) role_hold(&place);
    if (strcmp(role, "write") == 0) result = role_write(&place);
    if (strcmp(role, "fill") == 0) result = role_fill(&place);
    arena_close(&place.arena);
    return result;
}

#define PLACE_TEST(function) cmocka_unit_test_setup_teardown(function, place_open, place_close)

int main(int argc, char **argv)
{
    if (argc == 3) return run_role(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        PLACE_TEST(last_missing_directory_is_made),
        PLACE_TEST(place_that_cannot_hold_a_store_is_unwritable),
        PLACE_TEST(open_store_cannot_be_opened_again),
        PLACE_TEST(store_open_in_another_process_is_locked),
        PLACE_TEST(store_of_a_newer_version_is_refused),
        PLACE_TEST(database_of_another_program_is_refused),
        PLACE_TEST(damaged_log_is_refused),
        PLACE_TEST(unfinished_last_record_of_the_log_is_dropped_alone),
        PLACE_TEST(damaged_table_is_reported_and_never_served),
        PLACE_TEST(killed_store_has_every_acknowledged_row),
        PLACE_TEST(failed_write_makes_the_store_read_only),
    };
    return cmocka_run_group_tests_name("kv_rocksdb_open", tests, NULL, NULL);
}
