/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv — ordered byte strings under strictly serializable transactions. It knows nothing of tables or
 * items.
 *
 * The contract is written for FoundationDB first; RocksDB fits under it.
 *
 *   - A transaction is a function, the body. kv_view runs it against a read snapshot, kv_update
 *     against a read-write transaction. The engine decides where and how often it runs: RocksDB
 *     runs views inline and updates once, on its committer thread; FoundationDB runs both on a pool
 *     and again after a conflict. So a body begins by resetting whatever result it writes, and has
 *     no effect but through its transaction and that result.
 *   - An update sees its own writes. Its done function is called exactly once, on any thread, and
 *     only after everything the body wrote — and everything it read — is durable. Then it is also
 *     visible to every view that starts afterwards.
 *   - A body that returns anything but KV_OK leaves no trace; done receives that status.
 *   - A transaction is short (5 s) and small (10 MB); longer work is cut into steps.
 *   - Keys: 1 to KV_KEY_BYTES_MAX bytes, the first byte below 0xFF (the rest is the engine's own).
 *     Values: 0 to KV_VALUE_BYTES_MAX bytes; engines with smaller values split them, unseen.
 *   - Keys and values handed in are borrowed until the call returns. A value handed out lives
 *     in the arena it was asked into; a cursor's row lives until the cursor moves.
 *
 * All functions may be called from any thread, except that one transaction belongs to its body.
 */
#ifndef STATOR_KV_KV_H
#define STATOR_KV_KV_H

#include "base/arena.h"

enum {
    KV_KEY_BYTES_MAX = 10000,         /* FoundationDB's limit */
    KV_VALUE_BYTES_MAX = 1024 * 1024, /* ours; kv_fdb splits */
    KV_STAMP_BYTES = 12,              /* FoundationDB's versionstamp with its user version */
};

enum kv_status {
    KV_OK,
    KV_NOT_FOUND,
    KV_ABORTED,         /* the body declined: nothing was written */
    KV_CONFLICT,        /* the engine gave up retrying */
    KV_MAYBE_COMMITTED, /* the outcome cannot be known; make the write idempotent and ask again */
    KV_UNAVAILABLE, /* the engine no longer writes (a write or sync failed) or cannot be reached */
    KV_CORRUPT,     /* stored bytes failed their checksum; they are never handed out */
};

struct kv;
struct kv_txn;
struct kv_cursor;
struct kv_engine;

typedef enum kv_status kv_body(struct kv_txn *txn, void *context);
typedef void kv_done(void *context, enum kv_status status);

/*
 * One unit of work, supplied by the caller and kept alive by it until done is called. done may free
 * or reuse it.
 */
struct kv_work {
    kv_body *body;
    kv_done *done;
    void *context; /* handed to both */
    /*
     * A promise that the body of a view reads at most once: one kv_get, one kv_get_counter or one
     * cursor, besides kv_metadata_version. Such a view needs no snapshot and is cheaper.
     */
    bool single_read;
    enum kv_status status; /* the engine's */
    struct kv_work *next;  /* the engine's */
};

enum kv_durability {
    KV_SYNC,  /* done is called after the write-ahead log is synced; the default */
    KV_ASYNC, /* done is called after the log is written; a machine's crash may lose the newest */
};

struct kv_options {
    const char *path; /* directory; ignored when in_memory */
    bool in_memory;   /* keeps nothing */
    enum kv_durability durability;
    size_t cache_bytes;   /* for blocks read from disk; 0 = the engine's default */
    void *engine_options; /* what only one engine understands; NULL for most */
};

/* Why kv_open failed, so that the caller can word it for its user. */
enum kv_open_status {
    KV_OPEN_OK,
    KV_OPEN_LOCKED,     /* another process has the directory open */
    KV_OPEN_UNWRITABLE, /* it cannot be created or written */
    KV_OPEN_NEWER,      /* written by a newer version of this program */
    KV_OPEN_CORRUPT,
    KV_OPEN_FAILED, /* anything else */
};

/*
 * Opens a store with this engine. On failure *kv is NULL and detail (arena text, may be empty)
 * is the engine's own message.
 */
enum kv_open_status kv_open(const struct kv_engine *engine, const struct kv_options *options,
                            struct kv **kv, struct arena *arena, struct slice *detail) WARN_UNUSED;

/* Whether updates are taken. Reads are served in any case, of what was made durable. */
enum kv_health {
    KV_HEALTHY,
    KV_FULL,   /* no space on the disk: refused until there is, then taken again by itself */
    KV_FAILED, /* a write or sync failed: refused until the store is closed and opened again */
};

enum kv_health kv_health(struct kv *kv);

/* Waits for running work, makes everything durable, closes. No call may be under way or follow. */
void kv_close(struct kv *kv);

/* Runs work's body on a read snapshot; done may be called before this returns. */
void kv_view(struct kv *kv, struct kv_work *work);

/* Queues work's body for a read-write transaction. */
void kv_update(struct kv *kv, struct kv_work *work);

/*
 * Says that more updates follow, from whoever corks or from anybody, and that they need not begin
 * before kv_uncork, which is to come soon (within a fraction of a millisecond): so they can be
 * committed together. Corks may overlap and nest; each is taken back once. What was queued before a
 * kv_uncork begins after it, whoever else has corked: nobody waits for a cork that is not theirs. A
 * hint: engines may begin earlier.
 */
void kv_cork(struct kv *kv);
void kv_uncork(struct kv *kv);

/*
 * A view and an update, waiting for the outcome, but not for a kv_uncork: whoever waits may have
 * corked. For the catalog, background steps and tests.
 */
enum kv_status kv_view_wait(struct kv *kv, kv_body *body, void *context) WARN_UNUSED;
enum kv_status kv_update_wait(struct kv *kv, kv_body *body, void *context) WARN_UNUSED;

/* ---- inside a body --------------------------------------------------------------------------- */

/* KV_OK, KV_NOT_FOUND, KV_UNAVAILABLE or KV_CORRUPT. The value is copied into the arena. */
enum kv_status kv_get(struct kv_txn *txn, struct slice key, struct arena *arena,
                      struct slice *value) WARN_UNUSED;

void kv_put(struct kv_txn *txn, struct slice key, struct slice value);
void kv_delete(struct kv_txn *txn, struct slice key);

/*
 * Deletes every key in [begin, end), counters and appends included, in one atomic step with the
 * rest of the transaction. It must not be mixed, in one transaction, with reads or writes of that
 * range: engines may apply it last.
 */
void kv_delete_range(struct kv_txn *txn, struct slice begin, struct slice end);

/*
 * Adds delta to the 64-bit counter at key (absent = 0) without reading it, so that counters do not
 * make transactions conflict. Read it back with kv_get_counter; a body does not see its own adds.
 */
void kv_add(struct kv_txn *txn, struct slice key, int64_t delta);
enum kv_status kv_get_counter(struct kv_txn *txn, struct slice key, int64_t *value) WARN_UNUSED;

/*
 * Writes value under prefix followed by a stamp of KV_STAMP_BYTES that grows in commit order, over
 * all appends of this store for ever. A body does not see its own appends.
 */
void kv_append(struct kv_txn *txn, struct slice prefix, struct slice value);

/*
 * The version of everything cached outside the store (the catalog). kv_touch_metadata makes this
 * transaction's commit change it; a body compares it with what it was planned against. It belongs
 * to the same state of the store as everything else the body reads: a body that sees version v sees
 * exactly the data of v. A body does not see its own touch. Versions only grow, also over
 * reopening.
 */
enum kv_status kv_metadata_version(struct kv_txn *txn, uint64_t *version) WARN_UNUSED;
void kv_touch_metadata(struct kv_txn *txn);

struct kv_range {
    struct slice begin; /* inclusive; may be empty: the first key */
    struct slice end;   /* exclusive; a key, or the byte 0xFF: after the last key */
    bool reverse;       /* from the last key down */
    size_t expected;    /* rows probably wanted, for read-ahead; 0 = not known */
};

/* Opens a cursor before the first row of the range. Close it within the body. */
enum kv_status kv_cursor_open(struct kv_txn *txn, struct kv_range range,
                              struct kv_cursor **cursor) WARN_UNUSED;

/* Moves to the next row: KV_OK with *key and *value, KV_NOT_FOUND at the end, or trouble. */
enum kv_status kv_cursor_next(struct kv_cursor *cursor, struct slice *key,
                              struct slice *value) WARN_UNUSED;

void kv_cursor_close(struct kv_cursor *cursor);

extern const struct kv_engine kv_rocksdb;

#endif
