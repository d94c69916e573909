/* SPDX-License-Identifier: Apache-2.0 */
/* layout — keys made and ranges drawn; the format is the table in layout.h. */
#define OPENSSL_SUPPRESS_DEPRECATED /* MD5 spreads keys here; it protects nothing. */
#include "store/layout.h"

#include <openssl/md5.h>

enum {
    SPACE_SYSTEM = 0x01,
    SPACE_TABLE = 0x02,
    HASH_BYTES = 4,
    ESCAPED = 0x00,      /* in an escaped sort attribute: this byte … */
    ESCAPED_ZERO = 0xFF, /* … followed by this one stands for a zero, … */
    ESCAPED_END = 0x00,  /* … by this one ends it; a number is ended by ESCAPED alone */
    KEY_CAPACITY = 128,  /* a first guess that fits most keys */
};

/* DynamoDB's own scan order, as observed, is that of MD5 over this word and the partition key. */
static const struct slice hash_salt = {(const uint8_t *)"Outliers", 8};

static void append_u32(struct buffer *key, uint32_t number)
{
    uint8_t *to = buffer_reserve(key, 4);
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(number >> (24 - 8 * i));
    key->length += 4;
}

static void append_u64(struct buffer *key, uint64_t number)
{
    append_u32(key, (uint32_t)(number >> 32));
    append_u32(key, (uint32_t)number);
}

static uint64_t read_u64(const uint8_t *from)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | from[i];
    return number;
}

static struct buffer begin_system(struct arena *arena, char kind)
{
    struct buffer key = buffer_open(arena, KEY_CAPACITY);
    buffer_append_byte(&key, SPACE_SYSTEM);
    buffer_append_byte(&key, (uint8_t)kind);
    return key;
}

static struct buffer begin_table(struct arena *arena, uint64_t table_id, char kind)
{
    struct buffer key = buffer_open(arena, KEY_CAPACITY);
    buffer_append_byte(&key, SPACE_TABLE);
    append_u64(&key, table_id);
    buffer_append_byte(&key, (uint8_t)kind);
    return key;
}

/* A second buffer with the same beginning, so that a range's ends share one construction. */
static struct buffer key_fork(const struct buffer *key)
{
    struct buffer copy = buffer_open(key->arena, key->length + KEY_CAPACITY);
    buffer_append(&copy, buffer_slice(key));
    return copy;
}

/* The first key after all keys that begin with this one. */
static struct slice after_prefix(const struct buffer *prefix)
{
    struct buffer end = key_fork(prefix);
    while (end.length > 0 && end.data[end.length - 1] == 0xFF)
        end.length--;
    CHECK(end.length > 0);
    end.data[end.length - 1]++;
    return buffer_slice(&end);
}

static struct kv_range prefix_range(const struct buffer *prefix)
{
    return (struct kv_range){.begin = buffer_slice(prefix), .end = after_prefix(prefix)};
}

/* ---- parts of keys --------------------------------------------------------------------------- */

static void append_hash(struct buffer *key, const struct value *parts, unsigned count)
{
    uint8_t digest[MD5_DIGEST_LENGTH];
    MD5_CTX context;
    MD5_Init(&context);
    MD5_Update(&context, hash_salt.data, hash_salt.length);
    for (unsigned i = 0; i < count; i++)
        MD5_Update(&context, parts[i].data.data, parts[i].data.length);
    MD5_Final(digest, &context);
    buffer_append(key, slice_of(digest, HASH_BYTES));
}

static void append_partition_part(struct buffer *key, struct slice bytes)
{
    CHECK(bytes.length <= UINT16_MAX);
    buffer_append_byte(key, (uint8_t)(bytes.length >> 8));
    buffer_append_byte(key, (uint8_t)bytes.length);
    buffer_append(key, bytes);
}

static void append_partition(struct buffer *key, const struct value *parts, unsigned count)
{
    append_hash(key, parts, count);
    for (unsigned i = 0; i < count; i++)
        append_partition_part(key, parts[i].data);
}

/* A sort attribute that something follows, without its end: the prefix of all that begin so. */
static void append_escaped(struct buffer *key, struct value value)
{
    if (value.type == VALUE_NUMBER) {
        buffer_append(key, value.data);
        return;
    }
    for (size_t i = 0; i < value.data.length; i++) {
        buffer_append_byte(key, value.data.data[i]);
        if (value.data.data[i] == ESCAPED) buffer_append_byte(key, ESCAPED_ZERO);
    }
}

