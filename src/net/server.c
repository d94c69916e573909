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
    SERVER_BODIES_BYTES = 1024 * 1024 * 1024, /* 64 of the largest bodies at once */
    SERVER_MEMORY_SHARE = 4,                  /* but no more than this part of the memory */
};

struct server {
    struct server_options options; /* host is not kept */
    uint16_t port;
    unsigned loop_count;
    struct loop *loops;
    atomic_size_t bodies_bytes; /* of all loops, as loop_claim counts */
};

static enum server_status open_loops(struct server *server, const struct server_handler *handler,
                                     void *context, const int *sockets);
static size_t default_bodies_bytes(void);

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
    if (options->bodies_bytes_max == 0) server->options.bodies_bytes_max = default_bodies_bytes();
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

static size_t default_bodies_bytes(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page_bytes = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_bytes <= 0) return SERVER_BODIES_BYTES;
    const size_t share = (size_t)pages / SERVER_MEMORY_SHARE * (size_t)page_bytes;
    return share < SERVER_BODIES_BYTES ? share : SERVER_BODIES_BYTES;
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
        server->loops[i] = (struct loop){.options = &server->options,
                                         .handler = handler,
                                         .context = context,
                                         .index = i,
                                         .bodies_bytes = &server->bodies_bytes};
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
