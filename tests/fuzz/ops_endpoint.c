/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_endpoint — HTTP requests as the endpoint sees them: a line of method and path, a line for
 * each header or query parameter, an empty line, the body. Every answer has a status of the service
 * and headers that can be sent.
 */
#include "ops/endpoint.h"

#include <semaphore.h>
#include <strings.h>

#include "fuzz.h"
#include "library.h"

enum { HEADERS_MAX = 32 };

struct pair {
    struct slice name;
    struct slice value;
};

struct message {
    struct pair pairs[HEADERS_MAX]; /* of the query when the name begins with "?" */
    size_t count;
};

static struct slice take_line(struct slice *rest, uint8_t end)
{
    size_t length = 0;
    while (length < rest->length && rest->data[length] != end)
        length++;
    const struct slice line = slice_of(rest->data, length);
    const size_t used = length < rest->length ? length + 1 : length;
    *rest = slice_of(rest->data + used, rest->length - used);
    return line;
}

static struct slice find(const struct message *message, bool in_query, const char *name)
{
    for (size_t i = 0; i < message->count; i++) {
        struct slice known = message->pairs[i].name;
        const bool is_query = known.length > 0 && known.data[0] == '?';
        if (is_query != in_query) continue;
        if (is_query) known = slice_of(known.data + 1, known.length - 1);
        if (known.length == strlen(name) &&
            strncasecmp((const char *)known.data, name, known.length) == 0)
            return message->pairs[i].value;
    }
    return (struct slice){0};
}

static struct slice header(void *context, const char *name)
{
    return find(context, false, name);
}

static struct slice query(void *context, const char *name)
{
    return find(context, true, name);
}

static bool is_local(void *context)
{
    return find(context, false, "X-Far").data == NULL;
}

static void on_ready(void *context)
{
    CHECK(sem_post(context) == 0);
}

static void check_response(const struct endpoint_response *response)
{
    static const int statuses[] = {200, 400, 403, 404, 413, 500};
    bool known = false;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        known = known || response->status == statuses[i];
    CHECK(known);
    for (size_t i = 0; i < response->header_count; i++)
        CHECK(strlen(response->headers[i].name) > 0);
}

static void answer(struct stator *db, const struct endpoint_request *request, struct arena *arena)
{
    sem_t ready;
    CHECK(sem_init(&ready, 0, 0) == 0);
    struct endpoint endpoint;
    endpoint.dispatch.ready = on_ready;
    endpoint.dispatch.context = &ready;
    bool now = endpoint_start(&endpoint, library_database(db), request, arena);
    for (;;) {
        if (!now) CHECK(sem_wait(&ready) == 0);
        if (endpoint_finish(&endpoint)) break;
        now = false;
    }
    check_response(&endpoint.response);
    endpoint_close(&endpoint);
    CHECK(sem_destroy(&ready) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct stator *db = fuzz_database();
    struct arena arena;
    arena_open(&arena, 0);
    struct message message = {0};
    struct slice rest = slice_of(data, length);
    struct slice path = take_line(&rest, '\n');
    const struct slice method = take_line(&path, ' ');
    for (struct slice line = take_line(&rest, '\n'); line.length > 0;
         line = take_line(&rest, '\n')) {
        if (message.count == HEADERS_MAX) break;
        struct pair *pair = &message.pairs[message.count++];
        pair->name = take_line(&line, ':');
        pair->value = line;
    }
    const struct endpoint_request request = {
        .method = method,
        .path = path,
        .body = rest,
        .body_status = find(&message, false, "X-Malformed").data == NULL ? ENDPOINT_BODY_OK
                                                                         : ENDPOINT_BODY_MALFORMED,
        .header = header,
        .query = query,
        .is_local = is_local,
        .context = &message,
    };
    answer(db, &request, &arena);
    arena_close(&arena);
    return 0;
}
