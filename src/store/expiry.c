/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expiry — one thread that fills indexes of expiry times and deletes what has expired.
 *
 * It looks with a view, on its own thread, and deletes with an update that checks again: the
 * committer never searches. Deleted entries stay in the engine as tombstones until it compacts, and
 * a search from the beginning has to pass them all. So a sweep goes on where the last one ended,
 * and searches from the beginning (for items that were written with a time already past) only so
 * often that it spends a small part of its time on it.
 */
#include "store/expiry.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "model/number.h"
#include "store/item.h"
#include "store/layout.h"
#include "store/progress.h"

enum {
    STEP_ROWS = 64,          /* small: every write waits behind a step */
    STEP_BYTES = 256 * 1024, /* the same, for large items */
    FILL_ROWS = 128,
    POLL_MS = 200, /* an item is gone within a second of its time, with room to spare */
    REST = 20,     /* a search from the beginning is followed by as many times its duration */
    TROUBLE_MS = 1000,
    MS_PER_SECOND = 1000,
    US_PER_MS = 1000,
    NS_PER_US = 1000,
    MS_DECIMALS = 3, /* of a time in seconds */
};

static const int64_t age_max_ms = (int64_t)LIMIT_TTL_AGE_DAYS * 24 * 3600 * MS_PER_SECOND;

/* How far the sweep of a table has come; kept while the table is there, and used again then. */
struct sweep {
    struct sweep *next;
    uint64_t table_id;  /* 0: of none */
    struct buffer from; /* entries before this key were looked at */
    int64_t looked_at;  /* so many, since there were none */
    int64_t restart_us; /* when to search from the beginning again; monotonic */
};

struct expiry {
    struct database *database;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool woken;
    bool closing;
    /* The thread's own: */
    struct arena arena; /* of the sweeps, and of nothing else */
    struct sweep *sweeps;
    uint64_t version; /* of the catalog for which they were last looked through */
};

/* One unit of work: up to STEP_ROWS entries of a table. */
struct step {
    const struct database *database;
    const struct catalog_snapshot *snapshot;
    const struct table *table;
    struct arena *arena;
    int64_t now_ms;
    struct kv_range range;
    struct slice keys[STEP_ROWS];
    size_t found;
    size_t done; /* of those found: the rest would have made the transaction too large */
    bool finished;
    size_t rows;                 /* filled in this step */
    struct progress_count count; /* of filling */
};

/* ---- items ----------------------------------------------------------------------------------- */

bool expiry_of_item(const struct table *table, struct slice item, int64_t *expiry_ms)
{
    if (!table->ttl.enabled || item.length == 0) return false;
    const struct value value = item_attribute(item, table->ttl.attribute);
    if (value.type != VALUE_NUMBER) return false;
    return number_to_scaled(value.data, MS_DECIMALS, expiry_ms) && *expiry_ms >= 0 &&
           *expiry_ms < INT64_MAX;
}

/* ---- enabling and disabling ------------------------------------------------------------------ */

void expiry_enable(struct table *table, struct slice attribute, int64_t now_ms, int64_t delay_ms)
{
    table->ttl = (struct ttl){
        .attribute = attribute,
        .enabled = true,
        .filling = true,
        .changed_ms = now_ms,
        .settled_ms = now_ms + delay_ms,
    };
}

void expiry_disable(struct kv_txn *txn, struct arena *arena, struct table *table, int64_t now_ms,
                    int64_t delay_ms)
{
    const struct kv_range entries = layout_expiry_range(arena, table->id, 0, INT64_MAX);
    kv_delete_range(txn, entries.begin, entries.end);
    kv_delete(txn, layout_backfill_key(arena, table->id, 0));
    kv_delete(txn, layout_backfill_count_key(arena, table->id, 0));
    table->ttl.enabled = false;
    table->ttl.filling = false;
    table->ttl.changed_ms = now_ms;
    table->ttl.settled_ms = now_ms + delay_ms;
}

