/* SPDX-License-Identifier: Apache-2.0 */
/* server_test — connections: kept, pipelined, slow, broken, waiting, and closed in an orderly way.
 */
#include "net/server.h"

#include "unit/net/client.h"
#include "unit/net/toy.h"
#include "unit/unit.h"
#include <sys/socket.h>

static int open_toy(void **state)
{
    static struct toy toy;
    struct server_options options;
    toy_defaults(&options);
    options.threads = 2;
    toy_open(&toy, &options);
    *state = &toy;
    return 0;
}

static int close_toy(void **state)
{
    toy_close(*state);
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(int milliseconds)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000 * 1000L}, NULL);
}

static void a_connection_serves_many_requests(void **state)
{
    const struct toy *toy = *state;
    struct client client;
    client_open(&client, toy->port);
    for (int i = 0; i < 500; i++) {
        const struct slice body = arena_format(&client.arena, "request %d", i);
        ASSERT_SLICE(client_ask(&client, "/", "", body).body, body);
    }
    client_close(&client);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    const struct toy *toy = *state;
    static const char *const targets[] = {"/", "/later?ms=20", "/early", "/twice", "/", "/later"};
    struct client client;
    client_open(&client, toy->port);
    struct buffer out = buffer_open(&client.arena, 0);
    for (int i = 0; i < 60; i++)
        buffer_append_format(&out,
                             "POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n%02d",
                             targets[(size_t)i % COUNT_OF(targets)], i);
    client_send(&client, buffer_slice(&out));
    for (int i = 0; i < 60; i++)
        ASSERT_SLICE(client_read(&client).body, arena_format(&client.arena, "%02d", i));
    client_close(&client);
}

static void a_suspended_request_is_answered_when_it_is_resumed(void **state)
{
    struct toy *toy = *state;
    static const struct {
        const char *target;
        unsigned resumed;
    } cases[] = {{"/later", 1}, {"/later?ms=50", 1}, {"/early", 1}, {"/twice", 2}, {"/", 0}};
    struct client client;
    client_open(&client, toy->port);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        atomic_store(&toy->resumed, 0);
        const struct reply reply = client_ask(&client, cases[i].target, "", SLICE("body"));
        ASSERT_SLICE(reply.body, SLICE("body"));
        assert_int_equal(atomic_load(&toy->resumed), cases[i].resumed);
    }
    client_close(&client);
}

static void waiting_requests_do_not_hold_up_others(void **state)
{
    struct toy *toy = *state;
    struct client waiting[20];
    struct client other;
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        client_open(&waiting[i], toy->port);
        client_post(&waiting[i], "/held", "", SLICE("slow"));
    }
    for (int i = 0; i < 20; i++) { /* connections of either thread */
        client_open(&other, toy->port);
        ASSERT_SLICE(client_ask(&other, "/later", "", SLICE("fast")).body, SLICE("fast"));
        client_close(&other);
    }
    toy_release(toy);
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        ASSERT_SLICE(client_read(&waiting[i]).body, SLICE("slow"));
        client_close(&waiting[i]);
    }
}

struct caller {
    pthread_t thread;
    uint16_t port;
    int number;
    int answered;
};

static void *call_often(void *argument)
{
    struct caller *caller = argument;
    static const char *const targets[] = {"/later", "/early", "/", "/twice"};
    struct client client;
    client_open(&client, caller->port);
    for (int i = 0; i < 200; i++) {
        const struct slice body = arena_format(&client.arena, "%d of %d", i, caller->number);
        const struct reply reply =
            client_ask(&client, targets[(size_t)i % COUNT_OF(targets)], "", body);
        if (slice_equal(reply.body, body)) caller->answered++;
    }
    client_close(&client);
    return NULL;
}

static void no_answer_is_lost_or_crossed_under_concurrency(void **state)
{
    const struct toy *toy = *state;
    struct caller callers[16];
    for (int i = 0; i < (int)COUNT_OF(callers); i++) {
        callers[i] = (struct caller){.port = toy->port, .number = i};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(callers); i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        assert_int_equal(callers[i].answered, 200);
    }
}

