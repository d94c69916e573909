/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog — the snapshots every request plans against, and the records behind them.
 *
 * A snapshot is an arena of its own with a count of those who look at it; a table's description
 * is another, shared by all snapshots it did not change between. Pinning is a lock held for one
 * increment; unpinning takes no lock. Refreshing reads outside that lock, one refresh at a time.
 *
 * A record that we cannot read (damaged, or of a newer program) makes the refresh fail: a server
 * that quietly forgot a table would let it be created again over its data.
 */
#include "store/catalog.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "store/layout.h"

enum {
    TABLE_ARENA_BYTES = 2048,
    SNAPSHOT_ARENA_BYTES = 4096,
    KEY_ARENA_BYTES = 512,
    ID_BYTES = 8,
    RECORD_CAPACITY = 1024, /* a first guess that fits most descriptions */
    FIRST_TABLES = 16,      /* room in a new snapshot; doubled as needed */
    WAIT_MS = 10,           /* between two looks for a version that is not there yet */
    NS_PER_MS = 1000 * 1000,
};

/* A description and the record it was read from; unchanged bytes need no second reading. */
struct entry {
    struct arena arena; /* holds everything, this struct too */
    _Atomic uint32_t users;
    struct slice key;
    struct slice record;
    struct table table;
};

struct shot {
    struct catalog_snapshot snapshot; /* first: the public part */
    struct arena arena;               /* holds everything, this struct too */
    _Atomic uint64_t users;           /* those who pinned it, and the catalog while it is current */
    struct entry **entries;           /* beside snapshot.tables */
};

struct catalog {
    struct kv *kv;
    pthread_mutex_t refreshing; /* held while the store is read */
    pthread_mutex_t lock;       /* guards current */
    pthread_cond_t changed;     /* current is newer */
    struct shot *current;
};

/* What the body of a refresh works on. */
struct refresh {
    struct shot *old;   /* NULL: the first */
    struct shot *built; /* NULL: nothing has changed */
};

static enum kv_status read_catalog(struct kv_txn *txn, void *context);
static struct shot *pin_current(struct catalog *catalog);
static void install(struct catalog *catalog, struct shot *shot);
static void shot_release(struct shot *shot);

/* ---- opening --------------------------------------------------------------------------------- */

enum kv_status catalog_open(struct database *database)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    CHECK(catalog != NULL);
    catalog->kv = database->kv;
    pthread_mutex_init(&catalog->refreshing, NULL);
    pthread_mutex_init(&catalog->lock, NULL);
    pthread_cond_init(&catalog->changed, NULL);
    const enum kv_status status = catalog_refresh(catalog);
    if (status != KV_OK) {
        catalog_close(catalog);
        return status;
    }
    database->catalog = catalog;
    return KV_OK;
}

void catalog_close(struct catalog *catalog)
{
    if (catalog->current != NULL) shot_release(catalog->current);
    pthread_cond_destroy(&catalog->changed);
    pthread_mutex_destroy(&catalog->lock);
    pthread_mutex_destroy(&catalog->refreshing);
    free(catalog);
}

/* ---- pinning --------------------------------------------------------------------------------- */

/* Somebody else may be about to bring the version; gives him a moment. */
static void wait_for_change(struct catalog *catalog, uint64_t version_min)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)WAIT_MS * NS_PER_MS;
    if (until.tv_nsec >= 1000L * NS_PER_MS) {
        until.tv_nsec -= 1000L * NS_PER_MS;
        until.tv_sec++;
    }
    pthread_mutex_lock(&catalog->lock);
    if (catalog->current->snapshot.version < version_min)
        pthread_cond_clockwait(&catalog->changed, &catalog->lock, CLOCK_MONOTONIC, &until);
    pthread_mutex_unlock(&catalog->lock);
}

