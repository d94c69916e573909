/* SPDX-License-Identifier: Apache-2.0 */
/* client — a plain HTTP/1.1 client that says byte for byte what a test wants said. */
#ifndef STATOR_TESTS_NET_CLIENT_H
#define STATOR_TESTS_NET_CLIENT_H

#include "base/arena.h"
#include "base/buffer.h"

struct client {
    int fd;
    struct arena arena;     /* of everything received */
    struct buffer received; /* not yet part of a reply */
};

struct reply {
    int status; /* 0: the connection ended before a whole reply */
    struct slice head;
    struct slice body;
};

void client_open(struct client *client, uint16_t port);
void client_close(struct client *client);

void client_send(struct client *client, struct slice bytes);
void client_send_text(struct client *client, const char *text);

/* Sends a POST with a Content-Length; extra is header lines with their line ends, or "". */
void client_post(struct client *client, const char *target, const char *extra, struct slice body);

/* Reads one reply, at most five seconds; a "100 Continue" is a reply of its own. */
struct reply client_read(struct client *client);

struct reply client_ask(struct client *client, const char *target, const char *extra,
                        struct slice body);

/* True when the other side closes, without another byte, within milliseconds. */
bool client_sees_end(struct client *client, int milliseconds);

/* The value of a reply's header; {NULL, 0} when absent. */
struct slice reply_header(struct reply reply, const char *name);

#endif
