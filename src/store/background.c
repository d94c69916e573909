/* SPDX-License-Identifier: Apache-2.0 */
/*
 * background — one thread that brings the store to what the catalog says: erases tables whose time
 * has come, clears the data of erased tables and deleted indexes, fills new indexes.
 *
 * A backfill walks the table's rows in key order and keeps its position in the store. Writes to
 * rows up to the position maintain the index, writes beyond it leave the index alone (item.c): so
 * each row enters the index exactly once, and the counters are exact at every moment.
 */
#include "store/background.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "store/expiry.h"
#include "store/item.h"
#include "store/layout.h"
#include "store/progress.h"
#include "store/stream.h"

enum {
    STEP_ROWS = 128,         /* of a backfill; small, because every write waits behind a step */
    STEP_BYTES = 256 * 1024, /* the same, for large items */
    POLL_MS = 20,            /* while a table waits for its time: tests may move the clock */
    SHARD_POLL_MS = 100,     /* while there are open shards: they fill */
    TRIM_POLL_MS = 1000,     /* while there are streams: the clock may be moved */
    TRIM_MS = 60 * 1000,     /* between two looks for changes that are past their day */
    TROUBLE_MS = 1000, /* before a step that failed is tried again: a full disk may get space */
    MS_PER_SECOND = 1000,
    NS_PER_MS = 1000 * 1000,
};

struct background {
    struct database *database;
    struct expiry *expiry;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool woken;
    atomic_bool closing;      /* set under the mutex, so that a sleeper hears of it */
    bool is_in_trouble;       /* a step of the last pass failed */
    bool has_streams;         /* found when streams were last trimmed … */
    int64_t trimmed_ms;       /* … at this time … */
    uint64_t trimmed_version; /* … and of the catalog */
};

/* One unit of work, run inside an update. */
struct step {
    struct database *database;
    struct arena *arena;
    const struct table *table; /* as the snapshot has it; the body reads it afresh */
    uint32_t index_id;
    uint64_t garbage_id;
    const char *trouble;         /* out: what failed; NULL: nothing */
    bool finished;               /* out: there is no further step of this kind */
    size_t rows;                 /* out */
    struct slice position;       /* out: the key of the last row seen */
    struct progress_count count; /* out: how far the backfill has come */
};

/* ---- tables ---------------------------------------------------------------------------------- */

static enum kv_status read_same_table(struct kv_txn *txn, const struct step *step,
                                      struct table **table)
{
    enum kv_status status = catalog_read(txn, step->arena, step->table->name, table);
    if (status != KV_OK) return status;
    if (*table == NULL || (*table)->id != step->table->id) return KV_ABORTED;
    return KV_OK;
}

static enum kv_status erase_table(struct kv_txn *txn, void *context)
{
    struct step *step = context;
    struct table *table;
    enum kv_status status = read_same_table(txn, step, &table);
    if (status != KV_OK) return status;
    if (table->status != TABLE_DELETING) return KV_ABORTED;
    catalog_erase(txn, table);
    return KV_OK;
}

static enum kv_status clear_garbage(struct kv_txn *txn, void *context)
{
    struct step *step = context;
    const struct kv_range before = layout_table_range(step->arena, step->garbage_id);
    const struct kv_range after = layout_table_rest(step->arena, step->garbage_id);
    kv_delete_range(txn, before.begin, before.end);
    kv_delete_range(txn, after.begin, after.end);
    const struct kv_range backfills = layout_backfill_range(step->arena, step->garbage_id);
    kv_delete_range(txn, backfills.begin, backfills.end);
    kv_delete(txn, layout_garbage_key(step->arena, step->garbage_id));
    return KV_OK;
}