const struct catalog_snapshot *catalog_pin(struct catalog *catalog, uint64_t version_min)
{
    struct shot *shot = pin_current(catalog);
    /*
     * Whoever needs a newer version reads it himself: another process may have made the change,
     * and then nobody here would. A version that does not come was seen by a transaction that
     * was not committed; its request finds out for itself.
     */
    for (int waited_ms = 0; shot->snapshot.version < version_min; waited_ms += WAIT_MS) {
        if (waited_ms >= LIMIT_CATALOG_WAIT_MS) break;
        shot_release(shot);
        if (catalog_refresh(catalog) != KV_OK) return &pin_current(catalog)->snapshot;
        wait_for_change(catalog, version_min);
        shot = pin_current(catalog);
    }
    return &shot->snapshot;
}

void catalog_unpin(struct catalog *catalog, const struct catalog_snapshot *snapshot)
{
    (void)catalog;
    shot_release((struct shot *)(uintptr_t)snapshot);
}

static struct shot *pin_current(struct catalog *catalog)
{
    pthread_mutex_lock(&catalog->lock);
    struct shot *shot = catalog->current;
    atomic_fetch_add_explicit(&shot->users, 1, memory_order_relaxed);
    pthread_mutex_unlock(&catalog->lock);
    return shot;
}

static void entry_release(struct entry *entry)
{
    if (atomic_fetch_sub_explicit(&entry->users, 1, memory_order_acq_rel) != 1) return;
    struct arena arena = entry->arena; /* the entry lies in what is freed */
    arena_close(&arena);
}

static void shot_release(struct shot *shot)
{
    if (atomic_fetch_sub_explicit(&shot->users, 1, memory_order_acq_rel) != 1) return;
    for (size_t i = 0; i < shot->snapshot.table_count; i++)
        entry_release(shot->entries[i]);
    struct arena arena = shot->arena;
    arena_close(&arena);
}

/* ---- refreshing ------------------------------------------------------------------------------ */

enum kv_status catalog_refresh(struct catalog *catalog)
{
    pthread_mutex_lock(&catalog->refreshing);
    struct refresh refresh = {.old = catalog->current}; /* only a refresh replaces it */
    const enum kv_status status = kv_view_wait(catalog->kv, read_catalog, &refresh);
    if (status == KV_OK && refresh.built != NULL) install(catalog, refresh.built);
    if (status != KV_OK && refresh.built != NULL) shot_release(refresh.built);
    pthread_mutex_unlock(&catalog->refreshing);
    return status;
}

static void install(struct catalog *catalog, struct shot *shot)
{
    pthread_mutex_lock(&catalog->lock);
    struct shot *old = catalog->current;
    CHECK(old == NULL || old->snapshot.version <= shot->snapshot.version);
    catalog->current = shot;
    pthread_cond_broadcast(&catalog->changed);
    pthread_mutex_unlock(&catalog->lock);
    if (old != NULL) shot_release(old);
}

static struct shot *shot_open(uint64_t version)
{
    struct arena arena;
    arena_open(&arena, SNAPSHOT_ARENA_BYTES);
    struct shot *shot = arena_new(&arena, struct shot);
    shot->snapshot.version = version;
    shot->arena = arena;
    atomic_init(&shot->users, 1);
    return shot;
}

static enum kv_status entry_open(struct slice key, struct slice record, struct entry **opened)
{
    struct arena arena;
    arena_open(&arena, TABLE_ARENA_BYTES);
    struct entry *entry = arena_new(&arena, struct entry);
    entry->key = arena_copy(&arena, key);
    entry->record = arena_copy(&arena, record);
    if (!schema_read(&arena, entry->record, &entry->table)) {
        arena_close(&arena);
        log_error("catalog: a table's description cannot be read");
        return KV_CORRUPT;
    }
    atomic_init(&entry->users, 1);
    entry->arena = arena; /* last: the copy knows all chunks */
    *opened = entry;
    return KV_OK;
}

/*
 * The old snapshot's entry when the record is the same, else a new one. Both come in the order of
 * keys, so that *next, the first entry of the old one that may still be wanted, only moves on.
 */
