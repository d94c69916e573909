/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_fault — every body is run inside a body of the wrapped engine, with a transaction of ours that
 * forwards to the wrapped one.
 *
 * A failing commit is made by declining the wrapped body; a failing sync by letting it be written
 * and saying otherwise. Both leave the store read-only, as a real one would be. A real engine also
 * fails the rest of the group; here the bodies of a group that ran before the fault are durable, so
 * they may be told so.
 */
#include "kv/kv_fault.h"

#include "kv/kv_engine.h"

#include <stdlib.h>
#include <time.h>

struct fault {
    struct kv kv;
    struct kv *wrapped;
    struct kv_fault_plan *plan;
    atomic_bool has_failed; /* no further updates */
};

struct fault_txn {
    struct kv_txn txn;
    struct kv_txn *wrapped;
    struct kv_fault_plan *plan;
};

struct fault_cursor {
    struct kv_cursor cursor;
    struct kv_cursor *wrapped;
    struct kv_fault_plan *plan;
};

/* A view or update under way. */
struct attempt {
    struct kv_work wrapped;
    struct kv_work *work;
    struct fault *fault;
    bool is_update;
    bool is_refused; /* the store had failed before, or failed here */
};

enum { NS_PER_US = 1000, US_PER_SECOND = 1000000 };

static void attempt_open(struct kv *kv, struct kv_work *work, bool is_update);
static enum kv_status view_body(struct kv_txn *wrapped, void *context);
static enum kv_status update_body(struct kv_txn *wrapped, void *context);
static void attempt_close(void *context, enum kv_status status);

/* ---- the plan -------------------------------------------------------------------------------- */

void kv_fault_plan_open(struct kv_fault_plan *plan, const struct kv_engine *engine)
{
    CHECK(engine != &kv_fault);
    *plan = (struct kv_fault_plan){.engine = engine};
}

void kv_fault_arm(struct kv_fault_plan *plan, enum kv_fault_point point, uint64_t passes,
                  enum kv_status status)
{
    CHECK(status != KV_OK);
    atomic_store(&plan->points[point].status, (int)status);
    atomic_store(&plan->points[point].countdown, passes);
}

void kv_fault_delay(struct kv_fault_plan *plan, enum kv_fault_point point, uint32_t delay_us)
{
    atomic_store(&plan->points[point].delay_us, delay_us);
}

/* KV_OK, or the status of the fault that strikes now. */
static enum kv_status pass(struct kv_fault_plan *plan, enum kv_fault_point point)
{
    const uint32_t delay_us = atomic_load(&plan->points[point].delay_us);
    if (delay_us > 0) {
        const struct timespec time = {.tv_sec = delay_us / US_PER_SECOND,
                                      .tv_nsec = (long)(delay_us % US_PER_SECOND) * NS_PER_US};
        nanosleep(&time, NULL);
    }
    uint64_t countdown = atomic_load(&plan->points[point].countdown);
    while (countdown > 0) {
        if (!atomic_compare_exchange_weak(&plan->points[point].countdown, &countdown,
                                          countdown - 1))
            continue;
        return countdown == 1 ? (enum kv_status)atomic_load(&plan->points[point].status) : KV_OK;
    }
    return KV_OK;
}

/* ---- the store ------------------------------------------------------------------------------- */

static enum kv_open_status fault_open(const struct kv_options *options, struct kv **kv,
                                      struct arena *arena, struct slice *detail)
{
    struct kv_fault_plan *plan = options->engine_options;
    CHECK(plan != NULL);
    struct kv_options inner = *options;
    inner.engine_options = plan->engine_options;
    struct kv *wrapped = NULL;
    const enum kv_open_status status = kv_open(plan->engine, &inner, &wrapped, arena, detail);
    if (status != KV_OPEN_OK) return status;

    struct fault *fault = calloc(1, sizeof *fault);
    CHECK(fault != NULL);
    fault->kv.engine = &kv_fault;
    fault->wrapped = wrapped;
    fault->plan = plan;
    *kv = &fault->kv;
    return KV_OPEN_OK;
}

static void fault_close(struct kv *kv)
{
    struct fault *fault = (struct fault *)kv;
    kv_close(fault->wrapped);
    free(fault);
}

static enum kv_health fault_health(struct kv *kv)
{
    struct fault *fault = (struct fault *)kv;
    return atomic_load(&fault->has_failed) ? KV_FAILED : kv_health(fault->wrapped);
}

static void fault_view(struct kv *kv, struct kv_work *work)
{
    attempt_open(kv, work, false);
}

static void fault_update(struct kv *kv, struct kv_work *work)
{
    attempt_open(kv, work, true);
}

static void fault_cork(struct kv *kv)
{
    kv_cork(((struct fault *)kv)->wrapped);
}

static void fault_uncork(struct kv *kv)
{
    kv_uncork(((struct fault *)kv)->wrapped);
}

static void attempt_open(struct kv *kv, struct kv_work *work, bool is_update)
{
    struct attempt *attempt = calloc(1, sizeof *attempt);
    CHECK(attempt != NULL);
    attempt->work = work;
    attempt->fault = (struct fault *)kv;
    attempt->is_update = is_update;
    attempt->wrapped.body = is_update ? update_body : view_body;
    attempt->wrapped.done = attempt_close;
    attempt->wrapped.context = attempt;
    attempt->wrapped.single_read = work->single_read;
    (is_update ? kv_update : kv_view)(attempt->fault->wrapped, &attempt->wrapped);
}

