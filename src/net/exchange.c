/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange — collects a request, calls the handler, builds the response.
 *
 * The request's headers are taken over in one walk when they have arrived: about ten of them are
 * asked for by name, and libmicrohttpd would walk its list for each.
 *
 * Suspension. libmicrohttpd can park a connection, at the price of two epoll_ctl calls; and a
 * handler may be resumed before it has returned. Both meet in `turn`, the only field two threads
 * write:
 *
 *     HANDLER  --resume-->  RESUMED                  the loop sees it when the handler returns
 *     HANDLER  --handler returned-->  PARKED  --resume-->  RESUMED, and handed to loop_resume
 *
 * so an exchange resumed early is never parked and costs nothing.
 *
 * A body that is too large is read to its end and dropped (within reason) before the answer: a
 * client that is still writing when the connection closes would see a reset and not the answer.
 * A client that asks first (Expect: 100-continue) is answered at once. A body for which there is
 * no room beside those of others is read and dropped, too; its client is asked to come again.
 */
#include "net/exchange.h"

#include "net/loop.h"
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum exchange_turn {
    TURN_HANDLER,
    TURN_PARKED,
    TURN_RESUMED,
};

enum {
    UPLOAD_BYTES_FIRST = 64 * 1024, /* allocated on a client's word alone */
    UPLOAD_DROP_FACTOR = 4,         /* times the limit: how much of a too large body we read */
    LOWER_CASE = 0x20,              /* the bit in which the cases of a letter differ */
};

static void take_fields(struct exchange *exchange);
static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *name,
                                  size_t name_length, const char *value, size_t value_length);
static uint64_t content_length(const struct exchange *exchange);
static bool make_room(struct exchange *exchange, size_t needed) WARN_UNUSED;
static bool claim(struct exchange *exchange, size_t bytes) WARN_UNUSED;
static void decode_body(struct exchange *exchange);
static void settle(struct exchange *exchange);
static void park(struct exchange *exchange);
static bool is_loopback(const struct sockaddr *address);
static void claim_response(struct exchange *exchange, size_t length);
static void add_header(struct MHD_Response *response, const char *name, const char *value);
static bool compress_body(struct exchange *exchange, struct slice *body);
static void set_crc(struct exchange *exchange, struct slice body);

struct exchange *exchange_open(struct loop *loop)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    CHECK(exchange != NULL);
    exchange->loop = loop;
    exchange->worker = loop->index;
    arena_open(&exchange->arena, 0);
    return exchange;
}

void exchange_close(struct exchange *exchange)
{
    arena_close(&exchange->arena);
    free(exchange);
}

void exchange_begin(struct exchange *exchange, struct MHD_Connection *connection,
                    const char *target)
{
    exchange->connection = connection;
    const bool is_root = target[0] == '/' && target[1] == '\0'; /* as good as always */
    exchange->target = is_root ? SLICE("/") : arena_copy(&exchange->arena, slice_of_string(target));
}

void exchange_take_headers(struct exchange *exchange, const char *method, const char *path)
{
    exchange->begun = true;
    exchange->method = slice_of_string(method);
    exchange->path = slice_of_string(path);
    take_fields(exchange);
    const uint64_t length = content_length(exchange);
    const size_t limit = exchange->loop->options->body_bytes_max;
    if (length <= limit) {
        exchange->upload_expected = (size_t)length;
        return;
    }
    exchange->body_status = EXCHANGE_BODY_TOO_LARGE;
    const bool asks_first = exchange_header(exchange, MHD_HTTP_HEADER_EXPECT).data != NULL;
    if (asks_first || length > limit * UPLOAD_DROP_FACTOR) exchange_deliver(exchange);
}

static void take_fields(struct exchange *exchange)
{
    const int count =
        MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, NULL, NULL);
    if (count <= 0) return;
    exchange->fields = arena_alloc_raw(&exchange->arena, (size_t)count * sizeof *exchange->fields);
    const int taken =
        MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, take_field, exchange);
    CHECK(taken == count);
}

static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *name,
                                  size_t name_length, const char *value, size_t value_length)
{
    struct exchange *exchange = context;
    (void)kind;
    exchange->fields[exchange->field_count++] = (struct exchange_field){
        slice_of(name, name_length), value == NULL ? SLICE("") : slice_of(value, value_length)};
    return MHD_YES;
}

/* 0 when there is none. libmicrohttpd refuses what is not a number before this is called. */
static uint64_t content_length(const struct exchange *exchange)
{
    const struct slice text = exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return 0;
        if (length > UINT64_MAX / 10 - 1) return UINT64_MAX;
        length = length * 10 + (uint64_t)(text.data[i] - '0');
    }
    return length;
}

bool exchange_take_body(struct exchange *exchange, struct slice piece)
{
    const size_t limit = exchange->loop->options->body_bytes_max;
    const size_t kept = (size_t)exchange->upload_seen;
    exchange->upload_seen += piece.length;
    if (exchange->upload_seen > limit) exchange->body_status = EXCHANGE_BODY_TOO_LARGE;
    if (exchange->body_status != EXCHANGE_BODY_OK)
        return exchange->upload_seen <= (uint64_t)limit * UPLOAD_DROP_FACTOR;
    if (!make_room(exchange, kept + piece.length)) {
        exchange->body_status = EXCHANGE_BODY_NO_ROOM;
        return true;
    }
    memcpy(exchange->upload + kept, piece.data, piece.length);
    return true;
}

