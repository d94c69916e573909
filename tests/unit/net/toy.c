/* SPDX-License-Identifier: Apache-2.0 */
/* toy — one thread plays the committer: it resumes whatever waits, each when its time has come. */
#include "unit/net/toy.h"

#include "unit/unit.h"

struct toy_job {
    struct toy_job *next;
    struct exchange *exchange;
    int64_t due_ms;
};

static void on_request(void *context, struct exchange *exchange);
static void on_resumed(void *context, struct exchange *exchange);
static void on_turn_begins(void *context);
static void on_turn_ends(void *context);
static void open_with(struct toy *toy, const struct server_options *options,
                      const struct server_handler *handler);
static void *commit(void *argument);

/* Of the network thread that looks. */
static _Thread_local bool is_in_turn;

static const struct server_handler handler = {
    .request = on_request,
    .resumed = on_resumed,
    .turn_begins = on_turn_begins,
    .turn_ends = on_turn_ends,
};

static const struct server_handler handler_without_turns = {
    .request = on_request,
    .resumed = on_resumed,
};

void toy_defaults(struct server_options *options)
{
    server_defaults(options);
    options->crc_header = "x-crc";
}

void toy_open(struct toy *toy, const struct server_options *options)
{
    open_with(toy, options, &handler);
}

void toy_open_without_turns(struct toy *toy, const struct server_options *options)
{
    open_with(toy, options, &handler_without_turns);
}

static void open_with(struct toy *toy, const struct server_options *options,
                      const struct server_handler *called)
{
    *toy = (struct toy){.has_turns = called->turn_begins != NULL};
    assert_int_equal(pthread_mutex_init(&toy->mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&toy->changed, NULL), 0);
    assert_int_equal(pthread_create(&toy->thread, NULL, commit, toy), 0);
    assert_int_equal(server_open(options, called, toy, &toy->server), SERVER_OK);
    toy->port = server_port(toy->server);
    assert_int_not_equal(toy->port, 0);
}

void toy_stop(struct toy *toy)
{
    if (toy->server != NULL) server_close(toy->server);
    toy->server = NULL;
}

void toy_close(struct toy *toy)
{
    toy_stop(toy);
    (void)pthread_mutex_lock(&toy->mutex);
    toy->stopping = true;
    (void)pthread_cond_signal(&toy->changed);
    (void)pthread_mutex_unlock(&toy->mutex);
    assert_int_equal(pthread_join(toy->thread, NULL), 0);
    (void)pthread_mutex_destroy(&toy->mutex);
    (void)pthread_cond_destroy(&toy->changed);
    assert_int_equal(atomic_load(&toy->turns_begun), atomic_load(&toy->turns_ended));
    assert_int_equal(atomic_load(&toy->strays), 0);
}

static void on_turn_begins(void *context)
{
    struct toy *toy = context;
    if (is_in_turn) (void)atomic_fetch_add(&toy->strays, 1);
    is_in_turn = true;
    (void)atomic_fetch_add(&toy->turns_begun, 1);
}

static void on_turn_ends(void *context)
{
    struct toy *toy = context;
    if (!is_in_turn) (void)atomic_fetch_add(&toy->strays, 1);
    is_in_turn = false;
    (void)atomic_fetch_add(&toy->turns_ended, 1);
}

