/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream — records of streams and rows of shards: enabled, disabled, succeeded, read, trimmed.
 *
 * What is past its day is not shown, whether or not the background has come to removing it: the
 * clock decides, not a timer.
 */
#include "store/stream.h"

#include <time.h>

#include "base/log.h"
#include "store/layout.h"

enum {
    RECORD_CAPACITY = 512,
    OPENED_BYTES = 3 * 4 + 8, /* parent, first hash, last hash, time; the label follows */
    CLOSED_BYTES = 8,
    MS_PER_SECOND = 1000,
    LABEL_CAPACITY = 32,
    STEP_ROWS = 1000,    /* changes trimmed by one transaction */
    STEP_STREAMS = 1000, /* streams removed by one transaction */
    FIRST_SHARDS = 16,   /* room in a new list; doubled as needed */
};

static enum kv_status read_stream(struct call *call, struct slice record, struct stream *stream);
static enum kv_status read_shards(struct kv_txn *txn, struct arena *arena, struct kv_range range,
                                  struct shard_list *list);

/* ---- numbers --------------------------------------------------------------------------------- */

static void append_u32(struct buffer *out, uint32_t number)
{
    for (int i = 3; i >= 0; i--)
        buffer_append_byte(out, (uint8_t)(number >> 8 * i));
}

static void append_i64(struct buffer *out, int64_t number)
{
    append_u32(out, (uint32_t)((uint64_t)number >> 32));
    append_u32(out, (uint32_t)(uint64_t)number);
}

static uint32_t read_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static int64_t read_i64(const uint8_t *from)
{
    return (int64_t)((uint64_t)read_u32(from) << 32 | read_u32(from + 4));
}

/* ---- shards opened and closed ---------------------------------------------------------------- */

/* The label is that of the stream the shards belong to. */
struct opening {
    struct kv_txn *txn;
    struct arena *arena;
    struct table *table;
    int64_t now_ms;
};

static struct shard open_shard(const struct opening *o, uint32_t parent_id, uint32_t hash_first,
                               uint32_t hash_last)
{
    struct table *table = o->table;
    if (table->next_shard_id == 0) table->next_shard_id = 1;
    const struct shard shard = {
        .id = table->next_shard_id++,
        .hash_first = hash_first,
        .hash_last = hash_last,
        .opened_ms = o->now_ms,
    };
    struct buffer row = buffer_open(o->arena, OPENED_BYTES + LABEL_CAPACITY);
    append_u32(&row, parent_id);
    append_u32(&row, hash_first);
    append_u32(&row, hash_last);
    append_i64(&row, o->now_ms);
    buffer_append(&row, table->stream_label);
    kv_append(o->txn, layout_shard_key(o->arena, table->id, shard.id, SHARD_OPENED),
              buffer_slice(&row));
    return shard;
}

static void close_shard(const struct opening *o, const struct shard *shard)
{
    struct buffer row = buffer_open(o->arena, CLOSED_BYTES);
    append_i64(&row, o->now_ms);
    kv_append(o->txn, layout_shard_key(o->arena, o->table->id, shard->id, SHARD_CLOSED),
              buffer_slice(&row));
}

/* The first of count equal parts of all hashes, and so on. */
static void open_first_shards(const struct opening *o, size_t count)
{
    struct table *table = o->table;
    const uint64_t hashes = (uint64_t)UINT32_MAX + 1;
    table->shards = arena_array(o->arena, struct shard, count);
    table->shard_count = count;
    for (size_t i = 0; i < count; i++) {
        const uint64_t first = hashes * i / count;
        const uint64_t last = hashes * (i + 1) / count - 1;
        table->shards[i] = open_shard(o, 0, (uint32_t)first, (uint32_t)last);
    }
}

/*
 * Puts a child, or two that share its range, in the place of the shard. Its end is appended before
 * their beginnings, so that its last sequence number is less than their first.
 */
