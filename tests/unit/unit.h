/* SPDX-License-Identifier: Apache-2.0 */
/* unit — what every unit test includes: cmocka with its prerequisites, slices, a printed seed. */
#ifndef STATOR_TESTS_UNIT_H
#define STATOR_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* cmocka's macro would hide model/error.h's function. */
#undef fail
#undef fail_msg
#define fail_msg(...)              \
    do {                           \
        print_error(__VA_ARGS__);  \
        print_error("\n");         \
        _fail(__FILE__, __LINE__); \
    } while (0)
#undef fail /* model/error.h has a function of this name */

#include "base/random.h"
#include "base/slice.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Fails with both texts when they differ. */
#define ASSERT_SLICE(actual, expected) unit_assert_slice((actual), (expected), __FILE__, __LINE__)

static inline void unit_assert_slice(struct slice actual, struct slice expected, const char *file,
                                     int line)
{
    if (slice_equal(actual, expected)) return;
    print_error("is \"%.*s\", expected \"%.*s\"\n", SLICE_ARGS(actual), SLICE_ARGS(expected));
    _fail(file, line);
}

/* For asserting in a loop over cases: names the case that failed. */
#define ASSERT_CASE(condition, name)                              \
    do {                                                          \
        if (!(condition)) {                                       \
            print_error("case \"%s\": %s\n", (name), #condition); \
            _fail(__FILE__, __LINE__);                            \
        }                                                         \
    } while (0)

/* A random source whose seed is printed; STATOR_SEED repeats a run. */
static inline void unit_random_open(struct random *random)
{
    const char *given = getenv("STATOR_SEED");
    const uint64_t seed = given == NULL ? (uint64_t)time(NULL) : strtoull(given, NULL, 0);
    print_message("seed %llu\n", (unsigned long long)seed);
    random_open(random, seed);
}

/* A number below limit. */
static inline uint64_t unit_random_below(struct random *random, uint64_t limit)
{
    return random_next(random) % limit;
}

#endif
