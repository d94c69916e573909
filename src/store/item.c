/* SPDX-License-Identifier: Apache-2.0 */
/* item — writes one item with its index entries, counters and item collection, all or nothing. */
#include "store/item.h"

#include "store/change.h"
#include "store/expiry.h"
#include "store/layout.h"

static const struct slice no_item = {0};

/* Everything item_write carries from step to step. */
struct writing {
    struct call *call;
    struct faults *faults; /* NULL: nobody reads the past */
    struct kv_txn *txn;
    struct write *write;
    const struct table *table;
    struct arena *arena;
    struct slice old_stored; /* format byte and item, as they lie in the store */
    struct slice new_stored;
    int64_t local_bytes_old; /* of the entries in local indexes */
    int64_t local_bytes_new;
    struct entry_change *changes; /* one per index, in its order */
    uint64_t filled_indexes; /* bit per index that is being filled and has come past the row … */
    bool is_expiry_filled;   /* … and so has the index of expiry times */
    struct slice expiry_before; /* entries in the index of expiry times; empty: none */
    struct slice expiry_after;
};

/* ---- stored values --------------------------------------------------------------------------- */

struct slice item_stored(struct arena *arena, struct slice item)
{
    struct buffer stored = buffer_open(arena, item.length + 1);
    buffer_append_byte(&stored, LAYOUT_FORMAT);
    buffer_append(&stored, item);
    return buffer_slice(&stored);
}

static enum kv_status stored_item(struct slice stored, struct slice *item)
{
    if (stored.length < 2 || stored.data[0] != LAYOUT_FORMAT) return KV_CORRUPT;
    *item = slice_of(stored.data + 1, stored.length - 1);
    return KV_OK;
}

static enum kv_status get_stored(struct kv_txn *txn, struct slice key, struct arena *arena,
                                 struct slice *stored, struct slice *item)
{
    *stored = no_item;
    *item = no_item;
    enum kv_status status = kv_get(txn, key, arena, stored);
    if (status == KV_NOT_FOUND) return KV_OK;
    if (status != KV_OK) return status;
    return stored_item(*stored, item);
}

enum error_code item_read(struct call *call, struct kv_txn *txn, const struct table *table,
                          struct slice key, struct slice *item)
{
    struct slice stored;
    struct slice row_key = layout_item_key(call->arena, table, key);
    return database_status(call, get_stored(txn, row_key, call->arena, &stored, item));
}

enum error_code item_read_eventually(struct call *call, struct kv_txn *txn,
                                     const struct past_view *view, struct slice key,
                                     struct slice *item)
{
    TRY(item_read(call, txn, view->table, key, item));
    if (view->faults == NULL) return OK;
    struct past_view past = *view;
    struct slice stored;
    struct slice row_key = layout_item_key(call->arena, view->table, key);
    TRY(database_status(call, faults_look(&past, txn, call->arena)));
    if (!faults_past_value(&past, row_key, call->arena, &stored)) return OK;
    *item = no_item;
    return stored.length == 0 ? OK : database_status(call, stored_item(stored, item));
}

/* ---- conditions and new items ---------------------------------------------------------------- */

static enum error_code check_condition(struct writing *w)
{
    struct write *write = w->write;
    if (write->must_be_new && write->old_item.length > 0)
        return fail(w->call, ERROR_DUPLICATE_ITEM, "Duplicate primary key exists in table");
    if (write->condition == NULL) return OK;
    if (condition_evaluate(write->condition, write->old_item, w->arena)) return OK;
    if (write->return_old_on_failure) w->call->error.item = write->old_item;
    return fail(w->call, ERROR_CONDITION_FAILED, "The conditional request failed");
}

static size_t key_size(const struct table *table, struct slice item)
{
    size_t size = 0;
    for (unsigned i = 0; i < key_schema_count(&table->key); i++) {
        const struct key_attribute *attribute = &table->key.attributes[i];
        size += attribute->name.length + value_size(item_attribute(item, attribute->name));
    }
    return size;
}

