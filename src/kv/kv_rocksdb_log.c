/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_rocksdb_log — a sync or a write of the log that failed is not tried again: the system may have
 * dropped the pages and would report success, and RocksDB cannot go on behind half a record.
 *
 * So that a full disk is not met there, writes are refused while little space is left, and taken
 * again when there is more. What is left serves RocksDB, which moves memtables into tables and
 * compacts them in the background; when that finds no space, RocksDB tries again by itself.
 */
#include "kv/kv_rocksdb_log.h"

#include "base/log.h"
#include "kv/kv_wal_file.h"

#include <sys/statvfs.h>
#include <time.h>

enum {
    RESERVE_BYTES = 128 * 1024 * 1024, /* for all memtables, and some compaction */
    RESERVE_PART = 16,                 /* of a small disk, at most */
    ROOM_PART = 4, /* of the reserve, beyond it, before writes are taken again */
    CHECK_MS = 100,
    CHECK_BYTES = 1024 * 1024,
    MS_PER_SECOND = 1000,
    NS_PER_MS = 1000000,
};

static bool has_space(struct kv_rocksdb_log *log);
static bool resume(struct kv_rocksdb_log *log, struct slice key, struct slice value);

void kv_rocksdb_log_open(struct kv_rocksdb_log *log, rocksdb_t *db,
                         struct kv_rocksdb_log_place place)
{
    *log = (struct kv_rocksdb_log){
        .db = db,
        .is_used = place.directory >= 0,
        .is_synced = place.is_synced,
        .synced = place.is_synced ? rocksdb_get_latest_sequence_number(db) : place.found,
        .last = place.last,
        .directory = place.directory,
        .checked_ms = INT64_MIN,
    };
}

void kv_rocksdb_log_close(struct kv_rocksdb_log *log)
{
    if (!log->is_used || !log->has_written || atomic_load(&log->health) != KV_HEALTHY) return;
    char *error = NULL;
    if (!log->is_synced) rocksdb_flush_wal(log->db, true, &error);
    if (error == NULL) {
        log->synced = rocksdb_get_latest_sequence_number(log->db);
        rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
        rocksdb_writeoptions_t *options = rocksdb_writeoptions_create();
        kv_rocksdb_log_mark(log, batch);
        rocksdb_writeoptions_set_sync(options, true);
        rocksdb_write(log->db, options, batch, &error);
        rocksdb_writeoptions_destroy(options);
        rocksdb_writebatch_destroy(batch);
    }
    if (error != NULL) log_error("storage: the newest writes may be lost: %s", error);
    rocksdb_free(error);
}

/* Log data is written to the log only. */
void kv_rocksdb_log_mark(const struct kv_rocksdb_log *log, rocksdb_writebatch_t *batch)
{
    uint8_t mark[KV_WAL_MARK_BYTES];
    if (!log->is_used) return;
    kv_wal_mark(log->synced, log->last, mark);
    rocksdb_writebatch_put_log_data(batch, (const char *)mark, sizeof mark);
}

void kv_rocksdb_log_written(struct kv_rocksdb_log *log, size_t bytes)
{
    if (!log->is_used) return;
    log->has_written = true;
    log->unchecked_bytes += bytes;
    log->last = rocksdb_get_latest_sequence_number(log->db);
    if (log->is_synced) log->synced = log->last;
}

static void set_health(struct kv_rocksdb_log *log, enum kv_health health, const char *reason)
{
    if (atomic_exchange(&log->health, (int)health) == (int)health) return;
    switch (health) {
    case KV_HEALTHY:
        log_info("storage: there is space again, writes are taken");
        break;
    case KV_FULL:
        log_error("storage: the disk is full, writes are refused until there is space: %s", reason);
        break;
    case KV_FAILED:
        log_error("storage: writing failed, writes are refused until a restart: %s", reason);
        break;
    }
}

/*
 * Tables are written in the background only: a write that is refused because of one was refused
 * before anything was done with it, and RocksDB has another try when there is space. The log and
 * the manifest are written by writes themselves, and RocksDB may show later what it refused then.
 */
static bool is_recoverable(const char *error)
{
    const char *file = strrchr(error, '/');
    return strstr(error, "No space left on device") != NULL && file != NULL &&
           strstr(file, ".sst") != NULL;
}

void kv_rocksdb_log_failed(struct kv_rocksdb_log *log, char *error)
{
    set_health(log, log->is_used && is_recoverable(error) ? KV_FULL : KV_FAILED, error);
    rocksdb_free(error);
}

bool kv_rocksdb_log_is_ready(struct kv_rocksdb_log *log, struct slice key, struct slice value)
{
    const enum kv_health health = (enum kv_health)atomic_load(&log->health);
    if (!log->is_used) return health == KV_HEALTHY;
    if (health == KV_FAILED) return false;
    return has_space(log) && (health == KV_HEALTHY || resume(log, key, value));
}

/* Whether it was time to look: not at each group, and while the disk is full at each. */
static bool is_check_due(struct kv_rocksdb_log *log)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC_COARSE, &now) == 0);
    const int64_t now_ms = (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
    if (log->unchecked_bytes < CHECK_BYTES && now_ms < log->checked_ms + CHECK_MS &&
        atomic_load(&log->health) == KV_HEALTHY)
        return false;
    log->checked_ms = now_ms;
    log->unchecked_bytes = 0;
    return true;
}

static bool has_space(struct kv_rocksdb_log *log)
{
    struct statvfs disk;
    if (!is_check_due(log) || fstatvfs(log->directory, &disk) != 0) return true;
    const uint64_t unit = disk.f_frsize;
    const uint64_t part = (uint64_t)disk.f_blocks * unit / RESERVE_PART;
    uint64_t wanted = part < RESERVE_BYTES ? part : RESERVE_BYTES;
    if (atomic_load(&log->health) == KV_FULL) wanted += wanted / ROOM_PART;
    if ((uint64_t)disk.f_bavail * unit >= wanted) return true;
    set_health(log, KV_FULL, "too little is left");
    return false;
}

/* RocksDB refuses this too until it has recovered. It is not for the log: nothing is lost with it.
 */
static bool resume(struct kv_rocksdb_log *log, struct slice key, struct slice value)
{
    char *error = NULL;
    rocksdb_writeoptions_t *past_log = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(past_log, true);
    rocksdb_put(log->db, past_log, (const char *)key.data, key.length, (const char *)value.data,
                value.length, &error);
    rocksdb_writeoptions_destroy(past_log);
    if (error != NULL) {
        kv_rocksdb_log_failed(log, error);
        return false;
    }
    log->last = 0;
    set_health(log, KV_HEALTHY, "");
    return true;
}
