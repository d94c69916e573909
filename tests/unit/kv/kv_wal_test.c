/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_wal_test — what power cuts and damage make of a store's logs.
 *
 * A store is written group by group; its files are copied while it is open, which is what a machine
 * would find that lost its power at that moment, had everything reached the disk. Then pages of the
 * copy are lost, blanked or replaced: behind the last sync (nothing acknowledged may be missing,
 * nothing half there), or before it (it has to be refused, naming the log, and left as it was).
 */
#include "base/random.h"
#include "unit/kv/fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH_BYTES = 512,
    PAGE_BYTES = 4096,
    GROUPS = 12,
    ROWS_MAX = 9,
    ROW_BYTES_MAX = 33000,
    ROUNDS = 60,
};

/* ---- stores ---------------------------------------------------------------------------------- */

struct group {
    int number;
    int rows;
    size_t row_bytes;
};

struct place {
    char directory[64]; /* the store's */
    char copy[64];
    struct arena arena;
    struct random random;
    struct group groups[GROUPS];
    off_t ends[GROUPS]; /* of the newest log, after each group */
    off_t begin;        /* before the first */
    struct slice detail;
};

static int place_open(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    CHECK(place != NULL);
    arena_open(&place->arena, 0);
    const char *given = getenv("STATOR_SEED");
    const uint64_t seed = given == NULL ? (uint64_t)time(NULL) : strtoull(given, NULL, 0);
    print_message("seed %llu\n", (unsigned long long)seed);
    random_open(&place->random, seed);
    fixture_make_directory(place->directory);
    fixture_make_directory(place->copy);
    *state = place;
    return 0;
}

static int place_close(void **state)
{
    struct place *place = *state;
    fixture_remove_directory(place->directory);
    fixture_remove_directory(place->copy);
    arena_close(&place->arena);
    free(place);
    return 0;
}

static uint64_t below(struct place *place, uint64_t limit)
{
    return random_next(&place->random) % limit;
}

static enum kv_open_status try_open(struct place *place, const char *path,
                                    enum kv_durability durability, struct kv **kv)
{
    const struct kv_options options = {.path = path, .durability = durability};
    return kv_open(&kv_rocksdb, &options, kv, &place->arena, &place->detail);
}

static struct kv *must_open(struct place *place, const char *path, enum kv_durability durability)
{
    struct kv *kv = NULL;
    const enum kv_open_status status = try_open(place, path, durability, &kv);
    if (status != KV_OPEN_OK) print_error("%.*s\n", SLICE_ARGS(place->detail));
    assert_int_equal(status, KV_OPEN_OK);
    return kv;
}

static struct slice row_key(int group, int row, char key[32])
{
    return slice_of(key, (size_t)snprintf(key, 32, "%05d/%05d", group, row));
}

static enum kv_status put_group(struct kv_txn *txn, void *context)
{
    const struct group *group = context;
    uint8_t value[ROW_BYTES_MAX];
    for (int row = 0; row < group->rows; row++) {
        char key[32];
        memset(value, 'a' + (group->number + row) % 26, group->row_bytes);
        kv_put(txn, row_key(group->number, row, key), slice_of(value, group->row_bytes));
    }
    return KV_OK;
}

/* KV_OK: all of it is there; KV_NOT_FOUND: none; KV_ABORTED: some, or with other bytes. */
static enum kv_status get_group(struct kv_txn *txn, void *context)
{
    const struct group *group = context;
    struct arena arena;
    int found = 0;
    bool is_right = true;
    arena_open(&arena, 0);
    for (int row = 0; row < group->rows; row++) {
        char key[32];
        struct slice value;
        const enum kv_status status = kv_get(txn, row_key(group->number, row, key), &arena, &value);
        if (status == KV_NOT_FOUND) continue;
        found++;
        is_right = is_right && status == KV_OK && value.length == group->row_bytes;
        for (size_t i = 0; is_right && i < value.length; i++)
            is_right = value.data[i] == 'a' + (group->number + row) % 26;
    }
    arena_close(&arena);
    if (!is_right) return KV_ABORTED;
    return found == group->rows ? KV_OK : found == 0 ? KV_NOT_FOUND : KV_ABORTED;
}

