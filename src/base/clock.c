/* SPDX-License-Identifier: Apache-2.0 */
/* clock — the system's time plus an offset, or a frozen time. Lock-free: two atomics, read once
 * each. */
#include "base/clock.h"

#include "base/check.h"
#include <time.h>

enum {
    MS_PER_SECOND = 1000,
    NS_PER_MS = 1000000,
};

static int64_t system_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

void clock_open(struct clock *clock)
{
    atomic_init(&clock->offset_ms, 0);
    atomic_init(&clock->frozen_ms, CLOCK_RUNNING);
}

int64_t clock_now_ms(const struct clock *clock)
{
    const int64_t frozen = atomic_load(&clock->frozen_ms);
    if (frozen != CLOCK_RUNNING) return frozen;
    return system_ms() + atomic_load(&clock->offset_ms);
}

void clock_advance(struct clock *clock, int64_t delta_ms)
{
    int64_t frozen = atomic_load(&clock->frozen_ms);
    while (frozen != CLOCK_RUNNING) {
        if (atomic_compare_exchange_weak(&clock->frozen_ms, &frozen, frozen + delta_ms)) return;
    }
    atomic_fetch_add(&clock->offset_ms, delta_ms);
}

void clock_freeze(struct clock *clock, int64_t at_ms)
{
    CHECK(at_ms != CLOCK_RUNNING);
    atomic_store(&clock->frozen_ms, at_ms);
}

void clock_resume(struct clock *clock)
{
    const int64_t frozen = atomic_load(&clock->frozen_ms);
    if (frozen == CLOCK_RUNNING) return;
    /* The offset first: a reader in between still sees the frozen time, never the system's. */
    atomic_store(&clock->offset_ms, frozen - system_ms());
    atomic_store(&clock->frozen_ms, CLOCK_RUNNING);
}
