/* SPDX-License-Identifier: Apache-2.0 */
/* kv_committer makes one group of what is pushed under a cork, and loses nothing. */
#include "kv/kv_committer.h"

#include "unit/unit.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

enum {
    GROUPS_MAX = 16,
    UPDATES = 10,
    THREADS = 4,
    TURNS = 20000,
    HESITATION_MAX = 997,
    LOOKS = 2000,    /* before another thread may have the core */
    PATIENCE_S = 20, /* what takes longer is lost */
    MOMENT_MS = 30,  /* for what should not happen */
    NS_PER_MS = 1000000
};

/* An engine that only counts, and takes no more than limit works into a group. */
struct engine {
    struct kv_committer *committer;
    int limit;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_closed; /* a group waits while it is */
    int done;
    int group_count;
    int groups[GROUPS_MAX]; /* how many works each had */
};

static struct kv_work *run(void *context, struct kv_work *works)
{
    struct engine *engine = context;
    int count = 0;
    while (works != NULL && count < engine->limit) {
        struct kv_work *next = works->next;
        works->done(works->context, KV_OK);
        works = next;
        count++;
    }
    pthread_mutex_lock(&engine->mutex);
    engine->done += count;
    if (engine->group_count < GROUPS_MAX) engine->groups[engine->group_count] = count;
    engine->group_count++;
    pthread_cond_broadcast(&engine->changed);
    while (engine->is_closed)
        pthread_cond_wait(&engine->changed, &engine->mutex);
    pthread_mutex_unlock(&engine->mutex);
    return works;
}

static int open_engine(void **state)
{
    static struct engine engine;
    engine = (struct engine){.limit = GROUPS_MAX,
                             .mutex = PTHREAD_MUTEX_INITIALIZER,
                             .changed = PTHREAD_COND_INITIALIZER};
    engine.committer = kv_committer_open(run, &engine);
    *state = &engine;
    return engine.committer != NULL ? 0 : -1;
}

static int close_engine(void **state)
{
    struct engine *engine = *state;
    kv_committer_close(engine->committer);
    return 0;
}

static void forget(void *context, enum kv_status status)
{
    (void)context;
    (void)status;
}

static void push(struct engine *engine, struct kv_work *works, int count)
{
    for (int i = 0; i < count; i++) {
        works[i] = (struct kv_work){.done = forget};
        kv_committer_push(engine->committer, &works[i]);
    }
}

static void close_gate(struct engine *engine, bool is_closed)
{
    pthread_mutex_lock(&engine->mutex);
    engine->is_closed = is_closed;
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->mutex);
}

/* Waits for so many works; how many are done at last. */
static int wait_for(struct engine *engine, int count)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    int error = 0;
    pthread_mutex_lock(&engine->mutex);
    while (engine->done < count && error == 0)
        error = pthread_cond_timedwait(&engine->changed, &engine->mutex, &until);
    const int done = engine->done;
    pthread_mutex_unlock(&engine->mutex);
    return done;
}

/* How many are done after a moment in which a thread that ran would have run. */
static int done_later(struct engine *engine)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = MOMENT_MS * NS_PER_MS}, NULL);
    return wait_for(engine, 0);
}

static void works_under_a_cork_wait_and_make_one_group(void **state)
{
    struct engine *engine = *state;
    struct kv_work works[UPDATES];
    kv_committer_cork(engine->committer);
    push(engine, works, UPDATES);
    assert_int_equal(done_later(engine), 0);
    kv_committer_uncork(engine->committer);
    assert_int_equal(wait_for(engine, UPDATES), UPDATES);
    assert_int_equal(engine->group_count, 1);
    assert_int_equal(engine->groups[0], UPDATES);
}

static void works_without_a_cork_do_not_wait(void **state)
{
    struct engine *engine = *state;
    struct kv_work works[UPDATES];
    for (int i = 0; i < UPDATES; i++) {
        push(engine, &works[i], 1);
        assert_int_equal(wait_for(engine, i + 1), i + 1);
    }
    assert_int_equal(engine->group_count, UPDATES);
}

static void inner_uncork_begins_and_the_outer_cork_goes_on(void **state)
{
    struct engine *engine = *state;
    struct kv_work works[3];
    kv_committer_cork(engine->committer);
    kv_committer_cork(engine->committer);
    push(engine, works, 2);
    kv_committer_uncork(engine->committer);
    assert_int_equal(wait_for(engine, 2), 2);
    push(engine, &works[2], 1);
    assert_int_equal(done_later(engine), 2);
    kv_committer_uncork(engine->committer);
    assert_int_equal(wait_for(engine, 3), 3);
    assert_int_equal(engine->groups[0], 2);
}

/* Begins a group that waits at its end, of one work. */
static void keep_busy(struct engine *engine, struct kv_work *work)
{
    close_gate(engine, true);
    push(engine, work, 1);
    assert_int_equal(wait_for(engine, 1), 1);
}