static bool is_log(const char *name)
{
    const size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".log") == 0;
}

/* The newest log of a directory, or the oldest; they are numbered with equal widths. */
static void find_log(const char *directory, bool is_newest, char path[PATH_BYTES])
{
    DIR *listing = opendir(directory);
    assert_non_null(listing);
    char best[NAME_MAX + 1] = "";
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (!is_log(entry->d_name)) continue;
        const int order = strcmp(entry->d_name, best);
        if (best[0] == '\0' || (is_newest ? order > 0 : order < 0))
            snprintf(best, sizeof best, "%s", entry->d_name);
    }
    closedir(listing);
    assert_true(best[0] != '\0');
    assert_true((size_t)snprintf(path, PATH_BYTES, "%s/%s", directory, best) < PATH_BYTES);
}

static off_t size_of(const char *path)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return found.st_size;
}

/* Writes the groups from first up to end, each durable before the next. */
static void put_groups(struct place *place, struct kv *kv, int first, int end)
{
    char path[PATH_BYTES];
    find_log(place->directory, true, path);
    place->begin = size_of(path);
    for (int i = first; i < end; i++) {
        struct group *group = &place->groups[i];
        *group = (struct group){.number = i, .rows = 1 + (int)below(place, ROWS_MAX)};
        group->row_bytes = below(place, 2) == 0 ? below(place, 100) : below(place, ROW_BYTES_MAX);
        assert_int_equal(kv_update_wait(kv, put_group, group), KV_OK);
        place->ends[i] = size_of(path);
    }
}

/* ---- copies ---------------------------------------------------------------------------------- */

/* false when there is no such file any more. */
static bool copy_file(const char *from, const char *to)
{
    char buffer[PAGE_BYTES];
    const int source = open(from, O_RDONLY);
    if (source < 0 && errno == ENOENT) return false;
    const int target = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(source >= 0);
    assert_true(target >= 0);
    for (ssize_t count; (count = read(source, buffer, sizeof buffer)) > 0;)
        assert_int_equal(write(target, buffer, (size_t)count), count);
    close(source);
    close(target);
    return true;
}

static bool try_copy_store(struct place *place)
{
    bool is_whole = true;
    fixture_remove_directory(place->copy);
    assert_int_equal(mkdir(place->copy, 0700), 0);
    DIR *listing = opendir(place->directory);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "LOCK") == 0) continue;
        char from[PATH_BYTES];
        char to[PATH_BYTES];
        snprintf(from, sizeof from, "%s/%s", place->directory, entry->d_name);
        snprintf(to, sizeof to, "%s/%s", place->copy, entry->d_name);
        if (!copy_file(from, to)) is_whole = false;
    }
    closedir(listing);
    return is_whole;
}

/* Makes the copy what the store is now; again when an open store has removed a file meanwhile. */
static void copy_store(struct place *place)
{
    while (!try_copy_store(place)) {}
}

static void write_at(const char *path, const void *bytes, size_t length, off_t at)
{
    const int file = open(path, O_WRONLY);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, bytes, length, at), length);
    close(file);
}

static void flip_bit(const char *path, off_t at, int bit)
{
    uint8_t byte;
    const int file = open(path, O_RDONLY);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, at), 1);
    close(file);
    byte ^= (uint8_t)(1 << bit);
    write_at(path, &byte, 1, at);
}

/* Pages, as far as they lie in [begin, end): each stays, is blank, or is any bytes. */
static void lose_pages(struct place *place, const char *path, off_t begin, off_t end)
{
    for (off_t at = begin; at < end;) {
        const off_t page_end = (at / PAGE_BYTES + 1) * PAGE_BYTES;
        const size_t length = (size_t)((page_end < end ? page_end : end) - at);
        uint8_t bytes[PAGE_BYTES] = {0};
        const uint64_t fate = below(place, 3);
        for (size_t i = 0; fate == 2 && i < length; i++)
            bytes[i] = (uint8_t)below(place, 256);
        if (fate != 0) write_at(path, bytes, length, at);
        at = page_end;
    }
    if (below(place, 2) == 0) {
        const off_t cut = begin + (off_t)below(place, (uint64_t)(end - begin) + 1);
        assert_int_equal(truncate(path, cut), 0);
    }
}

