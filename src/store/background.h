/* SPDX-License-Identifier: Apache-2.0 */
/*
 * background — work that outlasts its request, on one thread: filling new indexes, clearing deleted
 * tables and indexes, forgetting old tokens. Every step is a small transaction with a saved
 * position, so that a crash costs nothing but the step.
 */
#ifndef STATOR_STORE_BACKGROUND_H
#define STATOR_STORE_BACKGROUND_H

#include "store/catalog.h"

/* Starts the thread; it looks for work left by an earlier run. Sets database->background. */
enum kv_status background_open(struct database *database) WARN_UNUSED;

/* Tells the threads that the catalog has changed, or that the clock was moved. Any thread. */
void background_wake(struct background *background);

/* Finishes the running step and stops. */
void background_close(struct background *background);

#endif
