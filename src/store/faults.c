/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults — settings per table, chance, and the notes of what rows held before they were written.
 *
 * Notes lie in segments, each in an arena of its own, newest last; a segment goes as a whole when
 * the newest of its notes is older than any delay. One mutex guards everything: this is for tests.
 */
#include "store/faults.h"

#include "store/layout.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    SEGMENT_NOTES = 1024,
    SEGMENTS_MAX = 64,
};

struct note {
    uint64_t table_id;
    uint64_t number; /* from 1 */
    int64_t time_ms;
    struct past_row row;
};

struct segment {
    struct arena arena; /* holds everything, this struct too */
    struct segment *newer;
    int64_t newest_ms;
    size_t count;
    struct note notes[SEGMENT_NOTES];
};

struct setting {
    struct setting *next;
    struct slice table;
    struct fault_settings settings;
};

struct faults {
    pthread_mutex_t mutex;
    struct arena arena; /* of the settings */
    struct random random;
    struct setting *settings; /* in the order they came */
    struct segment *oldest;
    struct segment *newest;
    size_t segment_count;
    uint64_t note_count;  /* ever taken */
    uint64_t mark_before; /* what earlier processes had stored; counts go on from there */
    bool is_marked;       /* mark_before is known */
};

static const struct fault_settings nothing = {0};

/* ---- opening and settings -------------------------------------------------------------------- */

struct faults *faults_open(void)
{
    struct faults *faults = calloc(1, sizeof *faults);
    CHECK(faults != NULL);
    pthread_mutex_init(&faults->mutex, NULL);
    arena_open(&faults->arena, 0);
    random_open(&faults->random, 0);
    return faults;
}

static void drop_oldest(struct faults *faults)
{
    struct segment *segment = faults->oldest;
    struct arena arena = segment->arena; /* the segment lies in what is freed */
    faults->oldest = segment->newer;
    if (faults->oldest == NULL) faults->newest = NULL;
    faults->segment_count--;
    arena_close(&arena);
}

void faults_close(struct faults *faults)
{
    while (faults->oldest != NULL)
        drop_oldest(faults);
    arena_close(&faults->arena);
    pthread_mutex_destroy(&faults->mutex);
    free(faults);
}

void faults_seed(struct faults *faults, uint64_t seed)
{
    random_seed(&faults->random, seed);
}

static struct setting *find_setting(struct faults *faults, struct slice table)
{
    struct setting *setting = faults->settings;
    while (setting != NULL && !slice_equal(setting->table, table))
        setting = setting->next;
    return setting;
}

void faults_set(struct faults *faults, struct slice table, const struct fault_settings *settings)
{
    pthread_mutex_lock(&faults->mutex);
    struct setting *setting = find_setting(faults, table);
    if (setting == NULL) {
        setting = arena_new(&faults->arena, struct setting);
        setting->table = arena_copy(&faults->arena, table);
        struct setting **end = &faults->settings;
        while (*end != NULL)
            end = &(*end)->next;
        *end = setting;
    }
    setting->settings = *settings;
    pthread_mutex_unlock(&faults->mutex);
}

bool faults_get(struct faults *faults, size_t at, struct arena *arena, struct slice *table,
                struct fault_settings *settings)
{
    pthread_mutex_lock(&faults->mutex);
    struct setting *setting = faults->settings;
    for (; setting != NULL && at > 0; at--)
        setting = setting->next;
    const bool found = setting != NULL;
    if (found) {
        *table = arena_copy(arena, setting->table);
        *settings = setting->settings;
    }
    pthread_mutex_unlock(&faults->mutex);
    return found;
}

static struct fault_settings settings_of(struct faults *faults, struct slice table)
{
    pthread_mutex_lock(&faults->mutex);
    const struct setting *setting = find_setting(faults, table);
    const struct fault_settings settings = setting == NULL ? nothing : setting->settings;
    pthread_mutex_unlock(&faults->mutex);
    return settings;
}

/* ---- refusals -------------------------------------------------------------------------------- */

static bool happens(struct faults *faults, int64_t rate)
{
    if (rate <= 0) return false;
    return (int64_t)(random_next(&faults->random) % FAULTS_RATE_ONE) < rate;
}

enum error_code faults_throttle(struct call *call, const struct database *database,
                                const struct table *table)
{
    struct faults *faults = database->faults;
    if (faults == NULL) return OK;
    if (!happens(faults, settings_of(faults, table->name).throttle_rate)) return OK;
    if (table->billing == BILLING_PROVISIONED) {
        return fail(call, ERROR_THROUGHPUT_EXCEEDED,
                    "The level of configured provisioned throughput for the table was exceeded. "
                    "Consider increasing your provisioning level with the UpdateTable API.");
    }
    return fail(call, ERROR_THROTTLING,
                "Throughput exceeds the current capacity of your table or index. DynamoDB is "
                "automatically scaling your table or index so please try again shortly. If "
                "exceptions persist, check if you have a hot key: "
                "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
                "bp-partition-key-design.html");
}

