/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toy — a service to test net/ with. What it does depends on the path:
 *
 *     /        echoes the body
 *     /later   the same, after another thread has resumed it; "?ms=" says how late
 *     /held    the same, after toy_release
 *     /held-twice  the same, and then suspended again for "?ms="
 *     /early   the same, resumed by the handler itself before it suspends
 *     /twice   the same, suspended and resumed by another thread twice
 *     /big     answers with "?bytes=" compressible bytes
 *     /header  answers with the value of the request header "?name="
 *     /target  answers with the target as it was sent
 *     /turn    answers with the number of its turn, after the network thread has slept "?ms="
 *
 * A body that is not as it should be is answered with 413, 503, 400 or 415.
 *
 * toy_close asserts that turns began and ended in pairs on each thread, and that the handler was
 * called within turns only.
 */
#ifndef STATOR_TESTS_NET_TOY_H
#define STATOR_TESTS_NET_TOY_H

#include "net/server.h"
#include <pthread.h>

struct toy {
    struct server *server;
    uint16_t port;
    atomic_uint requests; /* handed to the handler */
    atomic_uint resumed;
    bool has_turns;
    atomic_uint turns_begun;
    atomic_uint turns_ended;
    atomic_uint strays; /* calls of the handler outside of a turn, and turns within a turn */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct toy_job *waiting; /* newest first */
    bool released;
    bool stopping;
};

/* Options as server_defaults, on a free port. */
void toy_defaults(struct server_options *options);

void toy_open(struct toy *toy, const struct server_options *options);

/* With a handler that does not care for turns. */
void toy_open_without_turns(struct toy *toy, const struct server_options *options);

/* Lets the requests for /held go on, from now on. */
void toy_release(struct toy *toy);

/* Closes the server; toy_close does so, too, if need be. */
void toy_stop(struct toy *toy);

void toy_close(struct toy *toy);

#endif