static enum kv_status find_garbage(struct kv_txn *txn, void *context)
{
    struct step *step = context;
    struct kv_cursor *cursor;
    struct kv_range range = layout_garbage_range();
    range.expected = 1;
    enum kv_status status = kv_cursor_open(txn, range, &cursor);
    if (status != KV_OK) return status;
    struct slice key;
    struct slice value;
    status = kv_cursor_next(cursor, &key, &value);
    step->finished = status == KV_NOT_FOUND;
    if (status == KV_OK) step->garbage_id = layout_garbage_id(key);
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

/* ---- indexes --------------------------------------------------------------------------------- */

static struct index *find_index(struct table *table, uint32_t index_id)
{
    for (size_t i = 0; i < table->index_count; i++) {
        if (table->indexes[i].id == index_id) return &table->indexes[i];
    }
    return NULL;
}

static bool is_defined_key(const struct table *table, struct slice name)
{
    if (key_schema_find(&table->key, name) >= 0) return true;
    for (size_t i = 0; i < table->index_count; i++) {
        if (key_schema_find(&table->indexes[i].key, name) >= 0) return true;
    }
    return false;
}

/* Takes the index out of the description, and the definitions that only it used. */
static void drop_index(struct table *table, struct index *index)
{
    size_t at = (size_t)(index - table->indexes);
    memmove(index, index + 1, (table->index_count - at - 1) * sizeof *index);
    table->index_count--;

    size_t kept = 0;
    for (size_t i = 0; i < table->definition_count; i++) {
        if (is_defined_key(table, table->definitions[i].name))
            table->definitions[kept++] = table->definitions[i];
    }
    table->definition_count = kept;
}

static enum kv_status delete_index(struct kv_txn *txn, void *context)
{
    struct step *step = context;
    struct table *table;
    enum kv_status status = read_same_table(txn, step, &table);
    if (status != KV_OK) return status;
    struct index *index = find_index(table, step->index_id);
    if (index == NULL || index->status != INDEX_DELETING) return KV_ABORTED;

    struct kv_range entries = layout_index_range(step->arena, table->id, index->id);
    kv_delete_range(txn, entries.begin, entries.end);
    kv_delete(txn, layout_count_key(step->arena, table->id, index->id));
    kv_delete(txn, layout_bytes_key(step->arena, table->id, index->id));
    kv_delete(txn, layout_backfill_key(step->arena, table->id, index->id));
    kv_delete(txn, layout_backfill_count_key(step->arena, table->id, index->id));
    drop_index(table, index);
    catalog_write(txn, step->arena, table);
    return KV_OK;
}

/* Adds the entries of up to STEP_ROWS rows. */
static enum kv_status fill_entries(struct kv_txn *txn, struct step *step, const struct table *table,
                                   const struct index *index, struct kv_cursor *cursor)
{
    int64_t entries = 0;
    int64_t bytes = 0;
    size_t seen = 0;
    struct slice key;
    struct slice stored;
    enum kv_status status = KV_OK;
    while (step->rows < STEP_ROWS && seen < STEP_BYTES) {
        status = kv_cursor_next(cursor, &key, &stored);
        if (status != KV_OK) break;
        if (stored.length < 2 || stored.data[0] != LAYOUT_FORMAT) return KV_CORRUPT;
        step->rows++;
        seen += stored.length;
        step->position = arena_copy(step->arena, key);
        struct slice item = arena_copy(step->arena, slice_of(stored.data + 1, stored.length - 1));
        struct slice entry_key = layout_index_key(step->arena, table, index, item);
        if (entry_key.length == 0) continue;
        struct slice entry = item_project(step->arena, index, item);
        kv_put(txn, entry_key, item_stored(step->arena, entry));
        entries++;
        bytes += (int64_t)item_size(entry);
    }
    if (entries > 0) {
        kv_add(txn, layout_count_key(step->arena, table->id, index->id), entries);
        kv_add(txn, layout_bytes_key(step->arena, table->id, index->id), bytes);
    }
    step->finished = status == KV_NOT_FOUND;
    return step->finished ? KV_OK : status;
}

static enum kv_status fill_index(struct kv_txn *txn, void *context)
{
    struct step *step = context;
    struct table *table;
    step->rows = 0;
    step->finished = false;
    enum kv_status status = read_same_table(txn, step, &table);
    if (status != KV_OK) return status;
    struct index *index = find_index(table, step->index_id);
    if (index == NULL || !index->backfilling || index->status != INDEX_CREATING) return KV_ABORTED;

    struct slice position_key = layout_backfill_key(step->arena, table->id, index->id);
    struct slice position = {0};
    status = kv_get(txn, position_key, step->arena, &position);
    if (status != KV_OK && status != KV_NOT_FOUND) return status;
    struct kv_range range = layout_scan_range(step->arena, table, NULL, 0, 1);
    if (status == KV_OK) range = layout_resume(step->arena, range, position);
    range.expected = STEP_ROWS;