static void a_client_that_leaves_while_waiting_does_no_harm(void **state)
{
    struct toy *toy = *state;
    struct client client;
    for (int i = 0; i < 10; i++) {
        client_open(&client, toy->port);
        client_post(&client, "/later?ms=50", "", SLICE("gone"));
        while (atomic_load(&toy->requests) <= (unsigned)i)
            pause_ms(1);
        client_close(&client);
    }
    client_open(&client, toy->port);
    ASSERT_SLICE(client_ask(&client, "/later?ms=100", "", SLICE("here")).body, SLICE("here"));
    client_close(&client);
    /* Each of those who left was resumed all the same; this hangs if one was not. */
    while (atomic_load(&toy->resumed) < 11)
        pause_ms(1);
    assert_int_equal(atomic_load(&toy->resumed), 11);
}

static void a_request_may_arrive_byte_by_byte(void **state)
{
    const struct toy *toy = *state;
    static const char request[] =
        "POST /later HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabc";
    struct client client;
    client_open(&client, toy->port);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        client_send(&client, slice_of(request + i, 1));
        (void)nanosleep(&(struct timespec){.tv_nsec = 100 * 1000}, NULL);
    }
    ASSERT_SLICE(client_read(&client).body, SLICE("abc"));
    client_close(&client);
}

static void what_is_not_http_gets_400_and_nothing_else_breaks(void **state)
{
    static const char *const requests[] = {
        "nonsense\r\n\r\n",
        "POST / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef",
    };
    const struct toy *toy = *state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct client client;
        client_open(&client, toy->port);
        client_send_text(&client, requests[i]);
        const int status = client_read(&client).status;
        ASSERT_CASE(status == 400 || status == 0, requests[i]);
        client.received.length = 0; /* libmicrohttpd says some of it twice */
        ASSERT_CASE(client_sees_end(&client, 1000), requests[i]);
        client_close(&client);
    }
    struct client client;
    client_open(&client, toy->port);
    assert_int_equal(client_ask(&client, "/", "", SLICE("")).status, 200);
    client_close(&client);
}

static void headers_may_be_large_but_not_endless(void **state)
{
    static const struct {
        size_t bytes;
        int status;
    } cases[] = {{4000, 200}, {6000, 200}, {20000, 431}, {200000, 431}};
    const struct toy *toy = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct client client;
        client_open(&client, toy->port);
        char *value = arena_alloc(&client.arena, cases[i].bytes + 1);
        memset(value, 'a', cases[i].bytes);
        const struct slice header =
            arena_format(&client.arena, "X-Amz-Security-Token: %s\r\n", value);
        const struct reply reply = client_ask(&client, "/header?name=x-amz-security-token",
                                              (const char *)header.data, SLICE("body"));
        /* A client still talking when it is refused may see a reset in place of the answer. */
        assert_true(reply.status == cases[i].status ||
                    (cases[i].status == 431 && reply.status == 0));
        if (reply.status == 200) assert_int_equal(reply.body.length, cases[i].bytes);
        client_close(&client);
    }
}

static void http_1_0_is_answered_and_closed(void **state)
{
    const struct toy *toy = *state;
    struct client client;
    client_open(&client, toy->port);
    client_send_text(&client, "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi");
    ASSERT_SLICE(client_read(&client).body, SLICE("hi"));
    assert_true(client_sees_end(&client, 1000));
    client_close(&client);
}

static void a_silent_connection_is_closed(void **state)
{
    (void)state;
    struct toy toy;
    struct server_options options;
    toy_defaults(&options);
    options.timeout_s = 1;
    toy_open(&toy, &options);
    struct client idle;
    struct client slow;
    client_open(&idle, toy.port);
    client_open(&slow, toy.port);
    assert_int_equal(client_ask(&idle, "/later?ms=1500", "", SLICE("")).status, 200);
    client_send_text(&slow, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf");
    assert_false(client_sees_end(&idle, 200));
    assert_true(client_sees_end(&slow, 3000));
    assert_true(client_sees_end(&idle, 3000));
    client_close(&idle);
    client_close(&slow);
    toy_close(&toy);
}

static void connections_above_the_limit_wait_their_turn(void **state)
{
    (void)state;
    struct toy toy;
    struct server_options options;
    toy_defaults(&options);
    options.connections = 3;
    toy_open(&toy, &options);
    struct client clients[4];
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        client_open(&clients[i], toy.port);
        if (i < 3) assert_int_equal(client_ask(&clients[i], "/", "", SLICE("")).status, 200);
    }
    client_post(&clients[3], "/", "", SLICE("patience"));
    pause_ms(50);
    assert_int_equal(atomic_load(&toy.requests), 3);
    client_close(&clients[0]);
    ASSERT_SLICE(client_read(&clients[3]).body, SLICE("patience"));
    for (size_t i = 1; i < COUNT_OF(clients); i++)
        client_close(&clients[i]);
    toy_close(&toy);
}