/* How many groups the copy holds: those first, whole, and none of the others. */
static int count_groups(struct place *place, enum kv_durability durability, int limit)
{
    struct kv *kv = must_open(place, place->copy, durability);
    int count = 0;
    bool has_ended = false;
    for (int i = 0; i < limit; i++) {
        const enum kv_status status = kv_view_wait(kv, get_group, &place->groups[i]);
        if (status == KV_NOT_FOUND) has_ended = true;
        if (status == KV_OK) {
            assert_false(has_ended);
            count++;
        }
        assert_int_not_equal(status, KV_ABORTED);
    }
    kv_close(kv);
    return count;
}

static void assert_refused(struct place *place, const char *log)
{
    struct kv *kv = NULL;
    const off_t before = size_of(log);
    assert_int_equal(try_open(place, place->copy, KV_SYNC, &kv), KV_OPEN_CORRUPT);
    assert_null(kv);
    const struct slice detail = place->detail;
    assert_non_null(memmem(detail.data, detail.length, ".log is damaged", 15));
    assert_int_equal(size_of(log), before);
}

/* ---- behind the last sync -------------------------------------------------------------------- */

static void pages_lost_of_the_last_group_cost_nothing_acknowledged(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_SYNC);
    put_groups(place, kv, 0, GROUPS);
    for (int round = 0; round < ROUNDS; round++) {
        const int last = 1 + (int)below(place, GROUPS - 1);
        copy_store(place);
        find_log(place->copy, true, path);
        assert_int_equal(truncate(path, place->ends[last]), 0);
        lose_pages(place, path, place->ends[last - 1], place->ends[last]);
        const int count = count_groups(place, KV_SYNC, GROUPS);
        assert_in_range(count, last, last + 1);
    }
    kv_close(kv);
}

static void first_group_of_a_log_may_be_lost_alone(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_SYNC);
    put_groups(place, kv, 0, 3);
    kv_close(kv);
    kv = must_open(place, place->directory, KV_SYNC);
    put_groups(place, kv, 3, 4);
    for (int round = 0; round < ROUNDS / 4; round++) {
        copy_store(place);
        find_log(place->copy, true, path);
        lose_pages(place, path, 0, place->ends[3]);
        assert_in_range(count_groups(place, KV_SYNC, 4), 3, 4);
    }
    kv_close(kv);
}

static void log_that_was_cut_goes_on_as_if_nothing_had_been_there(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_SYNC);
    put_groups(place, kv, 0, 4);
    copy_store(place);
    kv_close(kv);
    find_log(place->copy, true, path);
    flip_bit(path, place->ends[3] - 1, 0);
    kv = must_open(place, place->copy, KV_SYNC);
    place->groups[3] = (struct group){.number = 100, .rows = 2, .row_bytes = 50};
    assert_int_equal(kv_update_wait(kv, put_group, &place->groups[3]), KV_OK);
    kv_close(kv);
    assert_int_equal(count_groups(place, KV_SYNC, 4), 4);
}

static void unsynced_store_keeps_a_beginning(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_ASYNC);
    put_groups(place, kv, 0, 3);
    kv_close(kv); /* synced */
    kv = must_open(place, place->directory, KV_ASYNC);
    put_groups(place, kv, 3, GROUPS);
    for (int round = 0; round < ROUNDS; round++) {
        copy_store(place);
        find_log(place->copy, true, path);
        lose_pages(place, path, place->begin, place->ends[GROUPS - 1]);
        const int count = count_groups(place, KV_ASYNC, GROUPS);
        assert_in_range(count, 3, GROUPS);
    }
    kv_close(kv);
}

/* What a new store consists of was written before the first group, and says nothing else. */
static void new_unsynced_store_may_lose_all(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_ASYNC);
    put_groups(place, kv, 0, GROUPS);
    for (int round = 0; round < ROUNDS; round++) {
        copy_store(place);
        find_log(place->copy, true, path);
        lose_pages(place, path, 0, place->ends[GROUPS - 1]);
        (void)count_groups(place, KV_ASYNC, GROUPS);
    }
    kv_close(kv);
}

