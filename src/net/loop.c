/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop — drives a libmicrohttpd daemon by hand, so that a batch of resumed exchanges costs one
 * wake.
 *
 * The daemon has no thread and no wake-up channel of its own: its epoll descriptor and our eventfd
 * are in an epoll set of ours. Letting the daemon itself wait, with the eventfd in its set, would
 * save a system call a turn; it was measured to gain nothing, and libmicrohttpd 0.9.75 waits a
 * second time when its first wait returns as many events as it has room for.
 */
#include "net/loop.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    /*
     * libmicrohttpd keeps this much for each connection, also while it is idle, and clears it, more
     * than once, for each request: twice as much costs a GetItem 6 % and 10,000 idle connections
     * 80 MB. Request line, headers (64 bytes more for each) and response headers must fit: 7 KB of
     * request headers do, four of which a session token may take.
     */
    CONNECTION_BYTES = 8 * 1024,
    EVENTS = 2,       /* the daemon's and the eventfd's */
    UNUSED_MAX = 256, /* ended exchanges kept for reuse */
    /*
     * What the handler has put off until the turn's end waits no longer than this and a request:
     * about as long as a fast disk takes to sync.
     */
    TURN_NS = 100 * 1000,
    DRAIN_IDLE_MS = 20,      /* time for requests that are in the wires */
    DRAIN_UPLOAD_MS = 400,   /* for uploads and slow readers */
    DRAIN_TICK_MS = 10,      /* how often a draining loop looks whether it is done */
    THREAD_NAME_LENGTH = 16, /* with NUL, the system's limit */
    NS_PER_MS = 1000 * 1000,
    NS_PER_SECOND = 1000 * 1000 * 1000,
};

static bool open_epoll(struct loop *loop);
static void *run(void *argument);
static bool is_finished(struct loop *loop);
static void sleep_until_needed(struct loop *loop);
static void begin_turn(struct loop *loop);
static void end_turn(struct loop *loop);
static void divide_turn(struct loop *loop);
static void take_resumed(struct loop *loop);
static int64_t now_ns(void);
static void wake(struct loop *loop);

static void *on_request_line(void *argument, const char *target, struct MHD_Connection *connection);
static enum MHD_Result on_request(void *argument, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_length, void **slot);
static void on_completed(void *argument, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode reason);
static void on_connection(void *argument, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what);

enum server_status loop_open(struct loop *loop, int listening)
{
    const struct server_options *options = loop->options;
    gzip_open(&loop->gzip);
    loop->epoll_fd = -1;
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0) {
        (void)close(listening);
        return SERVER_FAILED;
    }
    /* Without MHD_USE_ITC: resuming happens on the loop's own thread and needs no signal. */
    const unsigned flags =
        MHD_USE_EPOLL | ((unsigned)MHD_ALLOW_SUSPEND_RESUME & ~(unsigned)MHD_USE_ITC);
    loop->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, loop, MHD_OPTION_LISTEN_SOCKET, listening,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, loop, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, loop, MHD_OPTION_NOTIFY_CONNECTION, on_connection, loop,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        options->connections, MHD_OPTION_CONNECTION_TIMEOUT, options->timeout_s, MHD_OPTION_END);
    /* Whether it has closed the socket depends on where it failed: better leaked than closed twice.
     */
    if (loop->daemon == NULL) return SERVER_FAILED;
    return open_epoll(loop) ? SERVER_OK : SERVER_FAILED;
}

static bool open_epoll(struct loop *loop)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct epoll_event sockets = {.events = EPOLLIN};
    struct epoll_event wakes = {.events = EPOLLIN | EPOLLET};
    if (info == NULL) return false;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll_fd >= 0 &&
           epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &sockets) == 0 &&
           epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &wakes) == 0;
}

enum server_status loop_start(struct loop *loop)
{
    if (pthread_create(&loop->thread, NULL, run, loop) != 0) return SERVER_FAILED;
    loop->started = true;
    char name[THREAD_NAME_LENGTH];
    (void)snprintf(name, sizeof name, "net-%u", loop->index % 1000);
    (void)pthread_setname_np(loop->thread, name);
    return SERVER_OK;
}

void loop_stop(struct loop *loop)
{
    if (!loop->started) return;
    atomic_store(&loop->stopping, true);
    wake(loop);
}