/* It takes a fraction of a second; on a busy machine, under a sanitizer, more. A hang is caught. */
enum { STOP_MS_MAX = 5000 };

static void closing_finishes_what_is_under_way_and_soon(void **state)
{
    struct toy *toy = *state;
    struct client idle[10];
    struct client waiting[10];
    struct client upload;
    struct client unread;
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        client_open(&idle[i], toy->port);
        assert_int_equal(client_ask(&idle[i], "/", "", SLICE("")).status, 200);
    }
    client_open(&upload, toy->port);
    client_send_text(&upload, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf");
    client_open(&unread, toy->port);
    client_post(&unread, "/big?bytes=20000000", "", SLICE(""));
    uint8_t first = 0; /* the answer is on its way, and more than fits into the socket's buffers */
    assert_int_equal(recv(unread.fd, &first, 1, MSG_PEEK), 1);
    /* Last, and for long enough that none is answered before the stop, also on a busy machine. */
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        client_open(&waiting[i], toy->port);
        client_post(&waiting[i], "/later?ms=600", "", SLICE("commit"));
    }
    while (atomic_load(&toy->requests) < 21)
        pause_ms(1);
    const int64_t started_ms = now_ms();
    toy_stop(toy);
    assert_true(now_ms() - started_ms < STOP_MS_MAX);
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        const struct reply reply = client_read(&waiting[i]);
        ASSERT_SLICE(reply.body, SLICE("commit"));
        ASSERT_SLICE(reply_header(reply, "Connection"), SLICE("close"));
        assert_true(client_sees_end(&waiting[i], STOP_MS_MAX));
        assert_true(client_sees_end(&idle[i], STOP_MS_MAX));
        client_close(&waiting[i]);
        client_close(&idle[i]);
    }
    assert_true(client_sees_end(&upload, STOP_MS_MAX));
    client_close(&upload);
    client_close(&unread);
}

static void a_server_nobody_uses_closes_at_once(void **state)
{
    struct toy *toy = *state;
    const int64_t started_ms = now_ms();
    toy_stop(toy);
    assert_true(now_ms() - started_ms < STOP_MS_MAX);
}

static void a_taken_port_is_reported(void **state)
{
    const struct toy *toy = *state;
    static const struct server_handler handler = {0};
    struct server *second = NULL;
    struct server_options options;
    server_defaults(&options);
    options.port = toy->port;
    options.threads = 2;
    assert_int_equal(server_open(&options, &handler, NULL, &second), SERVER_PORT_TAKEN);
    assert_null(second);
}

/* ---- turns ----------------------------------------------------------------------------------- */

enum { SLOW = 4 };

/* One network thread, and connections that it has taken, for requests that come all at once. */
struct rush {
    struct toy toy;
    struct client first; /* occupies the thread while the others ask */
    struct client waiting;
    struct client slow[SLOW];
};

static void rush_open(struct rush *rush)
{
    struct server_options options;
    toy_defaults(&options);
    toy_open(&rush->toy, &options);
    struct client *clients[2 + SLOW] = {&rush->first, &rush->waiting};
    for (size_t i = 0; i < SLOW; i++)
        clients[2 + i] = &rush->slow[i];
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        client_open(clients[i], rush->toy.port);
        assert_int_equal(client_ask(clients[i], "/", "", SLICE("")).status, 200);
    }
}

static void rush_close(struct rush *rush)
{
    client_close(&rush->first);
    client_close(&rush->waiting);
    for (size_t i = 0; i < SLOW; i++)
        client_close(&rush->slow[i]);
    toy_close(&rush->toy);
}

