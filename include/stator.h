/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stator.h — the embeddable library: a DynamoDB-compatible database inside your process.
 *
 * Conventions. Text is UTF-8. A pointer goes with a length where one is given; otherwise it is
 * NUL-terminated. Handles are opaque; what a function opens or fills, its counterpart closes or
 * frees. stator_call may be called from any number of threads at once. The server is a front-end to
 * this same call, so an answer is the same through the library and through a socket.
 *
 *     struct stator *db;
 *     struct stator_response response;
 *     stator_open(&(struct stator_options){.in_memory = true}, &db, NULL, 0);
 *     stator_call(db, "ListTables", "{}", 2, &response);   // 200 {"TableNames":[]}
 *     stator_response_free(&response);
 *     stator_close(db);
 */
#ifndef STATOR_H
#define STATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STATOR_API __attribute__((visibility("default")))

struct stator;

/* Zero is the default for every member. */
struct stator_options {
    const char *path;   /* data directory, created when absent; needed unless in_memory */
    bool in_memory;     /* keep nothing */
    bool async;         /* answer a write before its log is synced: a machine crash may lose it */
    const char *region; /* NULL: "us-east-1" */
    const char *account_id; /* NULL: "123456789012" */
    int64_t
        table_delay_ms; /* how long a table stays CREATING, UPDATING, DELETING; 0: not noticeably */
    /* PutItem and UpdateItem word their refusals as the service does in its newer regions. */
    bool validation_envelope;
    int64_t cache_bytes;          /* most of the data files that is held in memory; 0: 64 MiB */
    int64_t collection_bytes_max; /* item collections of tables with local indexes; 0: 10 GB */
    int64_t stream_shards;        /* open shards of a new stream, 1 to 64; 0: 1 */
    int64_t stream_shard_seconds; /* a shard is succeeded after this time; 0: 4 hours */
    int64_t stream_shard_bytes;   /* or after this much; 0: 1 GiB */
    /* For tests: "_stator/clock", "_stator/random" and "_stator/faults" are operations too. */
    bool admin;
};

enum stator_status {
    STATOR_OK,
    STATOR_LOCKED,     /* the directory is open in another process */
    STATOR_UNWRITABLE, /* it cannot be created or written */
    STATOR_NEWER,      /* it was written by a newer version */
    STATOR_CORRUPT,    /* its data is damaged */
    STATOR_FAILED,     /* anything else; see the message */
};

/*
 * Opens a database. On failure *db is NULL and message (when its size is not 0) receives one line
 * for a person to read.
 */
STATOR_API enum stator_status stator_open(const struct stator_options *options, struct stator **db,
                                          char *message, size_t message_size);

/* Finishes running work, makes everything durable, closes. No call may be under way. */
STATOR_API void stator_close(struct stator *db);

struct stator_response {
    int status;       /* HTTP's: 200, 400, 500 */
    const char *body; /* JSON, NUL-terminated */
    size_t length;
    void *memory; /* the library's */
};

/*
 * Runs one operation of the API ("PutItem", or "DynamoDB_20120810.PutItem") and waits for its
 * answer. Always fills the response; returns its status.
 */
STATOR_API int stator_call(struct stator *db, const char *operation, const char *json,
                           size_t length, struct stator_response *response);

STATOR_API void stator_response_free(struct stator_response *response);

/* "0.1.0" */
STATOR_API const char *stator_version(void);

#ifdef __cplusplus
}
#endif

#endif