enum ttl_status expiry_status_at(const struct ttl *ttl, int64_t now_ms)
{
    if (ttl->enabled) return ttl->filling || now_ms < ttl->settled_ms ? TTL_ENABLING : TTL_ENABLED;
    return now_ms < ttl->settled_ms ? TTL_DISABLING : TTL_DISABLED;
}

/* ---- filling --------------------------------------------------------------------------------- */

static enum kv_status fill_entries(struct kv_txn *txn, struct step *step, const struct table *table,
                                   struct kv_cursor *cursor, struct slice *last)
{
    size_t bytes = 0;
    enum kv_status status = KV_OK;
    for (step->rows = 0; step->rows < FILL_ROWS && bytes < STEP_BYTES; step->rows++) {
        struct slice key;
        struct slice stored;
        int64_t expiry_ms;
        status = kv_cursor_next(cursor, &key, &stored);
        if (status != KV_OK) break;
        if (stored.length < 2 || stored.data[0] != LAYOUT_FORMAT) return KV_CORRUPT;
        bytes += stored.length;
        *last = arena_copy(step->arena, key);
        if (expiry_of_item(table, slice_of(stored.data + 1, stored.length - 1), &expiry_ms))
            kv_put(txn, layout_expiry_key(step->arena, expiry_ms, *last), (struct slice){0});
    }
    step->finished = status == KV_NOT_FOUND;
    return step->finished ? KV_OK : status;
}

static enum kv_status fill_from(struct kv_txn *txn, struct step *step, struct table *table)
{
    struct slice position = {0};
    const struct slice position_key = layout_backfill_key(step->arena, table->id, 0);
    enum kv_status status = kv_get(txn, position_key, step->arena, &position);
    if (status != KV_OK && status != KV_NOT_FOUND) return status;
    struct kv_range range = layout_scan_range(step->arena, table, NULL, 0, 1);
    if (status == KV_OK) range = layout_resume(step->arena, range, position);
    range.expected = FILL_ROWS;

    struct kv_cursor *cursor;
    status = kv_cursor_open(txn, range, &cursor);
    if (status != KV_OK) return status;
    status = fill_entries(txn, step, table, cursor, &position);
    kv_cursor_close(cursor);
    if (status == KV_OK) status = progress_read(txn, table, 0, &step->count);
    if (status != KV_OK) return status;
    step->count.done += (int64_t)step->rows;
    const struct slice count_key = layout_backfill_count_key(step->arena, table->id, 0);
    if (!step->finished) {
        kv_put(txn, position_key, position);
        kv_add(txn, count_key, (int64_t)step->rows);
        return KV_OK;
    }
    kv_delete(txn, position_key);
    kv_delete(txn, count_key);
    table->ttl.filling = false;
    catalog_write(txn, step->arena, table);
    return KV_OK;
}

static enum kv_status fill_index(struct kv_txn *txn, void *context)
{
    struct step *step = context;
    struct table *table;
    step->finished = false;
    enum kv_status status = catalog_read(txn, step->arena, step->table->name, &table);
    if (status != KV_OK) return status;
    if (table == NULL || table->id != step->table->id || !table->ttl.filling) return KV_ABORTED;
    return fill_from(txn, step, table);
}

/* One step; true when there is another, or the catalog has changed. */
static bool work_on_filling(struct expiry *expiry, struct step *step)
{
    struct database *database = expiry->database;
    const struct progress_job job = {
        .kind = PROGRESS_EXPIRY_INDEX, .table_id = step->table->id, .table = step->table->name};
    enum kv_status status = kv_update_wait(database->kv, fill_index, step);
    if (status == KV_OK)
        progress_report(database->progress, &job,
                        (struct progress_step){step->count, (int64_t)step->rows},
                        clock_now_ms(&database->clock));
    if (status != KV_OK || step->finished)
        progress_end(database->progress, &job, status == KV_OK, clock_now_ms(&database->clock));
    if (status == KV_OK && step->finished) status = catalog_refresh(expiry->database->catalog);
    if (status != KV_OK && status != KV_ABORTED)
        log_error("table %.*s: filling the index of expiry times failed",
                  SLICE_ARGS(step->table->name));
    return status == KV_OK;
}