static void expect_turn(struct toy *toy)
{
    if (toy->has_turns && !is_in_turn) (void)atomic_fetch_add(&toy->strays, 1);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t number_parameter(struct exchange *exchange, const char *name)
{
    const struct slice text = exchange_query(exchange, name);
    size_t value = 0;
    for (size_t i = 0; i < text.length; i++)
        value = value * 10 + (size_t)(text.data[i] - '0');
    return value;
}

static void resume_later(struct toy *toy, struct exchange *exchange)
{
    struct toy_job *job = arena_new(&exchange->arena, struct toy_job);
    job->exchange = exchange;
    const bool held = slice_has_prefix(exchange->path, SLICE("/held"));
    (void)pthread_mutex_lock(&toy->mutex);
    job->due_ms =
        held && !toy->released ? INT64_MAX : now_ms() + (int64_t)number_parameter(exchange, "ms");
    job->next = toy->waiting;
    toy->waiting = job;
    (void)pthread_cond_signal(&toy->changed);
    (void)pthread_mutex_unlock(&toy->mutex);
}

void toy_release(struct toy *toy)
{
    (void)pthread_mutex_lock(&toy->mutex);
    toy->released = true;
    for (struct toy_job *job = toy->waiting; job != NULL; job = job->next)
        if (job->due_ms == INT64_MAX) job->due_ms = 0;
    (void)pthread_cond_signal(&toy->changed);
    (void)pthread_mutex_unlock(&toy->mutex);
}

/* Takes out what is due; *next_ms is when the next of the others is. */
static struct toy_job *take_due(struct toy *toy, int64_t *next_ms)
{
    struct toy_job *due = NULL;
    struct toy_job **link = &toy->waiting;
    const int64_t now = now_ms();
    *next_ms = now + 1000;
    while (*link != NULL) {
        struct toy_job *job = *link;
        if (job->due_ms <= now) {
            *link = job->next;
            job->next = due;
            due = job;
        } else {
            if (job->due_ms < *next_ms) *next_ms = job->due_ms;
            link = &job->next;
        }
    }
    return due;
}

static void *commit(void *argument)
{
    struct toy *toy = argument;
    (void)pthread_mutex_lock(&toy->mutex);
    while (!toy->stopping) {
        int64_t next_ms = 0;
        struct toy_job *due = take_due(toy, &next_ms);
        if (due == NULL) {
            const struct timespec until = {.tv_sec = next_ms / 1000,
                                           .tv_nsec = next_ms % 1000 * 1000000};
            (void)pthread_cond_timedwait(&toy->changed, &toy->mutex, &until);
            continue;
        }
        (void)pthread_mutex_unlock(&toy->mutex);
        while (due != NULL) {
            struct exchange *exchange = due->exchange;
            due = due->next; /* before the job is gone with its exchange */
            exchange_resume(exchange);
        }
        (void)pthread_mutex_lock(&toy->mutex);
    }
    (void)pthread_mutex_unlock(&toy->mutex);
    return NULL;
}

static struct slice big_body(struct exchange *exchange)
{
    const size_t length = number_parameter(exchange, "bytes");
    uint8_t *bytes = arena_alloc_raw(&exchange->arena, length);
    memset(bytes, 'a', length);
    return slice_of(bytes, length);
}

/* The number of the turn in which it was asked, not of one that begins meanwhile. */
static struct slice slow_turn(struct toy *toy, struct exchange *exchange)
{
    const unsigned turn = atomic_load(&toy->turns_begun);
    const long ms = (long)number_parameter(exchange, "ms");
    (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000 * 1000}, NULL);
    return arena_format(&exchange->arena, "%u", turn);
}

static void respond(struct toy *toy, struct exchange *exchange)
{
    static const int statuses[] = {
        [EXCHANGE_BODY_OK] = 200,          [EXCHANGE_BODY_NO_ROOM] = 503,
        [EXCHANGE_BODY_TOO_LARGE] = 413,   [EXCHANGE_BODY_MALFORMED] = 400,
        [EXCHANGE_BODY_UNSUPPORTED] = 415,
    };
    struct slice body = exchange->body;
    if (slice_equal(exchange->path, SLICE("/big"))) body = big_body(exchange);
    if (slice_equal(exchange->path, SLICE("/target"))) body = exchange->target;
    if (slice_equal(exchange->path, SLICE("/turn"))) body = slow_turn(toy, exchange);
    if (slice_equal(exchange->path, SLICE("/header"))) {
        const struct slice name = exchange_query(exchange, "name");
        body = exchange_header(exchange, arena_string(&exchange->arena, name));
    }
    exchange_add_header(exchange, "X-Method", exchange->method);
    exchange_add_header(exchange, "X-Bad", SLICE("line\r\nbreak"));
    exchange_add_header(exchange, "X-Empty", SLICE(""));
    exchange_respond(exchange, statuses[exchange->body_status], body);
}

static void on_request(void *context, struct exchange *exchange)
{
    struct toy *toy = context;
    static uint8_t seen_once;
    (void)atomic_fetch_add(&toy->requests, 1);
    expect_turn(toy);
    assert_null(exchange->user);
    const bool twice = slice_equal(exchange->path, SLICE("/twice")) ||
                       slice_equal(exchange->path, SLICE("/held-twice"));
    if (twice || slice_equal(exchange->path, SLICE("/later")) ||
        slice_equal(exchange->path, SLICE("/held"))) {
        if (twice) exchange->user = &seen_once;
        exchange_suspend(exchange);
        resume_later(toy, exchange);
    } else if (slice_equal(exchange->path, SLICE("/early"))) {
        exchange_resume(exchange);
        exchange_suspend(exchange);
    } else {
        respond(toy, exchange);
    }
}

static void on_resumed(void *context, struct exchange *exchange)
{
    struct toy *toy = context;
    (void)atomic_fetch_add(&toy->resumed, 1);
    expect_turn(toy);
    if (exchange->user == NULL) {
        respond(toy, exchange);
        return;
    }
    exchange->user = NULL;
    resume_later(toy, exchange);
    exchange_suspend(exchange);
}
