/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange — one HTTP request and its response, as a handler sees them.
 *
 * An exchange belongs to one network thread. Its handler is called there with the whole body and
 * either responds at once or suspends the exchange: then exchange_resume, from any thread and
 * exactly once, brings it back to its own thread, where the handler's resumed function is called.
 * Everything the exchange points to lives until the response is on the wire.
 */
#ifndef STATOR_NET_EXCHANGE_H
#define STATOR_NET_EXCHANGE_H

#include "base/arena.h"
#include <stdatomic.h>

struct MHD_Connection;
struct loop;

enum exchange_body {
    EXCHANGE_BODY_OK,
    EXCHANGE_BODY_NO_ROOM,   /* all bodies together are too large; otherwise as the next */
    EXCHANGE_BODY_TOO_LARGE, /* as sent or inflated; the body is empty, the connection will close */
    EXCHANGE_BODY_MALFORMED, /* said to be gzip and is not; the body is empty */
    EXCHANGE_BODY_UNSUPPORTED, /* in a content coding other than gzip; the body is as sent */
};

enum {
    EXCHANGE_HEADERS = 16,   /* response headers a handler may add */
    EXCHANGE_CRC_LENGTH = 10 /* decimal digits of a CRC-32 */
};

/* A header of the request, as sent. */
struct exchange_field {
    struct slice name;
    struct slice value;
};

struct exchange {
    struct slice method;
    struct slice target; /* as sent: path and query, not decoded */
    struct slice path;   /* decoded, without the query */
    struct slice body;   /* whole, and inflated when it came as gzip */
    enum exchange_body body_status;
    unsigned worker;    /* index of the network thread it belongs to */
    struct arena arena; /* the handler's, too; reset when the response is on the wire */
    void *user;         /* the handler's; NULL when request is called */

    /* The rest is net's own. */
    struct loop *loop;
    struct MHD_Connection *connection;
    struct exchange *next; /* in the loop's list of resumed or of unused exchanges */
    atomic_int turn;       /* enum exchange_turn */
    bool begun;            /* the headers have been seen */
    bool suspended;        /* the handler asked to wait */
    bool responded;
    bool parked;                   /* the connection is suspended in libmicrohttpd */
    bool close;                    /* the connection ends with this response */
    struct exchange_field *fields; /* the request's headers, in the arena */
    size_t field_count;
    unsigned header_count;
    struct {
        const char *name;
        const char *value;
    } headers[EXCHANGE_HEADERS];
    char crc[EXCHANGE_CRC_LENGTH + 1];
    uint8_t *upload; /* the body as it arrives */
    size_t upload_capacity;
    size_t claimed;         /* of what all bodies may take (loop_claim) */
    size_t upload_expected; /* from Content-Length; 0 when unknown */
    uint64_t upload_seen;   /* bytes received, kept or dropped */
};

/* The value of a request header (its first, should there be several); {NULL, 0} when absent. */
struct slice exchange_header(const struct exchange *exchange, const char *name);

/* The decoded value of a query parameter; {NULL, 0} when absent, empty when it has no value. */
struct slice exchange_query(const struct exchange *exchange, const char *name);

/* True when the client runs on this machine: it came from a loopback address. */
bool exchange_is_local(const struct exchange *exchange);

/*
 * Adds a header to the response; before exchange_respond. The name is a constant; the value is
 * copied. One that is empty or has a line break in it is left out. Server, Date, Connection,
 * Content-Length, Content-Encoding and the checksum are net's.
 */
void exchange_add_header(struct exchange *exchange, const char *name, struct slice value);

/*
 * Sends the response; once, from request or resumed. The body is borrowed: constant, or in the
 * exchange's arena.
 */
void exchange_respond(struct exchange *exchange, int status, struct slice body);

/* Postpones the response: request (or resumed) will return without one. */
void exchange_suspend(struct exchange *exchange);

/*
 * Ends the suspension: resumed will be called on the exchange's thread. From any thread, once for
 * each exchange_suspend; also before the suspending function has returned, or has even called
 * exchange_suspend. The caller may not touch the exchange afterwards.
 */
void exchange_resume(struct exchange *exchange);

/* ---- For loop.c only. ------------------------------------------------------------------------ */

struct exchange *exchange_open(struct loop *loop);
void exchange_close(struct exchange *exchange);

/* The request line has arrived. */
void exchange_begin(struct exchange *exchange, struct MHD_Connection *connection,
                    const char *target);

/* The headers have arrived. False: the connection is cut. */
void exchange_take_headers(struct exchange *exchange, const char *method, const char *path);

/* A piece of the body has arrived. False: more than can be tolerated, the connection is to be cut.
 */
bool exchange_take_body(struct exchange *exchange, struct slice piece) WARN_UNUSED;

/* The request is complete: gives it to the handler. */
void exchange_deliver(struct exchange *exchange);

/* It was resumed after it had been parked: gives it to the handler and lets the connection go on.
 */
void exchange_return(struct exchange *exchange);

/* The response is on the wire, or the connection is gone: everything is forgotten. */
void exchange_end(struct exchange *exchange);

#endif