static void succeed_shard(const struct opening *o, size_t at, bool is_split)
{
    struct table *table = o->table;
    const struct shard old = table->shards[at];
    const uint32_t middle = old.hash_first + (old.hash_last - old.hash_first) / 2;
    const size_t added = is_split ? 1 : 0;
    struct shard *shards = arena_array(o->arena, struct shard, table->shard_count + added);
    memcpy(shards, table->shards, at * sizeof *shards);
    memcpy(shards + at + 1 + added, table->shards + at + 1,
           (table->shard_count - at - 1) * sizeof *shards);

    close_shard(o, &old);
    shards[at] = open_shard(o, old.id, old.hash_first, is_split ? middle : old.hash_last);
    if (is_split) shards[at + 1] = open_shard(o, old.id, middle + 1, old.hash_last);
    table->shards = shards;
    table->shard_count += added;
}

/* ---- streams --------------------------------------------------------------------------------- */

/* The moment as a label says it: 2026-10-08T23:07:31.275 */
static struct slice label_of(struct arena *arena, int64_t time_ms)
{
    const time_t seconds = (time_t)(time_ms / MS_PER_SECOND);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char text[LABEL_CAPACITY];
    const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    return arena_format(arena, "%.*s.%03d", (int)length, text, (int)(time_ms % MS_PER_SECOND));
}

/* A label that no stream of this table's name has had: of now, or of the next free moment. */
static enum kv_status find_label(struct call *call, struct kv_txn *txn, struct table *table)
{
    enum kv_status status = KV_OK;
    for (int64_t time_ms = call->now_ms; status == KV_OK; time_ms++) {
        struct slice record;
        table->stream_label = label_of(call->arena, time_ms);
        const struct slice key = layout_stream_key(call->arena, table->name, table->stream_label);
        status = kv_get(txn, key, call->arena, &record);
    }
    return status == KV_NOT_FOUND ? KV_OK : status;
}

/*
 * A stream is recorded in the form of a table's description that holds only what a stream has:
 * CREATING until active_ms, later ENABLED; DELETING until active_ms, later DISABLED.
 */
static void write_stream(struct call *call, struct kv_txn *txn, const struct table *table)
{
    struct buffer record = buffer_open(call->arena, RECORD_CAPACITY);
    schema_write(&record, table);
    kv_put(txn, layout_stream_key(call->arena, table->name, table->stream_label),
           buffer_slice(&record));
}

enum kv_status stream_enable(struct call *call, const struct database *database, struct kv_txn *txn,
                             struct table *table, enum stream_view view)
{
    const enum kv_status status = find_label(call, txn, table);
    if (status != KV_OK) return status;
    table->stream = view;
    const struct opening opening = {txn, call->arena, table, call->now_ms};
    open_first_shards(&opening, database->stream_shards > 1 ? database->stream_shards : 1);
    const struct table record = {
        .id = table->id,
        .name = table->name,
        .key = table->key,
        .status = TABLE_CREATING,
        .created_ms = call->now_ms,
        .active_ms = call->now_ms + database->table_delay_ms,
        .on_demand = {UNITS_UNSET, UNITS_UNSET},
        .warm = {UNITS_UNSET, UNITS_UNSET},
        .stream = view,
        .stream_label = table->stream_label,
    };
    write_stream(call, txn, &record);
    return KV_OK;
}

enum kv_status stream_disable(struct call *call, const struct database *database,
                              struct kv_txn *txn, struct table *table)
{
    if (table->shard_count == 0) return KV_OK;
    const struct opening opening = {txn, call->arena, table, call->now_ms};
    for (size_t i = 0; i < table->shard_count; i++)
        close_shard(&opening, &table->shards[i]);
    table->shards = NULL;
    table->shard_count = 0;

    struct slice bytes;
    struct table record;
    const struct slice key = layout_stream_key(call->arena, table->name, table->stream_label);
    const enum kv_status status = kv_get(txn, key, call->arena, &bytes);
    if (status == KV_NOT_FOUND) return KV_CORRUPT;
    if (status != KV_OK) return status;
    if (!schema_read(call->arena, bytes, &record)) return KV_CORRUPT;
    record.status = TABLE_DELETING;
    record.active_ms = call->now_ms + database->table_delay_ms;
    write_stream(call, txn, &record);
    return KV_OK;
}