/* False when all bodies together would be too large. */
static bool make_room(struct exchange *exchange, size_t needed)
{
    if (needed <= exchange->upload_capacity) return true;
    size_t capacity = exchange->upload_capacity * 2;
    if (capacity == 0) capacity = UPLOAD_BYTES_FIRST;
    if (capacity < needed) capacity = needed;
    const size_t expected = exchange->upload_expected;
    if (needed <= expected && capacity > expected) capacity = expected;
    /*
     * The whole of it is claimed as soon as it turns out large: were it claimed as it grows, many
     * at once would all come half way.
     */
    if (!claim(exchange,
               capacity > UPLOAD_BYTES_FIRST && capacity < expected ? expected : capacity))
        return false;
    exchange->upload =
        arena_grow(&exchange->arena, exchange->upload, exchange->upload_capacity, capacity);
    exchange->upload_capacity = capacity;
    return true;
}

/* Small bodies are not counted: how many connections there may be bounds them. */
static bool claim(struct exchange *exchange, size_t bytes)
{
    if (bytes <= UPLOAD_BYTES_FIRST || bytes <= exchange->claimed) return true;
    if (!loop_claim(exchange->loop, bytes - exchange->claimed)) return false;
    exchange->claimed = bytes;
    return true;
}

void exchange_deliver(struct exchange *exchange)
{
    const struct loop *loop = exchange->loop;
    decode_body(exchange);
    loop->handler->request(loop->context, exchange);
    settle(exchange);
}

static void decode_body(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;
    if (exchange->body_status != EXCHANGE_BODY_OK) {
        exchange->close = true;
        return;
    }
    const struct slice sent = slice_of(exchange->upload, (size_t)exchange->upload_seen);
    exchange->body = sent;
    if (sent.length == 0) return;
    /* Not those that have their room already. */
    if (exchange->claimed == 0 && loop_is_full(loop)) {
        exchange->body = (struct slice){0};
        exchange->body_status = EXCHANGE_BODY_NO_ROOM;
        return;
    }
    const struct slice coding = exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_ENCODING);
    if (coding.length == 0 || slice_equal(coding, SLICE("identity"))) return;
    if (!gzip_is_named(coding)) {
        exchange->body_status = EXCHANGE_BODY_UNSUPPORTED;
        return;
    }
    exchange->body = (struct slice){0};
    switch (gzip_inflate(&loop->gzip, sent, loop->options->body_bytes_max, &exchange->arena,
                         &exchange->body)) {
    case GZIP_OK:
        if (claim(exchange, sent.length + exchange->body.length)) break;
        exchange->body = (struct slice){0};
        exchange->body_status = EXCHANGE_BODY_NO_ROOM;
        break;
    case GZIP_TOO_LARGE:
        exchange->body_status = EXCHANGE_BODY_TOO_LARGE;
        exchange->close = true;
        break;
    case GZIP_MALFORMED:
        exchange->body_status = EXCHANGE_BODY_MALFORMED;
        break;
    }
}

/* After the handler: it has responded, or waits, or has been resumed while it ran. */
static void settle(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;
    while (!exchange->responded) {
        CHECK(exchange->suspended);
        exchange->suspended = false;
        int turn = TURN_HANDLER;
        if (atomic_compare_exchange_strong(&exchange->turn, &turn, TURN_PARKED)) {
            park(exchange);
            return;
        }
        CHECK(turn == TURN_RESUMED);
        atomic_store(&exchange->turn, TURN_HANDLER);
        loop->handler->resumed(loop->context, exchange);
    }
    if (!exchange->parked) return;
    exchange->parked = false;
    loop->parked--;
    MHD_resume_connection(exchange->connection);
}

/* Another thread may have resumed it already; that is noticed only after we are done here. */
static void park(struct exchange *exchange)
{
    loop_note_waiting(exchange->loop);
    if (exchange->parked) return;
    MHD_suspend_connection(exchange->connection);
    exchange->parked = true;
    exchange->loop->parked++;
}

void exchange_suspend(struct exchange *exchange)
{
    CHECK(!exchange->suspended);
    CHECK(!exchange->responded);
    exchange->suspended = true;
}

void exchange_resume(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;
    const int turn = atomic_exchange(&exchange->turn, TURN_RESUMED);
    CHECK(turn != TURN_RESUMED);
    if (turn == TURN_PARKED) loop_resume(loop, exchange);
}

void exchange_return(struct exchange *exchange)
{
    const struct loop *loop = exchange->loop;
    atomic_store(&exchange->turn, TURN_HANDLER);
    loop->handler->resumed(loop->context, exchange);
    settle(exchange);
}

