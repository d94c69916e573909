/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_committer — the queue is a stack that producers push onto with one compare-and-swap and the
 * thread takes whole with one exchange, so there is no ABA problem and no lock on the way in.
 *
 * Only the producer that finds the stack empty wakes the thread: whoever comes later knows that
 * somebody before them did. The thread looks at the stack again under the mutex before it sleeps,
 * and a waker takes the mutex, so no wake-up is lost.
 */
#include "kv/kv_committer.h"

#include <pthread.h>
#include <sched.h>
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
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool is_closing; /* under mutex */
};

static bool thread_start(struct kv_committer *committer);
static void *thread_main(void *context);
static void wake_thread(struct kv_committer *committer);
static bool wait_for_work(struct kv_committer *committer);
static struct kv_work *take_all(struct kv_committer *committer);
static struct kv_work *join(struct kv_work *first, struct kv_work *second);

struct kv_committer *kv_committer_open(kv_committer_run *run, void *context)
{
    struct kv_committer *committer = calloc(1, sizeof *committer);
    CHECK(committer != NULL);
    committer->run = run;
    committer->context = context;
    CHECK(pthread_mutex_init(&committer->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&committer->wake, NULL) == 0);
    if (thread_start(committer)) return committer;

    pthread_cond_destroy(&committer->wake);
    pthread_mutex_destroy(&committer->mutex);
    free(committer);
    return NULL;
}

void kv_committer_close(struct kv_committer *committer)
{
    pthread_mutex_lock(&committer->mutex);
    committer->is_closing = true;
    pthread_cond_signal(&committer->wake);
    pthread_mutex_unlock(&committer->mutex);
    CHECK(pthread_join(committer->thread, NULL) == 0);

    CHECK(atomic_load(&committer->newest) == NULL);
    pthread_cond_destroy(&committer->wake);
    pthread_mutex_destroy(&committer->mutex);
    free(committer);
}

void kv_committer_push(struct kv_committer *committer, struct kv_work *work)
{
    struct kv_work *newest = atomic_load_explicit(&committer->newest, memory_order_relaxed);
    do {
        work->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&committer->newest, &newest, work,
                                                    memory_order_release, memory_order_relaxed));
    /* From here on work may already be done and freed. */
    if (newest == NULL) wake_thread(committer);
}

static void wake_thread(struct kv_committer *committer)
{
    pthread_mutex_lock(&committer->mutex);
    pthread_cond_signal(&committer->wake);
    pthread_mutex_unlock(&committer->mutex);
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
        works = join(works, take_all(committer));
        if (works != NULL) {
            works = committer->run(committer->context, works);
        } else if (!wait_for_work(committer)) {
            return NULL;
        }
    }
}

/* Sleeps until there is work (true) or the store closes and there is none left (false). */
static bool wait_for_work(struct kv_committer *committer)
{
    pthread_mutex_lock(&committer->mutex);
    while (atomic_load(&committer->newest) == NULL && !committer->is_closing)
        pthread_cond_wait(&committer->wake, &committer->mutex);
    pthread_mutex_unlock(&committer->mutex);
    return atomic_load(&committer->newest) != NULL;
}

/* Everything pushed, the oldest first. */
static struct kv_work *take_all(struct kv_committer *committer)
{
    struct kv_work *newest =
        atomic_exchange_explicit(&committer->newest, NULL, memory_order_acquire);
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
