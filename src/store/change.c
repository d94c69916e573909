/* SPDX-License-Identifier: Apache-2.0 */
/* change — records written and read back; their bytes are the table in change.h. */
#include "store/change.h"

#include "store/layout.h"

enum {
    HAD_ITEM = 1,  /* before the change */
    HAS_ITEM = 2,  /* after it */
    EXPIRED = 4,   /* time to live removed it */
    CONTINUED = 8, /* the image after is in the next row */
    REST = 16,     /* this row is that next row */
    HEAD_BYTES = 2,
    TIME_BYTES = 8,
    LENGTH_BYTES = 4,
    RECORD_HEAD_BYTES = HEAD_BYTES + TIME_BYTES + 2 * LENGTH_BYTES,
};

/* An image is an item, and an item fits one value; two of them may not. */
_Static_assert(KV_VALUE_BYTES_MAX >= 2 * LIMIT_ITEM_BYTES, "a usual record fits one value");

/* ---- writing --------------------------------------------------------------------------------- */

/* Which images some reader of the table's changes wants. */
static void images_wanted(const struct table *table, bool *old_image, bool *new_image)
{
    *old_image = table->stream == STREAM_OLD_IMAGE || table->stream == STREAM_NEW_AND_OLD;
    *new_image = table->stream == STREAM_NEW_IMAGE || table->stream == STREAM_NEW_AND_OLD;
}

static const struct shard *find_shard(const struct table *table, uint32_t hash)
{
    size_t low = 0;
    size_t high = table->shard_count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (table->shards[middle].hash_first <= hash)
            low = middle;
        else
            high = middle;
    }
    const struct shard *shard = &table->shards[low];
    CHECK(shard->hash_first <= hash);
    CHECK(hash <= shard->hash_last);
    return shard;
}

static void append_big_endian(struct buffer *out, uint64_t number, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        buffer_append_byte(out, (uint8_t)(number >> 8 * i));
}

static void begin_row(struct buffer *out, uint8_t flags)
{
    buffer_append_byte(out, LAYOUT_FORMAT);
    buffer_append_byte(out, flags);
}

static uint8_t flags_of(const struct write *write)
{
    uint8_t flags = 0;
    if (write->old_item.length > 0) flags |= HAD_ITEM;
    if (write->new_item.length > 0) flags |= HAS_ITEM;
    if (write->expired) flags |= EXPIRED;
    return flags;
}

/* KV_APPENDS_MAX leaves room for two rows of each write of a transaction or batch. */
void change_append(struct kv_txn *txn, struct arena *arena, const struct write *write,
                   int64_t now_ms)
{
    const struct table *table = write->table;
    CHECK(table->shard_count > 0);
    bool wants_old;
    bool wants_new;
    images_wanted(table, &wants_old, &wants_new);
    const struct slice some_item = write->new_item.length > 0 ? write->new_item : write->old_item;
    const struct slice key = item_key(arena, table, NULL, some_item);
    const struct slice old_image = wants_old ? write->old_item : (struct slice){0};
    const struct slice new_image = wants_new ? write->new_item : (struct slice){0};
    const size_t whole = RECORD_HEAD_BYTES + key.length + old_image.length + new_image.length;
    const bool is_split = whole > KV_VALUE_BYTES_MAX;

    struct buffer row = buffer_open(arena, whole);
    begin_row(&row, flags_of(write) | (is_split ? CONTINUED : 0));
    append_big_endian(&row, (uint64_t)now_ms, TIME_BYTES);
    append_big_endian(&row, key.length, LENGTH_BYTES);
    append_big_endian(&row, old_image.length, LENGTH_BYTES);
    buffer_append(&row, key);
    buffer_append(&row, old_image);
    if (!is_split) buffer_append(&row, new_image);

    const struct shard *shard = find_shard(table, layout_item_hash(write->row_key));
    const struct slice prefix = layout_change_prefix(arena, table->id, shard->id);
    kv_append(txn, prefix, buffer_slice(&row));
    kv_add(txn, layout_shard_key(arena, table->id, shard->id, SHARD_BYTES), (int64_t)whole);
    if (!is_split) return;
    struct buffer rest = buffer_open(arena, HEAD_BYTES + new_image.length);
    begin_row(&rest, REST);
    buffer_append(&rest, new_image);
    kv_append(txn, prefix, buffer_slice(&rest));
}

/* ---- reading --------------------------------------------------------------------------------- */

