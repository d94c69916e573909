/* SPDX-License-Identifier: Apache-2.0 */
/* distinct_test — what is given twice is found wherever it stands. */
#include "ops/distinct.h"

#include "unit/unit.h"

static void equal_slices_are_found_wherever_they_stand(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        size_t count;
        bool distinct;
    } cases[] = {
        {{NULL}, 0, true},
        {{"a"}, 1, true},
        {{"b", "a", "c"}, 3, true},
        {{"a", "b", "a"}, 3, false},
        {{"b", "a", "ab", "b"}, 4, false},
        {{"a", "aa", "aaa", ""}, 4, true},
        {{"", ""}, 2, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice slices[4];
        for (size_t j = 0; j < cases[i].count; j++)
            slices[j] = slice_of_string(cases[i].words[j]);
        assert_int_equal(distinct_sort(slices, cases[i].count), cases[i].distinct);
    }
}

static void bytes_are_compared_and_not_texts(void **state)
{
    (void)state;
    struct slice slices[] = {SLICE("a\0b"), SLICE("a\0c"), SLICE("a")};
    assert_true(distinct_sort(slices, COUNT_OF(slices)));
    ASSERT_SLICE(slices[0], SLICE("a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_slices_are_found_wherever_they_stand),
        cmocka_unit_test(bytes_are_compared_and_not_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