void loop_close(struct loop *loop)
{
    if (loop->started) CHECK(pthread_join(loop->thread, NULL) == 0);
    if (loop->daemon != NULL) MHD_stop_daemon(loop->daemon);
    while (loop->unused != NULL) {
        struct exchange *exchange = loop->unused;
        loop->unused = exchange->next;
        exchange_close(exchange);
    }
    CHECK(loop->live == 0);
    /* A thread that resumed the last exchange may still be about to write the eventfd. */
    while (atomic_load(&loop->resuming) != 0)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    if (loop->epoll_fd >= 0) (void)close(loop->epoll_fd);
    if (loop->wake_fd >= 0) (void)close(loop->wake_fd);
    gzip_close(&loop->gzip);
}

static void *run(void *argument)
{
    struct loop *loop = argument;
    while (!is_finished(loop)) {
        sleep_until_needed(loop);
        begin_turn(loop);
        take_resumed(loop);
        CHECK(MHD_run(loop->daemon) == MHD_YES);
        end_turn(loop);
    }
    return NULL;
}

static void begin_turn(struct loop *loop)
{
    if (loop->handler->turn_begins != NULL) loop->handler->turn_begins(loop->context);
}

static void end_turn(struct loop *loop)
{
    loop->waiting_since_ns = 0;
    if (loop->handler->turn_ends != NULL) loop->handler->turn_ends(loop->context);
}

void loop_note_waiting(struct loop *loop)
{
    if (loop->waiting_since_ns == 0) loop->waiting_since_ns = now_ns();
}

/* Between two pieces of work: ends a turn that has become too long, and begins another. */
static void divide_turn(struct loop *loop)
{
    if (loop->waiting_since_ns == 0 || now_ns() - loop->waiting_since_ns < TURN_NS) return;
    end_turn(loop);
    begin_turn(loop);
}

/* Sleeps until a socket is ready, an exchange is resumed, a connection times out or we shall stop.
 */
static void sleep_until_needed(struct loop *loop)
{
    if (atomic_load_explicit(&loop->resumed, memory_order_relaxed) != NULL) return;
    unsigned long long timeout_ms = 0;
    int wait_ms = -1;
    if (MHD_get_timeout(loop->daemon, &timeout_ms) == MHD_YES)
        wait_ms = timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
    if (loop->draining && (wait_ms < 0 || wait_ms > DRAIN_TICK_MS)) wait_ms = DRAIN_TICK_MS;
    if (wait_ms == 0 || loop->room_made) {
        loop->room_made = false;
        return;
    }
    /* From here on whoever resumes an exchange wakes us; who did so before is seen now. */
    atomic_store(&loop->sleeping, true);
    if (atomic_load(&loop->resumed) == NULL) {
        struct epoll_event events[EVENTS];
        /* What has happened does not matter: both sources are looked at afterwards. */
        const int count = epoll_wait(loop->epoll_fd, events, EVENTS, wait_ms);
        CHECK(count >= 0 || errno == EINTR);
    }
    atomic_store_explicit(&loop->sleeping, false, memory_order_relaxed);
}

/* Begins to drain when asked to; true when nothing is left that would be missed. */
static bool is_finished(struct loop *loop)
{
    if (!atomic_load(&loop->stopping)) return false;
    if (!loop->draining) {
        loop->draining = true;
        loop->drain_started_ns = now_ns();
        const MHD_socket listening = MHD_quiesce_daemon(loop->daemon);
        if (listening != MHD_INVALID_SOCKET) (void)close(listening);
        return false;
    }
    if (loop->parked > 0) return false;
    const int64_t elapsed_ms = (now_ns() - loop->drain_started_ns) / NS_PER_MS;
    return elapsed_ms >= (loop->live > 0 ? DRAIN_UPLOAD_MS : DRAIN_IDLE_MS);
}