/* When the logs of before are gone, none tells what came before the first group. */
static void unsynced_store_may_lose_all_that_is_in_its_only_log(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_ASYNC);
    place->groups[0] = (struct group){.number = 0, .rows = 100, .row_bytes = ROW_BYTES_MAX};
    assert_int_equal(kv_update_wait(kv, put_group, &place->groups[0]), KV_OK);
    kv_close(kv); /* written out as a table */
    kv = must_open(place, place->directory, KV_ASYNC);
    put_groups(place, kv, 1, GROUPS);
    for (int round = 0; round < ROUNDS; round++) {
        copy_store(place);
        find_log(place->copy, true, path);
        lose_pages(place, path, 0, place->ends[GROUPS - 1]);
        assert_in_range(count_groups(place, KV_ASYNC, GROUPS), 1, GROUPS);
    }
    /* Once it was closed, all of that is durable. */
    const uint8_t blank[PAGE_BYTES] = {0};
    kv_close(kv);
    copy_store(place);
    find_log(place->copy, true, path);
    write_at(path, blank, sizeof blank, 0);
    assert_refused(place, path);
}

/* ---- before it ------------------------------------------------------------------------------- */

static void damage_before_the_last_sync_is_refused(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_SYNC);
    put_groups(place, kv, 0, GROUPS);
    for (int round = 0; round < ROUNDS; round++) {
        copy_store(place);
        find_log(place->copy, true, path);
        const off_t end = place->ends[GROUPS - 2];
        flip_bit(path, (off_t)below(place, (uint64_t)end), (int)below(place, 8));
        struct kv *opened = NULL;
        const enum kv_open_status status = try_open(place, place->copy, KV_SYNC, &opened);
        if (status == KV_OPEN_OK) { /* in a block's padding, which says nothing */
            kv_close(opened);
            assert_int_equal(count_groups(place, KV_SYNC, GROUPS), GROUPS);
        } else {
            assert_refused(place, path);
        }
    }
    kv_close(kv);
}

static void lost_page_before_the_last_sync_is_refused(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    const uint8_t blank[PAGE_BYTES] = {0};
    struct kv *kv = must_open(place, place->directory, KV_SYNC);
    put_groups(place, kv, 0, GROUPS);
    const off_t end = place->ends[GROUPS - 2] - PAGE_BYTES;
    for (off_t at = 0; at < end; at += PAGE_BYTES * (1 + (off_t)below(place, 8))) {
        copy_store(place);
        find_log(place->copy, true, path);
        write_at(path, blank, sizeof blank, at);
        assert_refused(place, path);
    }
    kv_close(kv);
}

static void damaged_last_group_of_a_closed_store_is_refused(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_ASYNC);
    put_groups(place, kv, 0, 3);
    kv_close(kv);
    for (int bit = 0; bit < 8; bit++) {
        copy_store(place);
        find_log(place->copy, true, path);
        const uint64_t length = (uint64_t)(place->ends[2] - place->ends[1]);
        flip_bit(path, place->ends[1] + (off_t)below(place, length), bit);
        assert_refused(place, path);
    }
}

static void older_log_cut_short_is_refused(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_SYNC);
    put_groups(place, kv, 0, 4);
    kv_close(kv);
    kv = must_open(place, place->directory, KV_SYNC);
    put_groups(place, kv, 4, 6);
    for (int group = 0; group < 3; group++) {
        copy_store(place);
        find_log(place->copy, false, path);
        kv_close(kv);
        kv = NULL;
        assert_int_equal(truncate(path, place->ends[group]), 0); /* between two groups */
        find_log(place->copy, true, path);
        assert_refused(place, path);
        kv = must_open(place, place->directory, KV_SYNC);
    }
    kv_close(kv);
}

/*
 * Six groups in a synced store whose first log, with two of them, is needed no more: kept is a copy
 * of that log, obsolete where it stood. The store is open.
 */
