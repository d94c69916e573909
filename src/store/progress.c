/* SPDX-License-Identifier: Apache-2.0 */
/* progress — a list of jobs under a mutex: short, for there are few threads in the background. */
#include "store/progress.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/log.h"
#include "store/layout.h"

enum {
    SAMPLES = 10,     /* the rate is that of as many … */
    SAMPLE_MS = 1000, /* … of these at most */
    MS_PER_SECOND = 1000,
};

/* So much was done at this time. */
struct sample {
    int64_t time_ms;
    int64_t done;
};

struct entry {
    struct entry *next;
    struct progress_job job; /* with names of its own, in the arena */
    struct arena arena;
    struct progress_count count;
    bool is_reported; /* since progress_end_unreported */
    int64_t begin_ms;
    int64_t begin_done;
    int64_t logged_ms;
    bool is_logged;                 /* there was a line */
    struct sample samples[SAMPLES]; /* the oldest first */
    size_t sample_count;
    struct sample newest;
};

struct progress_board {
    pthread_mutex_t mutex;
    struct entry *entries;
};

static struct entry *entry_open(const struct progress_job *job, struct progress_count count,
                                int64_t now_ms);
static void entry_close(struct entry *entry);
static struct entry **find(struct progress_board *board, const struct progress_job *job);
static void take_sample(struct entry *entry, int64_t now_ms);
static struct progress_rate rate_of(const struct entry *entry);
static void end(struct entry **place, bool is_finished, int64_t now_ms);
static void log_begin(struct entry *entry);
static void log_step(struct entry *entry, int64_t now_ms);
static void log_end(const struct entry *entry, bool is_finished, int64_t now_ms);

struct progress_board *progress_board_open(void)
{
    struct progress_board *board = calloc(1, sizeof *board);
    CHECK(board != NULL);
    CHECK(pthread_mutex_init(&board->mutex, NULL) == 0);
    return board;
}

void progress_board_close(struct progress_board *board)
{
    while (board->entries != NULL) {
        struct entry *entry = board->entries;
        board->entries = entry->next;
        entry_close(entry);
    }
    pthread_mutex_destroy(&board->mutex);
    free(board);
}

void progress_report(struct progress_board *board, const struct progress_job *job,
                     struct progress_step step, int64_t now_ms)
{
    const struct progress_count count = step.count;
    CHECK(count.total == PROGRESS_UNKNOWN || count.total >= count.done);
    CHECK(count.done >= step.newest);
    if (board == NULL) return;
    pthread_mutex_lock(&board->mutex);
    struct entry **place = find(board, job);
    if (*place == NULL) {
        *place =
            entry_open(job, (struct progress_count){count.done - step.newest, count.total}, now_ms);
        log_begin(*place);
    }
    struct entry *entry = *place;
    entry->count = count;
    entry->is_reported = true;
    take_sample(entry, now_ms);
    log_step(entry, now_ms);
    pthread_mutex_unlock(&board->mutex);
}

void progress_end(struct progress_board *board, const struct progress_job *job, bool is_finished,
                  int64_t now_ms)
{
    if (board == NULL) return;
    pthread_mutex_lock(&board->mutex);
    struct entry **place = find(board, job);
    if (*place != NULL) end(place, is_finished, now_ms);
    pthread_mutex_unlock(&board->mutex);
}

void progress_end_unreported(struct progress_board *board, enum progress_kind kind, int64_t now_ms)
{
    if (board == NULL) return;
    pthread_mutex_lock(&board->mutex);
    struct entry **place = &board->entries;
    while (*place != NULL) {
        struct entry *entry = *place;
        if (entry->job.kind == kind && !entry->is_reported) {
            end(place, false, now_ms);
        } else {
            if (entry->job.kind == kind) entry->is_reported = false;
            place = &entry->next;
        }
    }
    pthread_mutex_unlock(&board->mutex);
}

bool progress_find(struct progress_board *board, const struct progress_job *job,
                   struct progress_count *count, struct progress_rate *rate)
{
    if (board == NULL) return false;
    pthread_mutex_lock(&board->mutex);
    const struct entry *entry = *find(board, job);
    if (entry != NULL) {
        *count = entry->count;
        *rate = rate_of(entry);
    }
    pthread_mutex_unlock(&board->mutex);
    return entry != NULL;
}

