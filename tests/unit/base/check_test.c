/* SPDX-License-Identifier: Apache-2.0 */
/* check_test — a failed CHECK reaches the handler with its condition and place. */
#include "base/check.h"
#include "unit/unit.h"

static jmp_buf escape;
static const char *failed_condition;
static int failed_line;

static void remember(const char *condition, const char *file, int line)
{
    (void)file;
    failed_condition = condition;
    failed_line = line;
    longjmp(escape, 1);
}

static void a_failed_check_tells_the_handler(void **state)
{
    (void)state;
    volatile int line = 0;
    check_set_handler(remember);
    if (setjmp(escape) == 0) {
        line = __LINE__ + 1;
        CHECK(1 + 1 == 3);
        fail_msg("CHECK returned");
    }
    check_set_handler(NULL);
    assert_string_equal(failed_condition, "1 + 1 == 3");
    assert_int_equal(failed_line, line);
}

static void a_true_check_does_nothing(void **state)
{
    (void)state;
    int evaluations = 0;
    CHECK(++evaluations == 1);
    assert_int_equal(evaluations, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_check_tells_the_handler),
        cmocka_unit_test(a_true_check_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
