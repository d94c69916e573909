/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_wal_file — reads one file of RocksDB's write-ahead log.
 *
 * The file is blocks of KV_WAL_BLOCK_BYTES. A record is one piece (FULL) or several (FIRST, MIDDLE
 * …, LAST), each within a block; every piece but the last of a record reaches to its block's end,
 * and less than a piece's head at a block's end is padding. All numbers are little endian.
 *
 *   piece    checksum of the rest (4, masked CRC-32C) | length (2) | type (1) | bytes
 *   record   sequence number of the first operation (8) | count of operations (4) | operations
 *
 * The first operation of a record written by this program is a mark (kv_wal.h).
 */
#ifndef STATOR_KV_KV_WAL_FILE_H
#define STATOR_KV_KV_WAL_FILE_H

#include "base/crc32c.h"
#include "kv/kv.h"

enum {
    KV_WAL_BLOCK_BYTES = 32 * 1024,
    KV_WAL_HEAD_BYTES = 40, /* of a record: as much as is looked at, with its mark */
};

struct kv_wal_file {
    const struct crc32c *crc;
    int descriptor;
    int64_t start; /* of the block, in the file */
    size_t length; /* of the block; 0 past the last */
    size_t at;     /* the next piece, in the block */
    uint8_t block[KV_WAL_BLOCK_BYTES];
};

/* The beginning of a record. */
struct kv_wal_record {
    uint64_t first;   /* sequence number of its first operation */
    uint64_t last;    /* of its last; first - 1 when there is none that counts */
    uint64_t synced;  /* when it was written, everything up to here was durable */
    uint64_t follows; /* the last sequence number of the record before; 0: not linked */
};

enum kv_wal_step {
    KV_WAL_RECORD,
    KV_WAL_END,
    KV_WAL_BROKEN,     /* what follows is no whole record */
    KV_WAL_UNREADABLE, /* errno says why */
};

/* Reads an open file from its beginning. */
enum kv_wal_step kv_wal_file_open(struct kv_wal_file *file, const struct crc32c *crc,
                                  int descriptor) WARN_UNUSED;

enum kv_wal_step kv_wal_file_next(struct kv_wal_file *file,
                                  struct kv_wal_record *record) WARN_UNUSED;

/* Where the next record begins. */
int64_t kv_wal_file_position(const struct kv_wal_file *file);

/* Whether a record, whole or not, begins at position; it may be damaged farther on. */
bool kv_wal_file_peek(struct kv_wal_file *file, int64_t position, struct kv_wal_record *record);

/*
 * Looks everywhere from position on for beginnings of records that come after the sequence number
 * after, also behind and between damage, and raises *synced to the highest that one of them names.
 */
enum kv_wal_step kv_wal_file_search(struct kv_wal_file *file, int64_t position, uint64_t after,
                                    uint64_t *synced) WARN_UNUSED;

/*
 * Whether one of these was written when not all before it was durable, and how much was: then the
 * file is of a run that did not sync, and all of it came after that.
 */
bool kv_wal_file_is_unsynced(struct kv_wal_file *file, int64_t position, uint64_t *synced);

/* A mark's bytes, to be the first log data of a batch. */
enum { KV_WAL_MARK_BYTES = 20 };
void kv_wal_mark(uint64_t synced, uint64_t follows, uint8_t bytes[KV_WAL_MARK_BYTES]);

#endif