static int64_t now_ns(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static void take_resumed(struct loop *loop)
{
    if (atomic_load_explicit(&loop->resumed, memory_order_relaxed) == NULL) return;
    struct exchange *newest = atomic_exchange(&loop->resumed, NULL);
    struct exchange *oldest = NULL;
    while (newest != NULL) { /* first come, first served */
        struct exchange *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct exchange *exchange = oldest;
        oldest = exchange->next;
        exchange->next = NULL;
        divide_turn(loop);
        exchange_return(exchange);
    }
}

void loop_resume(struct loop *loop, struct exchange *exchange)
{
    /* Once it is in the list the exchange, and even the server, may be gone at any moment. */
    (void)atomic_fetch_add(&loop->resuming, 1);
    struct exchange *newest = atomic_load_explicit(&loop->resumed, memory_order_relaxed);
    do {
        exchange->next = newest;
    } while (!atomic_compare_exchange_weak(&loop->resumed, &newest, exchange));
    if (atomic_load(&loop->sleeping) && atomic_exchange(&loop->sleeping, false)) wake(loop);
    (void)atomic_fetch_sub(&loop->resuming, 1);
}

/* Written once a second: libmicrohttpd would do it for each response. */
const char *loop_date(struct loop *loop)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0);
    if (now.tv_sec != loop->date_s) {
        struct tm parts;
        CHECK(gmtime_r(&now.tv_sec, &parts) != NULL);
        const size_t length =
            strftime(loop->date, sizeof loop->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        CHECK(length == LOOP_DATE_LENGTH);
        loop->date_s = now.tv_sec;
    }
    return loop->date;
}

bool loop_claim(struct loop *loop, size_t bytes)
{
    const size_t before = atomic_fetch_add(loop->bodies_bytes, bytes);
    if (before + bytes <= loop->options->bodies_bytes_max) return true;
    loop_release(loop, bytes);
    return false;
}

void loop_take(struct loop *loop, size_t bytes)
{
    (void)atomic_fetch_add(loop->bodies_bytes, bytes);
}

bool loop_is_full(const struct loop *loop)
{
    return atomic_load_explicit(loop->bodies_bytes, memory_order_relaxed) >
           loop->options->bodies_bytes_max;
}

void loop_release(struct loop *loop, size_t bytes)
{
    CHECK(atomic_fetch_sub(loop->bodies_bytes, bytes) >= bytes);
}

static void wake(struct loop *loop)
{
    const uint64_t one = 1;
    while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR) {}
}

/* Keeps an ended exchange for the next request. */
static void recycle(struct loop *loop, struct exchange *exchange)
{
    if (loop->unused_count >= UNUSED_MAX) {
        exchange_close(exchange);
        return;
    }
    exchange->next = loop->unused;
    loop->unused = exchange;
    loop->unused_count++;
}

/* What this returns is the request's slot in the calls that follow. */
static void *on_request_line(void *argument, const char *target, struct MHD_Connection *connection)
{
    struct loop *loop = argument;
    struct exchange *exchange = loop->unused;
    if (exchange != NULL) {
        loop->unused = exchange->next;
        loop->unused_count--;
        exchange->next = NULL;
    } else {
        exchange = exchange_open(loop);
    }
    loop->live++;
    exchange_begin(exchange, connection, target);
    return exchange;
}

/* Called once with the headers, then with each piece of the body, then without one. */
static enum MHD_Result on_request(void *argument, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_length, void **slot)
{
    struct exchange *exchange = *slot;
    (void)connection;
    (void)version;
    if (!exchange->begun) {
        exchange_take_headers(exchange, method, path);
        return MHD_YES;
    }
    if (*upload_length > 0) {
        const bool kept = exchange_take_body(exchange, slice_of(upload, *upload_length));
        *upload_length = 0;
        return kept ? MHD_YES : MHD_NO;
    }
    divide_turn(argument);
    exchange_deliver(exchange);
    return MHD_YES;
}

static void on_completed(void *argument, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode reason)
{
    struct loop *loop = argument;
    struct exchange *exchange = *slot;
    (void)connection;
    (void)reason;
    if (exchange == NULL) return;
    *slot = NULL;
    loop->live--;
    exchange_end(exchange);
    recycle(loop, exchange);
    divide_turn(loop); /* sending the response may have taken long */
}

/*
 * At its limit the daemon takes the listening socket out of its epoll set and puts it back when it
 * is run after a connection has closed: run it once more before sleeping.
 */
static void on_connection(void *argument, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
    struct loop *loop = argument;
    (void)connection;
    (void)slot;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) loop->room_made = true;
}