static struct kv *outlive_first_log(struct place *place, char *obsolete, char *kept)
{
    struct kv *kv = must_open(place, place->directory, KV_SYNC);
    put_groups(place, kv, 0, 2);
    kv_close(kv);
    find_log(place->directory, true, obsolete);
    assert_true((size_t)snprintf(kept, PATH_BYTES, "%s.kept", obsolete) < PATH_BYTES);
    assert_true(copy_file(obsolete, kept));

    /* So much that it is written out at closing, and the logs before are removed. */
    kv = must_open(place, place->directory, KV_SYNC);
    place->groups[2] = (struct group){.number = 2, .rows = 100, .row_bytes = ROW_BYTES_MAX};
    assert_int_equal(kv_update_wait(kv, put_group, &place->groups[2]), KV_OK);
    kv_close(kv);
    kv = must_open(place, place->directory, KV_SYNC);
    assert_int_not_equal(access(obsolete, F_OK), 0);
    put_groups(place, kv, 3, 6);
    return kv;
}

/* RocksDB removes the logs it needs no more, the newest first, and may be killed meanwhile. */
static void obsolete_log_of_a_synced_store_hides_nothing(void **state)
{
    struct place *place = *state;
    char obsolete[PATH_BYTES];
    char kept[PATH_BYTES];
    struct kv *kv = outlive_first_log(place, obsolete, kept);
    assert_true(copy_file(kept, obsolete));
    copy_store(place);
    kv_close(kv);

    kv = must_open(place, place->copy, KV_SYNC);
    for (int i = 0; i < 6; i++)
        assert_int_equal(kv_view_wait(kv, get_group, &place->groups[i]), KV_OK);
    kv_close(kv);
}

/* Such a log may be damaged as well: what a crash left in a later one is dropped all the same. */
static void damaged_obsolete_log_leaves_a_torn_one_to_be_cut(void **state)
{
    struct place *place = *state;
    char obsolete[PATH_BYTES];
    char kept[PATH_BYTES];
    char path[PATH_BYTES];
    struct kv *kv = outlive_first_log(place, obsolete, kept);
    flip_bit(kept, place->ends[0] - 1, 0);
    assert_true(copy_file(kept, obsolete));
    copy_store(place);
    kv_close(kv);
    find_log(place->copy, true, path);
    assert_int_equal(truncate(path, place->ends[5] - 1), 0);
    assert_int_equal(count_groups(place, KV_SYNC, 6), 5);
}

/* The same within one run of a store that is never synced: no mark tells of anything durable. */
static void obsolete_log_of_an_unsynced_store_hides_nothing(void **state)
{
    struct place *place = *state;
    char obsolete[PATH_BYTES];
    char kept[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_ASYNC);
    put_groups(place, kv, 0, 2);
    find_log(place->directory, true, obsolete);
    assert_true((size_t)snprintf(kept, sizeof kept, "%s.kept", obsolete) < sizeof kept);
    assert_true(copy_file(obsolete, kept));

    /* Until memtables have been written out twice, and this log and the next are removed. */
    char newest[PATH_BYTES];
    struct group *group = &place->groups[2];
    *group = (struct group){.number = 2, .rows = 100, .row_bytes = ROW_BYTES_MAX};
    for (int logs = 0; logs < 3; logs++) {
        char before[PATH_BYTES];
        find_log(place->directory, true, before);
        do {
            assert_int_equal(kv_update_wait(kv, put_group, group), KV_OK);
            find_log(place->directory, true, newest);
        } while (strcmp(newest, before) == 0);
    }
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    for (find_log(place->directory, false, newest); strcmp(newest, obsolete) <= 0;
         find_log(place->directory, false, newest))
        (void)nanosleep(&pause, NULL);
    put_groups(place, kv, 3, 6);
    assert_true(copy_file(kept, obsolete));
    copy_store(place);
    kv_close(kv);

    kv = must_open(place, place->copy, KV_ASYNC);
    for (int i = 0; i < 6; i++)
        assert_int_equal(kv_view_wait(kv, get_group, &place->groups[i]), KV_OK);
    kv_close(kv);
}

/* A new store with a group that ends rest bytes before its block's, or anywhere, and a small one.
 */