/* An update is charged for what it says as well as for what it leaves (facts/limits.md 1). */
static enum error_code check_updated_size(struct writing *w, size_t size)
{
    bool fits = size <= LIMIT_ITEM_BYTES;
    bool flat = w->write->in_transaction || w->write->flat_size;
    if (fits && !flat && w->write->update != NULL) {
        size_t charged =
            size - key_size(w->table, w->write->new_item) + update_overhead(w->write->update);
        fits = charged <= LIMIT_ITEM_BYTES;
    }
    if (fits) return OK;
    return fail(w->call, ERROR_VALIDATION,
                "Item size to update has exceeded the maximum allowed size");
}

/*
 * Only what the update changes is looked at: an item that was there before the index may have
 * values that are no keys of it, and keeps them.
 */
static enum error_code check_updated_index_key(struct call *call, const struct index *index,
                                               struct slice old_item, struct slice new_item)
{
    size_t bytes[2] = {0, 0}; /* of the partition attributes, and of the sort attributes */
    bool changed[2] = {false, false};
    for (unsigned i = 0; i < key_schema_count(&index->key); i++) {
        const struct key_attribute *attribute = &index->key.attributes[i];
        struct value value = item_attribute(new_item, attribute->name);
        const bool sorts = i >= index->key.partition_count;
        if (value.type == VALUE_ABSENT) continue;
        if (value.type == attribute->type) bytes[sorts] += value.data.length;
        if (value_equal(value, item_attribute(old_item, attribute->name))) continue;
        changed[sorts] = true;
        if (value.type != attribute->type) {
            return fail(call, ERROR_VALIDATION,
                        "The update expression attempted to update the "
                        "secondary index key to unsupported type");
        }
        if (value.data.length == 0) {
            return fail(
                call, ERROR_VALIDATION,
                "One or more parameter values are not valid. The update expression attempted "
                "to update a secondary index key to a value that is not supported. The "
                "AttributeValue for a key attribute cannot contain an empty %s value.",
                value.type == VALUE_STRING ? "string" : "binary");
        }
    }
    const bool partition_fits = !changed[0] || bytes[0] <= LIMIT_PARTITION_KEY_BYTES;
    const bool sort_fits = !changed[1] || bytes[1] <= LIMIT_SORT_KEY_BYTES;
    if (partition_fits && sort_fits) return OK;
    return fail(call, ERROR_VALIDATION,
                "The update expression attempted to update the secondary index "
                "key beyond allowed size limits");
}

static enum error_code make_updated(struct writing *w)
{
    struct write *write = w->write;
    if (write->update != NULL) {
        TRY(update_apply(w->call, write->update, write->old_item, write->key, &write->new_item));
        if (write->new_item.length == 0) return OK; /* there was no item, and there is none */
    } else {
        write->new_item = write->old_item.length > 0 ? write->old_item : write->key;
    }
    for (size_t i = 0; i < w->table->index_count; i++) {
        TRY(check_updated_index_key(w->call, &w->table->indexes[i], write->old_item,
                                    write->new_item));
    }
    return check_updated_size(w, item_size(write->new_item));
}

static enum error_code make_new_item(struct writing *w)
{
    switch (w->write->kind) {
    case WRITE_PUT:
        w->write->new_item = w->write->item;
        return OK;
    case WRITE_UPDATE:
        return make_updated(w);
    case WRITE_DELETE:
        w->write->new_item = no_item;
        return OK;
    case WRITE_CHECK:
        w->write->new_item = w->write->old_item;
        return OK;
    }
    CHECK(false);
}

/* ---- indexes --------------------------------------------------------------------------------- */

struct slice item_project(struct arena *arena, const struct index *index, struct slice item)
{
    if (index->projection == PROJECT_ALL || item.length == 0) return item;

    struct buffer out = buffer_open(arena, item.length);
    size_t mark = value_begin(&out, VALUE_MAP);
    uint32_t count = 0;
    /* Both lists are sorted by name, so one walk over the item finds them all. */
    struct value map = value_read(item);
    struct value_walk walk = {0};
    struct slice name;
    struct value value;
    size_t next = 0;
    while (next < index->projected_count && value_next(map, &walk, &name, &value)) {
        int order = slice_compare(index->projected[next], name);
        while (order < 0 && ++next < index->projected_count)
            order = slice_compare(index->projected[next], name);
        if (order != 0) continue;
        value_write_name(&out, name);
        value_write_encoded(&out, value.encoded);
        count++;
        next++;
    }
    value_end(&out, mark, count);
    return buffer_slice(&out);
}

