/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_rocksdb_log — what the committer knows of its write-ahead log: whether it can be written, how
 * far it is durable, and where it ends. For kv_rocksdb.c and kv_rocksdb_group.c only; their
 * committer's thread, but for health.
 */
#ifndef STATOR_KV_KV_ROCKSDB_LOG_H
#define STATOR_KV_KV_ROCKSDB_LOG_H

#include "kv/kv.h"

#include <rocksdb/c.h>
#include <stdatomic.h>

struct kv_rocksdb_log {
    rocksdb_t *db;
    bool is_used;   /* not of a store in memory */
    bool is_synced; /* with each group */
    bool has_written;
    _Atomic int health;     /* enum kv_health */
    uint64_t synced;        /* sequence number up to which everything is durable */
    uint64_t last;          /* the last in the log; 0: there is none */
    int directory;          /* whose free space is watched */
    int64_t checked_ms;     /* when it was last looked at */
    size_t unchecked_bytes; /* written since */
};

/* What kv_rocksdb_log_open is told: last is what kv_wal_check found. */
struct kv_rocksdb_log_place {
    int directory; /* -1 in memory */
    bool is_synced;
    uint64_t found; /* sequence number of the newest that was there, and therefore is durable */
    uint64_t last;
};

/* What this opening has written already is durable if is_synced. */
void kv_rocksdb_log_open(struct kv_rocksdb_log *log, rocksdb_t *db,
                         struct kv_rocksdb_log_place place);

/* Makes everything durable, and ends the log with an empty group: see kv_wal.h. */
void kv_rocksdb_log_close(struct kv_rocksdb_log *log);

/* Puts the mark in front of an empty batch. */
void kv_rocksdb_log_mark(const struct kv_rocksdb_log *log, rocksdb_writebatch_t *batch);

/* After a batch of so many bytes was written. */
void kv_rocksdb_log_written(struct kv_rocksdb_log *log, size_t bytes);

/* After one was not, because of error, which is freed. Logs it once. */
void kv_rocksdb_log_failed(struct kv_rocksdb_log *log, char *error);

/*
 * Whether a batch may be written: nothing has failed for good, and there is space. To try after a
 * full disk, key and value are written once more; they are of a row that is there.
 */
bool kv_rocksdb_log_is_ready(struct kv_rocksdb_log *log, struct slice key,
                             struct slice value) WARN_UNUSED;

#endif