enum kv_status change_walk_open(struct kv_txn *txn, struct arena *arena,
                                const struct change_place *from, struct change_walk *walk)
{
    const struct slice prefix = layout_change_prefix(arena, from->table_id, from->shard_id);
    *walk = (struct change_walk){.arena = arena};
    return kv_cursor_open(txn, layout_change_range(arena, prefix, from->after), &walk->cursor);
}

static uint64_t read_big_endian(const uint8_t *from, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number = number << 8 | from[i];
    return number;
}

/* Records outlive the version that wrote them, and are read far from where they were written. */
static bool is_item(struct slice bytes)
{
    return value_is_valid(bytes) && value_read(bytes).type == VALUE_MAP;
}

static bool is_image(struct slice bytes)
{
    return bytes.length == 0 || is_item(bytes);
}

/* False when the bytes are not a record. */
static bool read_record(struct slice row, struct change *change)
{
    if (row.length < RECORD_HEAD_BYTES) return false;
    const uint8_t flags = row.data[1];
    const uint8_t *lengths = row.data + HEAD_BYTES + TIME_BYTES;
    const uint64_t key_length = read_big_endian(lengths, LENGTH_BYTES);
    const uint64_t old_length = read_big_endian(lengths + LENGTH_BYTES, LENGTH_BYTES);
    const size_t length = row.length - RECORD_HEAD_BYTES;
    if (key_length == 0 || key_length > length || old_length > length - key_length) return false;
    if ((flags & (HAD_ITEM | HAS_ITEM)) == 0) return false;

    const uint8_t *at = row.data + RECORD_HEAD_BYTES;
    change->kind = (flags & HAD_ITEM) == 0   ? CHANGE_INSERT
                   : (flags & HAS_ITEM) == 0 ? CHANGE_REMOVE
                                             : CHANGE_MODIFY;
    change->expired = (flags & EXPIRED) != 0;
    change->time_ms = (int64_t)read_big_endian(row.data + HEAD_BYTES, TIME_BYTES);
    change->key = slice_of(at, key_length);
    change->old_image = slice_of(at + key_length, old_length);
    change->new_image = slice_of(at + key_length + old_length, length - key_length - old_length);
    return is_item(change->key) && is_image(change->old_image) && is_image(change->new_image);
}

/* The cursor's next row, copied. */
static enum kv_status next_row(struct change_walk *walk, struct slice *key, struct slice *row)
{
    const enum kv_status status = kv_cursor_next(walk->cursor, key, row);
    if (status != KV_OK) return status;
    *key = arena_copy(walk->arena, *key);
    *row = arena_copy(walk->arena, *row);
    return row->length >= HEAD_BYTES && row->data[0] == LAYOUT_FORMAT ? KV_OK : KV_CORRUPT;
}

enum kv_status change_walk_next(struct change_walk *walk, struct change *change)
{
    struct slice key;
    struct slice row;
    *change = (struct change){0};
    do { /* a walk may begin between a record and its rest */
        const enum kv_status status = next_row(walk, &key, &row);
        if (status != KV_OK) return status;
    } while ((row.data[1] & REST) != 0);
    if (!read_record(row, change)) return KV_CORRUPT;
    change->stamp = layout_change_stamp(key);
    change->last_stamp = change->stamp;
    if ((row.data[1] & CONTINUED) == 0) return KV_OK;

    const enum kv_status status = next_row(walk, &key, &row);
    if (status == KV_NOT_FOUND) return KV_CORRUPT;
    if (status != KV_OK) return status;
    if ((row.data[1] & REST) == 0) return KV_CORRUPT;
    change->new_image = slice_of(row.data + HEAD_BYTES, row.length - HEAD_BYTES);
    change->last_stamp = layout_change_stamp(key);
    return is_image(change->new_image) ? KV_OK : KV_CORRUPT;
}

void change_walk_close(struct change_walk *walk)
{
    kv_cursor_close(walk->cursor);
}

enum kv_status change_newest(struct kv_txn *txn, struct arena *arena, uint64_t table_id,
                             uint32_t shard_id, struct slice *stamp)
{
    const struct slice prefix = layout_change_prefix(arena, table_id, shard_id);
    struct kv_range range = layout_change_range(arena, prefix, (struct slice){0});
    range.reverse = true;
    range.expected = 1;
    struct kv_cursor *cursor;
    enum kv_status status = kv_cursor_open(txn, range, &cursor);
    if (status != KV_OK) return status;
    struct slice key;
    struct slice row;
    status = kv_cursor_next(cursor, &key, &row);
    if (status == KV_OK) *stamp = arena_copy(arena, layout_change_stamp(key));
    kv_cursor_close(cursor);
    return status;
}