static void add_to_counters(struct writing *w, uint32_t index_id, int64_t items, int64_t bytes)
{
    if (items != 0) kv_add(w->txn, layout_count_key(w->arena, w->table->id, index_id), items);
    if (bytes != 0) kv_add(w->txn, layout_bytes_key(w->arena, w->table->id, index_id), bytes);
}

/* What the item has in an index: the entry's key (empty: no entry) and content. */
struct entry {
    struct slice key;
    struct slice item;
    size_t bytes;
};

/* Both empty: the index is not maintained, or has nothing of the item. */
struct entry_change {
    struct entry before;
    struct entry after;
};

static struct entry entry_of(struct writing *w, const struct index *index, struct slice item)
{
    struct entry entry = {.key = layout_index_key(w->arena, w->table, index, item)};
    if (entry.key.length == 0) return entry;
    entry.item = item_project(w->arena, index, item);
    entry.bytes = item_size(entry.item);
    return entry;
}

static void write_entry(struct writing *w, const struct index *index, struct entry entry)
{
    struct slice stored =
        index->projection == PROJECT_ALL ? w->new_stored : item_stored(w->arena, entry.item);
    kv_put(w->txn, entry.key, stored);
}

/* For reads of the past: what a row holds that is about to be written. */
static void note_past(struct writing *w, struct slice key, struct slice stored)
{
    if (w->faults == NULL) return;
    faults_note(w->faults, w->table, &(struct past_row){key, stored}, w->call->now_ms);
}

static void note_past_entries(struct writing *w, const struct entry_change *change,
                              const struct index_cost *cost)
{
    const bool had = change->before.key.length > 0;
    const bool has = change->after.key.length > 0;
    if (w->faults == NULL) return;
    if (had) note_past(w, change->before.key, item_stored(w->arena, change->before.item));
    if (has && (!had || cost->moved)) note_past(w, change->after.key, no_item);
}

static void measure_index(struct writing *w, const struct index *index, struct entry_change *change,
                          struct index_cost *cost)
{
    struct entry before = entry_of(w, index, w->write->old_item);
    struct entry after = entry_of(w, index, w->write->new_item);
    bool had = before.key.length > 0;
    bool has = after.key.length > 0;

    *change = (struct entry_change){before, after};
    *cost = (struct index_cost){.old_bytes = before.bytes, .new_bytes = after.bytes};
    cost->moved = had && has && !slice_equal(before.key, after.key);
    cost->changed = had && has && !cost->moved && !slice_equal(before.item, after.item);
    if (index->kind == INDEX_LOCAL) {
        w->local_bytes_old += (int64_t)before.bytes;
        w->local_bytes_new += (int64_t)after.bytes;
    }
}

static void write_index(struct writing *w, const struct index *index,
                        const struct entry_change *change, const struct index_cost *cost)
{
    bool had = change->before.key.length > 0;
    bool has = change->after.key.length > 0;
    note_past_entries(w, change, cost);
    if (had && (!has || cost->moved)) kv_delete(w->txn, change->before.key);
    if (has && (!had || cost->moved || cost->changed)) write_entry(w, index, change->after);
    add_to_counters(w, index->id, (int64_t)has - (int64_t)had,
                    (int64_t)change->after.bytes - (int64_t)change->before.bytes);
}

/* Has the backfill of this index come as far as this row? (See background.c.) */
static enum kv_status is_filled(struct writing *w, uint32_t index_id, bool *filled)
{
    struct slice position;
    struct slice key = layout_backfill_key(w->arena, w->table->id, index_id);
    enum kv_status status = kv_get(w->txn, key, w->arena, &position);
    *filled = status == KV_OK && slice_compare(w->write->row_key, position) <= 0;
    return status == KV_NOT_FOUND ? KV_OK : status;
}