enum kv_status progress_read(struct kv_txn *txn, const struct table *table, uint32_t index_id,
                             struct progress_count *count)
{
    struct arena keys;
    arena_open(&keys, 0);
    enum kv_status status =
        kv_get_counter(txn, layout_backfill_count_key(&keys, table->id, index_id), &count->done);
    if (status == KV_OK)
        status = kv_get_counter(txn, layout_count_key(&keys, table->id, 0), &count->total);
    arena_close(&keys);
    if (status == KV_OK && count->total < count->done) status = KV_CORRUPT;
    return status;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static struct entry *entry_open(const struct progress_job *job, struct progress_count count,
                                int64_t now_ms)
{
    struct entry *entry = calloc(1, sizeof *entry);
    CHECK(entry != NULL);
    arena_open(&entry->arena, 0);
    entry->job = *job;
    entry->job.table = arena_copy(&entry->arena, job->table);
    entry->job.index = arena_copy(&entry->arena, job->index);
    entry->count = count;
    entry->begin_ms = now_ms;
    entry->begin_done = count.done;
    entry->logged_ms = now_ms;
    return entry;
}

static void entry_close(struct entry *entry)
{
    arena_close(&entry->arena);
    free(entry);
}

/* Where the job is in the list, or where it would be appended. */
static struct entry **find(struct progress_board *board, const struct progress_job *job)
{
    struct entry **place = &board->entries;
    while (*place != NULL) {
        const struct progress_job *other = &(*place)->job;
        if (other->kind == job->kind && other->table_id == job->table_id &&
            other->index_id == job->index_id)
            break;
        place = &(*place)->next;
    }
    return place;
}

static void end(struct entry **place, bool is_finished, int64_t now_ms)
{
    struct entry *entry = *place;
    *place = entry->next;
    log_end(entry, is_finished, now_ms);
    entry_close(entry);
}

/* ---- rates ----------------------------------------------------------------------------------- */

/* A clock that was set back starts the measurement again. */
static void take_sample(struct entry *entry, int64_t now_ms)
{
    const struct sample sample = {now_ms, entry->count.done};
    if (entry->sample_count > 0 && now_ms < entry->newest.time_ms) entry->sample_count = 0;
    entry->newest = sample;
    if (entry->sample_count > 0 &&
        now_ms - entry->samples[entry->sample_count - 1].time_ms < SAMPLE_MS)
        return;
    if (entry->sample_count == SAMPLES) {
        memmove(entry->samples, entry->samples + 1, (SAMPLES - 1) * sizeof sample);
        entry->sample_count--;
    }
    entry->samples[entry->sample_count++] = sample;
}

static struct progress_rate rate_of(const struct entry *entry)
{
    struct progress_rate rate = {PROGRESS_UNKNOWN, PROGRESS_UNKNOWN};
    const struct sample *oldest = &entry->samples[0];
    const int64_t elapsed_ms = entry->newest.time_ms - oldest->time_ms;
    const int64_t done = entry->newest.done - oldest->done;
    if (elapsed_ms < SAMPLE_MS || done <= 0) return rate;
    rate.items_per_second = done * MS_PER_SECOND / elapsed_ms;
    if (entry->count.total == PROGRESS_UNKNOWN) return rate;
    const int64_t left = entry->count.total - entry->count.done;
    const int64_t done_in_seconds = done * MS_PER_SECOND;
    rate.seconds_left = (left * elapsed_ms + done_in_seconds - 1) / done_in_seconds;
    return rate;
}

/* ---- the log --------------------------------------------------------------------------------- */

/* "table music: filling index by_artist" */
static void append_work(struct buffer *line, const struct progress_job *job)
{
    static const char *const words[] = {
        [PROGRESS_INDEX] = ": filling index ",
        [PROGRESS_EXPIRY_INDEX] = ": filling the index of expiry times",
        [PROGRESS_EXPIRED] = ": deleting expired items",
    };
    BUFFER_TEXT(line, "table ");
    buffer_append(line, job->table);
    buffer_append(line, slice_of_string(words[job->kind]));
    buffer_append(line, job->index);
}

/* "12800 of 50000 items" */
static void append_count(struct buffer *line, struct progress_count count)
{
    buffer_append_format(line, "%lld", (long long)count.done);
    if (count.total != PROGRESS_UNKNOWN)
        buffer_append_format(line, " of %lld", (long long)count.total);
    BUFFER_TEXT(line, " items");
}

static void log_line(const struct buffer *line)
{
    log_info("%.*s", SLICE_ARGS(buffer_slice(line)));
}

static bool is_quiet(const struct entry *entry)
{
    return entry->job.kind == PROGRESS_EXPIRED;
}

static void log_begin(struct entry *entry)
{
    if (is_quiet(entry)) return;
    struct arena arena;
    arena_open(&arena, 0);
    struct buffer line = buffer_open(&arena, 0);
    append_work(&line, &entry->job);
    buffer_append(&line, entry->begin_done > 0 ? SLICE(" goes on: ") : SLICE(" begins: "));
    append_count(&line, entry->count);
    log_line(&line);
    arena_close(&arena);
    entry->is_logged = true;
}

static void log_step(struct entry *entry, int64_t now_ms)
{
    const int64_t age_ms = now_ms - entry->logged_ms;
    if (age_ms >= 0 && age_ms < PROGRESS_LOG_MS) return;
    entry->logged_ms = now_ms;
    if (age_ms < 0) return; /* the clock was set back */
    struct arena arena;
    arena_open(&arena, 0);
    struct buffer line = buffer_open(&arena, 0);
    const struct progress_rate rate = rate_of(entry);
    append_work(&line, &entry->job);
    BUFFER_TEXT(&line, ": ");
    append_count(&line, entry->count);
    if (rate.items_per_second != PROGRESS_UNKNOWN)
        buffer_append_format(&line, ", %lld a second", (long long)rate.items_per_second);
    if (rate.seconds_left != PROGRESS_UNKNOWN)
        buffer_append_format(&line, ", %lld s left", (long long)rate.seconds_left);
    log_line(&line);
    arena_close(&arena);
    entry->is_logged = true;
}

static void log_end(const struct entry *entry, bool is_finished, int64_t now_ms)
{
    if (!entry->is_logged) return;
    struct arena arena;
    arena_open(&arena, 0);
    struct buffer line = buffer_open(&arena, 0);
    append_work(&line, &entry->job);
    buffer_append(&line, is_finished ? SLICE(" is finished: ") : SLICE(" stops: "));
    append_count(&line, entry->count);
    buffer_append_format(&line, ", %lld ms", (long long)(now_ms - entry->begin_ms));
    log_line(&line);
    arena_close(&arena);
}
