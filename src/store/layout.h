/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout — where things lie in the key space: the only file that knows key bytes.
 *
 *   01 't' name                                  table description (schema_write)
 *   01 'g' id                                    a deleted table whose data is still there
 *   01 'n'                                       the newest table id, 8 bytes big-endian
 *   01 'm'                                       how many notes writes have left (store/faults.h)
 *   01 'k' token                                 a transaction's ClientRequestToken and outcome
 *   01 'l' expiry token                          the same tokens by expiry time
 *   01 'b' id index                              how far a backfill has come: a row's key
 *   01 'b' id index 'n'                          counter: the rows up to there
 *   01 's' name 00 label                         a stream, while it can be read (store/stream.h)
 *   01 'h' id shard 'b'                          counter: the bytes of a shard's changes
 *   01 'h' id shard 'o' stamp                    a shard was opened: parent, hashes, time, label
 *   01 'h' id shard 't'                          the stamp up to which it has been trimmed
 *   01 'h' id shard 'z' stamp                    it was closed: time
 *
 *   02 id 'i' hash pk sort                       an item: format byte, encoded item
 *   02 id 'n' index what                         a counter: items ('c') or bytes ('b')
 *   02 id 'e' expiry hash pk sort                an item of a table with time to live: no value
 *   02 id 'x' index hash pk.. sort.. table-key   an index entry: format byte, projected item
 *   02 id 'z' pk                                 bytes of an item collection (tables with local
 * indexes)
 *   02 id 'c' shard stamp                        a change (store/change.h); outlives the table
 *
 *   id      table id, 8 bytes big-endian: never used twice, so one table is one contiguous range
 *   expiry  milliseconds since the epoch, 8 bytes big-endian
 *   index   index id, 4 bytes big-endian; 0 stands for the table itself
 *   shard   shard id, 4 bytes big-endian; what a shard is: model/schema.h
 *   stamp   KV_STAMP_BYTES that grow in commit order (kv_append)
 *   hash    4 bytes of MD5 over the partition key's bytes, the order of Scan
 *   pk      per partition attribute: length (2 bytes big-endian), bytes (S, B: themselves, N:
 * number.h) sort    the last thing of an item's key: the bytes, as they are sort..  per sort
 * attribute, escaped: 00 -> 00 FF, ended by 00 00; numbers are ended by 00 table-key  pk and sort
 * of the item, as in its own key
 */
#ifndef STATOR_STORE_LAYOUT_H
#define STATOR_STORE_LAYOUT_H

#include "expr/node.h"
#include "kv/kv.h"
#include "model/schema.h"

enum { LAYOUT_FORMAT = 1 }; /* first byte of every stored item and index entry */

/* The key of the item: item holds (at least) the key attributes, checked by the caller. */
struct slice layout_item_key(struct arena *arena, const struct table *table, struct slice item);

/* The key of the item's entry in the index; empty when the item lacks one of the index's keys, or
 * holds something there that cannot be a key. */
struct slice layout_index_key(struct arena *arena, const struct table *table,
                              const struct index *index, struct slice item);

/* The rows of a table or an index (NULL: the table) that a key condition selects. */
struct kv_range layout_query_range(struct arena *arena, const struct table *table,
                                   const struct index *index,
                                   const struct key_condition *condition);

/* The rows of one segment of total (0 of 1: all rows). */
struct kv_range layout_scan_range(struct arena *arena, const struct table *table,
                                  const struct index *index, uint32_t segment, uint32_t total);

/* The range from just after (forward) or before (reverse) the row with this key. */
struct kv_range layout_resume(struct arena *arena, struct kv_range range, struct slice row_key);

/* The hash in the key of an item. */
uint32_t layout_item_hash(struct slice row_key);