/* An index that is being deleted takes no new entries: the background clears it as a range. */
static enum kv_status measure_indexes(struct writing *w)
{
    const struct table *table = w->table;
    if (table->index_count == 0) return KV_OK;
    w->changes = arena_array(w->arena, struct entry_change, table->index_count);
    w->write->cost.indexes = arena_array(w->arena, struct index_cost, table->index_count);
    for (size_t i = 0; i < table->index_count; i++) {
        if (table->indexes[i].status == INDEX_DELETING) continue;
        bool maintained = true;
        if (table->indexes[i].backfilling) {
            enum kv_status status = is_filled(w, table->indexes[i].id, &maintained);
            if (status != KV_OK) return status;
            if (maintained) w->filled_indexes |= UINT64_C(1) << i;
        }
        if (!maintained) continue;
        measure_index(w, &table->indexes[i], &w->changes[i], &w->write->cost.indexes[i]);
    }
    return KV_OK;
}

static void write_indexes(struct writing *w)
{
    for (size_t i = 0; i < w->table->index_count; i++)
        write_index(w, &w->table->indexes[i], &w->changes[i], &w->write->cost.indexes[i]);
}

/* ---- time to live ---------------------------------------------------------------------------- */

static struct slice expiry_key(struct writing *w, struct slice item)
{
    int64_t expiry_ms;
    if (!expiry_of_item(w->table, item, &expiry_ms)) return (struct slice){0};
    return layout_expiry_key(w->arena, expiry_ms, w->write->row_key);
}

/* An index of expiry times that is being filled takes the rows before its position only. */
static enum kv_status measure_expiry(struct writing *w)
{
    bool maintained = w->table->ttl.enabled;
    if (maintained && w->table->ttl.filling) {
        enum kv_status status = is_filled(w, 0, &maintained);
        if (status != KV_OK) return status;
        w->is_expiry_filled = maintained;
    }
    if (!maintained) return KV_OK;
    w->expiry_before = expiry_key(w, w->write->old_item);
    w->expiry_after = expiry_key(w, w->write->new_item);
    return KV_OK;
}

static void write_expiry(struct writing *w)
{
    if (slice_equal(w->expiry_before, w->expiry_after)) return;
    if (w->expiry_before.length > 0) kv_delete(w->txn, w->expiry_before);
    if (w->expiry_after.length > 0) kv_put(w->txn, w->expiry_after, (struct slice){0});
}

/* ---- item collections ------------------------------------------------------------------------ */

static enum kv_status read_collection(struct writing *w, struct slice key, int64_t *bytes)
{
    struct slice stored;
    *bytes = 0;
    enum kv_status status = kv_get(w->txn, key, w->arena, &stored);
    if (status == KV_NOT_FOUND) return KV_OK;
    if (status != KV_OK) return status;
    if (stored.length != sizeof *bytes) return KV_CORRUPT;
    memcpy(bytes, stored.data, sizeof *bytes);
    return KV_OK;
}

static enum error_code write_collection(struct writing *w, const struct database *database)
{
    if (!w->table->has_local_indexes) return OK;
    struct write *write = w->write;
    struct slice key = layout_collection_key(w->arena, w->table, write->key);
    int64_t bytes;
    TRY(database_status(w->call, read_collection(w, key, &bytes)));

    int64_t delta = (int64_t)write->cost.new_bytes - (int64_t)write->cost.old_bytes +
                    w->local_bytes_new - w->local_bytes_old;
    write->collection_bytes = bytes + delta;
    if (delta > 0 && write->collection_bytes > database->collection_bytes_max)
        return fail(w->call, ERROR_COLLECTION_SIZE, "Collection size exceeded.");
    if (delta == 0) return OK;
    if (write->collection_bytes == 0) {
        kv_delete(w->txn, key);
    } else {
        kv_put(w->txn, key, slice_of(&write->collection_bytes, sizeof write->collection_bytes));
    }
    return OK;
}

/* Constraints: an item and all its entries in local indexes together fit the item's limit. */
static enum error_code check_size_with_local_indexes(struct writing *w)
{
    if (w->write->cost.new_bytes + (size_t)w->local_bytes_new <= LIMIT_ITEM_BYTES) return OK;
    return fail(w->call, ERROR_VALIDATION, "%s",
                w->write->kind == WRITE_UPDATE
                    ? "Item size to update has exceeded the maximum allowed size"
                    : "Item size has exceeded the maximum allowed size");
}

