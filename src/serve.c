/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve — carries requests from net/ to the endpoint of ops/ and its answers back. Each of the two
 * rooms has its own words for an HTTP message, so that neither knows the other.
 *
 * A request that has to wait, for the committer as a rule, suspends its exchange; the endpoint's
 * ready call, from the committer's thread, brings the exchange back to its network thread. The
 * writes of the requests that a network thread takes in one turn are committed together.
 */
#include "serve.h"

#include "library.h"
#include "ops/endpoint.h"

struct served {
    struct endpoint_request request;
    struct endpoint endpoint;
};

static void on_request(void *context, struct exchange *exchange);
static void on_resumed(void *context, struct exchange *exchange);
static void on_turn_begins(void *context);
static void on_turn_ends(void *context);

static const struct server_handler handler = {
    .request = on_request,
    .resumed = on_resumed,
    .turn_begins = on_turn_begins,
    .turn_ends = on_turn_ends,
};

enum server_status serve_open(const struct server_options *options, struct stator *db,
                              struct server **server)
{
    return server_open(options, &handler, library_database(db), server);
}

static struct slice header(void *context, const char *name)
{
    return exchange_header(context, name);
}

static struct slice query(void *context, const char *name)
{
    return exchange_query(context, name);
}

static bool is_local(void *context)
{
    return exchange_is_local(context);
}

static enum endpoint_body body_status(enum exchange_body status)
{
    switch (status) {
    case EXCHANGE_BODY_OK:
        return ENDPOINT_BODY_OK;
    case EXCHANGE_BODY_NO_ROOM:
        return ENDPOINT_BODY_NO_ROOM;
    case EXCHANGE_BODY_TOO_LARGE:
        return ENDPOINT_BODY_TOO_LARGE;
    case EXCHANGE_BODY_MALFORMED:
    case EXCHANGE_BODY_UNSUPPORTED:
        break;
    }
    return ENDPOINT_BODY_MALFORMED;
}

static void on_ready(void *context)
{
    exchange_resume(context);
}

static void on_request(void *context, struct exchange *exchange)
{
    struct served *served = arena_new(&exchange->arena, struct served);
    exchange->user = served;
    served->request = (struct endpoint_request){
        .method = exchange->method,
        .path = exchange->path,
        .body = exchange->body,
        .body_status = body_status(exchange->body_status),
        .header = header,
        .query = query,
        .is_local = is_local,
        .context = exchange,
    };
    served->endpoint.dispatch.ready = on_ready;
    served->endpoint.dispatch.context = exchange;
    if (endpoint_start(&served->endpoint, context, &served->request, &exchange->arena))
        on_resumed(context, exchange);
    else
        exchange_suspend(exchange);
}

static void on_resumed(void *context, struct exchange *exchange)
{
    struct served *served = exchange->user;
    (void)context;
    if (!endpoint_finish(&served->endpoint)) {
        exchange_suspend(exchange);
        return;
    }
    const struct endpoint_response *response = &served->endpoint.response;
    for (size_t i = 0; i < response->header_count; i++)
        exchange_add_header(exchange, response->headers[i].name, response->headers[i].value);
    exchange_respond(exchange, response->status, response->body);
    endpoint_close(&served->endpoint);
}

static void on_turn_begins(void *context)
{
    kv_cork(((struct database *)context)->kv);
}

static void on_turn_ends(void *context)
{
    kv_uncork(((struct database *)context)->kv);
}