/* Until the thread sleeps in its handler. */
static void occupy(struct rush *rush)
{
    const unsigned before = atomic_load(&rush->toy.requests);
    client_post(&rush->first, "/turn?ms=300", "", SLICE(""));
    while (atomic_load(&rush->toy.requests) == before)
        pause_ms(1);
}

/* Each takes many times as long as a turn may in which somebody waits. */
static void ask_slowly(struct rush *rush)
{
    for (size_t i = 0; i < SLOW; i++)
        client_post(&rush->slow[i], "/turn?ms=5", "", SLICE(""));
}

/* In how many turns the slow requests were answered. */
static int count_turns(struct rush *rush)
{
    struct slice turns[SLOW];
    int count = 0;
    for (size_t i = 0; i < SLOW; i++) {
        turns[i] = client_read(&rush->slow[i]).body;
        bool is_new = true;
        for (size_t j = 0; j < i; j++)
            if (slice_equal(turns[i], turns[j])) is_new = false;
        count += is_new;
    }
    return count;
}

static void requests_that_come_together_share_a_turn(void **state)
{
    (void)state;
    struct rush rush;
    rush_open(&rush);
    occupy(&rush);
    ask_slowly(&rush);
    assert_int_equal(count_turns(&rush), 1);
    rush_close(&rush);
}

static void a_turn_in_which_somebody_waits_is_divided(void **state)
{
    (void)state;
    struct rush rush;
    rush_open(&rush);
    occupy(&rush);
    client_post(&rush.waiting, "/held", "", SLICE(""));
    ask_slowly(&rush);
    assert_int_equal(count_turns(&rush), 2);
    toy_release(&rush.toy);
    assert_int_equal(client_read(&rush.waiting).status, 200);
    rush_close(&rush);
}

/* The request has long been suspended when the turn begins; it is resumed, and waits again. */
static void a_turn_in_which_somebody_waits_again_is_divided(void **state)
{
    (void)state;
    struct rush rush;
    rush_open(&rush);
    client_post(&rush.waiting, "/held-twice?ms=50", "", SLICE(""));
    while (atomic_load(&rush.toy.requests) < 3 + SLOW)
        pause_ms(1);
    occupy(&rush);
    toy_release(&rush.toy);
    ask_slowly(&rush);
    assert_int_equal(count_turns(&rush), 2);
    assert_int_equal(client_read(&rush.waiting).status, 200);
    rush_close(&rush);
}

static void a_handler_need_not_care_for_turns(void **state)
{
    (void)state;
    struct toy toy;
    struct server_options options;
    toy_defaults(&options);
    toy_open_without_turns(&toy, &options);
    struct client client;
    client_open(&client, toy.port);
    ASSERT_SLICE(client_ask(&client, "/later?ms=5", "", SLICE("body")).body, SLICE("body"));
    ASSERT_SLICE(client_ask(&client, "/", "", SLICE("body")).body, SLICE("body"));
    client_close(&client);
    toy_close(&toy);
    assert_int_equal(atomic_load(&toy.turns_begun), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_toy, close_toy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connection_serves_many_requests),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(a_suspended_request_is_answered_when_it_is_resumed),
        TEST(waiting_requests_do_not_hold_up_others),
        TEST(no_answer_is_lost_or_crossed_under_concurrency),
        TEST(a_client_that_leaves_while_waiting_does_no_harm),
        TEST(a_request_may_arrive_byte_by_byte),
        TEST(what_is_not_http_gets_400_and_nothing_else_breaks),
        TEST(headers_may_be_large_but_not_endless),
        TEST(http_1_0_is_answered_and_closed),
        cmocka_unit_test(a_silent_connection_is_closed),
        cmocka_unit_test(connections_above_the_limit_wait_their_turn),
        cmocka_unit_test(requests_that_come_together_share_a_turn),
        cmocka_unit_test(a_turn_in_which_somebody_waits_is_divided),
        cmocka_unit_test(a_turn_in_which_somebody_waits_again_is_divided),
        cmocka_unit_test(a_handler_need_not_care_for_turns),
        TEST(closing_finishes_what_is_under_way_and_soon),
        TEST(a_server_nobody_uses_closes_at_once),
        TEST(a_taken_port_is_reported),
    };
    return cmocka_run_group_tests_name("net/server", tests, NULL, NULL);
}