/* ---- reading streams ------------------------------------------------------------------------- */

bool stream_is_over(int64_t ended_ms, int64_t now_ms)
{
    return now_ms - ended_ms >= LIMIT_STREAM_RETENTION_MS;
}

/* KV_NOT_FOUND: it is past its day. */
static enum kv_status read_stream(struct call *call, struct slice record, struct stream *stream)
{
    struct table table;
    if (!schema_read(call->arena, record, &table)) return KV_CORRUPT;
    if (table.stream == STREAM_OFF || table.stream_label.length == 0) return KV_CORRUPT;
    const bool is_ended = table.status == TABLE_DELETING;
    if (is_ended && stream_is_over(table.active_ms, call->now_ms)) return KV_NOT_FOUND;
    const bool is_moving = call->now_ms < table.active_ms;
    *stream = (struct stream){
        .table_id = table.id,
        .table_name = table.name,
        .label = table.stream_label,
        .view = table.stream,
        .key = table.key,
        .status = is_ended    ? is_moving ? STREAM_DISABLING : STREAM_DISABLED
                  : is_moving ? STREAM_ENABLING
                              : STREAM_ENABLED,
        .created_ms = table.created_ms,
    };
    return KV_OK;
}

enum kv_status stream_find(struct call *call, struct kv_txn *txn, struct slice table_name,
                           struct slice label, struct stream *stream)
{
    struct slice record;
    const struct slice key = layout_stream_key(call->arena, table_name, label);
    const enum kv_status status = kv_get(txn, key, call->arena, &record);
    return status == KV_OK ? read_stream(call, record, stream) : status;
}

