/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv — the checks every engine would otherwise repeat, then a call of the engine.
 *
 * A key too long or a transaction kept after its body is a mistake of ours, so these are CHECKs.
 */
#include "kv/kv.h"

#include "kv/kv_engine.h"

#include <pthread.h>

/* Somebody waiting for the outcome of one work, on their own stack. */
struct waiter {
    kv_body *body;
    void *context;
    pthread_mutex_t mutex;
    pthread_cond_t finished;
    bool is_finished;
    enum kv_status status;
};

typedef void run_function(struct kv *kv, struct kv_work *work);

static void check_key(struct slice key);
static void check_writable(const struct kv_txn *txn);
static void check_read(struct kv_txn *txn);
static void check_range(struct slice begin, struct slice end);

enum kv_open_status kv_open(const struct kv_engine *engine, const struct kv_options *options,
                            struct kv **kv, struct arena *arena, struct slice *detail)
{
    CHECK(options->in_memory || options->path != NULL);
    *kv = NULL;
    *detail = (struct slice){NULL, 0};
    enum kv_open_status status = engine->open(options, kv, arena, detail);
    CHECK((status == KV_OPEN_OK) == (*kv != NULL));
    return status;
}

void kv_close(struct kv *kv)
{
    kv->engine->close(kv);
}

enum kv_health kv_health(struct kv *kv)
{
    return kv->engine->health(kv);
}

void kv_view(struct kv *kv, struct kv_work *work)
{
    CHECK(work->body != NULL);
    CHECK(work->done != NULL);
    kv->engine->view(kv, work);
}

void kv_update(struct kv *kv, struct kv_work *work)
{
    CHECK(work->body != NULL);
    CHECK(work->done != NULL);
    kv->engine->update(kv, work);
}

void kv_cork(struct kv *kv)
{
    kv->engine->cork(kv);
}

void kv_uncork(struct kv *kv)
{
    kv->engine->uncork(kv);
}

enum kv_status kv_engine_run(struct kv_txn *txn, const struct kv_work *work)
{
    txn->single_read = work->single_read && !txn->is_writable;
    txn->read_count = 0;
    txn->is_live = true;
    enum kv_status status = work->body(txn, work->context);
    txn->is_live = false;
    return status;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static enum kv_status waiter_body(struct kv_txn *txn, void *context)
{
    struct waiter *waiter = context;
    return waiter->body(txn, waiter->context);
}

static void waiter_done(void *context, enum kv_status status)
{
    struct waiter *waiter = context;
    pthread_mutex_lock(&waiter->mutex);
    waiter->status = status;
    waiter->is_finished = true;
    pthread_cond_signal(&waiter->finished);
    pthread_mutex_unlock(&waiter->mutex);
}

static enum kv_status run_and_wait(run_function *run, struct kv *kv, struct waiter *waiter)
{
    struct kv_work work = {.body = waiter_body, .done = waiter_done, .context = waiter};
    CHECK(pthread_mutex_init(&waiter->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&waiter->finished, NULL) == 0);
    run(kv, &work);

    pthread_mutex_lock(&waiter->mutex);
    while (!waiter->is_finished)
        pthread_cond_wait(&waiter->finished, &waiter->mutex);
    pthread_mutex_unlock(&waiter->mutex);

