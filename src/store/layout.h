/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout — where things lie in the key space: the only file that knows key bytes.
 *
 *   01 't' name                                  table description (schema_write)
 *   01 'g' id                                    a deleted table whose data is still there
 *   01 'n'                                       the newest table id, 8 bytes big-endian
 *   01 'k' token                                 a transaction's ClientRequestToken and outcome
 *   01 'l' expiry token                          the same tokens by expiry time
 *   01 'b' id index                              how far a backfill has come
 *
 *   02 id 'i' hash pk sort                       an item: format byte, encoded item
 *   02 id 'n' index what                         a counter: items ('c') or bytes ('b')
 *   02 id 'x' index hash pk.. sort.. table-key   an index entry: format byte, projected item
 *   02 id 'z' pk                                 bytes of an item collection (tables with local
 * indexes)
 *
 *   id      table id, 8 bytes big-endian: never used twice, so one table is one contiguous range
 *   index   index id, 4 bytes big-endian; 0 stands for the table itself
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

/* All keys of a table, of one of its indexes. */
struct kv_range layout_table_range(struct arena *arena, uint64_t table_id);
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
struct slice layout_token_key(struct arena *arena, struct slice token);
struct slice layout_token_expiry_key(struct arena *arena, int64_t expiry_ms, struct slice token);
struct kv_range layout_token_expiry_range(struct arena *arena, int64_t until_ms);
struct slice layout_backfill_key(struct arena *arena, uint64_t table_id, uint32_t index_id);

/* The table id at the end of a garbage key. */
uint64_t layout_garbage_id(struct slice key);
/* The token at the end of a token expiry key. */
struct slice layout_token_of_expiry_key(struct slice key);

#endif
