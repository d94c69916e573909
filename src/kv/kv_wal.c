/* SPDX-License-Identifier: Apache-2.0 */
/* kv_wal — one walk over the logs, one search behind the first break, one verdict. */
#include "kv/kv_wal.h"

#include "base/log.h"
#include "kv/kv_wal_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DECIMAL = 10 };

struct log_file {
    uint64_t number;
    const char *name;
    int64_t bytes;
    int descriptor;
};

struct walk {
    struct arena *arena;
    struct kv_wal_report *report;
    int directory;
    struct log_file *files; /* in the order they were written */
    size_t file_count;
    size_t opened;
    struct crc32c crc;
    struct kv_wal_file reader;
    size_t broken_file; /* file_count: none */
    int64_t broken_at;  /* behind its last good record */
    bool is_gap;        /* a good record follows there: what is missing lay in an earlier file */
};

static bool list_files(struct walk *walk, const char *directory, uint64_t oldest);
static bool open_files(struct walk *walk);
static bool settle_files(struct walk *walk);
static bool find_break(struct walk *walk);
static bool judge_break(struct walk *walk);
static bool cut(struct walk *walk);
static void close_files(struct walk *walk);

enum kv_open_status kv_wal_check(const char *directory, uint64_t oldest, struct arena *arena,
                                 struct kv_wal_report *report)
{
    *report = (struct kv_wal_report){0};
    struct walk *walk = arena_new(arena, struct walk);
    walk->arena = arena;
    walk->report = report;
    crc32c_open(&walk->crc);
    bool is_done = list_files(walk, directory, oldest) && open_files(walk) && settle_files(walk) &&
                   find_break(walk);
    if (is_done && walk->is_gap && oldest == 0) {
        *report = (struct kv_wal_report){.gap = walk->files[walk->broken_file].number};
        close_files(walk);
        return KV_OPEN_OK;
    }
    if (is_done && walk->broken_file < walk->file_count) is_done = judge_break(walk);
    if (is_done && report->damaged == 0) is_done = cut(walk);
    if (!is_done && report->problem.length == 0)
        report->problem = arena_format(arena, "its write-ahead log: %s", strerror(errno));
    close_files(walk);
    return is_done ? KV_OPEN_OK : KV_OPEN_FAILED;
}

/* ---- the files ------------------------------------------------------------------------------- */

/* The number in "000123.log"; 0 when it is none. */
static uint64_t log_number(const char *name)
{
    char *end = NULL;
    if (name[0] < '0' || name[0] > '9') return 0;
    const unsigned long long number = strtoull(name, &end, DECIMAL);
    return strcmp(end, ".log") == 0 ? number : 0;
}

static int compare_files(const void *left, const void *right)
{
    const uint64_t a = ((const struct log_file *)left)->number;
    const uint64_t b = ((const struct log_file *)right)->number;
    return (a > b) - (a < b);
}

static bool list_files(struct walk *walk, const char *directory, uint64_t oldest)
{
    walk->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (walk->directory < 0) return false;
    DIR *listing = opendir(directory);
    if (listing == NULL) return false;
    size_t room = 0;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        const uint64_t number = log_number(entry->d_name);
        if (number == 0 || number < oldest) continue;
        if (walk->file_count == room) {
            const size_t size = room * sizeof *walk->files;
            room = room == 0 ? 1 : 2 * room;
            walk->files = arena_grow(walk->arena, walk->files, size, room * sizeof *walk->files);
        }
        const char *name = arena_string(walk->arena, slice_of_string(entry->d_name));
        walk->files[walk->file_count++] = (struct log_file){.number = number, .name = name};
    }
    closedir(listing);
    if (walk->file_count > 1)
        qsort(walk->files, walk->file_count, sizeof *walk->files, compare_files);
    walk->broken_file = walk->file_count;
    return true;
}

static bool open_files(struct walk *walk)
{
    for (; walk->opened < walk->file_count; walk->opened++) {
        struct log_file *file = &walk->files[walk->opened];
        struct stat found;
        file->descriptor = openat(walk->directory, file->name, O_RDONLY | O_CLOEXEC);
        if (file->descriptor < 0) return false;
        if (fstat(file->descriptor, &found) != 0) {
            close(file->descriptor);
            return false;
        }
        file->bytes = (int64_t)found.st_size;
    }
    return true;
}

/*
 * Nobody is to read what a power cut could take back. A run that was killed leaves pages to be
 * written. One whose sync failed may leave pages that the disk never got and that Linux takes for
 * written all the same: they are dropped, so that what is read is what the disk has.
 */