struct slice exchange_header(const struct exchange *exchange, const char *name)
{
    const size_t length = strlen(name);
    for (size_t i = 0; i < exchange->field_count; i++) {
        const struct exchange_field *field = &exchange->fields[i];
        if (field->name.length != length) continue;
        if (((field->name.data[0] ^ (uint8_t)name[0]) & ~LOWER_CASE) != 0) continue;
        if (strncasecmp((const char *)field->name.data, name, length) == 0) return field->value;
    }
    return (struct slice){0};
}

struct slice exchange_query(const struct exchange *exchange, const char *name)
{
    const char *value = NULL;
    size_t length = 0;
    if (memchr(exchange->target.data, '?', exchange->target.length) == NULL)
        return (struct slice){0};
    if (MHD_lookup_connection_value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name,
                                      strlen(name), &value, &length) == MHD_NO)
        return (struct slice){0};
    return value == NULL ? SLICE("") : slice_of(value, length);
}

bool exchange_is_local(const struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info != NULL && is_loopback(info->client_addr);
}

static bool is_loopback(const struct sockaddr *address)
{
    enum { MAPPED_AT = 12 }; /* where an IPv6 address holds a mapped one of version 4 */
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *inet = (const void *)address;
        return ntohl(inet->sin_addr.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
    }
    if (address->sa_family != AF_INET6) return false;
    const struct in6_addr *inet6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (IN6_IS_ADDR_LOOPBACK(inet6)) return true;
    return IN6_IS_ADDR_V4MAPPED(inet6) && inet6->s6_addr[MAPPED_AT] == IN_LOOPBACKNET;
}

void exchange_add_header(struct exchange *exchange, const char *name, struct slice value)
{
    CHECK(!exchange->responded);
    CHECK(exchange->header_count < EXCHANGE_HEADERS);
    exchange->headers[exchange->header_count].name = name;
    exchange->headers[exchange->header_count].value = arena_string(&exchange->arena, value);
    exchange->header_count++;
}

void exchange_respond(struct exchange *exchange, int status, struct slice body)
{
    CHECK(!exchange->responded);
    CHECK(!exchange->suspended);
    struct loop *loop = exchange->loop;
    const bool compressed = compress_body(exchange, &body);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.length, (void *)(uintptr_t)body.data, MHD_RESPMEM_PERSISTENT);
    CHECK(response != NULL);
    (void)MHD_set_response_options(response, MHD_RF_SEND_KEEP_ALIVE_HEADER, MHD_RO_END);
    for (unsigned i = 0; i < exchange->header_count; i++)
        add_header(response, exchange->headers[i].name, exchange->headers[i].value);
    if (compressed) add_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    if (loop->options->crc_header != NULL) {
        set_crc(exchange, body);
        add_header(response, loop->options->crc_header, exchange->crc);
    }
    add_header(response, MHD_HTTP_HEADER_SERVER, "Server");
    add_header(response, MHD_HTTP_HEADER_DATE, loop_date(loop));
    if (exchange->close || loop->draining)
        add_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    exchange->responded = true;
    claim_response(exchange, body.length);
    CHECK(MHD_queue_response(exchange->connection, (unsigned)status, response) == MHD_YES);
    MHD_destroy_response(response); /* the connection holds it now */
}

/*
 * A client may be slow to read a large response, and all the while its exchange holds that and what
 * it was made of. It cannot be refused any more, so it may exceed what all bodies may take
 * together; then requests that come are refused.
 */
static void claim_response(struct exchange *exchange, size_t length)
{
    if (length <= UPLOAD_BYTES_FIRST) return;
    const size_t bytes = arena_bytes(&exchange->arena);
    if (bytes <= exchange->claimed) return;
    loop_take(exchange->loop, bytes - exchange->claimed);
    exchange->claimed = bytes;
}

/* A value may come from a request: what libmicrohttpd refuses is left out. */
static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

static bool compress_body(struct exchange *exchange, struct slice *body)
{
    struct loop *loop = exchange->loop;
    if (body->length < loop->options->compress_bytes_min) return false;
    const struct slice accepted = exchange_header(exchange, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    if (!gzip_is_accepted(accepted)) return false;
    return gzip_deflate(&loop->gzip, *body, &exchange->arena, body);
}

/* Of the body as it is sent: compressed, if it is. */
static void set_crc(struct exchange *exchange, struct slice body)
{
    uint32_t crc = gzip_crc32(body);
    char digits[EXCHANGE_CRC_LENGTH];
    unsigned count = 0;
    do {
        digits[count++] = (char)('0' + crc % 10);
        crc /= 10;
    } while (crc != 0);
    for (unsigned i = 0; i < count; i++)
        exchange->crc[i] = digits[count - 1 - i];
    exchange->crc[count] = '\0';
}

/* Keeps its arena's first chunk and nothing else. */
void exchange_end(struct exchange *exchange)
{
    CHECK(!exchange->parked);
    CHECK(atomic_load(&exchange->turn) == TURN_HANDLER);
    struct arena arena = exchange->arena;
    struct loop *loop = exchange->loop;
    arena_reset(&arena);
    if (exchange->claimed > 0) loop_release(loop, exchange->claimed);
    *exchange = (struct exchange){.loop = loop, .worker = loop->index, .arena = arena};
}