static enum kv_status take_entry(const struct shot *old, size_t *next, struct slice key,
                                 struct slice record, struct entry **entry)
{
    const size_t count = old == NULL ? 0 : old->snapshot.table_count;
    while (*next < count && slice_compare(old->entries[*next]->key, key) < 0)
        (*next)++;
    if (*next < count) {
        struct entry *candidate = old->entries[*next];
        if (slice_equal(candidate->key, key) && slice_equal(candidate->record, record)) {
            atomic_fetch_add_explicit(&candidate->users, 1, memory_order_relaxed);
            *entry = candidate;
            return KV_OK;
        }
    }
    return entry_open(key, record, entry);
}

static void add_entry(struct shot *shot, size_t *capacity, struct entry *entry)
{
    const size_t count = shot->snapshot.table_count;
    if (count == *capacity) {
        *capacity = count == 0 ? FIRST_TABLES : 2 * count;
        shot->entries = arena_grow(&shot->arena, shot->entries, count * sizeof(struct entry *),
                                   *capacity * sizeof(struct entry *));
    }
    shot->entries[count] = entry;
    shot->snapshot.table_count++;
}

static enum kv_status read_records(struct kv_txn *txn, const struct shot *old, struct shot *shot)
{
    struct kv_cursor *cursor;
    struct kv_range records = layout_table_records();
    records.expected = old == NULL ? 0 : old->snapshot.table_count;
    enum kv_status status = kv_cursor_open(txn, records, &cursor);
    if (status != KV_OK) return status;
    size_t capacity = 0;
    size_t next = 0;
    for (;;) {
        struct slice key;
        struct slice record;
        struct entry *entry;
        status = kv_cursor_next(cursor, &key, &record);
        if (status == KV_OK) status = take_entry(old, &next, key, record, &entry);
        if (status != KV_OK) break;
        add_entry(shot, &capacity, entry);
    }
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static enum kv_status read_catalog(struct kv_txn *txn, void *context)
{
    struct refresh *refresh = context;
    if (refresh->built != NULL) shot_release(refresh->built); /* the body runs again */
    refresh->built = NULL;

    uint64_t version;
    enum kv_status status = kv_metadata_version(txn, &version);
    if (status != KV_OK) return status;
    if (refresh->old != NULL && refresh->old->snapshot.version == version) return KV_OK;

    struct shot *shot = shot_open(version);
    refresh->built = shot;
    status = read_records(txn, refresh->old, shot);
    if (status != KV_OK) return status;
    const size_t count = shot->snapshot.table_count;
    const struct table **tables = arena_array(&shot->arena, const struct table *, count);
    for (size_t i = 0; i < count; i++)
        tables[i] = &shot->entries[i]->table;
    shot->snapshot.tables = tables;
    return KV_OK;
}

/* ---- looking things up ----------------------------------------------------------------------- */

const struct table *catalog_find(const struct catalog_snapshot *snapshot, struct slice name,
                                 int64_t now_ms)
{
    size_t low = 0;
    size_t high = snapshot->table_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct table *table = snapshot->tables[middle];
        const int order = slice_compare(table->name, name);
        if (order == 0) return table_is_gone(table, now_ms) ? NULL : table;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool table_is_gone(const struct table *table, int64_t now_ms)
{
    return table->status == TABLE_DELETING && now_ms >= table->active_ms;
}

enum table_status table_status_at(const struct table *table, int64_t now_ms)
{
    if (table->status == TABLE_DELETING) return TABLE_DELETING;
    return now_ms >= table->active_ms ? TABLE_ACTIVE : table->status;
}

enum error_code catalog_check(struct kv_txn *txn, const struct catalog_snapshot *snapshot)
{
    uint64_t version;
    /* Trouble counts as stale: the next attempt meets it where it can be told to the client. */
    if (kv_metadata_version(txn, &version) != KV_OK) return ERROR_STALE;
    return version == snapshot->version ? OK : ERROR_STALE;
}

/* ---- records --------------------------------------------------------------------------------- */

enum kv_status catalog_read(struct kv_txn *txn, struct arena *arena, struct slice name,
                            struct table **table)
{
    *table = NULL;
    struct slice record;
    const enum kv_status status = kv_get(txn, layout_table_record_key(arena, name), arena, &record);
    if (status == KV_NOT_FOUND) return KV_OK;
    if (status != KV_OK) return status;
    struct table *read = arena_new(arena, struct table);
    if (!schema_read(arena, record, read)) return KV_CORRUPT;
    *table = read;
    return KV_OK;
}

void catalog_write(struct kv_txn *txn, struct arena *arena, struct table *table)
{
    CHECK(table->id != 0);
    table->version++;
    struct buffer record = buffer_open(arena, RECORD_CAPACITY);
    schema_write(&record, table);
    kv_put(txn, layout_table_record_key(arena, table->name), buffer_slice(&record));
    kv_touch_metadata(txn);
}

static void put_u64(uint8_t bytes[ID_BYTES], uint64_t value)
{
    for (int i = ID_BYTES - 1; i >= 0; i--, value >>= 8)
        bytes[i] = (uint8_t)value;
}

static uint64_t get_u64(const uint8_t bytes[ID_BYTES])
{
    uint64_t value = 0;
    for (int i = 0; i < ID_BYTES; i++)
        value = value << 8 | bytes[i];
    return value;
}

void catalog_erase(struct kv_txn *txn, const struct table *table)
{
    struct arena keys;
    arena_open(&keys, KEY_ARENA_BYTES);
    kv_delete(txn, layout_table_record_key(&keys, table->name));
    kv_put(txn, layout_garbage_key(&keys, table->id), table->name);
    kv_touch_metadata(txn);
    arena_close(&keys);
}

enum kv_status catalog_new_id(struct kv_txn *txn, uint64_t *id)
{
    struct arena arena;
    arena_open(&arena, KEY_ARENA_BYTES);
    struct slice newest;
    enum kv_status status = kv_get(txn, layout_table_id_key(), &arena, &newest);
    *id = 1;
    if (status == KV_OK && newest.length == ID_BYTES)
        *id = get_u64(newest.data) + 1;
    else if (status == KV_OK)
        status = KV_CORRUPT;
    arena_close(&arena);
    if (status != KV_OK && status != KV_NOT_FOUND) return status;
    uint8_t bytes[ID_BYTES];
    put_u64(bytes, *id);
    kv_put(txn, layout_table_id_key(), slice_of(bytes, sizeof bytes));
    return KV_OK;
}

enum kv_status catalog_size(struct kv_txn *txn, const struct table *table,
                            const struct index *index, struct table_size *size)
{
    struct arena keys;
    arena_open(&keys, KEY_ARENA_BYTES);
    const uint32_t index_id = index == NULL ? 0 : index->id;
    enum kv_status status =
        kv_get_counter(txn, layout_count_key(&keys, table->id, index_id), &size->items);
    if (status == KV_OK) {
        status = kv_get_counter(txn, layout_bytes_key(&keys, table->id, index_id), &size->bytes);
    }
    arena_close(&keys);
    return status;
}

struct slice table_arn(struct arena *arena, const struct database *database, struct slice table,
                       const struct index *index)
{
    struct buffer arn = buffer_open(arena, 0);
    BUFFER_TEXT(&arn, "arn:aws:dynamodb:");
    buffer_append(&arn, database->region);
    buffer_append_byte(&arn, ':');
    buffer_append(&arn, database->account_id);
    BUFFER_TEXT(&arn, ":table/");
    buffer_append(&arn, table);
    if (index != NULL) {
        BUFFER_TEXT(&arn, "/index/");
        buffer_append(&arn, index->name);
    }
    return buffer_slice(&arn);
}