static bool settle_files(struct walk *walk)
{
    bool is_any = false;
    for (size_t i = 0; i < walk->file_count; i++) {
        const struct log_file *file = &walk->files[i];
        if (file->bytes == 0) continue;
        if (fsync(file->descriptor) != 0) return false;
        (void)posix_fadvise(file->descriptor, 0, 0, POSIX_FADV_DONTNEED);
        is_any = true;
    }
    return !is_any || fsync(walk->directory) == 0;
}

static void close_files(struct walk *walk)
{
    while (walk->opened > 0)
        close(walk->files[--walk->opened].descriptor);
    if (walk->directory >= 0) close(walk->directory);
}

/* ---- the walk -------------------------------------------------------------------------------- */

static bool is_next(const struct kv_wal_report *report, const struct kv_wal_record *record)
{
    return report->last == 0 || record->follows == 0 || record->follows == report->last;
}

/* Reads one file up to its break, if it has one; false when it cannot be read. */
static bool walk_file(struct walk *walk, size_t index)
{
    struct kv_wal_report *report = walk->report;
    struct kv_wal_file *reader = &walk->reader;
    enum kv_wal_step step = kv_wal_file_open(reader, &walk->crc, walk->files[index].descriptor);
    int64_t good = 0;
    while (step == KV_WAL_RECORD) {
        struct kv_wal_record record;
        step = kv_wal_file_next(reader, &record);
        if (step == KV_WAL_RECORD && !is_next(report, &record)) {
            step = KV_WAL_BROKEN;
            walk->is_gap = good == 0;
        }
        if (step != KV_WAL_RECORD) break;
        report->last = record.last;
        good = kv_wal_file_position(reader);
    }
    if (step == KV_WAL_BROKEN) {
        walk->broken_file = index;
        walk->broken_at = good;
    }
    return step != KV_WAL_UNREADABLE;
}

static bool find_break(struct walk *walk)
{
    for (size_t i = 0; i < walk->file_count && walk->broken_file == walk->file_count; i++)
        if (!walk_file(walk, i)) return false;
    return true;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

/*
 * The first record of all is the only one to say what came before it. Without it: a file is of one
 * run, and in one that does not sync, all was durable that had been there before.
 */
static uint64_t last_before_break(struct walk *walk)
{
    struct kv_wal_record record;
    uint64_t synced = 0;
    const int descriptor = walk->files[walk->broken_file].descriptor;
    if (walk->report->last != 0) return walk->report->last;
    if (kv_wal_file_open(&walk->reader, &walk->crc, descriptor) == KV_WAL_UNREADABLE) return 0;
    if (kv_wal_file_peek(&walk->reader, walk->broken_at, &record)) return record.first - 1;
    return kv_wal_file_is_unsynced(&walk->reader, walk->broken_at, &synced) ? synced : 0;
}

static bool judge_break(struct walk *walk)
{
    struct kv_wal_report *report = walk->report;
    uint64_t synced = 0;
    int64_t from = walk->broken_at;
    const uint64_t last = last_before_break(walk);
    for (size_t i = walk->broken_file; i < walk->file_count; i++) {
        struct kv_wal_file *reader = &walk->reader;
        if (kv_wal_file_open(reader, &walk->crc, walk->files[i].descriptor) == KV_WAL_UNREADABLE ||
            kv_wal_file_search(reader, from, last, &synced) == KV_WAL_UNREADABLE)
            return false;
        from = 0;
    }
    if (synced <= last) return true;
    const struct log_file *file = &walk->files[walk->broken_file];
    report->damaged = walk->is_gap ? file->number - 1 : file->number;
    report->problem = arena_format(walk->arena,
                                   "%s is damaged behind byte %lld: acknowledged writes after it "
                                   "would be lost",
                                   file->name, (long long)walk->broken_at);
    return true;
}

static bool cut_file(struct walk *walk, const struct log_file *file, int64_t bytes)
{
    const int descriptor = openat(walk->directory, file->name, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    const bool is_cut = ftruncate(descriptor, (off_t)bytes) == 0 && fsync(descriptor) == 0;
    close(descriptor);
    if (!is_cut) return false;
    walk->report->bytes_dropped += file->bytes - bytes;
    log_warning("storage: %s ended in a write that was not finished, as after a crash; its %lld "
                "bytes were never acknowledged and are dropped",
                file->name, (long long)(file->bytes - bytes));
    return true;
}

static bool cut(struct walk *walk)
{
    int64_t bytes = walk->broken_at;
    for (size_t i = walk->broken_file; i < walk->file_count; i++) {
        const struct log_file *file = &walk->files[i];
        if (file->bytes > bytes && !cut_file(walk, file, bytes)) return false;
        bytes = 0;
    }
    return true;
}
