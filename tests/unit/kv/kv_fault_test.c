/* SPDX-License-Identifier: Apache-2.0 */
/* kv_fault keeps the contract while no fault is armed, and fails as it is told. */
#include "unit/kv/contract.h"

#include <time.h>

enum { DELAY_US = 20000, NS_PER_US = 1000, US_PER_SECOND = 1000000 };

#define SCRIPT(...) ((struct fixture_script){.steps = {__VA_ARGS__}})

static enum kv_status get_body(struct kv_txn *txn, void *context)
{
    struct fixture *fixture = context;
    struct slice value;
    return kv_get(txn, SLICE("a"), &fixture->arena, &value);
}

static enum kv_status counter_body(struct kv_txn *txn, void *context)
{
    return kv_get_counter(txn, SLICE("n"), context);
}

/* Counts the rows before the end or the trouble. */
static enum kv_status count_body(struct kv_txn *txn, void *context)
{
    int *count = context;
    *count = 0;
    struct kv_cursor *cursor = NULL;
    enum kv_status status =
        kv_cursor_open(txn, (struct kv_range){.begin = SLICE("a"), .end = SLICE("z")}, &cursor);
    struct slice key;
    struct slice value;
    while (status == KV_OK && (status = kv_cursor_next(cursor, &key, &value)) == KV_OK)
        ++*count;
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static enum kv_status put_body(struct kv_txn *txn, void *context)
{
    kv_put(txn, slice_of_string(context), SLICE("x"));
    return KV_OK;
}

static void armed_read_fails_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture, SCRIPT({STEP_PUT, "a", "1"}, {STEP_ADD, "n", .number = 2}));
    kv_fault_arm(&fixture->plan, KV_FAULT_GET, 2, KV_CORRUPT);
    assert_int_equal(kv_view_wait(fixture->kv, get_body, fixture), KV_OK);
    assert_int_equal(kv_view_wait(fixture->kv, get_body, fixture), KV_CORRUPT);
    assert_int_equal(kv_view_wait(fixture->kv, get_body, fixture), KV_OK);
    kv_fault_arm(&fixture->plan, KV_FAULT_GET, 1, KV_UNAVAILABLE);
    int64_t number = 0;
    assert_int_equal(kv_view_wait(fixture->kv, counter_body, &number), KV_UNAVAILABLE);
    assert_int_equal(kv_update_wait(fixture->kv, counter_body, &number), KV_OK);
    assert_int_equal(number, 2);
}

static void armed_cursor_fails_at_its_row(void **state)
{
    struct fixture *fixture = *state;
    fixture_update(fixture,
                   SCRIPT({STEP_PUT, "a", "1"}, {STEP_PUT, "b", "2"}, {STEP_PUT, "c", "3"}));
    int count = 0;
    kv_fault_arm(&fixture->plan, KV_FAULT_CURSOR, 3, KV_CORRUPT);
    assert_int_equal(kv_view_wait(fixture->kv, count_body, &count), KV_CORRUPT);
    assert_int_equal(count, 2);
    assert_int_equal(kv_view_wait(fixture->kv, count_body, &count), KV_OK);
    assert_int_equal(count, 3);
}

static void failed_commit_writes_nothing_and_ends_all_updates(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(kv_update_wait(fixture->kv, put_body, "a"), KV_OK);
    assert_int_equal(kv_health(fixture->kv), KV_HEALTHY);
    kv_fault_arm(&fixture->plan, KV_FAULT_COMMIT, 1, KV_UNAVAILABLE);
    assert_int_equal(kv_update_wait(fixture->kv, put_body, "b"), KV_UNAVAILABLE);
    assert_int_equal(kv_health(fixture->kv), KV_FAILED);
    assert_int_equal(kv_update_wait(fixture->kv, put_body, "c"), KV_UNAVAILABLE);
    fixture_view(fixture, SCRIPT({STEP_SCAN, "a", "a=x ", .end = "z"}));
    fixture_reopen(fixture);
    assert_int_equal(kv_update_wait(fixture->kv, put_body, "d"), KV_OK);
    fixture_view(fixture, SCRIPT({STEP_SCAN, "a", "a=x d=x ", .end = "z"}));
}

static void failed_sync_is_not_acknowledged_though_it_may_be_found_later(void **state)
{
    struct fixture *fixture = *state;
    kv_fault_arm(&fixture->plan, KV_FAULT_SYNC, 1, KV_UNAVAILABLE);
    assert_int_equal(kv_update_wait(fixture->kv, put_body, "a"), KV_UNAVAILABLE);
    assert_int_equal(kv_update_wait(fixture->kv, put_body, "b"), KV_UNAVAILABLE);
    fixture_reopen(fixture);
    fixture_view(fixture, SCRIPT({STEP_SCAN, "a", "a=x ", .end = "z"}));
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / NS_PER_US;
}

static void delayed_point_takes_at_least_as_long(void **state)
{
    struct fixture *fixture = *state;
    kv_fault_delay(&fixture->plan, KV_FAULT_SYNC, DELAY_US);
    const int64_t before = now_us();
    assert_int_equal(kv_update_wait(fixture->kv, put_body, "a"), KV_OK);
    assert_true(now_us() - before >= DELAY_US);
}

int main(void)
{
    static struct fixture_setup setup = {.name = "fault around rocksdb", .is_wrapped = true};
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(armed_read_fails_once),
        CONTRACT_TEST(armed_cursor_fails_at_its_row),
        CONTRACT_TEST(failed_commit_writes_nothing_and_ends_all_updates),
        CONTRACT_TEST(failed_sync_is_not_acknowledged_though_it_may_be_found_later),
        CONTRACT_TEST(delayed_point_takes_at_least_as_long),
    };
    return contract_run(&setup) + contract_threads_run(&setup) + contract_corks_run(&setup) +
           contract_run_tests(tests, sizeof tests / sizeof tests[0], &setup);
}
