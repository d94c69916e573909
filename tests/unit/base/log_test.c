/* SPDX-License-Identifier: Apache-2.0 */
/* log_test — an event is one line: time, level, text. Standard error is caught in a pipe. */
#include "base/log.h"
#include "unit/unit.h"

#include <unistd.h>

enum { LINE_ROOM = 4096 };

static int caught[2];
static int saved;

static void catch_standard_error(void)
{
    assert_int_equal(pipe(caught), 0);
    saved = dup(STDERR_FILENO);
    assert_true(dup2(caught[1], STDERR_FILENO) >= 0);
    close(caught[1]);
}

/* Gives standard error back and returns what was written. */
static struct slice release_standard_error(char text[LINE_ROOM])
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    const ssize_t length = read(caught[0], text, LINE_ROOM - 1);
    close(caught[0]);
    assert_true(length > 0);
    text[length] = '\0';
    return slice_of(text, (size_t)length);
}

static void a_line_has_time_level_and_text(void **state)
{
    (void)state;
    char text[LINE_ROOM];
    catch_standard_error();
    log_warning("table %s has %d items", "t", 3);
    release_standard_error(text);
    int year = 0;
    int month = 0;
    int day = 0;
    int at = 0;
    assert_int_equal(sscanf(text, "%d-%d-%dT%*d:%*d:%*d.%*3dZ %n", &year, &month, &day, &at), 3);
    assert_true(year > 2000);
    assert_true(month >= 1);
    assert_true(day >= 1);
    assert_string_equal(text + at, "warning table t has 3 items\n");
}

static void text_from_outside_cannot_begin_a_new_line(void **state)
{
    (void)state;
    char text[LINE_ROOM];
    catch_standard_error();
    log_error("bad name: %s", "x\n2020-01-01T00:00:00.000Z info all is well");
    const struct slice line = release_standard_error(text);
    assert_ptr_equal(strchr(text, '\n'), text + line.length - 1);
}

static void a_long_event_is_cut_and_still_ends_its_line(void **state)
{
    (void)state;
    char text[LINE_ROOM];
    catch_standard_error();
    log_info("%5000d", 1);
    const struct slice line = release_standard_error(text);
    assert_true(line.length <= 2048);
    assert_int_equal(text[line.length - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_and_text),
        cmocka_unit_test(text_from_outside_cannot_begin_a_new_line),
        cmocka_unit_test(a_long_event_is_cut_and_still_ends_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
