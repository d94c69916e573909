/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint — the service's HTTP face: which operation a request means, who asks, and what the
 * answer looks like on the wire. It knows HTTP's words but no sockets: src/serve.c carries them to
 * net/.
 */
#ifndef STATOR_OPS_ENDPOINT_H
#define STATOR_OPS_ENDPOINT_H

#include "ops/dispatch.h"

enum endpoint_body {
    ENDPOINT_BODY_OK,
    ENDPOINT_BODY_TOO_LARGE,
    ENDPOINT_BODY_NO_ROOM,   /* the server has too many others: the client is to come again */
    ENDPOINT_BODY_MALFORMED, /* its Content-Encoding does not decode */
};

struct endpoint_request {
    struct slice method; /* "POST" */
    struct slice path;   /* "/" and so on, without the query */
    struct slice body;   /* decoded */
    enum endpoint_body body_status;
    /* A header by its name (any case), or a query parameter; an empty slice with data NULL when
     * absent. What they return lives as long as the request. */
    struct slice (*header)(void *context, const char *name);
    struct slice (*query)(void *context, const char *name);
    /* Whether the client runs on this machine. */
    bool (*is_local)(void *context);
    void *context;
};

struct endpoint_header {
    const char *name;
    struct slice value;
};

enum { ENDPOINT_HEADERS_MAX = 8 };

struct endpoint_response {
    int status;
    struct slice body;
    struct endpoint_header headers[ENDPOINT_HEADERS_MAX];
    size_t header_count;
};

struct endpoint {
    struct dispatch dispatch;
    bool dispatched;
    struct endpoint_response response;
};

/*
 * Begins to answer. endpoint->dispatch.ready and .context are set by the caller; the rest need not
 * be initialised. The meaning of the result is dispatch_start's: true: call endpoint_finish now;
 * false: after ready. request and arena are borrowed until endpoint_close.
 */
bool endpoint_start(struct endpoint *endpoint, struct database *database,
                    const struct endpoint_request *request, struct arena *arena);

/* True: endpoint->response is final. False: ready will be called again. */
bool endpoint_finish(struct endpoint *endpoint);

void endpoint_close(struct endpoint *endpoint);

#endif