enum kv_status stream_list_read(struct call *call, struct kv_txn *txn, struct stream_list *list)
{
    struct kv_range range = layout_stream_range(call->arena, list->table_name);
    if (list->after_table_name.length > 0) {
        const struct slice after =
            layout_stream_key(call->arena, list->after_table_name, list->after_label);
        range = layout_resume(call->arena, range, after);
    }
    list->streams = arena_array(call->arena, struct stream, list->most);
    list->count = 0;
    list->has_more = false;
    if (slice_compare(range.begin, range.end) >= 0) return KV_OK;
    struct kv_cursor *cursor;
    enum kv_status status = kv_cursor_open(txn, range, &cursor);
    if (status != KV_OK) return status;
    while (!list->has_more) {
        struct slice key;
        struct slice record;
        struct stream stream;
        status = kv_cursor_next(cursor, &key, &record);
        if (status != KV_OK) break;
        status = read_stream(call, record, &stream);
        if (status == KV_NOT_FOUND) continue;
        if (status != KV_OK) break;
        list->has_more = list->count == list->most;
        if (!list->has_more) list->streams[list->count++] = stream;
    }
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

const char *stream_view_word(enum stream_view view)
{
    static const char *const words[] = {
        [STREAM_KEYS_ONLY] = "KEYS_ONLY",
        [STREAM_NEW_IMAGE] = "NEW_IMAGE",
        [STREAM_OLD_IMAGE] = "OLD_IMAGE",
        [STREAM_NEW_AND_OLD] = "NEW_AND_OLD_IMAGES",
    };
    CHECK(view != STREAM_OFF);
    return words[view];
}

struct slice stream_arn(struct arena *arena, const struct database *database, struct slice table,
                        struct slice label)
{
    const struct slice arn = table_arn(arena, database, table, NULL);
    return arena_format(arena, "%.*s/stream/%.*s", SLICE_ARGS(arn), SLICE_ARGS(label));
}

/* ---- reading shards -------------------------------------------------------------------------- */

static struct shard_state *add_shard(struct arena *arena, struct shard_list *list, size_t *capacity,
                                     const struct shard_key *key)
{
    if (list->count == *capacity) {
        const size_t size = list->count * sizeof *list->shards;
        *capacity = list->count == 0 ? FIRST_SHARDS : 2 * list->count;
        list->shards = arena_grow(arena, list->shards, size, *capacity * sizeof *list->shards);
    }
    struct shard_state *shard = &list->shards[list->count++];
    *shard = (struct shard_state){.table_id = key->table_id, .id = key->shard_id};
    return shard;
}

/* One row of a shard; false when it is not as we write it. */
static bool read_fact(struct arena *arena, const struct shard_key *key, struct slice row,
                      struct shard_state *shard)
{
    switch (key->fact) {
    case SHARD_BYTES:
        return true;
    case SHARD_OPENED:
        if (row.length < OPENED_BYTES) return false;
        shard->parent_id = read_u32(row.data);
        shard->hash_first = read_u32(row.data + 4);
        shard->hash_last = read_u32(row.data + 8);
        shard->opened_ms = read_i64(row.data + 12);
        shard->label =
            arena_copy(arena, slice_of(row.data + OPENED_BYTES, row.length - OPENED_BYTES));
        shard->first = arena_copy(arena, key->stamp);
        return true;
    case SHARD_TRIMMED:
        shard->trimmed = arena_copy(arena, row);
        return row.length == KV_STAMP_BYTES;
    case SHARD_CLOSED:
        if (row.length != CLOSED_BYTES) return false;
        shard->is_closed = true;
        shard->closed_ms = read_i64(row.data);
        shard->last = arena_copy(arena, key->stamp);
        return true;
    }
    return false;
}

/* All shards whose rows lie in the range. */
static enum kv_status read_shards(struct kv_txn *txn, struct arena *arena, struct kv_range range,
                                  struct shard_list *list)
{
    struct kv_cursor *cursor;
    size_t capacity = 0;
    *list = (struct shard_list){0};
    enum kv_status status = kv_cursor_open(txn, range, &cursor);
    if (status != KV_OK) return status;
    for (;;) {
        struct slice key;
        struct slice row;
        struct shard_key parts;
        status = kv_cursor_next(cursor, &key, &row);
        if (status != KV_OK) break;
        status = KV_CORRUPT;
        if (!layout_shard_of_key(key, &parts)) break;
        struct shard_state *shard = list->count == 0 ? NULL : &list->shards[list->count - 1];
        if (shard == NULL || shard->table_id != parts.table_id || shard->id != parts.shard_id)
            shard = add_shard(arena, list, &capacity, &parts);
        if (!read_fact(arena, &parts, row, shard)) break;
    }
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static bool is_readable(const struct shard_state *shard, int64_t now_ms)
{
    return !shard->is_closed || !stream_is_over(shard->closed_ms, now_ms);
}

enum kv_status stream_shards(struct call *call, struct kv_txn *txn, const struct stream *stream,
                             struct shard_list *list)
{
    const struct kv_range range = layout_shards_range(call->arena, stream->table_id);
    const enum kv_status status = read_shards(txn, call->arena, range, list);
    if (status != KV_OK) return status;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!slice_equal(list->shards[i].label, stream->label)) continue;
        if (!is_readable(&list->shards[i], call->now_ms)) continue;
        list->shards[kept++] = list->shards[i];
    }
    list->count = kept;
    return KV_OK;
}

enum kv_status stream_find_shard(struct call *call, struct kv_txn *txn, const struct stream *stream,
                                 uint32_t shard_id, struct shard_state *shard)
{
    struct shard_list list;
    const struct kv_range range = layout_shard_range(call->arena, stream->table_id, shard_id);
    const enum kv_status status = read_shards(txn, call->arena, range, &list);
    if (status != KV_OK) return status;
    if (list.count == 0 || !slice_equal(list.shards[0].label, stream->label)) return KV_NOT_FOUND;
    if (!is_readable(&list.shards[0], call->now_ms)) return KV_NOT_FOUND;
    *shard = list.shards[0];
    return KV_OK;
}

/* ---- succession ------------------------------------------------------------------------------ */

struct succession {
    struct database *database;
    struct arena *arena;
    const struct table *table; /* as the snapshot has it */
    uint32_t shard_id;         /* of the shard that is due; 0: none is */
    int64_t now_ms;
};

