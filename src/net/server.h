/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server — an HTTP/1.1 server on libmicrohttpd: listens, runs network threads, calls a handler.
 *
 * net knows nothing of what its messages mean. Each network thread has its own listening socket on
 * the one port (the kernel spreads connections over them), its own epoll set and its own
 * connections; a handler therefore runs on several threads at once, but an exchange always on the
 * same one.
 */
#ifndef STATOR_NET_SERVER_H
#define STATOR_NET_SERVER_H

#include "net/exchange.h"

struct server;

enum server_status {
    SERVER_OK,
    SERVER_PORT_TAKEN,
    SERVER_NO_PERMISSION, /* a port below 1024, usually */
    SERVER_BAD_ADDRESS,   /* the host is not an address of this machine */
    SERVER_FAILED,        /* no memory, threads or descriptors */
};

struct server_handler {
    /* A whole request: responds, or suspends. */
    void (*request)(void *context, struct exchange *exchange);
    /* A suspended exchange is back: responds, or suspends again. Called once for each resume. */
    void (*resumed)(void *context, struct exchange *exchange);
    /*
     * A network thread takes the requests that have come in turns: around each, if not NULL. A
     * handler may put off until the end what it can do for many requests at once; a turn in which
     * an exchange is suspended is ended early rather than last long.
     */
    void (*turn_begins)(void *context);
    void (*turn_ends)(void *context);
};

struct server_options {
    const char *host; /* name or address */
    uint16_t port;    /* 0: any free one, see server_port */
    unsigned threads;
    unsigned connections;  /* most connections of one thread */
    unsigned timeout_s;    /* a connection silent for so long is closed */
    size_t body_bytes_max; /* of a request, as sent and inflated */
    /* Of all requests under way, and of large responses that are not read yet, which may exceed it;
     * 0: 1 GiB, or a quarter of the memory. */
    size_t bodies_bytes_max;
    size_t compress_bytes_min; /* smaller response bodies are never compressed */
    const char *crc_header;    /* name of the header with the body's CRC-32; NULL: none */
};

/* Defaults for everything but the port, which is 0. */
void server_defaults(struct server_options *options);

/* Listens and starts the threads. The handler and its context must outlive the server. */
enum server_status server_open(const struct server_options *options,
                               const struct server_handler *handler, void *context,
                               struct server **server) WARN_UNUSED;

/* The port listened on. */
uint16_t server_port(const struct server *server);

/*
 * Stops accepting, lets requests under way finish, closes every connection and joins the threads.
 * Takes well under a second unless a suspended exchange takes longer: it is always waited for.
 */
void server_close(struct server *server);

#endif
