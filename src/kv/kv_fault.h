/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_fault — an engine that wraps another and fails or delays where it is told to.
 *
 * Open it with kv_options.engine_options pointing to a plan, which outlives the store and may be
 * changed by any thread while it is open. The other options are the wrapped engine's.
 */
#ifndef STATOR_KV_KV_FAULT_H
#define STATOR_KV_KV_FAULT_H

#include "kv/kv.h"

#include <stdatomic.h>

/* Where something can go wrong. */
enum kv_fault_point {
    KV_FAULT_GET,    /* kv_get, kv_get_counter */
    KV_FAULT_CURSOR, /* kv_cursor_next */
    KV_FAULT_COMMIT, /* an accepted body's write: not written, and the store takes no more */
    KV_FAULT_SYNC,   /* the same, but it was written: a later opening finds it */
    KV_FAULT_POINTS,
};

struct kv_fault_plan {
    const struct kv_engine *engine; /* the wrapped one */
    void *engine_options;           /* its own */
    struct {
        _Atomic uint64_t countdown; /* the fault strikes when this becomes 0; 0 = never */
        _Atomic int status;         /* what a read then returns; writes become KV_UNAVAILABLE */
        _Atomic uint32_t delay_us;  /* before each pass */
    } points[KV_FAULT_POINTS];
};

/* A plan without faults. */
void kv_fault_plan_open(struct kv_fault_plan *plan, const struct kv_engine *engine);

/* Lets the passes-th pass of point from now on fail, once. */
void kv_fault_arm(struct kv_fault_plan *plan, enum kv_fault_point point, uint64_t passes,
                  enum kv_status status);

/* Makes every pass of point take this much longer: a slow disk. */
void kv_fault_delay(struct kv_fault_plan *plan, enum kv_fault_point point, uint32_t delay_us);

extern const struct kv_engine kv_fault;

#endif