enum error_code faults_conflict(struct call *call, const struct database *database,
                                const struct table *table)
{
    struct faults *faults = database->faults;
    if (faults == NULL) return OK;
    if (!happens(faults, settings_of(faults, table->name).conflict_rate)) return OK;
    return fail(call, ERROR_TRANSACTION_CONFLICT, "Transaction is ongoing for the item");
}

bool faults_leave_out(const struct database *database, const struct table *table, size_t place)
{
    struct faults *faults = database->faults;
    if (faults == NULL || place == 0) return false;
    return happens(faults, settings_of(faults, table->name).unprocessed_rate);
}

/* ---- notes ----------------------------------------------------------------------------------- */

static int64_t longest_delay(const struct faults *faults)
{
    int64_t longest_ms = 0;
    for (const struct setting *s = faults->settings; s != NULL; s = s->next) {
        if (s->settings.index_delay_ms > longest_ms) longest_ms = s->settings.index_delay_ms;
        if (s->settings.read_delay_ms > longest_ms) longest_ms = s->settings.read_delay_ms;
    }
    return longest_ms;
}

static void add_segment(struct faults *faults)
{
    struct arena arena;
    arena_open(&arena, 0);
    struct segment *segment = arena_new(&arena, struct segment);
    segment->arena = arena;
    segment->newest_ms = INT64_MIN;
    if (faults->newest == NULL)
        faults->oldest = segment;
    else
        faults->newest->newer = segment;
    faults->newest = segment;
    faults->segment_count++;
}

/* Makes room for a note, and lets go of what no read looks back to. */
static struct segment *open_segment(struct faults *faults, int64_t now_ms)
{
    const int64_t horizon_ms = now_ms - longest_delay(faults);
    while (faults->oldest != NULL && faults->oldest != faults->newest &&
           faults->oldest->newest_ms <= horizon_ms)
        drop_oldest(faults);
    if (faults->newest == NULL || faults->newest->count == SEGMENT_NOTES) add_segment(faults);
    if (faults->segment_count > SEGMENTS_MAX) drop_oldest(faults);
    return faults->newest;
}

void faults_note(struct faults *faults, const struct table *table, const struct past_row *row,
                 int64_t now_ms)
{
    pthread_mutex_lock(&faults->mutex);
    const struct setting *setting = find_setting(faults, table->name);
    if (setting != NULL &&
        (setting->settings.index_delay_ms > 0 || setting->settings.read_delay_ms > 0)) {
        struct segment *segment = open_segment(faults, now_ms);
        segment->notes[segment->count++] = (struct note){
            .table_id = table->id,
            .number = ++faults->note_count,
            .time_ms = now_ms,
            .row = {arena_copy(&segment->arena, row->key), arena_copy(&segment->arena, row->value)},
        };
        if (now_ms > segment->newest_ms) segment->newest_ms = now_ms;
    }
    pthread_mutex_unlock(&faults->mutex);
}

/* 0 when there is no mark. */
static enum kv_status read_mark(struct kv_txn *txn, struct arena *arena, uint64_t *mark)
{
    struct slice stored;
    const enum kv_status status = kv_get(txn, layout_notes_key(arena), arena, &stored);
    *mark = 0;
    if (status == KV_NOT_FOUND) return KV_OK;
    if (status != KV_OK) return status;
    if (stored.length != sizeof *mark) return KV_CORRUPT;
    memcpy(mark, stored.data, sizeof *mark);
    return KV_OK;
}

enum kv_status faults_mark(struct faults *faults, struct kv_txn *txn, struct arena *arena)
{
    enum kv_status status = KV_OK;
    pthread_mutex_lock(&faults->mutex);
    if (faults->note_count > 0) {
        if (!faults->is_marked) status = read_mark(txn, arena, &faults->mark_before);
        faults->is_marked = status == KV_OK;
        const uint64_t mark = faults->mark_before + faults->note_count;
        if (status == KV_OK) kv_put(txn, layout_notes_key(arena), slice_of(&mark, sizeof mark));
    }
    pthread_mutex_unlock(&faults->mutex);
    return status;
}

enum kv_status faults_look(struct past_view *view, struct kv_txn *txn, struct arena *arena)
{
    uint64_t mark = 0;
    view->note_count = 0;
    if (view->faults == NULL) return KV_OK;
    const enum kv_status status = read_mark(txn, arena, &mark);
    pthread_mutex_lock(&view->faults->mutex);
    /* Without a mark of this process its notes are all of writes that the view does not see. */
    if (view->faults->is_marked && mark > view->faults->mark_before)
        view->note_count = mark - view->faults->mark_before;
    pthread_mutex_unlock(&view->faults->mutex);
    return status;
}