/* A shard without changes has nothing to pass on: it stays, however old. */
static enum kv_status find_due(struct kv_txn *txn, void *context)
{
    struct succession *s = context;
    s->shard_id = 0;
    for (size_t i = 0; i < s->table->shard_count && s->shard_id == 0; i++) {
        const struct shard *shard = &s->table->shards[i];
        int64_t bytes;
        const struct slice key = layout_shard_key(s->arena, s->table->id, shard->id, SHARD_BYTES);
        const enum kv_status status = kv_get_counter(txn, key, &bytes);
        if (status != KV_OK && status != KV_NOT_FOUND) return status;
        const bool is_old = s->now_ms - shard->opened_ms >= s->database->shard_life_ms;
        if (bytes > 0 && (is_old || bytes >= s->database->shard_bytes_max)) s->shard_id = shard->id;
    }
    return KV_OK;
}

static enum kv_status succeed(struct kv_txn *txn, void *context)
{
    struct succession *s = context;
    struct table *table;
    const enum kv_status status = catalog_read(txn, s->arena, s->table->name, &table);
    if (status != KV_OK) return status;
    if (table == NULL || table->id != s->table->id) return KV_ABORTED;
    size_t at = 0;
    while (at < table->shard_count && table->shards[at].id != s->shard_id)
        at++;
    if (at == table->shard_count) return KV_ABORTED;
    const struct shard *shard = &table->shards[at];
    const bool is_split =
        table->shard_count < s->database->stream_shards && shard->hash_first < shard->hash_last;
    const struct opening opening = {txn, s->arena, table, s->now_ms};
    succeed_shard(&opening, at, is_split);
    catalog_write(txn, s->arena, table);
    return KV_OK;
}

bool stream_succeed_shards(struct database *database, const struct table *table)
{
    struct arena arena;
    arena_open(&arena, 0);
    struct succession succession = {
        .database = database,
        .arena = &arena,
        .table = table,
        .now_ms = clock_now_ms(&database->clock),
    };
    enum kv_status status = kv_view_wait(database->kv, find_due, &succession);
    const bool is_due = status == KV_OK && succession.shard_id != 0;
    if (is_due) status = kv_update_wait(database->kv, succeed, &succession);
    if (is_due && status == KV_OK) status = catalog_refresh(database->catalog);
    if (status != KV_OK && status != KV_ABORTED)
        log_error("table %.*s: a shard could not be succeeded", SLICE_ARGS(table->name));
    arena_close(&arena);
    return is_due && status == KV_OK;
}

/* ---- trimming -------------------------------------------------------------------------------- */

struct trimming {
    struct arena *arena;
    struct call call; /* for the reading functions: arena and time */
    struct shard_list shards;
    struct slice *stream_keys; /* of streams past their day */
    size_t stream_count;
    size_t streams_kept;
    struct shard_state *shard; /* the one being trimmed */
    struct slice until;        /* out: the newest stamp that is past its day; empty: none */
    bool has_more;             /* out */
    const atomic_bool *is_closing;
};