/* All keys of a table but its changes: what comes before them, and what after. */
struct kv_range layout_table_range(struct arena *arena, uint64_t table_id);
struct kv_range layout_table_rest(struct arena *arena, uint64_t table_id);
/* All keys of one of its indexes. */
struct kv_range layout_index_range(struct arena *arena, uint64_t table_id, uint32_t index_id);

struct slice layout_count_key(struct arena *arena, uint64_t table_id, uint32_t index_id);
struct slice layout_bytes_key(struct arena *arena, uint64_t table_id, uint32_t index_id);
struct slice layout_collection_key(struct arena *arena, const struct table *table,
                                   struct slice item);
struct slice layout_table_record_key(struct arena *arena, struct slice name);
struct kv_range layout_table_records(void);
struct slice layout_table_id_key(void);
struct slice layout_garbage_key(struct arena *arena, uint64_t table_id);
struct kv_range layout_garbage_range(void);
struct slice layout_notes_key(struct arena *arena);
struct slice layout_token_key(struct arena *arena, struct slice token);
struct slice layout_token_expiry_key(struct arena *arena, int64_t expiry_ms, struct slice token);
struct kv_range layout_token_expiry_range(struct arena *arena, int64_t until_ms);
struct slice layout_backfill_key(struct arena *arena, uint64_t table_id, uint32_t index_id);
struct slice layout_backfill_count_key(struct arena *arena, uint64_t table_id, uint32_t index_id);
/* Both of all of a table's indexes. */
struct kv_range layout_backfill_range(struct arena *arena, uint64_t table_id);

/* name empty: of all tables. */
struct slice layout_stream_key(struct arena *arena, struct slice name, struct slice label);
struct kv_range layout_stream_range(struct arena *arena, struct slice name);

/* What is known of a shard; the stamp is there for SHARD_OPENED and SHARD_CLOSED. */
enum shard_fact {
    SHARD_BYTES = 'b',
    SHARD_OPENED = 'o',
    SHARD_TRIMMED = 't',
    SHARD_CLOSED = 'z',
};
struct shard_key {
    uint64_t table_id;
    uint32_t shard_id;
    enum shard_fact fact;
    struct slice stamp;
};
/* To be appended to when the fact has a stamp. */
struct slice layout_shard_key(struct arena *arena, uint64_t table_id, uint32_t shard_id,
                              enum shard_fact fact);
struct kv_range layout_shard_range(struct arena *arena, uint64_t table_id, uint32_t shard_id);
/* table_id 0: of all tables. */
struct kv_range layout_shards_range(struct arena *arena, uint64_t table_id);
/* False when the key is not one of these. */
bool layout_shard_of_key(struct slice key, struct shard_key *parts);

/* Changes are appended to this key. */
struct slice layout_change_prefix(struct arena *arena, uint64_t table_id, uint32_t shard_id);
/* The changes whose stamps are greater than after (empty: all); those up to and with until. */
struct kv_range layout_change_range(struct arena *arena, struct slice prefix, struct slice after);
struct kv_range layout_change_range_until(struct arena *arena, struct slice prefix,
                                          struct slice until);
/* The stamp at the end of a change's key. */
struct slice layout_change_stamp(struct slice key);

/* The entry of an item in its table's index of expiry times; expiry_ms is not negative. */
struct slice layout_expiry_key(struct arena *arena, int64_t expiry_ms, struct slice row_key);
/* The entries of a table that expire at or after from_ms and before until_ms; of all times when
 * until_ms is INT64_MAX. */
struct kv_range layout_expiry_range(struct arena *arena, uint64_t table_id, int64_t from_ms,
                                    int64_t until_ms);
/* What an entry says: when, and which item. False when the key is not one of these. */
bool layout_expiry_of_key(struct arena *arena, struct slice key, int64_t *expiry_ms,
                          struct slice *row_key);

/* The table id at the end of a garbage key. */
uint64_t layout_garbage_id(struct slice key);
/* The token at the end of a token expiry key. */
struct slice layout_token_of_expiry_key(struct slice key);

#endif
