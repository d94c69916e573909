/* SPDX-License-Identifier: Apache-2.0 */
/* database — everything an open database consists of, handed to whoever works on it. */
#ifndef STATOR_STORE_DATABASE_H
#define STATOR_STORE_DATABASE_H

#include "base/clock.h"
#include "base/random.h"
#include "kv/kv.h"
#include "model/error.h"

struct catalog;
struct background;
struct faults;
struct progress_board;

struct database {
    struct kv *kv;
    struct catalog *catalog;
    struct background *background;
    struct progress_board *progress; /* what the background has come to */
    struct clock clock;
    struct random random;
    struct faults *faults;   /* NULL unless open for administration (faults.h) */
    struct slice region;     /* "us-east-1"; goes into every ARN */
    struct slice account_id; /* "123456789012" */
    /* The newer of the two wordings that the service's regions use: see fail_enveloped. */
    bool validation_envelope;
    /* How long a table stays CREATING, UPDATING or DELETING; 0: until the next request. */
    int64_t table_delay_ms;
    /* How large an item collection of a table with local indexes may grow; the service's: 10 GB. */
    int64_t collection_bytes_max;
    /* A shard of a stream is succeeded after this time or this much; the service's: 4 hours. */
    int64_t shard_life_ms;
    int64_t shard_bytes_max;
    uint32_t stream_shards; /* a new stream's; where there are fewer, a succession splits */
};

/*
 * The one place where the engine's trouble becomes the client's: KV_OK -> OK, KV_ABORTED -> the
 * error already recorded in call, anything else -> INTERNAL (HTTP 500).
 */
enum error_code database_status(struct call *call, enum kv_status status);

#endif