/* ---- the write ------------------------------------------------------------------------------- */

static void write_row(struct writing *w)
{
    struct write *write = w->write;
    bool had = write->old_item.length > 0;
    bool has = write->new_item.length > 0;
    note_past(w, write->row_key, w->old_stored);
    if (has) {
        kv_put(w->txn, write->row_key, w->new_stored);
    } else if (had) {
        kv_delete(w->txn, write->row_key);
    }
    add_to_counters(w, 0, (int64_t)has - (int64_t)had,
                    (int64_t)write->cost.new_bytes - (int64_t)write->cost.old_bytes);
}

_Static_assert(LIMIT_LOCAL_INDEXES + LIMIT_GLOBAL_INDEXES < 64,
               "filled_indexes has a bit for each");

/* A row more or less among those that a backfill has come past: see layout_backfill_count_key. */
static void count_filled_rows(struct writing *w)
{
    const int64_t rows =
        (int64_t)(w->write->new_item.length > 0) - (int64_t)(w->write->old_item.length > 0);
    if (rows == 0) return;
    for (size_t i = 0; w->filled_indexes >> i != 0; i++) {
        if ((w->filled_indexes >> i & 1) == 0) continue;
        kv_add(w->txn, layout_backfill_count_key(w->arena, w->table->id, w->table->indexes[i].id),
               rows);
    }
    if (w->is_expiry_filled)
        kv_add(w->txn, layout_backfill_count_key(w->arena, w->table->id, 0), rows);
}

/* The cost of a write whose condition fails: it is charged for what it attempted. */
static void set_attempted_cost(struct write *write)
{
    write->cost = (struct write_cost){
        .old_bytes = write->old_item.length > 0 ? item_size(write->old_item) : 0,
        .new_bytes = write->kind == WRITE_PUT ? item_size(write->item) : 0,
    };
}

static void reset(struct write *write)
{
    write->old_item = no_item;
    write->new_item = no_item;
    write->cost = (struct write_cost){0};
    write->collection_bytes = 0;
}

enum error_code item_write(struct call *call, const struct database *database, struct kv_txn *txn,
                           struct write *write)
{
    struct writing w = {
        .call = call, .txn = txn, .write = write, .table = write->table, .arena = call->arena};
    w.faults = database->faults;
    reset(write);
    if (w.faults != NULL && !write->unopposed && !write->expired)
        TRY(faults_conflict(call, database, write->table));
    if (write->row_key.length == 0) write->row_key = layout_item_key(w.arena, w.table, write->key);
    TRY(database_status(call,
                        get_stored(txn, write->row_key, w.arena, &w.old_stored, &write->old_item)));

    set_attempted_cost(write);
    TRY(check_condition(&w));
    TRY(make_new_item(&w));
    if (write->kind != WRITE_PUT) /* of a put it is what was attempted */
        write->cost.new_bytes = write->new_item.length > 0 ? item_size(write->new_item) : 0;
    if (slice_equal(write->old_item, write->new_item)) {
        /* Nothing changes; the collection's size is still wanted for ItemCollectionMetrics. */
        return write->kind == WRITE_CHECK ? OK : write_collection(&w, database);
    }
    if (write->new_item.length > 0) w.new_stored = item_stored(w.arena, write->new_item);
    /* Whatever can fail comes first: a failure leaves nothing behind. */
    TRY(database_status(call, measure_indexes(&w)));
    TRY(database_status(call, measure_expiry(&w)));
    TRY(check_size_with_local_indexes(&w));
    TRY(write_collection(&w, database));
    write_indexes(&w);
    write_expiry(&w);
    write_row(&w);
    if (w.filled_indexes != 0 || w.is_expiry_filled) count_filled_rows(&w);
    if (w.faults != NULL) TRY(database_status(call, faults_mark(w.faults, txn, w.arena)));
    if (w.table->shard_count > 0) change_append(txn, w.arena, write, call->now_ms);
    return OK;
}
