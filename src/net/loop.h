/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop — one network thread: a libmicrohttpd daemon, its epoll set, and the exchanges other threads
 * have resumed.
 */
#ifndef STATOR_NET_LOOP_H
#define STATOR_NET_LOOP_H

#include "net/gzip.h"
#include "net/server.h"
#include <pthread.h>

struct MHD_Daemon;

enum { LOOP_DATE_LENGTH = 29 }; /* "Sun, 06 Nov 1994 08:49:37 GMT" */

struct loop {
    const struct server_options *options;
    const struct server_handler *handler;
    void *context;
    unsigned index;
    atomic_size_t *bodies_bytes; /* the server's */

    struct MHD_Daemon *daemon;
    int epoll_fd; /* over the daemon's epoll set and wake_fd */
    int wake_fd;  /* an eventfd; edge-triggered, so it is never read */
    pthread_t thread;
    bool started;

    /* Shared with the threads that resume exchanges, on a cache line of their own. */
    _Alignas(64) _Atomic(struct exchange *) resumed; /* newest first */
    atomic_bool sleeping; /* whoever clears it writes the eventfd: one wake for a whole batch */
    atomic_bool stopping;
    atomic_uint resuming; /* threads inside loop_resume: the loop outlives them */

    /* The thread's own. */
    _Alignas(64) struct exchange *unused;
    unsigned unused_count;
    unsigned live;            /* exchanges begun and not ended */
    unsigned parked;          /* of these, waiting for exchange_resume */
    bool room_made;           /* a connection has closed since the daemon last ran */
    int64_t waiting_since_ns; /* since when an exchange suspended in this turn has; or 0 */
    bool draining;
    int64_t drain_started_ns;
    int64_t date_s; /* the second that date says, or 0 */
    char date[LOOP_DATE_LENGTH + 1];
    struct gzip gzip;
};

/* Takes the listening socket over, also when it fails. */
enum server_status loop_open(struct loop *loop, int listening) WARN_UNUSED;

/* Starts the thread. */
enum server_status loop_start(struct loop *loop) WARN_UNUSED;

/* Asks the thread to finish what is under way and to end. */
void loop_stop(struct loop *loop);

/* Waits for the thread, if there is one, and frees everything. */
void loop_close(struct loop *loop);

/* Hands a parked exchange back to its loop. Any thread. */
void loop_resume(struct loop *loop, struct exchange *exchange);

/* An exchange has begun to wait, once more perhaps: the turn will not go on for long. */
void loop_note_waiting(struct loop *loop);

/*
 * Counts bytes of a body against what all bodies together may take; false when there is no room
 * for them. What was claimed or taken is given back with loop_release.
 */
bool loop_claim(struct loop *loop, size_t bytes) WARN_UNUSED;

/* Counts bytes that are there whether or not there is room for them. */
void loop_take(struct loop *loop, size_t bytes);

/* Whether they are more than there is room for. */
bool loop_is_full(const struct loop *loop);

void loop_release(struct loop *loop, size_t bytes);

/* The time as a Date header says it (RFC 9110, 5.6.7); valid until the next call. */
const char *loop_date(struct loop *loop);

#endif
