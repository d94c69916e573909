/* SPDX-License-Identifier: Apache-2.0 */
/* progress: rates and estimates by a given clock, and what the log says and when. */
#include "store/progress.h"

#include <fcntl.h>
#include <unistd.h>

#include "unit/unit.h"

static const struct progress_job filling = {
    PROGRESS_INDEX, 7, 2, {(const uint8_t *)"Music", 5}, {(const uint8_t *)"by-artist", 9}};
static const struct progress_job expired = {
    .kind = PROGRESS_EXPIRED, .table_id = 7, .table = {(const uint8_t *)"Music", 5}};

static struct progress_board *board;
static char log_text[8192];
static int log_file;
static int true_error;

/* What is logged goes into a file, until read_log. */
static int open_board(void **state)
{
    (void)state;
    char path[] = "/tmp/stator-progress-XXXXXX";
    board = progress_board_open();
    log_file = mkstemp(path);
    assert_true(log_file >= 0);
    unlink(path);
    true_error = dup(STDERR_FILENO);
    assert_true(dup2(log_file, STDERR_FILENO) >= 0);
    return 0;
}

static int close_board(void **state)
{
    (void)state;
    dup2(true_error, STDERR_FILENO);
    close(true_error);
    close(log_file);
    progress_board_close(board);
    return 0;
}

static const char *read_log(void)
{
    const ssize_t length = pread(log_file, log_text, sizeof log_text - 1, 0);
    assert_true(length >= 0);
    log_text[length] = '\0';
    return log_text;
}

static size_t count_lines(void)
{
    size_t lines = 0;
    for (const char *at = read_log(); *at != '\0'; at++)
        lines += *at == '\n';
    return lines;
}

static void report(int64_t done, int64_t total, int64_t now_ms)
{
    progress_report(board, &filling, (struct progress_step){{done, total}, 0}, now_ms);
}

static void rates_are_those_of_the_last_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t now_ms;
        int64_t done;
        int64_t total;
        int64_t rate;
        int64_t left;
    } steps[] = {
        {"nothing is known at the beginning", 0, 0, 10000, PROGRESS_UNKNOWN, PROGRESS_UNKNOWN},
        {"nor within the first second", 999, 100, 10000, PROGRESS_UNKNOWN, PROGRESS_UNKNOWN},
        {"a second tells", 1000, 1000, 10000, 1000, 9},
        {"what is left is rounded up", 2000, 2000, 10001, 1000, 9},
        {"items that were written meanwhile count", 2000, 2000, 12000, 1000, 10},
        {"a clock set back starts again", 1500, 2000, 12000, PROGRESS_UNKNOWN, PROGRESS_UNKNOWN},
        {"and then tells", 3500, 6000, 6000, 2000, 0},
    };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct progress_count count;
        struct progress_rate rate;
        report(steps[i].done, steps[i].total, steps[i].now_ms);
        assert_true(progress_find(board, &filling, &count, &rate));
        ASSERT_CASE(count.done == steps[i].done && count.total == steps[i].total, steps[i].name);
        ASSERT_CASE(rate.items_per_second == steps[i].rate, steps[i].name);
        ASSERT_CASE(rate.seconds_left == steps[i].left, steps[i].name);
    }
}

static void old_rate_is_forgotten_after_ten_seconds(void **state)
{
    (void)state;
    struct progress_count count;
    struct progress_rate rate;
    report(0, 100000, 0);
    for (int64_t second = 1; second <= 20; second++) /* at first a thousand a second */
        report(second <= 10 ? second * 1000 : 10000 + (second - 10) * 10, 100000, second * 1000);
    assert_true(progress_find(board, &filling, &count, &rate));
    assert_in_range(rate.items_per_second, 10, 200);
    report(10110, 100000, 21000);
    assert_true(progress_find(board, &filling, &count, &rate));
    assert_int_equal(rate.items_per_second, 10);
}

