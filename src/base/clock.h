/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock — the time, injected. Every reading of wall-clock time goes through one struct clock,
 * which a test may freeze, set or advance while the program runs. All calls may come from any
 * thread.
 */
#ifndef STATOR_BASE_CLOCK_H
#define STATOR_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct clock {
    _Atomic int64_t offset_ms; /* added to the system's time */
    _Atomic int64_t frozen_ms; /* the time while frozen; CLOCK_RUNNING when not */
};

#define CLOCK_RUNNING INT64_MIN

void clock_open(struct clock *clock);

/* Milliseconds since the epoch, as this clock tells them. */
int64_t clock_now_ms(const struct clock *clock);

/* Moves the clock forward (or back) by delta_ms; a frozen clock stays frozen at its new time. */
void clock_advance(struct clock *clock, int64_t delta_ms);

void clock_freeze(struct clock *clock, int64_t at_ms);

/* Lets a frozen clock run again, from the time it shows. */
void clock_resume(struct clock *clock);

#endif