/* ---- sweeping -------------------------------------------------------------------------------- */

static enum kv_status find_expired(struct kv_txn *txn, void *context)
{
    struct step *step = context;
    step->found = 0;
    struct kv_cursor *cursor;
    enum kv_status status = kv_cursor_open(txn, step->range, &cursor);
    if (status != KV_OK) return status;
    while (step->found < STEP_ROWS) {
        struct slice key;
        struct slice value;
        status = kv_cursor_next(cursor, &key, &value);
        if (status != KV_OK) break;
        step->keys[step->found++] = arena_copy(step->arena, key);
    }
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

/* Deletes the item of one entry, if it still says what the entry says. */
static enum error_code expire_row(struct call *call, struct kv_txn *txn, const struct step *step,
                                  struct slice key, size_t *bytes)
{
    struct slice row_key;
    struct slice stored;
    int64_t entry_ms;
    int64_t item_ms;
    if (!layout_expiry_of_key(call->arena, key, &entry_ms, &row_key)) return OK;
    const enum kv_status status = kv_get(txn, row_key, call->arena, &stored);
    if (status == KV_NOT_FOUND) return OK; /* a writer was faster */
    TRY(database_status(call, status));
    if (stored.length < 2 || stored.data[0] != LAYOUT_FORMAT)
        return database_status(call, KV_CORRUPT);
    const struct slice item = slice_of(stored.data + 1, stored.length - 1);
    if (!expiry_of_item(step->table, item, &item_ms) || item_ms != entry_ms) return OK;
    *bytes += stored.length;
    struct write write = {
        .kind = WRITE_DELETE,
        .table = step->table,
        .key = item_key(call->arena, step->table, NULL, item),
        .row_key = row_key,
        .expired = true,
    };
    return item_write(call, step->database, txn, &write);
}

static enum kv_status expire_rows(struct kv_txn *txn, void *context)
{
    struct step *step = context;
    struct call call = {.arena = step->arena, .now_ms = step->now_ms};
    size_t bytes = 0;
    step->done = 0;
    if (catalog_check(txn, step->snapshot) != OK) return KV_ABORTED;
    while (step->done < step->found && bytes < STEP_BYTES) {
        if (expire_row(&call, txn, step, step->keys[step->done], &bytes) != OK) return KV_CORRUPT;
        step->done++;
    }
    return KV_OK;
}

static int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND * US_PER_MS + now.tv_nsec / NS_PER_US;
}

static struct sweep *sweep_of(const struct expiry *expiry, uint64_t table_id)
{
    struct sweep *sweep = expiry->sweeps;
    while (sweep != NULL && sweep->table_id != table_id)
        sweep = sweep->next;
    return sweep;
}

static struct sweep *find_sweep(struct expiry *expiry, uint64_t table_id)
{
    CHECK(table_id != 0);
    struct sweep *sweep = sweep_of(expiry, table_id);
    if (sweep == NULL) sweep = sweep_of(expiry, 0);
    if (sweep == NULL) {
        sweep = arena_new(&expiry->arena, struct sweep);
        *sweep = (struct sweep){.next = expiry->sweeps};
        sweep->from = buffer_open(&expiry->arena, 0);
        expiry->sweeps = sweep;
    }
    sweep->table_id = table_id;
    return sweep;
}