/* ---- reads of the past ----------------------------------------------------------------------- */

/* Notes of times after this are of writes that the view does not see yet; the mutex is held. */
static bool find_horizon(const struct faults *faults, const struct past_view *view,
                         int64_t *horizon_ms)
{
    for (const struct setting *s = faults->settings; s != NULL; s = s->next) {
        if (!slice_equal(s->table, view->table->name)) continue;
        const struct fault_settings *settings = &s->settings;
        int64_t delay_ms = settings->read_delay_ms;
        if (view->of_global_index && settings->index_delay_ms > delay_ms)
            delay_ms = settings->index_delay_ms;
        *horizon_ms = view->now_ms - delay_ms;
        return delay_ms > 0;
    }
    return false;
}

/* Walks the notes that matter to a view, oldest first. */
struct walk {
    const struct segment *segment;
    size_t at;
    uint64_t table_id;
    uint64_t note_count;
    int64_t horizon_ms;
};

static const struct note *next_note(struct walk *walk)
{
    while (walk->segment != NULL) {
        if (walk->at == walk->segment->count) {
            walk->segment = walk->segment->newer;
            walk->at = 0;
            continue;
        }
        const struct note *note = &walk->segment->notes[walk->at++];
        if (note->number > walk->note_count) return NULL;
        if (note->table_id == walk->table_id && note->time_ms > walk->horizon_ms) return note;
    }
    return NULL;
}

bool faults_past_value(const struct past_view *view, struct slice key, struct arena *arena,
                       struct slice *value)
{
    struct faults *faults = view->faults;
    struct walk walk = {.table_id = view->table->id, .note_count = view->note_count};
    const struct note *note = NULL;
    if (faults == NULL) return false;
    pthread_mutex_lock(&faults->mutex);
    if (find_horizon(faults, view, &walk.horizon_ms)) {
        walk.segment = faults->oldest;
        do {
            note = next_note(&walk);
        } while (note != NULL && !slice_equal(note->row.key, key));
        if (note != NULL) *value = arena_copy(arena, note->row.value);
    }
    pthread_mutex_unlock(&faults->mutex);
    return note != NULL;
}

/* A note of the range, with its place in time. */
struct found {
    struct past_row row;
    size_t order;
};

static int compare_found(const void *a, const void *b)
{
    const struct found *left = a;
    const struct found *right = b;
    const int order = slice_compare(left->row.key, right->row.key);
    if (order != 0) return order;
    return (left->order > right->order) - (left->order < right->order);
}

static size_t find_rows(const struct faults *faults, struct walk walk, struct kv_range range,
                        struct arena *arena, struct found **rows)
{
    size_t capacity = 0;
    size_t count = 0;
    const struct note *note;
    walk.segment = faults->oldest;
    while ((note = next_note(&walk)) != NULL) {
        if (slice_compare(note->row.key, range.begin) < 0) continue;
        if (slice_compare(note->row.key, range.end) >= 0) continue;
        if (count == capacity) {
            const size_t grown = capacity == 0 ? SEGMENTS_MAX : 2 * capacity;
            *rows = arena_grow(arena, *rows, capacity * sizeof(struct found),
                               grown * sizeof(struct found));
            capacity = grown;
        }
        (*rows)[count] = (struct found){note->row, count};
        count++;
    }
    return count;
}

/* Of each row the first note counts; the bytes are copied while the notes cannot go away. */
static size_t keep_first(const struct found *found, size_t count, struct arena *arena,
                         struct past_row *rows)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct past_row *row = &found[i].row;
        if (kept > 0 && slice_equal(rows[kept - 1].key, row->key)) continue;
        rows[kept].key = arena_copy(arena, row->key);
        rows[kept++].value = arena_copy(arena, row->value);
    }
    return kept;
}

static void reverse_rows(struct past_row *rows, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        const struct past_row row = rows[i];
        rows[i] = rows[count - 1 - i];
        rows[count - 1 - i] = row;
    }
}

size_t faults_past_rows(const struct past_view *view, struct kv_range range, struct arena *arena,
                        struct past_row **rows)
{
    struct faults *faults = view->faults;
    struct walk walk = {.table_id = view->table->id, .note_count = view->note_count};
    struct found *found = NULL;
    size_t count = 0;
    if (faults == NULL) return 0;
    pthread_mutex_lock(&faults->mutex);
    if (find_horizon(faults, view, &walk.horizon_ms))
        count = find_rows(faults, walk, range, arena, &found);
    if (count > 0) {
        qsort(found, count, sizeof *found, compare_found);
        *rows = arena_array(arena, struct past_row, count);
        count = keep_first(found, count, arena, *rows);
    }
    pthread_mutex_unlock(&faults->mutex);
    if (range.reverse && count > 0) reverse_rows(*rows, count);
    return count;
}