static void busy_thread_leaves_what_is_corked_to_the_uncork(void **state)
{
    struct engine *engine = *state;
    struct kv_work works[1 + UPDATES];
    keep_busy(engine, works);
    kv_committer_cork(engine->committer);
    push(engine, &works[1], UPDATES / 2);
    close_gate(engine, false);
    assert_int_equal(done_later(engine), 1);
    push(engine, &works[1 + UPDATES / 2], UPDATES / 2);
    kv_committer_uncork(engine->committer);
    assert_int_equal(wait_for(engine, 1 + UPDATES), 1 + UPDATES);
    assert_int_equal(engine->group_count, 2);
}

static void busy_thread_remembers_an_uncork_under_another_cork(void **state)
{
    struct engine *engine = *state;
    struct kv_work works[3];
    keep_busy(engine, works);
    kv_committer_cork(engine->committer);
    kv_committer_cork(engine->committer);
    push(engine, &works[1], 1);
    kv_committer_uncork(engine->committer);
    push(engine, &works[2], 1);
    close_gate(engine, false);
    assert_int_equal(wait_for(engine, 3), 3);
    kv_committer_uncork(engine->committer);
}

/* A later cork does not hold back what was pushed without one. */
static void busy_thread_remembers_what_was_pushed_without_a_cork(void **state)
{
    struct engine *engine = *state;
    struct kv_work works[2];
    keep_busy(engine, works);
    push(engine, &works[1], 1);
    kv_committer_cork(engine->committer);
    close_gate(engine, false);
    assert_int_equal(wait_for(engine, 2), 2);
    kv_committer_uncork(engine->committer);
}

static void rest_of_a_group_needs_no_uncork(void **state)
{
    struct engine *engine = *state;
    struct kv_work works[UPDATES];
    engine->limit = 3;
    kv_committer_cork(engine->committer);
    push(engine, works, UPDATES);
    kv_committer_cork(engine->committer);
    kv_committer_uncork(engine->committer);
    assert_int_equal(wait_for(engine, UPDATES), UPDATES);
    assert_int_equal(engine->group_count, (UPDATES + 2) / 3);
    kv_committer_uncork(engine->committer);
}

struct turns {
    struct engine *engine;
    atomic_int done;
    int first;
    int queued;
};

static void count(void *context, enum kv_status status)
{
    struct turns *turns = context;
    (void)status;
    (void)atomic_fetch_add(&turns->done, 1);
}

/* For some nanoseconds, never as many as before: so that threads meet at every instruction. */
static void hesitate(struct turns *turns, int turn)
{
    for (int i = turn * 31 % HESITATION_MAX; i > 0; i--)
        (void)atomic_load(&turns->done);
}

/*
 * Each turn pushes one or two works and waits for them by looking, so that the committer falls
 * asleep and is woken all the time: a wake-up lost is a wait that does not end.
 */
static void *take_turns(void *context)
{
    struct turns *turns = context;
    struct kv_committer *committer = turns->engine->committer;
    const time_t until = time(NULL) + PATIENCE_S;
    for (int turn = turns->first; turn < turns->first + TURNS; turn++) {
        struct kv_work works[2];
        const int corks = turn % 3;
        const int pushed = 1 + turn % 2;
        for (int i = 0; i < corks; i++)
            kv_committer_cork(committer);
        for (int i = 0; i < pushed; i++) {
            hesitate(turns, turn);
            works[i] = (struct kv_work){.done = count, .context = turns};
            kv_committer_push(committer, &works[i]);
        }
        for (int i = 0; i < corks; i++)
            kv_committer_uncork(committer);
        turns->queued += pushed;
        for (int looks = 1; atomic_load(&turns->done) < turns->queued; looks++) {
            if (looks % LOOKS != 0) continue;
            if (time(NULL) > until) return NULL;
            (void)sched_yield();
        }
    }
    return turns;
}

/* So many threads come to their end. */
static void assert_all_finish(struct engine *engine, int count)
{
    struct turns turns[THREADS];
    pthread_t threads[THREADS];
    int finished = 0;
    for (int i = 0; i < count; i++) {
        turns[i] = (struct turns){.engine = engine, .first = i};
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, &turns[i]), 0);
    }
    for (int i = 0; i < count; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        finished += result != NULL;
    }
    assert_int_equal(finished, count);
}

static void no_wake_up_is_lost_among_threads(void **state)
{
    assert_all_finish(*state, THREADS);
}

/* Where nobody else's works hide it. */
static void no_wake_up_of_one_thread_is_lost(void **state)
{
    assert_all_finish(*state, 1);
}

#define ENGINE_TEST(function) cmocka_unit_test_setup_teardown(function, open_engine, close_engine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(works_under_a_cork_wait_and_make_one_group),
        ENGINE_TEST(works_without_a_cork_do_not_wait),
        ENGINE_TEST(inner_uncork_begins_and_the_outer_cork_goes_on),
        ENGINE_TEST(busy_thread_leaves_what_is_corked_to_the_uncork),
        ENGINE_TEST(busy_thread_remembers_an_uncork_under_another_cork),
        ENGINE_TEST(busy_thread_remembers_what_was_pushed_without_a_cork),
        ENGINE_TEST(rest_of_a_group_needs_no_uncork),
        ENGINE_TEST(no_wake_up_is_lost_among_threads),
        ENGINE_TEST(no_wake_up_of_one_thread_is_lost),
    };
    return cmocka_run_group_tests_name("kv_committer", tests, NULL, NULL);
}
