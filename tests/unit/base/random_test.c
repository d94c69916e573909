/* SPDX-License-Identifier: Apache-2.0 */
/* random_test — seeds repeat, threads do not, UUIDs look like UUIDs. */
#include "base/random.h"
#include "unit/unit.h"

#include <pthread.h>

/* The first outputs of the published splitmix64.c for the seed 1234567. */
static void numbers_are_those_of_splitmix64(void **state)
{
    (void)state;
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317),
        UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),
    };
    struct random random;
    random_open(&random, 1234567);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_true(random_next(&random) == expected[i]);
    }
}

static void seeds_from_the_system_differ(void **state)
{
    (void)state;
    struct random a;
    struct random b;
    random_open(&a, 0);
    random_open(&b, 0);
    assert_true(random_next(&a) != random_next(&b));
}

static void uuids_have_version_4_and_differ(void **state)
{
    (void)state;
    struct random random;
    unit_random_open(&random);
    char last[RANDOM_UUID_LENGTH] = {0};
    for (int i = 0; i < 1000; i++) {
        char text[RANDOM_UUID_LENGTH];
        random_uuid(&random, text);
        for (size_t at = 0; at < RANDOM_UUID_LENGTH; at++) {
            const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
            if (dash) assert_int_equal(text[at], '-');
            if (!dash) assert_non_null(strchr("0123456789abcdef", text[at]));
        }
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
        assert_memory_not_equal(text, last, RANDOM_UUID_LENGTH);
        memcpy(last, text, RANDOM_UUID_LENGTH);
    }
}

static void *draw_often(void *random)
{
    for (int i = 0; i < 10000; i++)
        random_next(random);
    return NULL;
}

static void threads_draw_each_number_once(void **state)
{
    (void)state;
    struct random shared;
    struct random alone;
    random_open(&shared, 42);
    random_open(&alone, 42);
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, draw_often, &shared), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 40000; i++)
        random_next(&alone);
    assert_true(random_next(&shared) == random_next(&alone));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_splitmix64),
        cmocka_unit_test(seeds_from_the_system_differ),
        cmocka_unit_test(uuids_have_version_4_and_differ),
        cmocka_unit_test(threads_draw_each_number_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
