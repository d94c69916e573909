/* SPDX-License-Identifier: Apache-2.0 */
/* kv_rocksdb — what the files of the engine on RocksDB share. For them only. */
#ifndef STATOR_KV_KV_ROCKSDB_H
#define STATOR_KV_KV_ROCKSDB_H

#include "kv/kv.h"
#include "kv/kv_committer.h"
#include "kv/kv_engine.h"
#include "kv/kv_group.h"
#include "kv/kv_rocksdb_log.h"

#include <rocksdb/c.h>
#include <stdatomic.h>

enum {
    KV_ROCKSDB_FORMAT = 1, /* of the engine's own keys and values */

    KV_ROCKSDB_METADATA_BUSY = 1, /* lowest bit of metadata_word */
};

#define KV_ROCKSDB_FORMAT_KEY SLICE("\377format")

struct kv_rocksdb {
    struct kv kv;
    rocksdb_t *db;
    rocksdb_env_t *env; /* of an in-memory store */
    rocksdb_options_t *options;
    rocksdb_readoptions_t *latest; /* reads the newest state */
    rocksdb_writeoptions_t *write_options;
    enum kv_durability durability;
    bool in_memory;
    int lock;               /* of the directory; -1 in memory */
    _Atomic int64_t logged; /* the second in which trouble with reading was last logged */
    /*
     * The metadata version, doubled; its lowest bit is set while a commit that changes it is under
     * way. A reader that finds the same even word before and after taking its snapshot knows the
     * snapshot's version; otherwise it reads METADATA_KEY from its snapshot.
     */
    _Atomic uint64_t metadata_word;

    struct kv_committer *committer;
    struct kv_work probe; /* a write of nothing, to see whether a full disk has space again */
    atomic_flag is_probing;
    /* The committer's thread only. */
    struct kv_group group;
    rocksdb_writebatch_t *batch;
    struct kv_rocksdb_log log;
};

struct kv_rocksdb_txn {
    struct kv_txn txn;
    struct kv_rocksdb *rocks;
    /* Of a view with a snapshot. */
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *read_options;
    uint64_t word_before; /* metadata_word before and after taking the snapshot */
    uint64_t word_after;
    bool is_version_asked;
};

/* The number stored at key; 0 when it is absent. */
enum kv_status kv_rocksdb_read_number(struct kv_rocksdb *rocks,
                                      const rocksdb_readoptions_t *read_options, struct slice key,
                                      uint64_t *number) WARN_UNUSED;

/*
 * For every thread that enters RocksDB: it counts each comparison of keys, by thread, unless it is
 * told not to, and nobody reads these counts. A program that embeds the library and measures its
 * own use of RocksDB on the same thread has to set its level again after a call.
 */
static inline void kv_rocksdb_count_nothing(void)
{
    rocksdb_set_perf_level(rocksdb_disable);
}

#endif
