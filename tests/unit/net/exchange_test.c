/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_test — what a request looks like to a handler, and a response to a client. */
#include "net/exchange.h"

#include "net/gzip.h"
#include "unit/net/client.h"
#include "unit/net/toy.h"
#include "unit/unit.h"

enum { LIMIT = 200 * 1000 }; /* bytes of a body, here */

struct fixture {
    struct toy toy;
    struct client client;
    struct gzip gzip;
};

static int open_fixture(void **state)
{
    static struct fixture fixture;
    struct server_options options;
    toy_defaults(&options);
    options.body_bytes_max = LIMIT;
    options.bodies_bytes_max = 2 * LIMIT;
    toy_open(&fixture.toy, &options);
    client_open(&fixture.client, fixture.toy.port);
    gzip_open(&fixture.gzip);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    gzip_close(&fixture->gzip);
    client_close(&fixture->client);
    toy_close(&fixture->toy);
    return 0;
}

static struct slice pattern(struct client *client, size_t length)
{
    uint8_t *bytes = arena_alloc_raw(&client->arena, length);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i * 31 / 7);
    return slice_of(bytes, length);
}

static void assert_crc(struct reply reply)
{
    char expected[16];
    (void)snprintf(expected, sizeof expected, "%u", gzip_crc32(reply.body));
    ASSERT_SLICE(reply_header(reply, "x-crc"), slice_of_string(expected));
}

static void a_response_has_the_headers_of_the_service(void **state)
{
    struct fixture *fixture = *state;
    const struct reply reply = client_ask(&fixture->client, "/", "", SLICE("{\"a\":1}"));
    assert_int_equal(reply.status, 200);
    ASSERT_SLICE(reply.body, SLICE("{\"a\":1}"));
    ASSERT_SLICE(reply_header(reply, "Content-Length"), SLICE("7"));
    ASSERT_SLICE(reply_header(reply, "Server"), SLICE("Server"));
    ASSERT_SLICE(reply_header(reply, "Connection"), SLICE("Keep-Alive"));
    ASSERT_SLICE(reply_header(reply, "X-Method"), SLICE("POST"));
    assert_int_equal(reply_header(reply, "Date").length, strlen("Thu, 01 Jan 1970 00:00:00 GMT"));
    assert_null(reply_header(reply, "Content-Encoding").data);
    assert_crc(reply);
}

static void header_values_that_cannot_be_sent_are_left_out(void **state)
{
    struct fixture *fixture = *state;
    const struct reply reply = client_ask(&fixture->client, "/", "", SLICE("x"));
    assert_null(reply_header(reply, "X-Bad").data);
    assert_null(reply_header(reply, "X-Empty").data);
    assert_int_equal(reply.status, 200);
}

static void an_empty_body_has_length_and_checksum_zero(void **state)
{
    struct fixture *fixture = *state;
    const struct reply reply = client_ask(&fixture->client, "/", "", SLICE(""));
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.length, 0);
    ASSERT_SLICE(reply_header(reply, "x-crc"), SLICE("0"));
}

static void headers_and_parameters_are_found_by_name(void **state)
{
    static const struct {
        const char *target;
        const char *value;
    } cases[] = {
        {"/header?name=X-Amz-Target", "DynamoDB_20120810.PutItem"},
        {"/header?name=x-amz-target", "DynamoDB_20120810.PutItem"},
        {"/header?name=X-AMZ%2DTARGET", "DynamoDB_20120810.PutItem"},
        {"/header?other=1&name=X-Amz-Target", "DynamoDB_20120810.PutItem"},
        {"/header?name=X-Amz", ""},
        {"/header?name", ""},
        {"/header", ""},
        {"/target?X-Amz-Algorithm=AWS4%2dHMAC&b", "/target?X-Amz-Algorithm=AWS4%2dHMAC&b"},
        {"/%74arget", "/%74arget"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct reply reply =
            client_ask(&fixture->client, cases[i].target,
                       "X-Amz-Target: DynamoDB_20120810.PutItem\r\n", SLICE(""));
        ASSERT_SLICE(reply.body, slice_of_string(cases[i].value));
    }
}

static void bodies_of_every_size_arrive_whole(void **state)
{
    struct fixture *fixture = *state;
    for (size_t length = 1; length <= LIMIT; length = length * 3 + 1) {
        const struct slice body = pattern(&fixture->client, length);
        const struct reply reply = client_ask(&fixture->client, "/", "", body);
        assert_int_equal(reply.status, 200);
        ASSERT_SLICE(reply.body, body);
    }
}

static void send_chunked(struct client *client, struct slice body, size_t chunk)
{
    struct buffer out = buffer_open(&client->arena, 0);
    BUFFER_TEXT(&out, "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (body.length > 0) {
        const size_t length = body.length < chunk ? body.length : chunk;
        buffer_append_format(&out, "%zx\r\n", length);
        buffer_append(&out, slice_of(body.data, length));
        BUFFER_TEXT(&out, "\r\n");
        body = slice_of(body.data + length, body.length - length);
    }
    BUFFER_TEXT(&out, "0\r\n\r\n");
    client_send(client, buffer_slice(&out));
}

static void chunked_bodies_arrive_whole(void **state)
{
    static const size_t chunks[] = {1, 7, 1000, 70 * 1000};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(chunks); i++) {
        const size_t length = chunks[i] < 10 ? 1500 : LIMIT;
        const struct slice body = pattern(&fixture->client, length);
        send_chunked(&fixture->client, body, chunks[i]);
        const struct reply reply = client_read(&fixture->client);
        assert_int_equal(reply.status, 200);
        ASSERT_SLICE(reply.body, body);
    }
}

