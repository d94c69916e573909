/* SPDX-License-Identifier: Apache-2.0 */
/* contract_corks — updates come to their end whoever has corked, and none is lost. */
#include "unit/kv/contract.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

enum {
    THREADS = 4,
    TURNS = 150,    /* of each thread */
    TURN_MAX = 6,   /* updates of one */
    UPDATES = 12,   /* under one cork */
    PATIENCE_S = 20 /* what takes longer is lost */
};

/* Updates under way; bodies wait in front of a closed gate. */
struct tally {
    struct kv *kv;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_closed;
    bool has_begun; /* a body */
    int done;
    int failed;
};

#define TALLY(store)                                                                           \
    {                                                                                          \
        .kv = (store), .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER \
    }

static enum kv_status count_body(struct kv_txn *txn, void *context)
{
    struct tally *tally = context;
    pthread_mutex_lock(&tally->mutex);
    tally->has_begun = true;
    pthread_cond_broadcast(&tally->changed);
    while (tally->is_closed)
        pthread_cond_wait(&tally->changed, &tally->mutex);
    pthread_mutex_unlock(&tally->mutex);
    kv_add(txn, SLICE("counted"), 1);
    return KV_OK;
}

static void count_done(void *context, enum kv_status status)
{
    struct tally *tally = context;
    pthread_mutex_lock(&tally->mutex);
    tally->done++;
    if (status != KV_OK) tally->failed++;
    pthread_cond_broadcast(&tally->changed);
    pthread_mutex_unlock(&tally->mutex);
}

static void queue(struct tally *tally, struct kv_work *works, int count)
{
    for (int i = 0; i < count; i++) {
        works[i] = (struct kv_work){.body = count_body, .done = count_done, .context = tally};
        kv_update(tally->kv, &works[i]);
    }
}

/* Whether so many are done, all of them well, before patience ends. */
static bool wait_for(struct tally *tally, int count)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    int error = 0;
    pthread_mutex_lock(&tally->mutex);
    while (tally->done < count && error == 0)
        error = pthread_cond_timedwait(&tally->changed, &tally->mutex, &until);
    const bool is_well = tally->done == count && tally->failed == 0;
    pthread_mutex_unlock(&tally->mutex);
    return is_well;
}

static enum kv_status counted_body(struct kv_txn *txn, void *context)
{
    return kv_get_counter(txn, SLICE("counted"), context);
}

static void assert_counted(struct kv *kv, int64_t expected)
{
    int64_t counted = 0;
    assert_int_equal(kv_view_wait(kv, counted_body, &counted), KV_OK);
    assert_int_equal(counted, expected);
}

static void updates_under_a_cork_are_done_after_it(void **state)
{
    struct fixture *fixture = *state;
    struct tally tally = TALLY(fixture->kv);
    struct kv_work works[UPDATES];
    for (int round = 1; round <= 3; round++) {
        kv_cork(fixture->kv);
        queue(&tally, works, UPDATES);
        kv_uncork(fixture->kv);
        assert_true(wait_for(&tally, round * UPDATES));
    }
    assert_counted(fixture->kv, 3 * UPDATES);
}

/* What one thread does while another has corked, and stays so. */
static void *cork_and_wait(void *context)
{
    struct tally *tally = context;
    struct kv_work works[2];
    kv_cork(tally->kv);
    queue(tally, works, 1);
    kv_cork(tally->kv);
    queue(tally, &works[1], 1);
    kv_uncork(tally->kv);
    kv_uncork(tally->kv);
    return wait_for(tally, 2) ? tally : NULL;
}

static void uncork_begins_what_is_queued_whoever_else_has_corked(void **state)
{
    struct fixture *fixture = *state;
    struct tally tally = TALLY(fixture->kv);
    pthread_t thread;
    void *result = NULL;
    kv_cork(fixture->kv);
    assert_int_equal(pthread_create(&thread, NULL, cork_and_wait, &tally), 0);
    pthread_join(thread, &result);
    kv_uncork(fixture->kv);
    assert_non_null(result);
    assert_counted(fixture->kv, 2);
}

