/* SPDX-License-Identifier: Apache-2.0 */
/* reserved_test — which words are reserved. */
#include "expr/reserved.h"

#include "unit/expr/fixture.h"

static void every_listed_word_is_found_in_any_case(void **state)
{
    (void)state;
    static const char *const words[] = {
#define RESERVED(word) #word,
#include "expr/reserved.def"
#undef RESERVED
    };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        char lower[64];
        const size_t length = strlen(words[i]);
        assert_true(length < sizeof lower);
        for (size_t j = 0; j < length; j++)
            lower[j] = (char)(words[i][j] - 'A' + 'a');
        assert_true(reserved_contains(slice_of(words[i], length)));
        assert_true(reserved_contains(slice_of(lower, length)));
        lower[0] = words[i][0];
        assert_true(reserved_contains(slice_of(lower, length)));
        assert_true(i == 0 || strcmp(words[i - 1], words[i]) < 0);
    }
}

static void other_words_are_not_found(void **state)
{
    (void)state;
    static const char *const words[] = {"A",    "abor", "aborts", "pk",     "Zon",
                                        "zzz",  "a_b",  "AND1",   "NAME_",  "year2",
                                        "Zone", "ID",   "price",  "titles", "info"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const bool is_zone = strcmp(words[i], "Zone") == 0;
        assert_int_equal(reserved_contains(slice_of_string(words[i])), is_zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_listed_word_is_found_in_any_case),
        cmocka_unit_test(other_words_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