static void assert_refused_and_closed(struct client *client)
{
    const struct reply reply = client_read(client);
    assert_int_equal(reply.status, 413);
    assert_int_equal(reply.body.length, 0);
    ASSERT_SLICE(reply_header(reply, "Connection"), SLICE("close"));
    assert_true(client_sees_end(client, 1000));
}

static void the_limit_is_exact(void **state)
{
    struct fixture *fixture = *state;
    const struct slice body = pattern(&fixture->client, LIMIT + 1);
    assert_int_equal(client_ask(&fixture->client, "/", "", slice_of(body.data, LIMIT)).status, 200);
    client_post(&fixture->client, "/", "", body);
    assert_refused_and_closed(&fixture->client);
}

static void a_chunked_body_is_refused_when_it_outgrows_the_limit(void **state)
{
    struct fixture *fixture = *state;
    send_chunked(&fixture->client, pattern(&fixture->client, LIMIT + 1), 10 * 1000);
    assert_refused_and_closed(&fixture->client);
}

static void an_absurd_length_is_refused_before_the_body(void **state)
{
    struct fixture *fixture = *state;
    client_send_text(&fixture->client,
                     "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999\r\n\r\n");
    assert_refused_and_closed(&fixture->client);
}

static void an_endless_chunked_body_is_cut_off(void **state)
{
    struct fixture *fixture = *state;
    send_chunked(&fixture->client, pattern(&fixture->client, 5 * LIMIT), 50 * 1000);
    assert_true(client_sees_end(&fixture->client, 1000));
    assert_int_equal(atomic_load(&fixture->toy.requests), 0);
}

static void a_client_that_asks_first_is_answered_first(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    client_send_text(client, "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n"
                             "Content-Length: 5\r\n\r\n");
    assert_int_equal(client_read(client).status, 100);
    client_send_text(client, "hello");
    ASSERT_SLICE(client_read(client).body, SLICE("hello"));
    client_send_text(client, "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n"
                             "Content-Length: 200001\r\n\r\n");
    assert_refused_and_closed(client);
}

static struct slice gzipped(struct fixture *fixture, struct slice body)
{
    struct slice out = {0};
    assert_true(gzip_deflate(&fixture->gzip, body, &fixture->client.arena, &out));
    return out;
}

static struct slice zeros(struct fixture *fixture, size_t length)
{
    return slice_of(arena_alloc(&fixture->client.arena, length), length);
}

static void a_gzip_body_is_inflated(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"Content-Encoding: gzip\r\n", "content-encoding: GZIP\r\n",
                                        "Content-Encoding: x-gzip\r\n"};
    const struct slice body = zeros(fixture, LIMIT);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct reply reply =
            client_ask(&fixture->client, "/", names[i], gzipped(fixture, body));
        assert_int_equal(reply.status, 200);
        ASSERT_SLICE(reply.body, body);
    }
}

static void content_codings_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    const struct slice plain = SLICE("{}");
    const struct {
        const char *header;
        struct slice body;
        int status;
    } cases[] = {
        {"Content-Encoding: identity\r\n", plain, 200},
        {"Content-Encoding: \r\n", plain, 200},
        {"Content-Encoding: gzip\r\n", plain, 400},
        {"Content-Encoding: gzip\r\n", SLICE(""), 200},
        {"Content-Encoding: br\r\n", plain, 415},
        {"Content-Encoding: deflate\r\n", plain, 415},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct reply reply =
            client_ask(&fixture->client, "/", cases[i].header, cases[i].body);
        ASSERT_CASE(reply.status == cases[i].status, cases[i].header);
    }
}

static void the_limit_holds_for_what_a_body_inflates_to(void **state)
{
    struct fixture *fixture = *state;
    const struct slice bomb = gzipped(fixture, zeros(fixture, 100 * LIMIT));
    assert_true(bomb.length < LIMIT);
    client_post(&fixture->client, "/", "Content-Encoding: gzip\r\n", bomb);
    assert_refused_and_closed(&fixture->client);
}

static int status_of(struct fixture *fixture, const char *header, struct slice body)
{
    struct client client;
    client_open(&client, fixture->toy.port);
    const int status = client_ask(&client, "/", header, body).status;
    client_close(&client);
    return status;
}

