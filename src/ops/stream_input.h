/* SPDX-License-Identifier: Apache-2.0 */
/* stream_input — what requests about streams have in common: ARNs, shard ids, what they name. */
#ifndef STATOR_OPS_STREAM_INPUT_H
#define STATOR_OPS_STREAM_INPUT_H

#include "ops/op.h"
#include "store/stream.h"

extern const struct shape stream_shape_arn;
extern const struct shape stream_shape_shard_id;
extern const struct shape stream_shape_limit; /* of ListStreams and DescribeStream */

/* A stream's ARN taken apart. */
struct stream_name {
    struct slice arn;
    struct slice table;
    struct slice label;
};

/* False when the text is not the ARN of a stream in this region and account. */
bool stream_name_of_arn(const struct database *database, struct slice arn,
                        struct stream_name *name);

/* The stream that a StreamArn member names; fails when it is none, or is not there. */
enum error_code stream_input_name(struct request *request, const struct json_token *token,
                                  struct stream_name *name) WARN_UNUSED;
enum error_code stream_input_find(struct request *request, struct kv_txn *txn,
                                  const struct stream_name *name,
                                  struct stream *stream) WARN_UNUSED;

/* "shardId-", the time it was opened, its number: longer ids are younger, and so sort behind. */
struct slice stream_shard_text(struct arena *arena, uint32_t shard_id, int64_t opened_ms);

/* False when the text is not of this form. */
bool stream_shard_read(struct slice text, uint32_t *shard_id, int64_t *opened_ms);

/* The shard of the stream that a ShardId member names. */
enum error_code stream_input_find_shard(struct request *request, struct kv_txn *txn,
                                        const struct stream *stream, const struct json_token *token,
                                        struct shard_state *shard) WARN_UNUSED;

/* Fails: there is no such shard. */
enum error_code stream_input_no_shard(struct request *request);

#endif