static enum kv_status list_old_streams(struct kv_txn *txn, struct trimming *t)
{
    struct kv_cursor *cursor;
    const struct kv_range range = layout_stream_range(t->arena, (struct slice){0});
    enum kv_status status = kv_cursor_open(txn, range, &cursor);
    if (status != KV_OK) return status;
    t->stream_keys = arena_array(t->arena, struct slice, STEP_STREAMS);
    t->stream_count = 0;
    t->streams_kept = 0;
    while (t->stream_count < STEP_STREAMS) {
        struct slice key;
        struct slice record;
        struct stream stream;
        status = kv_cursor_next(cursor, &key, &record);
        if (status != KV_OK) break;
        status = read_stream(&t->call, record, &stream);
        if (status == KV_OK) t->streams_kept++;
        if (status == KV_NOT_FOUND) t->stream_keys[t->stream_count++] = arena_copy(t->arena, key);
        if (status != KV_OK && status != KV_NOT_FOUND) break;
    }
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static enum kv_status list_all(struct kv_txn *txn, void *context)
{
    struct trimming *t = context;
    const enum kv_status status = list_old_streams(txn, t);
    if (status != KV_OK) return status;
    return read_shards(txn, t->arena, layout_shards_range(t->arena, 0), &t->shards);
}

/* Walks the changes that are past their day, a step's worth at most. */
static enum kv_status find_horizon(struct kv_txn *txn, void *context)
{
    struct trimming *t = context;
    const struct change_place oldest = {.table_id = t->shard->table_id, .shard_id = t->shard->id};
    struct change_walk walk;
    t->until = (struct slice){0};
    t->has_more = false;
    enum kv_status status = change_walk_open(txn, t->arena, &oldest, &walk);
    if (status != KV_OK) return status;
    uint8_t newest[KV_STAMP_BYTES];
    size_t rows = 0;
    const struct arena_mark mark = arena_mark(t->arena);
    while (rows < STEP_ROWS) {
        struct change change;
        status = change_walk_next(&walk, &change);
        if (status != KV_OK || !stream_is_over(change.time_ms, t->call.now_ms)) break;
        memcpy(newest, change.last_stamp.data, sizeof newest);
        rows++;
        arena_rewind(t->arena, mark);
    }
    change_walk_close(&walk);
    t->has_more = rows == STEP_ROWS;
    if (rows > 0) t->until = arena_copy(t->arena, slice_of(newest, sizeof newest));
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static enum kv_status trim_changes(struct kv_txn *txn, void *context)
{
    const struct trimming *t = context;
    const struct shard_state *shard = t->shard;
    const struct slice prefix = layout_change_prefix(t->arena, shard->table_id, shard->id);
    const struct kv_range range = layout_change_range_until(t->arena, prefix, t->until);
    kv_delete_range(txn, range.begin, range.end);
    kv_put(txn, layout_shard_key(t->arena, shard->table_id, shard->id, SHARD_TRIMMED), t->until);
    return KV_OK;
}

static enum kv_status drop_shard(struct kv_txn *txn, void *context)
{
    const struct trimming *t = context;
    const struct shard_state *shard = t->shard;
    const struct slice prefix = layout_change_prefix(t->arena, shard->table_id, shard->id);
    const struct kv_range changes = layout_change_range(t->arena, prefix, (struct slice){0});
    const struct kv_range facts = layout_shard_range(t->arena, shard->table_id, shard->id);
    kv_delete_range(txn, changes.begin, changes.end);
    kv_delete_range(txn, facts.begin, facts.end);
    return KV_OK;
}

static enum kv_status trim_shard(struct kv *kv, struct trimming *t)
{
    if (!is_readable(t->shard, t->call.now_ms)) return kv_update_wait(kv, drop_shard, t);
    enum kv_status status = KV_OK;
    t->has_more = true;
    while (status == KV_OK && t->has_more && !atomic_load(t->is_closing)) {
        status = kv_view_wait(kv, find_horizon, t);
        if (status == KV_OK && t->until.length > 0) status = kv_update_wait(kv, trim_changes, t);
    }
    return status;
}

static enum kv_status drop_streams(struct kv_txn *txn, void *context)
{
    const struct trimming *t = context;
    for (size_t i = 0; i < t->stream_count; i++)
        kv_delete(txn, t->stream_keys[i]);
    return KV_OK;
}

bool stream_trim(struct database *database, const atomic_bool *is_closing)
{
    struct arena arena;
    arena_open(&arena, 0);
    struct trimming trimming = {
        .arena = &arena,
        .call = {.arena = &arena, .now_ms = clock_now_ms(&database->clock)},
        .is_closing = is_closing,
    };
    enum kv_status status = kv_view_wait(database->kv, list_all, &trimming);
    for (size_t i = 0; status == KV_OK && i < trimming.shards.count; i++) {
        if (atomic_load(is_closing)) break;
        trimming.shard = &trimming.shards.shards[i];
        status = trim_shard(database->kv, &trimming);
    }
    if (status == KV_OK && trimming.stream_count > 0 && !atomic_load(is_closing))
        status = kv_update_wait(database->kv, drop_streams, &trimming);
    if (status != KV_OK) log_error("streams: what is past its day could not be removed");
    const bool has_streams = status != KV_OK || trimming.streams_kept + trimming.stream_count > 0;
    arena_close(&arena);
    return has_streams;
}