static void pause_ms(int milliseconds)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000L}, NULL);
}

static void bodies_share_their_room(void **state)
{
    struct fixture *fixture = *state;
    const struct slice body = pattern(&fixture->client, LIMIT);
    struct client clients[2];
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        client_open(&clients[i], fixture->toy.port);
        client_post(&clients[i], "/held", "", body);
    }
    while (atomic_load(&fixture->toy.requests) < COUNT_OF(clients))
        pause_ms(1);
    /* What two bodies have taken is not there for a third, in whatever form it comes. */
    assert_int_equal(status_of(fixture, "", body), 503);
    const struct slice bomb = gzipped(fixture, zeros(fixture, LIMIT));
    assert_int_equal(status_of(fixture, "Content-Encoding: gzip\r\n", bomb), 503);
    assert_int_equal(status_of(fixture, "", SLICE("a small one")), 200);
    toy_release(&fixture->toy);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        ASSERT_SLICE(client_read(&clients[i]).body, body);
        client_close(&clients[i]);
    }
    /* The room is given back when an answer is on its way, which a client may see sooner. */
    int status = 503;
    for (int i = 0; i < 1000 && status == 503; i++, pause_ms(5))
        status = status_of(fixture, "", body);
    assert_int_equal(status, 200);
}

static void answers_that_nobody_reads_take_room(void **state)
{
    enum { LARGE = 16 * 1000 * 1000 }; /* more than sockets hold */
    struct fixture *fixture = *state;
    char target[64];
    (void)snprintf(target, sizeof target, "/big?bytes=%d", LARGE);
    struct client lazy;
    client_open(&lazy, fixture->toy.port);
    client_post(&lazy, target, "", SLICE(""));
    while (atomic_load(&fixture->toy.requests) == 0)
        pause_ms(1);
    pause_ms(20); /* its answer has been made, and cannot be sent */
    assert_int_equal(status_of(fixture, "", SLICE("a small one")), 503);
    assert_int_equal(client_read(&lazy).body.length, LARGE);
    client_close(&lazy);
    int status = 503;
    for (int i = 0; i < 1000 && status == 503; i++, pause_ms(5))
        status = status_of(fixture, "", SLICE("a small one"));
    assert_int_equal(status, 200);
}

static void large_answers_are_compressed_for_those_who_ask(void **state)
{
    static const struct {
        const char *target;
        const char *header;
        bool compressed;
    } cases[] = {
        {"/big?bytes=1024", "Accept-Encoding: gzip\r\n", true},
        {"/big?bytes=500000", "Accept-Encoding: gzip, deflate, br\r\n", true},
        {"/big?bytes=500000", "Accept-Encoding: gzip;q=0.1\r\n", true},
        {"/big?bytes=1023", "Accept-Encoding: gzip\r\n", false},
        {"/big?bytes=500000", "Accept-Encoding: identity\r\n", false},
        {"/big?bytes=500000", "Accept-Encoding: gzip;q=0\r\n", false},
        {"/big?bytes=500000", "", false},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct reply plain = client_ask(&fixture->client, cases[i].target, "", SLICE(""));
        const struct reply reply =
            client_ask(&fixture->client, cases[i].target, cases[i].header, SLICE(""));
        const struct slice coding = reply_header(reply, "Content-Encoding");
        ASSERT_CASE(slice_equal(coding, SLICE("gzip")) == cases[i].compressed, cases[i].header);
        assert_crc(reply); /* of the bytes as sent */
        struct slice body = reply.body;
        if (cases[i].compressed) {
            assert_true(body.length < plain.body.length);
            assert_int_equal(
                gzip_inflate(&fixture->gzip, reply.body, 1 << 20, &fixture->client.arena, &body),
                GZIP_OK);
        }
        ASSERT_SLICE(body, plain.body);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_response_has_the_headers_of_the_service),
        TEST(header_values_that_cannot_be_sent_are_left_out),
        TEST(an_empty_body_has_length_and_checksum_zero),
        TEST(headers_and_parameters_are_found_by_name),
        TEST(bodies_of_every_size_arrive_whole),
        TEST(chunked_bodies_arrive_whole),
        TEST(the_limit_is_exact),
        TEST(a_chunked_body_is_refused_when_it_outgrows_the_limit),
        TEST(an_absurd_length_is_refused_before_the_body),
        TEST(an_endless_chunked_body_is_cut_off),
        TEST(a_client_that_asks_first_is_answered_first),
        TEST(a_gzip_body_is_inflated),
        TEST(content_codings_are_told_apart),
        TEST(the_limit_holds_for_what_a_body_inflates_to),
        TEST(bodies_share_their_room),
        TEST(answers_that_nobody_reads_take_room),
        TEST(large_answers_are_compressed_for_those_who_ask),
    };
    return cmocka_run_group_tests_name("net/exchange", tests, NULL, NULL);
}