static enum kv_status view_body(struct kv_txn *wrapped, void *context)
{
    const struct attempt *attempt = context;
    struct fault_txn txn = {
        .txn.engine = &kv_fault, .wrapped = wrapped, .plan = attempt->fault->plan};
    return kv_engine_run(&txn.txn, attempt->work);
}

static enum kv_status update_body(struct kv_txn *wrapped, void *context)
{
    struct attempt *attempt = context;
    struct fault *fault = attempt->fault;
    attempt->is_refused = atomic_load(&fault->has_failed);
    if (attempt->is_refused) return KV_ABORTED;

    struct fault_txn txn = {
        .txn.engine = &kv_fault, .txn.is_writable = true, .wrapped = wrapped, .plan = fault->plan};
    const enum kv_status status = kv_engine_run(&txn.txn, attempt->work);
    if (status != KV_OK || pass(fault->plan, KV_FAULT_COMMIT) == KV_OK) return status;
    atomic_store(&fault->has_failed, true);
    attempt->is_refused = true;
    return KV_ABORTED;
}

static void attempt_close(void *context, enum kv_status status)
{
    struct attempt *attempt = context;
    struct fault *fault = attempt->fault;
    if (attempt->is_refused) {
        status = KV_UNAVAILABLE;
    } else if (attempt->is_update && status == KV_OK && pass(fault->plan, KV_FAULT_SYNC) != KV_OK) {
        atomic_store(&fault->has_failed, true);
        status = KV_UNAVAILABLE;
    }
    struct kv_work *work = attempt->work;
    free(attempt);
    work->done(work->context, status);
}

/* ---- inside a body --------------------------------------------------------------------------- */

static struct kv_txn *wrapped_of(struct kv_txn *txn)
{
    return ((struct fault_txn *)txn)->wrapped;
}

static enum kv_status fault_get(struct kv_txn *txn, struct slice key, struct arena *arena,
                                struct slice *value)
{
    const enum kv_status status = pass(((struct fault_txn *)txn)->plan, KV_FAULT_GET);
    return status != KV_OK ? status : kv_get(wrapped_of(txn), key, arena, value);
}

static enum kv_status fault_get_counter(struct kv_txn *txn, struct slice key, int64_t *value)
{
    const enum kv_status status = pass(((struct fault_txn *)txn)->plan, KV_FAULT_GET);
    return status != KV_OK ? status : kv_get_counter(wrapped_of(txn), key, value);
}

static enum kv_status fault_metadata_version(struct kv_txn *txn, uint64_t *version)
{
    return kv_metadata_version(wrapped_of(txn), version);
}

static void fault_put(struct kv_txn *txn, struct slice key, struct slice value)
{
    kv_put(wrapped_of(txn), key, value);
}

static void fault_remove(struct kv_txn *txn, struct slice key)
{
    kv_delete(wrapped_of(txn), key);
}

static void fault_remove_range(struct kv_txn *txn, struct slice begin, struct slice end)
{
    kv_delete_range(wrapped_of(txn), begin, end);
}

static void fault_add(struct kv_txn *txn, struct slice key, int64_t delta)
{
    kv_add(wrapped_of(txn), key, delta);
}

static void fault_append(struct kv_txn *txn, struct slice prefix, struct slice value)
{
    kv_append(wrapped_of(txn), prefix, value);
}

static void fault_touch_metadata(struct kv_txn *txn)
{
    kv_touch_metadata(wrapped_of(txn));
}

static enum kv_status fault_cursor_open(struct kv_txn *txn, struct kv_range range,
                                        struct kv_cursor **result)
{
    struct kv_cursor *wrapped = NULL;
    const enum kv_status status = kv_cursor_open(wrapped_of(txn), range, &wrapped);
    if (status != KV_OK) return status;
    struct fault_cursor *cursor = malloc(sizeof *cursor);
    CHECK(cursor != NULL);
    *cursor = (struct fault_cursor){
        .cursor.engine = &kv_fault, .wrapped = wrapped, .plan = ((struct fault_txn *)txn)->plan};
    *result = &cursor->cursor;
    return KV_OK;
}

static enum kv_status fault_cursor_next(struct kv_cursor *base, struct slice *key,
                                        struct slice *value)
{
    struct fault_cursor *cursor = (struct fault_cursor *)base;
    const enum kv_status status = pass(cursor->plan, KV_FAULT_CURSOR);
    return status != KV_OK ? status : kv_cursor_next(cursor->wrapped, key, value);
}

static void fault_cursor_close(struct kv_cursor *base)
{
    struct fault_cursor *cursor = (struct fault_cursor *)base;
    kv_cursor_close(cursor->wrapped);
    free(cursor);
}

const struct kv_engine kv_fault = {
    .name = "fault",
    .open = fault_open,
    .close = fault_close,
    .health = fault_health,
    .view = fault_view,
    .update = fault_update,
    .cork = fault_cork,
    .uncork = fault_uncork,
    .get = fault_get,
    .get_counter = fault_get_counter,
    .metadata_version = fault_metadata_version,
    .put = fault_put,
    .remove = fault_remove,
    .remove_range = fault_remove_range,
    .add = fault_add,
    .append = fault_append,
    .touch_metadata = fault_touch_metadata,
    .cursor_open = fault_cursor_open,
    .cursor_next = fault_cursor_next,
    .cursor_close = fault_cursor_close,
};