    struct kv_cursor *cursor;
    status = kv_cursor_open(txn, range, &cursor);
    if (status != KV_OK) return status;
    status = fill_entries(txn, step, table, index, cursor);
    kv_cursor_close(cursor);
    if (status == KV_OK) status = progress_read(txn, table, index->id, &step->count);
    if (status != KV_OK) return status;
    step->count.done += (int64_t)step->rows;
    if (!step->finished) {
        kv_put(txn, position_key, step->position);
        kv_add(txn, layout_backfill_count_key(step->arena, table->id, index->id),
               (int64_t)step->rows);
        return KV_OK;
    }
    kv_delete(txn, position_key);
    kv_delete(txn, layout_backfill_count_key(step->arena, table->id, index->id));
    index->status = INDEX_ACTIVE;
    index->backfilling = false;
    catalog_write(txn, step->arena, table);
    return KV_OK;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static bool is_closing(struct background *background)
{
    return atomic_load(&background->closing);
}

/* Runs one catalog-changing step; true when it took effect. */
static bool change_catalog(struct step *step, kv_body *body)
{
    enum kv_status status = kv_update_wait(step->database->kv, body, step);
    if (status == KV_OK) status = catalog_refresh(step->database->catalog);
    if (status == KV_OK) return true;
    if (status != KV_ABORTED) step->trouble = "changing a table";
    return false;
}

static bool run_backfill(struct background *background, struct step *step, struct slice index_name)
{
    struct database *database = background->database;
    const struct progress_job job = {PROGRESS_INDEX, step->table->id, step->index_id,
                                     step->table->name, index_name};
    struct arena_mark mark = arena_mark(step->arena);
    enum kv_status status = KV_OK;
    step->finished = false;
    while (status == KV_OK && !step->finished && !is_closing(background)) {
        arena_rewind(step->arena, mark);
        status = kv_update_wait(database->kv, fill_index, step);
        if (status == KV_OK)
            progress_report(database->progress, &job,
                            (struct progress_step){step->count, (int64_t)step->rows},
                            clock_now_ms(&database->clock));
    }
    const bool is_finished = status == KV_OK && step->finished;
    progress_end(database->progress, &job, is_finished, clock_now_ms(&database->clock));
    if (is_finished) status = catalog_refresh(database->catalog);
    if (status != KV_OK && status != KV_ABORTED) step->trouble = "filling an index";
    return is_finished && status == KV_OK;
}

/* Asks for another pass after this time at the latest; *wait_ms 0: whenever something changes. */
static void wait_at_most(int *wait_ms, int ms)
{
    if (*wait_ms == 0 || ms < *wait_ms) *wait_ms = ms;
}

static bool work_on_table(struct background *background, struct step *step, int *wait_ms)
{
    const struct table *table = step->table;
    if (clock_now_ms(&background->database->clock) < table->active_ms) {
        wait_at_most(wait_ms, POLL_MS);
        return false;
    }
    if (table->status == TABLE_DELETING) return change_catalog(step, erase_table);
    for (size_t i = 0; i < table->index_count; i++) {
        const struct index *index = &table->indexes[i];
        step->index_id = index->id;
        if (index->status == INDEX_DELETING) return change_catalog(step, delete_index);
        if (index->status == INDEX_CREATING && index->backfilling)
            return run_backfill(background, step, index->name);
    }
    return false;
}

/* Whether a table has work for us, now or later. */
static bool has_work(const struct table *table)
{
    if (table->status == TABLE_DELETING) return true;
    for (size_t i = 0; i < table->index_count; i++) {
        const struct index *index = &table->indexes[i];
        if (index->status == INDEX_DELETING) return true;
        if (index->status == INDEX_CREATING && index->backfilling) return true;
    }
    return false;
}

static bool work_on_garbage(struct step *step)
{
    step->finished = true;
    enum kv_status status = kv_view_wait(step->database->kv, find_garbage, step);
    if (status == KV_OK && step->finished) return false;
    if (status == KV_OK) status = kv_update_wait(step->database->kv, clear_garbage, step);
    if (status != KV_OK) step->trouble = "clearing a deleted table";
    return status == KV_OK;
}

/* What has failed is tried again by itself; it is told once, not each time. */
static void note_trouble(struct background *background, const struct step *step, int *wait_ms)
{
    const bool is_new = step->trouble != NULL && !background->is_in_trouble;
    background->is_in_trouble = step->trouble != NULL;
    if (is_new) log_error("background: %s failed; it is tried again every second", step->trouble);
    if (step->trouble != NULL) wait_at_most(wait_ms, TROUBLE_MS);
}

/* Removing what is past its day may wait a while: nobody is shown it. */
static void trim_streams(struct background *background, uint64_t version)
{
    const int64_t now_ms = clock_now_ms(&background->database->clock);
    const int64_t age_ms = now_ms - background->trimmed_ms;
    if (version == background->trimmed_version && age_ms >= 0 && age_ms < TRIM_MS) return;
    background->has_streams = stream_trim(background->database, &background->closing);
    background->trimmed_ms = now_ms;
    background->trimmed_version = version;
}

static bool work_on_streams(struct background *background, const struct catalog_snapshot *snapshot,
                            int *wait_ms)
{
    bool worked = false;
    for (size_t i = 0; i < snapshot->table_count && !is_closing(background); i++) {
        const struct table *table = snapshot->tables[i];
        if (table->shard_count == 0) continue;
        wait_at_most(wait_ms, SHARD_POLL_MS);
        worked |= stream_succeed_shards(background->database, table);
    }
    if (!is_closing(background)) trim_streams(background, snapshot->version);
    if (background->has_streams) wait_at_most(wait_ms, TRIM_POLL_MS);
    return worked;
}

/* One look at everything; true when something was done, so that another look is due. */
static bool pass(struct background *background, int *wait_ms)
{
    struct arena arena;
    arena_open(&arena, 0);
    struct step step = {.database = background->database, .arena = &arena};
    const struct catalog_snapshot *snapshot = catalog_pin(background->database->catalog, 0);
    bool worked = false;
    *wait_ms = 0;
    for (size_t i = 0; i < snapshot->table_count && !is_closing(background); i++) {
        if (!has_work(snapshot->tables[i])) continue;
        step.table = snapshot->tables[i];
        worked |= work_on_table(background, &step, wait_ms);
    }
    worked |= work_on_streams(background, snapshot, wait_ms);
    catalog_unpin(background->database->catalog, snapshot);
    if (!is_closing(background)) worked |= work_on_garbage(&step);
    note_trouble(background, &step, wait_ms);
    arena_close(&arena);
    return worked;
}

/* Sleeps until woken, or for this time when it is not 0. False: closing. */
static bool wait_for_work(struct background *background, int wait_ms)
{
    pthread_mutex_lock(&background->mutex);
    if (!background->woken && !background->closing) {
        if (wait_ms > 0) {
            struct timespec until;
            clock_gettime(CLOCK_MONOTONIC, &until);
            until.tv_sec += wait_ms / MS_PER_SECOND;
            until.tv_nsec += (long)(wait_ms % MS_PER_SECOND) * NS_PER_MS;
            until.tv_sec += until.tv_nsec / ((long)MS_PER_SECOND * NS_PER_MS);
            until.tv_nsec %= (long)MS_PER_SECOND * NS_PER_MS;
            pthread_cond_clockwait(&background->changed, &background->mutex, CLOCK_MONOTONIC,
                                   &until);
        } else {
            pthread_cond_wait(&background->changed, &background->mutex);
        }
    }
    background->woken = false;
    bool closing = background->closing;
    pthread_mutex_unlock(&background->mutex);
    return !closing;
}

static void *run(void *context)
{
    struct background *background = context;
    int wait_ms = 0;
    do {
        while (pass(background, &wait_ms) && !is_closing(background))
            continue;
    } while (wait_for_work(background, wait_ms));
    return NULL;
}

enum kv_status background_open(struct database *database)
{
    struct background *background = calloc(1, sizeof *background);
    CHECK(background != NULL);
    background->database = database;
    pthread_mutex_init(&background->mutex, NULL);
    pthread_cond_init(&background->changed, NULL);
    database->background = background;
    database->progress = progress_board_open();
    background->expiry = expiry_open(database);
    if (background->expiry != NULL) {
        if (pthread_create(&background->thread, NULL, run, background) == 0) return KV_OK;
        expiry_close(background->expiry);
    }
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->mutex);
    free(background);
    progress_board_close(database->progress);
    database->progress = NULL;
    database->background = NULL;
    return KV_UNAVAILABLE;
}

void background_wake(struct background *background)
{
    pthread_mutex_lock(&background->mutex);
    background->woken = true;
    pthread_cond_signal(&background->changed);
    pthread_mutex_unlock(&background->mutex);
    expiry_wake(background->expiry);
}

void background_close(struct background *background)
{
    expiry_close(background->expiry);
    pthread_mutex_lock(&background->mutex);
    background->closing = true;
    pthread_cond_signal(&background->changed);
    pthread_mutex_unlock(&background->mutex);
    pthread_join(background->thread, NULL);
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->mutex);
    progress_board_close(background->database->progress);
    free(background);
}
