/* SPDX-License-Identifier: Apache-2.0 */
/* clock_test — an injected clock follows the system until it is told otherwise. */
#include "base/clock.h"
#include "unit/unit.h"

#include <pthread.h>

enum { DAY_MS = 24 * 60 * 60 * 1000 };

/* Not time(), which reads a coarser clock that lags behind by some milliseconds. */
static int64_t system_ms(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void a_new_clock_tells_the_systems_time(void **state)
{
    (void)state;
    struct clock clock;
    clock_open(&clock);
    const int64_t before = system_ms();
    const int64_t now = clock_now_ms(&clock);
    const int64_t after = system_ms();
    assert_true(before <= now);
    assert_true(now <= after);
}

static void an_advanced_clock_runs_ahead(void **state)
{
    (void)state;
    struct clock clock;
    clock_open(&clock);
    const int64_t before = clock_now_ms(&clock);
    clock_advance(&clock, DAY_MS);
    const int64_t after = clock_now_ms(&clock);
    assert_true(after >= before + DAY_MS);
    clock_advance(&clock, -2 * DAY_MS);
    assert_true(clock_now_ms(&clock) < before);
}

static void a_frozen_clock_stands_where_it_is_put(void **state)
{
    (void)state;
    struct clock clock;
    clock_open(&clock);
    clock_freeze(&clock, 1000);
    assert_int_equal(clock_now_ms(&clock), 1000);
    clock_advance(&clock, 234);
    assert_int_equal(clock_now_ms(&clock), 1234);
    clock_freeze(&clock, 0);
    assert_int_equal(clock_now_ms(&clock), 0);
}

static void a_resumed_clock_goes_on_from_its_time(void **state)
{
    (void)state;
    struct clock clock;
    clock_open(&clock);
    clock_resume(&clock); /* of a running clock: nothing */
    clock_freeze(&clock, 5000);
    clock_resume(&clock);
    const int64_t now = clock_now_ms(&clock);
    assert_true(now >= 5000);
    assert_true(now < 5000 + DAY_MS);
}

static void *advance_often(void *clock)
{
    for (int i = 0; i < 10000; i++)
        clock_advance(clock, 1);
    return NULL;
}

static void advances_of_many_threads_add_up(void **state)
{
    (void)state;
    struct clock clock;
    clock_open(&clock);
    clock_freeze(&clock, 0);
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, advance_often, &clock), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(clock_now_ms(&clock), 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_clock_tells_the_systems_time),
        cmocka_unit_test(an_advanced_clock_runs_ahead),
        cmocka_unit_test(a_frozen_clock_stands_where_it_is_put),
        cmocka_unit_test(a_resumed_clock_goes_on_from_its_time),
        cmocka_unit_test(advances_of_many_threads_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