static void log_has_a_line_every_two_seconds(void **state)
{
    (void)state;
    for (int64_t now_ms = 0; now_ms <= 10000; now_ms += 100)
        report(now_ms * 5, 50000, now_ms);
    assert_int_equal(count_lines(), 1 + 10000 / PROGRESS_LOG_MS);
    progress_end(board, &filling, true, 10000);
    const char *text = read_log();
    static const char *const lines[] = {
        " info table Music: filling index by-artist begins: 0 of 50000 items\n",
        " info table Music: filling index by-artist: 10000 of 50000 items, 5000 a second, 8 s "
        "left\n",
        " info table Music: filling index by-artist: 40000 of 50000 items, 5000 a second, 2 s "
        "left\n",
        " info table Music: filling index by-artist is finished: 50000 of 50000 items, 10000 ms\n",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        ASSERT_CASE(strstr(text, lines[i]) != NULL, lines[i]);
    struct progress_count count;
    struct progress_rate rate;
    assert_false(progress_find(board, &filling, &count, &rate));
}

static void clock_that_stands_still_is_no_reason_to_log(void **state)
{
    (void)state;
    for (int64_t done = 0; done <= 1000; done++)
        report(done, 1000, 1700000000000);
    assert_int_equal(count_lines(), 1);
}

static void work_of_an_earlier_run_goes_on(void **state)
{
    (void)state;
    report(12800, 50000, 0);
    progress_end(board, &filling, false, 500);
    assert_non_null(strstr(read_log(), "by-artist goes on: 12800 of 50000 items\n"));
    assert_non_null(strstr(read_log(), "by-artist stops: 12800 of 50000 items, 500 ms\n"));
}

static void begin_is_before_the_first_step(void **state)
{
    (void)state;
    progress_report(board, &filling, (struct progress_step){{128, 50000}, 128}, 0);
    assert_non_null(strstr(read_log(), "by-artist begins: 0 of 50000 items\n"));
}

static void short_deletions_are_not_mentioned(void **state)
{
    (void)state;
    const struct progress_step step = {{64, PROGRESS_UNKNOWN}, 64};
    progress_report(board, &expired, step, 0);
    progress_end(board, &expired, true, 100);
    assert_int_equal(count_lines(), 0);
    progress_report(board, &expired, step, 0);
    progress_report(board, &expired, (struct progress_step){{4064, PROGRESS_UNKNOWN}, 64}, 2000);
    progress_end(board, &expired, true, 2100);
    assert_int_equal(count_lines(), 2);
    assert_non_null(
        strstr(read_log(), "Music: deleting expired items: 4064 items, 2000 a second\n"));
}

static void what_is_no_longer_reported_is_given_up(void **state)
{
    (void)state;
    struct progress_count count;
    struct progress_rate rate;
    report(1, 10, 0);
    progress_report(board, &expired, (struct progress_step){{1, PROGRESS_UNKNOWN}, 1}, 0);
    progress_end_unreported(board, PROGRESS_INDEX, 100);
    assert_true(progress_find(board, &filling, &count, &rate));
    progress_end_unreported(board, PROGRESS_INDEX, 200);
    assert_false(progress_find(board, &filling, &count, &rate));
    assert_true(progress_find(board, &expired, &count, &rate));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rates_are_those_of_the_last_seconds, open_board,
                                        close_board),
        cmocka_unit_test_setup_teardown(old_rate_is_forgotten_after_ten_seconds, open_board,
                                        close_board),
        cmocka_unit_test_setup_teardown(log_has_a_line_every_two_seconds, open_board, close_board),
        cmocka_unit_test_setup_teardown(clock_that_stands_still_is_no_reason_to_log, open_board,
                                        close_board),
        cmocka_unit_test_setup_teardown(work_of_an_earlier_run_goes_on, open_board, close_board),
        cmocka_unit_test_setup_teardown(begin_is_before_the_first_step, open_board, close_board),
        cmocka_unit_test_setup_teardown(short_deletions_are_not_mentioned, open_board, close_board),
        cmocka_unit_test_setup_teardown(what_is_no_longer_reported_is_given_up, open_board,
                                        close_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