static void put_two_groups(struct place *place, enum kv_durability durability, off_t rest)
{
    enum { BLOCK_BYTES = 32 * 1024, ROW_BYTES = 20000 };
    fixture_remove_directory(place->directory);
    assert_int_equal(mkdir(place->directory, 0700), 0);
    struct kv *kv = must_open(place, place->directory, durability);
    struct group *groups = place->groups;
    char path[PATH_BYTES];
    find_log(place->directory, true, path);
    place->begin = size_of(path);
    size_t row_bytes = ROW_BYTES;
    if (rest != 0) /* from the store before, which began alike: where this size ends */
        row_bytes += (size_t)(BLOCK_BYTES - rest - place->ends[2]);
    groups[0] = (struct group){.number = 0, .rows = 1, .row_bytes = row_bytes};
    groups[1] = (struct group){.number = 1, .rows = 1, .row_bytes = 100};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kv_update_wait(kv, put_group, &groups[i]), KV_OK);
        place->ends[i] = size_of(path);
    }
    if (rest == 0)
        place->ends[2] = place->ends[0];
    else
        assert_int_equal(place->ends[0], BLOCK_BYTES - rest);
    copy_store(place);
    kv_close(kv);
}

/* The second group's beginning, with its mark, lies in two blocks, cut at every place there is. */
static void record_that_begins_at_a_block_s_end_tells_what_was_durable(void **state)
{
    struct place *place = *state;
    enum { PIECE_HEAD = 7, HEAD = 48 };
    for (int is_synced = 0; is_synced < 2; is_synced++) {
        const enum kv_durability durability = is_synced ? KV_SYNC : KV_ASYNC;
        put_two_groups(place, durability, 0);
        for (off_t rest = PIECE_HEAD; rest < HEAD; rest++) {
            char path[PATH_BYTES];
            put_two_groups(place, durability, rest);
            find_log(place->copy, true, path);
            flip_bit(path, place->ends[0] - 1000, 0);
            if (is_synced)
                assert_refused(place, path);
            else
                assert_int_equal(count_groups(place, durability, 2), 0);
        }
    }
}

static void store_without_its_current_file_is_left_alone(void **state)
{
    struct place *place = *state;
    char path[PATH_BYTES];
    struct kv *kv = must_open(place, place->directory, KV_SYNC);
    put_groups(place, kv, 0, 2);
    copy_store(place);
    kv_close(kv);
    char current[PATH_BYTES];
    snprintf(current, sizeof current, "%s/CURRENT", place->copy);
    assert_int_equal(unlink(current), 0);
    find_log(place->copy, true, path);
    const off_t before = size_of(path);
    assert_int_equal(try_open(place, place->copy, KV_SYNC, &kv), KV_OPEN_CORRUPT);
    assert_int_equal(size_of(path), before);
    assert_int_not_equal(access(current, F_OK), 0);
}

#define PLACE_TEST(function) cmocka_unit_test_setup_teardown(function, place_open, place_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(pages_lost_of_the_last_group_cost_nothing_acknowledged),
        PLACE_TEST(first_group_of_a_log_may_be_lost_alone),
        PLACE_TEST(log_that_was_cut_goes_on_as_if_nothing_had_been_there),
        PLACE_TEST(unsynced_store_keeps_a_beginning),
        PLACE_TEST(new_unsynced_store_may_lose_all),
        PLACE_TEST(unsynced_store_may_lose_all_that_is_in_its_only_log),
        PLACE_TEST(damage_before_the_last_sync_is_refused),
        PLACE_TEST(lost_page_before_the_last_sync_is_refused),
        PLACE_TEST(damaged_last_group_of_a_closed_store_is_refused),
        PLACE_TEST(older_log_cut_short_is_refused),
        PLACE_TEST(obsolete_log_of_a_synced_store_hides_nothing),
        PLACE_TEST(damaged_obsolete_log_leaves_a_torn_one_to_be_cut),
        PLACE_TEST(obsolete_log_of_an_unsynced_store_hides_nothing),
        PLACE_TEST(record_that_begins_at_a_block_s_end_tells_what_was_durable),
        PLACE_TEST(store_without_its_current_file_is_left_alone),
    };
    return cmocka_run_group_tests_name("kv_wal", tests, NULL, NULL);
}