    pthread_cond_destroy(&waiter->finished);
    pthread_mutex_destroy(&waiter->mutex);
    return waiter->status;
}

enum kv_status kv_view_wait(struct kv *kv, kv_body *body, void *context)
{
    return run_and_wait(kv_view, kv, &(struct waiter){.body = body, .context = context});
}

/* Uncorking begins the update even if somebody, perhaps the one who waits for it, has corked. */
static void update_at_once(struct kv *kv, struct kv_work *work)
{
    kv_cork(kv);
    kv_update(kv, work);
    kv_uncork(kv);
}

enum kv_status kv_update_wait(struct kv *kv, kv_body *body, void *context)
{
    return run_and_wait(update_at_once, kv, &(struct waiter){.body = body, .context = context});
}

/* ---- inside a body --------------------------------------------------------------------------- */

enum kv_status kv_get(struct kv_txn *txn, struct slice key, struct arena *arena,
                      struct slice *value)
{
    check_key(key);
    check_read(txn);
    *value = (struct slice){NULL, 0};
    return txn->engine->get(txn, key, arena, value);
}

enum kv_status kv_get_counter(struct kv_txn *txn, struct slice key, int64_t *value)
{
    check_key(key);
    check_read(txn);
    *value = 0;
    return txn->engine->get_counter(txn, key, value);
}

enum kv_status kv_metadata_version(struct kv_txn *txn, uint64_t *version)
{
    CHECK(txn->is_live);
    *version = 0;
    return txn->engine->metadata_version(txn, version);
}

void kv_put(struct kv_txn *txn, struct slice key, struct slice value)
{
    check_key(key);
    check_writable(txn);
    CHECK(value.length <= KV_VALUE_BYTES_MAX);
    txn->engine->put(txn, key, value);
}

void kv_delete(struct kv_txn *txn, struct slice key)
{
    check_key(key);
    check_writable(txn);
    txn->engine->remove(txn, key);
}

void kv_delete_range(struct kv_txn *txn, struct slice begin, struct slice end)
{
    check_range(begin, end);
    check_writable(txn);
    if (slice_compare(begin, end) < 0) txn->engine->remove_range(txn, begin, end);
}

void kv_add(struct kv_txn *txn, struct slice key, int64_t delta)
{
    check_key(key);
    check_writable(txn);
    if (delta != 0) txn->engine->add(txn, key, delta);
}

void kv_append(struct kv_txn *txn, struct slice prefix, struct slice value)
{
    check_key(prefix);
    check_writable(txn);
    CHECK(prefix.length <= KV_KEY_BYTES_MAX - KV_STAMP_BYTES);
    CHECK(value.length <= KV_VALUE_BYTES_MAX);
    txn->engine->append(txn, prefix, value);
}

void kv_touch_metadata(struct kv_txn *txn)
{
    check_writable(txn);
    txn->engine->touch_metadata(txn);
}

enum kv_status kv_cursor_open(struct kv_txn *txn, struct kv_range range, struct kv_cursor **cursor)
{
    check_range(range.begin, range.end);
    check_read(txn);
    *cursor = NULL;
    enum kv_status status = txn->engine->cursor_open(txn, range, cursor);
    if (status == KV_OK) (*cursor)->txn = txn;
    return status;
}

enum kv_status kv_cursor_next(struct kv_cursor *cursor, struct slice *key, struct slice *value)
{
    CHECK(cursor->txn->is_live);
    *key = *value = (struct slice){NULL, 0};
    return cursor->engine->cursor_next(cursor, key, value);
}

void kv_cursor_close(struct kv_cursor *cursor)
{
    CHECK(cursor->txn->is_live);
    cursor->engine->cursor_close(cursor);
}

static void check_key(struct slice key)
{
    CHECK(key.length > 0);
    CHECK(key.length <= KV_KEY_BYTES_MAX);
    CHECK(key.data[0] < KV_ENGINE_BYTE);
}

static void check_range(struct slice begin, struct slice end)
{
    const bool is_open_ended = end.length == 1 && end.data[0] == KV_ENGINE_BYTE;
    if (!is_open_ended) check_key(end);
    if (begin.length > 0) check_key(begin);
}

static void check_writable(const struct kv_txn *txn)
{
    CHECK(txn->is_live);
    CHECK(txn->is_writable);
}

/* A second read of a single_read body would see another state of the store than the first. */
static void check_read(struct kv_txn *txn)
{
    CHECK(txn->is_live);
    CHECK(!txn->single_read || txn->read_count == 0);
    txn->read_count++;
}
