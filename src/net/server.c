/* SPDX-License-Identifier: Apache-2.0 */
/* server — one listening socket and one loop for each thread. */
#include "net/server.h"

#include "net/listener.h"
#include "net/loop.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SERVER_THREADS_MAX = 64,
    SERVER_CONNECTIONS = 16384, /* of one thread */
    SERVER_TIMEOUT_S = 75,
    SERVER_BODY_BYTES = 16 * 1024 * 1024,
    SERVER_COMPRESS_BYTES = 1024,
};

struct server {
    struct server_options options; /* host is not kept */
    uint16_t port;
    unsigned loop_count;
    struct loop *loops;
};

static enum server_status open_loops(struct server *server, const struct server_handler *handler,
                                     void *context, const int *sockets);

void server_defaults(struct server_options *options)
{
    *options = (struct server_options){
        .host = "127.0.0.1",
        .threads = 1,
        .connections = SERVER_CONNECTIONS,
        .timeout_s = SERVER_TIMEOUT_S,
        .body_bytes_max = SERVER_BODY_BYTES,
        .compress_bytes_min = SERVER_COMPRESS_BYTES,
    };
}

enum server_status server_open(const struct server_options *options,
                               const struct server_handler *handler, void *context,
                               struct server **result)
{
    CHECK(options->threads > 0);
    CHECK(options->threads <= SERVER_THREADS_MAX);
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) return SERVER_FAILED;
    server->options = *options;
    server->options.host = NULL;
    server->port = options->port;
    server->loops = aligned_alloc(_Alignof(struct loop), options->threads * sizeof *server->loops);
    int sockets[SERVER_THREADS_MAX];
    enum server_status status =
        listener_open(options->host, &server->port, sockets, options->threads);
    if (status == SERVER_OK) status = open_loops(server, handler, context, sockets);
    if (status != SERVER_OK) {
        server_close(server);
        return status;
    }
    *result = server;
    return SERVER_OK;
}

/* Takes all sockets over, also when it fails. */
static enum server_status open_loops(struct server *server, const struct server_handler *handler,
                                     void *context, const int *sockets)
{
    const unsigned count = server->options.threads;
    enum server_status status = server->loops == NULL ? SERVER_FAILED : SERVER_OK;
    for (unsigned i = 0; i < count; i++) {
        if (status != SERVER_OK) {
            (void)close(sockets[i]);
            continue;
        }
        server->loops[i] = (struct loop){
            .options = &server->options, .handler = handler, .context = context, .index = i};
        server->loop_count++;
        status = loop_open(&server->loops[i], sockets[i]);
    }
    for (unsigned i = 0; i < count && status == SERVER_OK; i++)
        status = loop_start(&server->loops[i]);
    return status;
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

void server_close(struct server *server)
{
    for (unsigned i = 0; i < server->loop_count; i++)
        loop_stop(&server->loops[i]);
    for (unsigned i = 0; i < server->loop_count; i++)
        loop_close(&server->loops[i]);
    free(server->loops);
    free(server);
}
