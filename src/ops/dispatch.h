/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dispatch — runs a request through its operation, from body to response; the library call, the
 * server, the tests and the fuzzers all come through here.
 */
#ifndef STATOR_OPS_DISPATCH_H
#define STATOR_OPS_DISPATCH_H

#include "ops/op.h"

/* The operation of a name without its version prefix ("PutItem"), or NULL. */
const struct op *dispatch_find(struct slice name);

/* That of a target ("DynamoDB_20120810.PutItem", "DynamoDBStreams_20120810.GetRecords"). */
const struct op *dispatch_find_target(struct slice target);

/*
 * Refuses a name or target that is neither. The service has no message for what it does not know;
 * one of its operations that is not built is named, so that whoever calls it knows why.
 */
enum error_code dispatch_refuse(struct call *call, struct slice target) WARN_UNUSED;

/* The operations one by one; NULL past the last. For documentation and tests. */
const struct op *dispatch_operation(size_t index);

struct dispatch {
    struct request request;
    struct kv_work work;
    enum kv_status status; /* of the transaction, once it is done */
    bool submitted;        /* it has reached the store */
    _Atomic int phase;     /* see dispatch.c */
    uint64_t version_min;  /* of the catalog, after a stale plan */
    unsigned attempts;
    void (*ready)(void *context);
    void *context;
};

/*
 * Begins an operation; ready and context are set by the caller; the body is borrowed until
 * dispatch_close. Returns true when the request needs
 * nothing more than dispatch_finish; false: ready(context) will be called once, from any thread
 * (possibly before this returns), and then the caller, on a thread of its choice, calls
 * dispatch_finish.
 */
bool dispatch_start(struct dispatch *dispatch, struct database *database, const struct op *op,
                    struct slice body, struct arena *arena);

/*
 * The response: true when it is final: dispatch->request.response holds the body (also of an
 * error), *http_status its status. false: the plan was stale and runs again, ready will be called
 * again.
 */
bool dispatch_finish(struct dispatch *dispatch, int *http_status);

/* Gives back what the request holds (its catalog snapshot). Every started dispatch is closed. */
void dispatch_close(struct dispatch *dispatch);

/* Appends the JSON body of an error: {"__type":…,"message":…}. */
void dispatch_write_error(struct buffer *out, const struct error *error);

#endif