/* Where tables come and go, what is known of them must not pile up. */
static void forget_sweeps(struct expiry *expiry, const struct catalog_snapshot *snapshot)
{
    if (snapshot->version == expiry->version) return;
    expiry->version = snapshot->version;
    for (struct sweep *sweep = expiry->sweeps; sweep != NULL; sweep = sweep->next) {
        size_t i = 0;
        while (i < snapshot->table_count && snapshot->tables[i]->id != sweep->table_id)
            i++;
        if (i < snapshot->table_count) continue;
        sweep->table_id = 0;
        sweep->looked_at = 0;
        sweep->restart_us = 0;
        sweep->from.length = 0;
    }
}

static void move_to(struct sweep *sweep, struct slice key)
{
    sweep->from.length = 0;
    buffer_append(&sweep->from, key);
}

/* What is left to look at: from where the sweep is, or from the beginning when that is due. */
static enum kv_status search(struct expiry *expiry, struct sweep *sweep, struct step *step)
{
    const int64_t begin_us = monotonic_us();
    const bool restarts = begin_us >= sweep->restart_us;
    step->range =
        layout_expiry_range(step->arena, step->table->id, step->now_ms - age_max_ms, step->now_ms);
    step->range.expected = STEP_ROWS;
    if (!restarts && slice_compare(buffer_slice(&sweep->from), step->range.begin) > 0)
        step->range.begin = buffer_slice(&sweep->from);
    step->found = 0;
    if (slice_compare(step->range.begin, step->range.end) >= 0) return KV_OK;
    const enum kv_status status = kv_view_wait(expiry->database->kv, find_expired, step);
    if (restarts) {
        const int64_t end_us = monotonic_us();
        const int64_t rest_us = (end_us - begin_us) * REST;
        const int64_t poll_us = (int64_t)POLL_MS * US_PER_MS;
        sweep->restart_us = end_us + (rest_us > poll_us ? rest_us : poll_us);
    }
    return status;
}