/* The same when the uncorking finds the engine busy with an earlier group. */
static void uncork_counts_also_while_an_update_runs(void **state)
{
    struct fixture *fixture = *state;
    struct tally tally = TALLY(fixture->kv);
    struct kv_work works[3];
    tally.is_closed = true;
    queue(&tally, works, 1);
    pthread_mutex_lock(&tally.mutex);
    while (!tally.has_begun)
        pthread_cond_wait(&tally.changed, &tally.mutex);
    pthread_mutex_unlock(&tally.mutex);

    kv_cork(fixture->kv);
    kv_cork(fixture->kv);
    queue(&tally, &works[1], 2);
    kv_uncork(fixture->kv);
    pthread_mutex_lock(&tally.mutex);
    tally.is_closed = false;
    pthread_cond_broadcast(&tally.changed);
    pthread_mutex_unlock(&tally.mutex);
    const bool is_done = wait_for(&tally, 3);
    kv_uncork(fixture->kv);
    assert_true(is_done);
    assert_counted(fixture->kv, 3);
}

static enum kv_status put_body(struct kv_txn *txn, void *context)
{
    (void)context;
    kv_add(txn, SLICE("counted"), 1);
    return KV_OK;
}

static void *wait_for_an_update(void *context)
{
    struct tally *tally = context;
    return kv_update_wait(tally->kv, put_body, NULL) == KV_OK ? tally : NULL;
}

/* For ever would be too long: the alarm ends the test. */
static void waiting_for_an_update_ends_under_any_cork(void **state)
{
    struct fixture *fixture = *state;
    struct tally tally = TALLY(fixture->kv);
    pthread_t thread;
    void *result = NULL;
    (void)alarm(PATIENCE_S);
    kv_cork(fixture->kv);
    assert_int_equal(kv_update_wait(fixture->kv, put_body, NULL), KV_OK);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_an_update, &tally), 0);
    pthread_join(thread, &result);
    assert_non_null(result);
    kv_uncork(fixture->kv);
    (void)alarm(0);
    assert_counted(fixture->kv, 2);
}

static void closing_runs_what_is_queued_under_a_cork(void **state)
{
    struct fixture *fixture = *state;
    struct tally tally = TALLY(fixture->kv);
    struct kv_work works[UPDATES];
    kv_cork(fixture->kv);
    queue(&tally, works, UPDATES);
    (void)alarm(PATIENCE_S);
    fixture_reopen(fixture);
    (void)alarm(0);
    assert_int_equal(tally.done, UPDATES);
    assert_int_equal(tally.failed, 0);
}

struct turns {
    struct kv *kv;
    uint64_t seed;
    int queued;
    bool is_well;
};

static int below(struct turns *turns, int limit)
{
    turns->seed = turns->seed * 6364136223846793005 + 1442695040888963407;
    return (int)((turns->seed >> 33) % (uint64_t)limit);
}

/* Turns with and without a cork, one within the other, waited for and not. */
static void *take_turns(void *context)
{
    struct turns *turns = context;
    struct tally tally = TALLY(turns->kv);
    struct kv_work works[2 * TURN_MAX];
    turns->is_well = true;
    for (int turn = 0; turn < TURNS && turns->is_well; turn++) {
        const int corks = below(turns, 3);
        const int first = below(turns, TURN_MAX);
        const int second = below(turns, TURN_MAX);
        for (int i = 0; i < corks; i++)
            kv_cork(turns->kv);
        queue(&tally, works, first);
        if (below(turns, 4) == 0) (void)sched_yield();
        if (corks > 1) kv_uncork(turns->kv);
        queue(&tally, &works[first], second);
        if (corks > 0) kv_uncork(turns->kv);
        turns->queued += first + second;
        turns->is_well = wait_for(&tally, turns->queued);
    }
    return NULL;
}

static void random_corks_of_many_threads_lose_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct turns turns[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        turns[i] = (struct turns){.kv = fixture->kv, .seed = (uint64_t)i};
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, &turns[i]), 0);
    }
    int64_t queued = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        queued += turns[i].queued;
    }
    for (int i = 0; i < THREADS; i++)
        assert_true(turns[i].is_well);
    assert_counted(fixture->kv, queued);
}

int contract_corks_run(struct fixture_setup *setup)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(updates_under_a_cork_are_done_after_it),
        CONTRACT_TEST(uncork_begins_what_is_queued_whoever_else_has_corked),
        CONTRACT_TEST(uncork_counts_also_while_an_update_runs),
        CONTRACT_TEST(waiting_for_an_update_ends_under_any_cork),
        CONTRACT_TEST(closing_runs_what_is_queued_under_a_cork),
        CONTRACT_TEST(random_corks_of_many_threads_lose_nothing),
    };
    return contract_run_tests(tests, sizeof tests / sizeof tests[0], setup);
}
