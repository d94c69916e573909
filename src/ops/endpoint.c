/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint — health, CORS, target, authentication; then the operation. The order is facts/errors.md
 * 0. */
#include "ops/endpoint.h"

#include <strings.h>

#include "ops/admin.h"
#include "ops/signature.h"

enum { REQUEST_ID_LENGTH = 52 };

static const struct slice json_1_0 = {(const uint8_t *)"application/x-amz-json-1.0", 26};
static const struct slice json_plain = {(const uint8_t *)"application/json", 16};

/* ---- responses ------------------------------------------------------------------------------- */

static void add_header(struct endpoint *endpoint, const char *name, struct slice value)
{
    struct endpoint_response *response = &endpoint->response;
    CHECK(response->header_count < ENDPOINT_HEADERS_MAX);
    response->headers[response->header_count++] = (struct endpoint_header){name, value};
}

static void add_request_id(struct endpoint *endpoint, struct database *database,
                           struct arena *arena)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV"; /* base 32 */
    enum { LETTER_BITS = 5, LETTER_MASK = (1 << LETTER_BITS) - 1, PER_DRAW = 12 };
    uint8_t *id = arena_alloc_raw(arena, REQUEST_ID_LENGTH);
    uint64_t draw = 0;
    for (int i = 0; i < REQUEST_ID_LENGTH; i++) {
        if (i % PER_DRAW == 0) draw = random_next(&database->random);
        id[i] = (uint8_t)alphabet[draw & LETTER_MASK];
        draw >>= LETTER_BITS;
    }
    add_header(endpoint, "x-amzn-RequestId", slice_of(id, REQUEST_ID_LENGTH));
}

static bool answer(struct endpoint *endpoint, int status, struct slice body)
{
    endpoint->response.status = status;
    endpoint->response.body = body;
    return true;
}

static bool answer_error(struct endpoint *endpoint, struct call *call)
{
    struct buffer body = buffer_open(call->arena, 0);
    dispatch_write_error(&body, &call->error);
    return answer(endpoint, error_kind(call->error.code)->http_status, buffer_slice(&body));
}

/* ---- requests that are no operation ---------------------------------------------------------- */

static bool answer_health(struct endpoint *endpoint, const struct endpoint_request *request,
                          struct database *database, struct arena *arena)
{
    struct slice host = request->header(request->context, "Host");
    if (host.length == 0)
        host = arena_format(arena, "dynamodb.%.*s.amazonaws.com", SLICE_ARGS(database->region));
    static const char *const troubles[] = {
        [KV_FULL] = "the disk is full, writes are refused until there is space",
        [KV_FAILED] = "writing failed, writes are refused until a restart",
    };
    const enum kv_health health = kv_health(database->kv);
    if (health == KV_HEALTHY)
        return answer(endpoint, 200, arena_format(arena, "healthy: %.*s ", SLICE_ARGS(host)));
    return answer(endpoint, 503,
                  arena_format(arena, "unhealthy: %.*s: %s ", SLICE_ARGS(host), troubles[health]));
}

static bool answer_preflight(struct endpoint *endpoint, const struct endpoint_request *request)
{
    struct slice headers = request->header(request->context, "Access-Control-Request-Headers");
    struct slice method = request->header(request->context, "Access-Control-Request-Method");
    add_header(endpoint, "Access-Control-Max-Age", SLICE("172800"));
    if (headers.length > 0) add_header(endpoint, "Access-Control-Allow-Headers", headers);
    if (method.length > 0) add_header(endpoint, "Access-Control-Allow-Methods", method);
    return answer(endpoint, 200, (struct slice){0});
}

/* ---- operations ------------------------------------------------------------------------------ */

/* The content type without its parameters; data NULL when it is not one of ours. */
static struct slice content_type(const struct endpoint_request *request)
{
    struct slice type = request->header(request->context, "Content-Type");
    size_t length = 0;
    while (length < type.length && type.data[length] != ';' && type.data[length] != ' ')
        length++;
    const struct slice known[] = {json_1_0, json_plain};
    for (int i = 0; i < 2; i++) {
        if (length == known[i].length &&
            strncasecmp((const char *)type.data, (const char *)known[i].data, length) == 0)
            return known[i];
    }
    return (struct slice){0};
}