/* One step; true when there may be another right away. */
static bool work_on_sweep(struct expiry *expiry, struct step *step, bool *trouble)
{
    struct database *database = expiry->database;
    const struct progress_job job = {
        .kind = PROGRESS_EXPIRED, .table_id = step->table->id, .table = step->table->name};
    struct sweep *sweep = find_sweep(expiry, step->table->id);
    enum kv_status status = search(expiry, sweep, step);
    if (status == KV_OK && step->found == 0) {
        move_to(sweep, step->range.end);
        sweep->looked_at = 0;
        progress_end(database->progress, &job, true, step->now_ms);
        return false;
    }
    if (status == KV_OK) status = kv_update_wait(database->kv, expire_rows, step);
    if (status == KV_ABORTED) return true; /* the catalog has changed: look again */
    if (status != KV_OK) {
        log_error("table %.*s: deleting expired items failed", SLICE_ARGS(step->table->name));
        *trouble = true;
        step->done = step->found; /* they are tried again when the search restarts */
    }
    if (step->done > 0) {
        move_to(sweep, step->keys[step->done - 1]);
        buffer_append_byte(&sweep->from, 0);
        sweep->looked_at += (int64_t)step->done;
        const struct progress_count count = {sweep->looked_at, PROGRESS_UNKNOWN};
        progress_report(database->progress, &job,
                        (struct progress_step){count, (int64_t)step->done}, step->now_ms);
    }
    return !*trouble;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static bool is_closing(struct expiry *expiry)
{
    pthread_mutex_lock(&expiry->mutex);
    const bool closing = expiry->closing;
    pthread_mutex_unlock(&expiry->mutex);
    return closing;
}

/* What a look at everything found. */
struct look {
    bool worked;  /* another look is due */
    bool waiting; /* there are tables with time to live */
    bool trouble;
};

static void work_on_table(struct expiry *expiry, struct step *step, struct look *look)
{
    const struct table *table = step->table;
    if (!table->ttl.enabled || table_is_gone(table, step->now_ms)) return;
    look->waiting = true;
    if (table->ttl.filling) look->worked |= work_on_filling(expiry, step);
    if (step->now_ms < table->ttl.settled_ms) return;
    look->worked |= work_on_sweep(expiry, step, &look->trouble);
}

static struct look look_at_everything(struct expiry *expiry)
{
    struct database *database = expiry->database;
    struct look look = {false, false, false};
    struct arena arena;
    arena_open(&arena, 0);
    const struct catalog_snapshot *snapshot = catalog_pin(database->catalog, 0);
    forget_sweeps(expiry, snapshot);
    for (size_t i = 0; i < snapshot->table_count && !is_closing(expiry); i++) {
        struct step step = {
            .database = database,
            .snapshot = snapshot,
            .table = snapshot->tables[i],
            .arena = &arena,
            .now_ms = clock_now_ms(&database->clock),
        };
        work_on_table(expiry, &step, &look);
        arena_reset(&arena);
    }
    catalog_unpin(database->catalog, snapshot);
    arena_close(&arena);
    const int64_t now_ms = clock_now_ms(&database->clock);
    progress_end_unreported(database->progress, PROGRESS_EXPIRY_INDEX, now_ms);
    progress_end_unreported(database->progress, PROGRESS_EXPIRED, now_ms);
    return look;
}

/* Sleeps until woken, or a moment when tables wait for their times. False: closing. */
static bool wait_for_work(struct expiry *expiry, const struct look *look)
{
    const int64_t poll_ms = look->trouble ? TROUBLE_MS : POLL_MS;
    pthread_mutex_lock(&expiry->mutex);
    if (!expiry->woken && !expiry->closing) {
        if (look->waiting) {
            struct timespec until;
            clock_gettime(CLOCK_MONOTONIC, &until);
            until.tv_nsec += poll_ms % MS_PER_SECOND * US_PER_MS * NS_PER_US;
            until.tv_sec += poll_ms / MS_PER_SECOND + until.tv_nsec / 1000000000L;
            until.tv_nsec %= 1000000000L;
            pthread_cond_clockwait(&expiry->changed, &expiry->mutex, CLOCK_MONOTONIC, &until);
        } else {
            pthread_cond_wait(&expiry->changed, &expiry->mutex);
        }
    }
    expiry->woken = false;
    const bool closing = expiry->closing;
    pthread_mutex_unlock(&expiry->mutex);
    return !closing;
}

static void *run(void *context)
{
    struct expiry *expiry = context;
    struct look look;
    do {
        do {
            look = look_at_everything(expiry);
        } while (look.worked && !look.trouble && !is_closing(expiry));
    } while (wait_for_work(expiry, &look));
    return NULL;
}

struct expiry *expiry_open(struct database *database)
{
    struct expiry *expiry = calloc(1, sizeof *expiry);
    CHECK(expiry != NULL);
    expiry->database = database;
    arena_open(&expiry->arena, 0);
    pthread_mutex_init(&expiry->mutex, NULL);
    pthread_cond_init(&expiry->changed, NULL);
    if (pthread_create(&expiry->thread, NULL, run, expiry) == 0) return expiry;
    pthread_cond_destroy(&expiry->changed);
    pthread_mutex_destroy(&expiry->mutex);
    arena_close(&expiry->arena);
    free(expiry);
    return NULL;
}

void expiry_wake(struct expiry *expiry)
{
    pthread_mutex_lock(&expiry->mutex);
    expiry->woken = true;
    pthread_cond_signal(&expiry->changed);
    pthread_mutex_unlock(&expiry->mutex);
}

void expiry_close(struct expiry *expiry)
{
    pthread_mutex_lock(&expiry->mutex);
    expiry->closing = true;
    pthread_cond_signal(&expiry->changed);
    pthread_mutex_unlock(&expiry->mutex);
    pthread_join(expiry->thread, NULL);
    pthread_cond_destroy(&expiry->changed);
    pthread_mutex_destroy(&expiry->mutex);
    arena_close(&expiry->arena);
    free(expiry);
}