static void append_sort_part(struct buffer *key, struct value value)
{
    append_escaped(key, value);
    buffer_append_byte(key, ESCAPED);
    if (value.type != VALUE_NUMBER) buffer_append_byte(key, ESCAPED_END);
}

/*
 * Collects the item's values of a key; false when one is absent or cannot be a key. The latter
 * happens to items written before an index was made: they are left out of it.
 */
static bool key_values(const struct key_schema *schema, struct slice item, struct value *values)
{
    size_t partition_bytes = 0;
    size_t sort_bytes = 0;
    for (unsigned i = 0; i < key_schema_count(schema); i++) {
        values[i] = item_attribute(item, schema->attributes[i].name);
        if (values[i].type != schema->attributes[i].type || values[i].data.length == 0)
            return false;
        *(i < schema->partition_count ? &partition_bytes : &sort_bytes) += values[i].data.length;
    }
    return partition_bytes <= LIMIT_PARTITION_KEY_BYTES && sort_bytes <= LIMIT_SORT_KEY_BYTES;
}

static struct buffer begin_rows(struct arena *arena, const struct table *table,
                                const struct index *index)
{
    if (index == NULL) return begin_table(arena, table->id, 'i');
    struct buffer key = begin_table(arena, table->id, 'x');
    append_u32(&key, index->id);
    return key;
}

/* ---- rows ------------------------------------------------------------------------------------ */

struct slice layout_item_key(struct arena *arena, const struct table *table, struct slice item)
{
    struct value values[2 * LIMIT_INDEX_KEY_ATTRIBUTES];
    bool complete = key_values(&table->key, item, values);
    CHECK(complete);

    struct buffer key = begin_rows(arena, table, NULL);
    append_partition(&key, values, 1);
    if (table->key.sort_count > 0) buffer_append(&key, values[1].data);
    return buffer_slice(&key);
}

