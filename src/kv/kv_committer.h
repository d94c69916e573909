/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_committer — one thread that runs the updates of all the others, in groups.
 *
 * Works pushed from any thread are handed, in order of arrival, to the engine's run function; while
 * it is busy (mostly: while the disk syncs) the next ones gather, and become the next group.
 */
#ifndef STATOR_KV_KV_COMMITTER_H
#define STATOR_KV_KV_COMMITTER_H

#include "kv/kv.h"

struct kv_committer;

/*
 * Runs one group: some works from the front of the list (linked by next, never NULL), calls their
 * done functions and returns the rest of the list.
 */
typedef struct kv_work *kv_committer_run(void *context, struct kv_work *works);

/* Starts the thread; NULL when the system has no more threads. */
struct kv_committer *kv_committer_open(kv_committer_run *run, void *context) WARN_UNUSED;

void kv_committer_push(struct kv_committer *committer, struct kv_work *work);

/* As kv_cork and kv_uncork. */
void kv_committer_cork(struct kv_committer *committer);
void kv_committer_uncork(struct kv_committer *committer);

/*
 * Runs what is waiting, also under a cork, and ends the thread. Nothing may be pushed meanwhile or
 * afterwards.
 */
void kv_committer_close(struct kv_committer *committer);

#endif
