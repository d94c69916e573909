/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op — an operation of the API as a constant descriptor, and a request that runs through it.
 *
 *   plan    checks what the shape could not and compiles: key, item, condition. No storage.
 *   run     inside one transaction: a view for OP_READ, an update for OP_WRITE. It may run again,
 *           so it begins by resetting what it writes. For OP_WRITE it runs on the committer:
 *           evaluate
 *           and write, nothing else.
 *   render  after the transaction is durable: the response body, into request->response.
 *
 * An operation that needs no storage (OP_LOCAL) has only plan, which also renders. Reads may write
 * their response in run; then render is NULL.
 */
#ifndef STATOR_OPS_OP_H
#define STATOR_OPS_OP_H

#include "ops/shape.h"
#include "store/catalog.h"

enum op_kind {
    OP_LOCAL,
    OP_READ,
    OP_READ_ONE, /* a read of one key or one range: GetItem, most pages */
    OP_WRITE,
    OP_CATALOG, /* a write that changes the catalog: refreshed before render, background woken */
};

struct request;

struct op {
    const char *name;
    enum op_kind kind;
    bool enveloped;            /* see fail_enveloped */
    bool first_violation_only; /* UpdateItem: of several constraints, only the first is reported */
    bool is_of_streams;        /* its target begins with DynamoDBStreams_20120810 */
    const struct shape *input; /* a STRUCT */
    enum error_code (*plan)(struct request *request);
    enum error_code (*run)(struct request *request, struct kv_txn *txn);
    enum error_code (*render)(struct request *request);
};

struct request {
    struct call call; /* first: arena, time, error */
    struct database *database;
    const struct op *op;
    enum op_kind kind; /* the operation's; plan may say another: a statement reads or writes */
    const struct catalog_snapshot *catalog; /* pinned while the request runs */
    const struct json_token *root;          /* the body */
    const struct json_token **input; /* one per field of op->input, NULL where absent or null */
    struct slice host;               /* the Host header; may be empty */
    void *plan;                      /* the operation's own, in the arena */
    struct buffer response;          /* JSON */
};

/* The member of a struct token, NULL when absent or JSON null. For nested structs. */
const struct json_token *input_member(const struct json_token *token, const char *name);

/* A string member's value, empty when the token is NULL. */
struct slice input_string(struct request *request, const struct json_token *token);

/* A boolean member's value (also of the strings the service accepts), or what it is when absent. */
bool input_boolean(const struct json_token *token, bool absent);

/* An integer member's value, or what it is when absent. */
int64_t input_integer(const struct json_token *token, int64_t absent);

/*
 * Turns a TableName member (a name or an ARN) into the table. Fails with RESOURCE_NOT_FOUND
 * ("Requested resource not found") for a data-plane operation when it is absent, being created or
 * deleted; refuses an ARN of another account, region or kind as the service does.
 */
enum error_code request_table(struct request *request, const struct json_token *token,
                              const struct table **table) WARN_UNUSED;

/* The same for a name or an ARN that is no member. */
enum error_code request_table_named(struct request *request, struct slice name,
                                    const struct table **table) WARN_UNUSED;

/* Only the name of a TableName member: an ARN is taken apart and checked. */
enum error_code request_table_name(struct request *request, const struct json_token *token,
                                   struct slice *name) WARN_UNUSED;

#define OP(id) extern const struct op op_##id;
#include "ops/ops.def"

#endif