struct slice layout_index_key(struct arena *arena, const struct table *table,
                              const struct index *index, struct slice item)
{
    struct value values[2 * LIMIT_INDEX_KEY_ATTRIBUTES];
    if (item.length == 0 || !key_values(&index->key, item, values)) return (struct slice){0};

    struct buffer key = begin_rows(arena, table, index);
    append_partition(&key, values, index->key.partition_count);
    for (unsigned i = index->key.partition_count; i < key_schema_count(&index->key); i++)
        append_sort_part(&key, values[i]);

    bool complete = key_values(&table->key, item, values);
    CHECK(complete);
    append_partition_part(&key, values[0].data);
    if (table->key.sort_count > 0) buffer_append(&key, values[1].data);
    return buffer_slice(&key);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

/* In a table nothing follows the sort key, so it stands as it is; in an index it is escaped. */
static struct buffer with_sort(const struct buffer *prefix, const struct index *index,
                               struct value value)
{
    struct buffer key = key_fork(prefix);
    if (index == NULL) {
        buffer_append(&key, value.data);
    } else {
        append_sort_part(&key, value);
    }
    return key;
}

/* The first key above every row whose sort attribute is value. */
static struct slice above(const struct buffer *prefix, const struct index *index,
                          struct value value)
{
    struct buffer key = with_sort(prefix, index, value);
    if (index != NULL) return after_prefix(&key);
    buffer_append_byte(&key, 0);
    return buffer_slice(&key);
}

static struct kv_range begins_with_range(const struct buffer *prefix, const struct index *index,
                                         struct value value)
{
    struct buffer key = key_fork(prefix);
    if (index == NULL) {
        buffer_append(&key, value.data);
    } else {
        append_escaped(&key, value);
    }
    return prefix_range(&key);
}

static struct kv_range sort_range(const struct buffer *prefix, const struct index *index,
                                  const struct key_condition *condition)
{
    struct kv_range range = prefix_range(prefix);
    struct buffer low;

    switch (condition->op) {
    case SORT_ANY:
        break;
    case SORT_LT:
        low = with_sort(prefix, index, condition->low);
        range.end = buffer_slice(&low);
        break;
    case SORT_LE:
        range.end = above(prefix, index, condition->low);
        break;
    case SORT_GT:
        range.begin = above(prefix, index, condition->low);
        break;
    case SORT_GE:
        low = with_sort(prefix, index, condition->low);
        range.begin = buffer_slice(&low);
        break;
    case SORT_BETWEEN:
        low = with_sort(prefix, index, condition->low);
        range.begin = buffer_slice(&low);
        range.end = above(prefix, index, condition->high);
        break;
    case SORT_BEGINS_WITH:
        return begins_with_range(prefix, index, condition->low);
    }
    return range;
}

struct kv_range layout_query_range(struct arena *arena, const struct table *table,
                                   const struct index *index, const struct key_condition *condition)
{
    const struct key_schema *schema = index == NULL ? &table->key : &index->key;
    struct buffer prefix = begin_rows(arena, table, index);
    append_partition(&prefix, condition->partition, schema->partition_count);

    if (index == NULL && condition->sort_count > 0) {
        /* The whole key of one item: the range holds that row alone. */
        struct buffer row = with_sort(&prefix, NULL, condition->sort[0]);
        return (struct kv_range){buffer_slice(&row), above(&prefix, NULL, condition->sort[0]),
                                 false, 1};
    }
    for (unsigned i = 0; i < condition->sort_count; i++)
        append_sort_part(&prefix, condition->sort[i]);
    return sort_range(&prefix, index, condition);
}

struct kv_range layout_scan_range(struct arena *arena, const struct table *table,
                                  const struct index *index, uint32_t segment, uint32_t total)
{
    struct buffer prefix = begin_rows(arena, table, index);
    struct kv_range range = prefix_range(&prefix);
    if (total <= 1) return range;

    /* Segment s holds the hashes from ceil(2^32 * s / total) on. */
    uint64_t space = (uint64_t)1 << (8 * HASH_BYTES);
    uint64_t from = (space * segment + total - 1) / total;
    uint64_t to = (space * (segment + 1) + total - 1) / total;
    struct buffer begin = key_fork(&prefix);
    append_u32(&begin, (uint32_t)from);
    range.begin = buffer_slice(&begin);
    if (to < space) {
        struct buffer end = key_fork(&prefix);
        append_u32(&end, (uint32_t)to);
        range.end = buffer_slice(&end);
    }
    return range;
}

struct kv_range layout_resume(struct arena *arena, struct kv_range range, struct slice row_key)
{
    if (range.reverse) {
        if (slice_compare(row_key, range.end) < 0) range.end = row_key;
        return range;
    }
    struct buffer next = buffer_open(arena, row_key.length + 1);
    buffer_append(&next, row_key);
    buffer_append_byte(&next, 0);
    if (slice_compare(buffer_slice(&next), range.begin) > 0) range.begin = buffer_slice(&next);
    return range;
}

uint32_t layout_item_hash(struct slice row_key)
{
    enum { AT = 1 + 8 + 1 }; /* the space, the table id, the kind */
    CHECK(row_key.length > AT + HASH_BYTES);
    return (uint32_t)(read_u64(row_key.data + AT - HASH_BYTES) & UINT32_MAX);
}

struct kv_range layout_table_range(struct arena *arena, uint64_t table_id)
{
    struct buffer prefix = begin_table(arena, table_id, 0);
    prefix.length--;
    const struct buffer changes = begin_table(arena, table_id, 'c');
    return (struct kv_range){.begin = buffer_slice(&prefix), .end = buffer_slice(&changes)};
}

struct kv_range layout_table_rest(struct arena *arena, uint64_t table_id)
{
    struct buffer prefix = begin_table(arena, table_id, 0);
    prefix.length--;
    const struct buffer changes = begin_table(arena, table_id, 'c');
    return (struct kv_range){.begin = after_prefix(&changes), .end = after_prefix(&prefix)};
}

struct kv_range layout_index_range(struct arena *arena, uint64_t table_id, uint32_t index_id)
{
    struct buffer prefix = begin_table(arena, table_id, 'x');
    append_u32(&prefix, index_id);
    return prefix_range(&prefix);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static struct slice counter_key(struct arena *arena, uint64_t table_id, uint32_t index_id,
                                char what)
{
    struct buffer key = begin_table(arena, table_id, 'n');
    append_u32(&key, index_id);
    buffer_append_byte(&key, (uint8_t)what);
    return buffer_slice(&key);
}

struct slice layout_count_key(struct arena *arena, uint64_t table_id, uint32_t index_id)
{
    return counter_key(arena, table_id, index_id, 'c');
}

struct slice layout_bytes_key(struct arena *arena, uint64_t table_id, uint32_t index_id)
{
    return counter_key(arena, table_id, index_id, 'b');
}

struct slice layout_collection_key(struct arena *arena, const struct table *table,
                                   struct slice item)
{
    struct value partition = item_attribute(item, table->key.attributes[0].name);
    CHECK(partition.type != VALUE_ABSENT);
    struct buffer key = begin_table(arena, table->id, 'z');
    append_partition_part(&key, partition.data);
    return buffer_slice(&key);
}

struct slice layout_table_record_key(struct arena *arena, struct slice name)
{
    struct buffer key = begin_system(arena, 't');
    buffer_append(&key, name);
    return buffer_slice(&key);
}

struct kv_range layout_table_records(void)
{
    return (struct kv_range){.begin = SLICE("\x01t"), .end = SLICE("\x01u")};
}

struct slice layout_table_id_key(void)
{
    return SLICE("\x01n");
}

struct slice layout_garbage_key(struct arena *arena, uint64_t table_id)
{
    struct buffer key = begin_system(arena, 'g');
    append_u64(&key, table_id);
    return buffer_slice(&key);
}

struct kv_range layout_garbage_range(void)
{
    return (struct kv_range){.begin = SLICE("\x01g"), .end = SLICE("\x01h")};
}

uint64_t layout_garbage_id(struct slice key)
{
    CHECK(key.length == 2 + 8);
    return read_u64(key.data + 2);
}

struct slice layout_notes_key(struct arena *arena)
{
    struct buffer key = begin_system(arena, 'm');
    return buffer_slice(&key);
}

struct slice layout_token_key(struct arena *arena, struct slice token)
{
    struct buffer key = begin_system(arena, 'k');
    buffer_append(&key, token);
    return buffer_slice(&key);
}

struct slice layout_token_expiry_key(struct arena *arena, int64_t expiry_ms, struct slice token)
{
    struct buffer key = begin_system(arena, 'l');
    append_u64(&key, expiry_ms < 0 ? 0 : (uint64_t)expiry_ms);
    buffer_append(&key, token);
    return buffer_slice(&key);
}

struct kv_range layout_token_expiry_range(struct arena *arena, int64_t until_ms)
{
    return (struct kv_range){.begin = layout_token_expiry_key(arena, 0, (struct slice){0}),
                             .end = layout_token_expiry_key(arena, until_ms, (struct slice){0})};
}

struct slice layout_token_of_expiry_key(struct slice key)
{
    CHECK(key.length >= 2 + 8);
    return slice_of(key.data + 2 + 8, key.length - 2 - 8);
}

struct slice layout_backfill_key(struct arena *arena, uint64_t table_id, uint32_t index_id)
{
    struct buffer key = begin_system(arena, 'b');
    append_u64(&key, table_id);
    append_u32(&key, index_id);
    return buffer_slice(&key);
}

struct slice layout_backfill_count_key(struct arena *arena, uint64_t table_id, uint32_t index_id)
{
    struct buffer key = begin_system(arena, 'b');
    append_u64(&key, table_id);
    append_u32(&key, index_id);
    buffer_append_byte(&key, 'n');
    return buffer_slice(&key);
}

struct kv_range layout_backfill_range(struct arena *arena, uint64_t table_id)
{
    struct buffer prefix = begin_system(arena, 'b');
    append_u64(&prefix, table_id);
    return prefix_range(&prefix);
}

/* ---- streams and changes --------------------------------------------------------------------- */

/* Names hold no zero, so that one ends them. */
struct slice layout_stream_key(struct arena *arena, struct slice name, struct slice label)
{
    struct buffer key = begin_system(arena, 's');
    buffer_append(&key, name);
    buffer_append_byte(&key, 0);
    buffer_append(&key, label);
    return buffer_slice(&key);
}

struct kv_range layout_stream_range(struct arena *arena, struct slice name)
{
    struct buffer prefix = begin_system(arena, 's');
    buffer_append(&prefix, name);
    if (name.length > 0) buffer_append_byte(&prefix, 0);
    return prefix_range(&prefix);
}

static struct buffer begin_shard(struct arena *arena, uint64_t table_id, uint32_t shard_id)
{
    struct buffer key = begin_system(arena, 'h');
    append_u64(&key, table_id);
    append_u32(&key, shard_id);
    return key;
}

struct slice layout_shard_key(struct arena *arena, uint64_t table_id, uint32_t shard_id,
                              enum shard_fact fact)
{
    struct buffer key = begin_shard(arena, table_id, shard_id);
    buffer_append_byte(&key, (uint8_t)fact);
    return buffer_slice(&key);
}

struct kv_range layout_shard_range(struct arena *arena, uint64_t table_id, uint32_t shard_id)
{
    const struct buffer prefix = begin_shard(arena, table_id, shard_id);
    return prefix_range(&prefix);
}

struct kv_range layout_shards_range(struct arena *arena, uint64_t table_id)
{
    struct buffer prefix = begin_system(arena, 'h');
    if (table_id != 0) append_u64(&prefix, table_id);
    return prefix_range(&prefix);
}

bool layout_shard_of_key(struct slice key, struct shard_key *parts)
{
    enum { ID_AT = 2, SHARD_AT = ID_AT + 8, FACT_AT = SHARD_AT + 4, STAMP_AT };
    if (key.length < STAMP_AT) return false;
    const bool has_stamp = key.length == STAMP_AT + KV_STAMP_BYTES;
    *parts = (struct shard_key){
        .table_id = read_u64(key.data + ID_AT),
        .shard_id = (uint32_t)(read_u64(key.data + FACT_AT - 8) & UINT32_MAX),
        .fact = (enum shard_fact)key.data[FACT_AT],
        .stamp = slice_of(key.data + STAMP_AT, key.length - STAMP_AT),
    };
    switch (parts->fact) {
    case SHARD_OPENED:
    case SHARD_CLOSED:
        return has_stamp;
    case SHARD_BYTES:
    case SHARD_TRIMMED:
        return key.length == STAMP_AT;
    }
    return false;
}

struct slice layout_change_prefix(struct arena *arena, uint64_t table_id, uint32_t shard_id)
{
    struct buffer key = begin_table(arena, table_id, 'c');
    append_u32(&key, shard_id);
    return buffer_slice(&key);
}

/* The first key above the change with this stamp, which no other key begins with. */
static struct slice above_change(struct arena *arena, struct slice prefix, struct slice stamp)
{
    CHECK(stamp.length == KV_STAMP_BYTES);
    struct buffer key = buffer_open(arena, KEY_CAPACITY);
    buffer_append(&key, prefix);
    buffer_append(&key, stamp);
    buffer_append_byte(&key, 0);
    return buffer_slice(&key);
}

struct kv_range layout_change_range(struct arena *arena, struct slice prefix, struct slice after)
{
    struct buffer all = buffer_open(arena, KEY_CAPACITY);
    buffer_append(&all, prefix);
    struct kv_range range = prefix_range(&all);
    if (after.length > 0) range.begin = above_change(arena, prefix, after);
    return range;
}

struct kv_range layout_change_range_until(struct arena *arena, struct slice prefix,
                                          struct slice until)
{
    struct buffer begin = buffer_open(arena, KEY_CAPACITY);
    buffer_append(&begin, prefix);
    return (struct kv_range){.begin = buffer_slice(&begin),
                             .end = above_change(arena, prefix, until)};
}

struct slice layout_change_stamp(struct slice key)
{
    CHECK(key.length > KV_STAMP_BYTES);
    return slice_of(key.data + key.length - KV_STAMP_BYTES, KV_STAMP_BYTES);
}

/* ---- expiry ---------------------------------------------------------------------------------- */

enum { ROW_AT = 1 + 8 + 1 }; /* where a key goes on behind its table and kind */

static struct buffer begin_expiry(struct arena *arena, uint64_t table_id, int64_t expiry_ms)
{
    struct buffer key = begin_table(arena, table_id, 'e');
    append_u64(&key, (uint64_t)expiry_ms);
    return key;
}

struct slice layout_expiry_key(struct arena *arena, int64_t expiry_ms, struct slice row_key)
{
    CHECK(expiry_ms >= 0);
    CHECK(row_key.length > ROW_AT);
    struct buffer key = begin_expiry(arena, read_u64(row_key.data + 1), expiry_ms);
    buffer_append(&key, slice_of(row_key.data + ROW_AT, row_key.length - ROW_AT));
    return buffer_slice(&key);
}

struct kv_range layout_expiry_range(struct arena *arena, uint64_t table_id, int64_t from_ms,
                                    int64_t until_ms)
{
    const struct buffer begin = begin_expiry(arena, table_id, from_ms < 0 ? 0 : from_ms);
    const struct buffer end = begin_expiry(arena, table_id, until_ms < 0 ? 0 : until_ms);
    return (struct kv_range){.begin = buffer_slice(&begin), .end = buffer_slice(&end)};
}

bool layout_expiry_of_key(struct arena *arena, struct slice key, int64_t *expiry_ms,
                          struct slice *row_key)
{
    enum { HASH_AT = ROW_AT + 8 };
    if (key.length <= HASH_AT || key.data[ROW_AT - 1] != 'e') return false;
    *expiry_ms = (int64_t)read_u64(key.data + ROW_AT);
    struct buffer row = begin_table(arena, read_u64(key.data + 1), 'i');
    buffer_append(&row, slice_of(key.data + HASH_AT, key.length - HASH_AT));
    *row_key = buffer_slice(&row);
    return *expiry_ms >= 0;
}
