/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_committer — the queue is a stack that producers push onto with one compare-and-swap and the
 * thread takes whole with one exchange, so there is no ABA problem and no lock on the way in.
 *
 * The thread begins when what is in the stack is due. It is made so by the producer, or, while
 * somebody has corked, by the next who uncorks: a producer looks at the count of corks after it has
 * pushed, uncorking looks at the stack after the count has gone down, so one of the two sees the
 * other (all of this is sequentially consistent). What is due stays so, whoever corks afterwards;
 * the thread forgets it before it takes the stack, never after.
 *
 * Before it sleeps the thread says so and looks once more; whoever makes something due looks
 * afterwards whether it sleeps, and the one who takes that word back posts the semaphore, once for
 * each sleep.
 *
 * Why corks: on a core that the thread shares with its producers, waking it for the first update of
 * many preempts the producer, and makes a group of one.
 */
#include "kv/kv_committer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLICE_NS = 100 * 1000 }; /* the shortest there is */

struct kv_committer {
    _Atomic(struct kv_work *) newest; /* linked from the newest to the oldest */
    kv_committer_run *run;
    void *context;
    pthread_t thread;
    atomic_uint corks;
    atomic_bool is_due;    /* what is in the stack, if anything is */
    atomic_bool is_asleep; /* or about to be: whoever clears it posts wake */
    atomic_bool is_closing;
    sem_t wake;
};

static bool thread_start(struct kv_committer *committer);
static void *thread_main(void *context);
static void make_due(struct kv_committer *committer);
static void wake_thread(struct kv_committer *committer);
static bool has_work(struct kv_committer *committer);
static bool wait_for_work(struct kv_committer *committer);
static void sleep_until_woken(struct kv_committer *committer);
static struct kv_work *take_all(struct kv_committer *committer);
static struct kv_work *join(struct kv_work *first, struct kv_work *second);

struct kv_committer *kv_committer_open(kv_committer_run *run, void *context)
{
    struct kv_committer *committer = calloc(1, sizeof *committer);
    CHECK(committer != NULL);
    committer->run = run;
    committer->context = context;
    CHECK(sem_init(&committer->wake, 0, 0) == 0);
    if (thread_start(committer)) return committer;

    CHECK(sem_destroy(&committer->wake) == 0);
    free(committer);
    return NULL;
}

void kv_committer_close(struct kv_committer *committer)
{
    atomic_store(&committer->is_closing, true);
    wake_thread(committer);
    CHECK(pthread_join(committer->thread, NULL) == 0);

    CHECK(atomic_load(&committer->newest) == NULL);
    CHECK(sem_destroy(&committer->wake) == 0);
    free(committer);
}

void kv_committer_push(struct kv_committer *committer, struct kv_work *work)
{
    struct kv_work *newest = atomic_load_explicit(&committer->newest, memory_order_relaxed);
    do {
        work->next = newest;
    } while (!atomic_compare_exchange_weak(&committer->newest, &newest, work));
    /* From here on work may already be done and freed. */
    if (atomic_load(&committer->corks) == 0) make_due(committer);
}

void kv_committer_cork(struct kv_committer *committer)
{
    (void)atomic_fetch_add(&committer->corks, 1);
}

void kv_committer_uncork(struct kv_committer *committer)
{
    CHECK(atomic_fetch_sub(&committer->corks, 1) > 0);
    if (has_work(committer)) make_due(committer);
}

static void make_due(struct kv_committer *committer)
{
    atomic_store(&committer->is_due, true);
    wake_thread(committer);
}

static void wake_thread(struct kv_committer *committer)
{
    if (atomic_load(&committer->is_asleep) && atomic_exchange(&committer->is_asleep, false))
        CHECK(sem_post(&committer->wake) == 0);
}

/* Signals are the host's business: none is delivered on this thread. */
static bool thread_start(struct kv_committer *committer)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    const int error = pthread_create(&committer->thread, NULL, thread_main, committer);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (error == 0) pthread_setname_np(committer->thread, "kv-committer");
    return error == 0;
}

/*
 * Everybody waits for this thread, and it runs in short bursts between syncs: it asks for a short
 * slice, so that the scheduler lets it run soon after a sync rather than after the network threads'
 * slices. Kernels before 6.12 know no such wish, and it does not matter when one refuses.
 */
static void ask_for_short_slices(void)
{
    if (sched_getscheduler(0) != SCHED_OTHER) return; /* whoever started us wants another policy */
    /* The kernel's struct sched_attr, which some C libraries define, and some do not. */
    const struct {
        uint32_t size;
        uint32_t policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime;
        uint64_t deadline;
        uint64_t period;
    } attributes = {
        .size = sizeof attributes, .nice = getpriority(PRIO_PROCESS, 0), .runtime = SLICE_NS};
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static void *thread_main(void *context)
{
    struct kv_committer *committer = context;
    ask_for_short_slices();
    struct kv_work *works = NULL;
    for (;;) {
        if (works == NULL && !wait_for_work(committer)) return NULL;
        works = join(works, take_all(committer));
        works = committer->run(committer->context, works);
    }
}

static bool has_work(struct kv_committer *committer)
{
    return atomic_load(&committer->newest) != NULL;
}

static bool is_needed(struct kv_committer *committer)
{
    return (has_work(committer) && atomic_load(&committer->is_due)) ||
           atomic_load(&committer->is_closing);
}

/* Sleeps until work is due (true) or the store closes and there is none left (false). */
static bool wait_for_work(struct kv_committer *committer)
{
    while (!is_needed(committer))
        sleep_until_woken(committer);
    return has_work(committer);
}

static void sleep_until_woken(struct kv_committer *committer)
{
    atomic_store(&committer->is_asleep, true);
    /* Whoever has taken the word back meanwhile posts, and that has to be waited for. */
    if (is_needed(committer) && atomic_exchange(&committer->is_asleep, false)) return;
    while (sem_wait(&committer->wake) != 0)
        CHECK(errno == EINTR);
}

/* Everything pushed, the oldest first. */
static struct kv_work *take_all(struct kv_committer *committer)
{
    atomic_store(&committer->is_due, false);
    struct kv_work *newest = atomic_exchange(&committer->newest, NULL);
    struct kv_work *oldest = NULL;
    while (newest != NULL) {
        struct kv_work *older = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = older;
    }
    return oldest;
}

static struct kv_work *join(struct kv_work *first, struct kv_work *second)
{
    if (first == NULL) return second;
    struct kv_work *last = first;
    while (last->next != NULL)
        last = last->next;
    last->next = second;
    return first;
}
