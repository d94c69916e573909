/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change — the log of what was changed in a table: one record for each write that changed an item,
 * appended in the transaction of the write.
 *
 * There is one log and it has many readers: streams read it now; whoever needs the history of a
 * table later (recovery to a point in time, triggers) reads the same records. It is kept only for
 * tables that have a reader: those with open shards (model/schema.h). A record holds the key, and
 * of the item before and after what the readers want (images_wanted in change.c).
 *
 *   record   format (1), flags (1), time in ms (8, big-endian), length of the key and of the image
 *            before (4 each, big-endian), the key, the image before, the image after
 *   rest     format, flags with REST alone, the image after: follows a record that would not have
 *            fitted one value with it
 *
 * A record's place is its stamp. It grows in commit order, so records of one item are in order.
 */
#ifndef STATOR_STORE_CHANGE_H
#define STATOR_STORE_CHANGE_H

#include "store/item.h"

enum change_kind { CHANGE_INSERT, CHANGE_MODIFY, CHANGE_REMOVE };

struct change {
    enum change_kind kind;
    bool expired;           /* removed because its time to live was over */
    int64_t time_ms;        /* of the request that made it */
    struct slice key;       /* encoded item of the key attributes */
    struct slice old_image; /* encoded items; empty when absent or not recorded */
    struct slice new_image;
    struct slice stamp;
    struct slice last_stamp; /* of its last row: the next record is behind it */
};

/* Records what item_write has done; now_ms is the time of its request. For tables with shards. */
void change_append(struct kv_txn *txn, struct arena *arena, const struct write *write,
                   int64_t now_ms);

/*
 * Reading one shard from one place to another: open, next until KV_NOT_FOUND, close. What is read
 * lives in the arena. Records come whole.
 */
struct change_walk {
    struct kv_cursor *cursor;
    struct arena *arena;
};

struct change_place {
    uint64_t table_id;
    uint32_t shard_id;
    struct slice after; /* the stamp behind which to begin; empty: at the oldest there is */
};

enum kv_status change_walk_open(struct kv_txn *txn, struct arena *arena,
                                const struct change_place *from,
                                struct change_walk *walk) WARN_UNUSED;
enum kv_status change_walk_next(struct change_walk *walk, struct change *change) WARN_UNUSED;
void change_walk_close(struct change_walk *walk);

/* The stamp of the newest record of a shard; KV_NOT_FOUND when there is none. */
enum kv_status change_newest(struct kv_txn *txn, struct arena *arena, uint64_t table_id,
                             uint32_t shard_id, struct slice *stamp) WARN_UNUSED;

#endif