static const struct op *find_target(const struct endpoint_request *request)
{
    struct slice target = request->header(request->context, "X-Amz-Target");
    return dispatch_find_target(target);
}

/*
 * A body that is not JSON is refused before an unknown target, and both before a missing signature;
 * an empty body only after them. The parse is repeated by the operation: this path is an error's.
 */
static enum error_code check_before_operation(struct call *call,
                                              const struct endpoint_request *request,
                                              const struct op *op)
{
    bool is_refused = op == NULL || request->header(request->context, "Authorization").data == NULL;
    if (request->body_status == ENDPOINT_BODY_MALFORMED ||
        (is_refused && request->body.length > 0 &&
         json_parse(call->arena, request->body, NULL) == NULL))
        return fail(call, ERROR_SERIALIZATION, "%s", "");
    if (op == NULL) return dispatch_refuse(call, request->header(request->context, "X-Amz-Target"));
    return signature_check(call, request);
}

static bool start_operation(struct endpoint *endpoint, struct database *database,
                            const struct endpoint_request *request, struct arena *arena)
{
    const struct op *op = find_target(request);
    struct call call = {.arena = arena};
    if (check_before_operation(&call, request, op) != OK) return answer_error(endpoint, &call);

    endpoint->dispatched = true;
    endpoint->dispatch.request.host = request->header(request->context, "Host");
    return dispatch_start(&endpoint->dispatch, database, op, request->body, arena);
}

static void add_cors(struct endpoint *endpoint, const struct endpoint_request *request)
{
    if (request->header(request->context, "Origin").data == NULL) return;
    add_header(endpoint, "Access-Control-Allow-Origin", SLICE("*"));
    add_header(endpoint, "Access-Control-Expose-Headers",
               SLICE("x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"));
}

/*
 * Administration answers this machine, and no page of a browser there: a browser says where its
 * page came from. To everybody else there is no such path.
 */
static bool is_administration(const struct database *database,
                              const struct endpoint_request *request)
{
    return admin_is_on(database) && slice_has_prefix(request->path, ADMIN_PATH) &&
           slice_equal(request->method, SLICE("POST")) && request->is_local(request->context) &&
           request->header(request->context, "Origin").data == NULL;
}

static bool administer(struct endpoint *endpoint, struct database *database,
                       const struct endpoint_request *request, struct arena *arena)
{
    const size_t skipped = ADMIN_PATH.length;
    const struct slice command =
        slice_of(request->path.data + skipped, request->path.length - skipped);
    struct buffer body = buffer_open(arena, 0);
    const int status = admin_run(database, command, request->body, &body);
    add_header(endpoint, "Content-Type", json_plain);
    return answer(endpoint, status, buffer_slice(&body));
}

bool endpoint_start(struct endpoint *endpoint, struct database *database,
                    const struct endpoint_request *request, struct arena *arena)
{
    endpoint->dispatched = false;
    endpoint->response = (struct endpoint_response){0};
    if (request->body_status == ENDPOINT_BODY_TOO_LARGE)
        return answer(endpoint, 413, (struct slice){0});
    if (request->body_status == ENDPOINT_BODY_NO_ROOM)
        return answer(endpoint, 503, (struct slice){0});
    add_request_id(endpoint, database, arena);
    if (is_administration(database, request)) return administer(endpoint, database, request, arena);
    add_cors(endpoint, request);
    if (slice_equal(request->method, SLICE("GET")))
        return answer_health(endpoint, request, database, arena);
    if (slice_equal(request->method, SLICE("OPTIONS"))) return answer_preflight(endpoint, request);

    struct slice type = content_type(request);
    if (!slice_equal(request->method, SLICE("POST")) || type.data == NULL)
        return answer(endpoint, 404, SLICE("<UnknownOperationException/>\n"));
    add_header(endpoint, "Content-Type", type);
    return start_operation(endpoint, database, request, arena);
}

bool endpoint_finish(struct endpoint *endpoint)
{
    if (!endpoint->dispatched) return true;
    if (!dispatch_finish(&endpoint->dispatch, &endpoint->response.status)) return false;
    endpoint->response.body = buffer_slice(&endpoint->dispatch.request.response);
    return true;
}

void endpoint_close(struct endpoint *endpoint)
{
    if (endpoint->dispatched) dispatch_close(&endpoint->dispatch);
}
