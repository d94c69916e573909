/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream — the streams of tables, and the shards their changes lie in.
 *
 * A stream is named by its table and its label, the time it was enabled. It is recorded under that
 * name, apart from its table, since it can be read for a day after it was disabled or the table
 * deleted. A shard takes the changes of a range of hashes of partition keys until it is succeeded:
 * it is closed and one or two new ones, its children, take its range. All changes of one item thus
 * lie in one line of parents and children, in order.
 *
 * The open shards are in the table's description, so that a write knows its shard without a read,
 * and a write planned before a succession finds its plan stale. What else is known of a shard is in
 * rows of its own (layout.h). That it was opened and closed is appended: the stamps of these rows
 * are the shard's first and last sequence numbers.
 */
#ifndef STATOR_STORE_STREAM_H
#define STATOR_STORE_STREAM_H

#include "store/change.h"

#include <stdatomic.h>

enum stream_status { STREAM_ENABLING, STREAM_ENABLED, STREAM_DISABLING, STREAM_DISABLED };

struct stream {
    uint64_t table_id;
    struct slice table_name;
    struct slice label;
    enum stream_view view;
    struct key_schema key;
    enum stream_status status;
    int64_t created_ms;
};

/* A shard as its rows describe it. */
struct shard_state {
    uint64_t table_id;
    uint32_t id;
    uint32_t parent_id; /* 0: none */
    uint32_t hash_first;
    uint32_t hash_last;
    int64_t opened_ms;
    struct slice label; /* of the stream it belongs to */
    struct slice first; /* stamp of its opening */
    bool is_closed;
    int64_t closed_ms;
    struct slice last;    /* stamp of its closing; empty while it is open */
    struct slice trimmed; /* stamp of the newest change that is gone; empty: none */
};

/* ---- changing, inside an update body --------------------------------------------------------- */

/*
 * Gives the table a stream with this view: label, shards, record. Here and below the table is a
 * description to be written with catalog_write afterwards.
 */
enum kv_status stream_enable(struct call *call, const struct database *database, struct kv_txn *txn,
                             struct table *table, enum stream_view view) WARN_UNUSED;

/* Ends the table's stream if it has one: closes its shards. The view stays in the description. */
enum kv_status stream_disable(struct call *call, const struct database *database,
                              struct kv_txn *txn, struct table *table) WARN_UNUSED;

/* True when a day has gone by since. */
bool stream_is_over(int64_t time_ms, int64_t now_ms);

/* ---- reading --------------------------------------------------------------------------------- */

/* KV_NOT_FOUND when there is no such stream, or it is past its day. */
enum kv_status stream_find(struct call *call, struct kv_txn *txn, struct slice table_name,
                           struct slice label, struct stream *stream) WARN_UNUSED;

/* Streams in the order of their names: of one table (empty: of all), after a label or name. */
struct stream_list {
    struct slice table_name;       /* empty: of all tables */
    struct slice after_table_name; /* begin behind this stream; empty: at the first */
    struct slice after_label;
    size_t most;
    struct stream *streams; /* out */
    size_t count;           /* out */
    bool has_more;          /* out */
};
enum kv_status stream_list_read(struct call *call, struct kv_txn *txn,
                                struct stream_list *list) WARN_UNUSED;

/* The shards of a stream that are not past their day, in the order of their opening. */
struct shard_list {
    struct shard_state *shards;
    size_t count;
};
enum kv_status stream_shards(struct call *call, struct kv_txn *txn, const struct stream *stream,
                             struct shard_list *list) WARN_UNUSED;

/* KV_NOT_FOUND as above. */
enum kv_status stream_find_shard(struct call *call, struct kv_txn *txn, const struct stream *stream,
                                 uint32_t shard_id, struct shard_state *shard) WARN_UNUSED;

/* "KEYS_ONLY" and so on; the view is not STREAM_OFF. */
const char *stream_view_word(enum stream_view view);

/* The ARN of a stream. */
struct slice stream_arn(struct arena *arena, const struct database *database, struct slice table,
                        struct slice label);

/* ---- upkeep, by the background --------------------------------------------------------------- */

/* Succeeds shards of the table that are full or have had their time; true when one was. */
bool stream_succeed_shards(struct database *database, const struct table *table);

/*
 * Removes what is past its day: changes, shards, streams. False when no streams are left. Ends
 * between two steps once is_closing: the rest is for the next time.
 */
bool stream_trim(struct database *database, const atomic_bool *is_closing);

#endif
