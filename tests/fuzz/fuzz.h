/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz — what targets share that run requests: a database in memory with one small table of every
 * kind of key, index and stream, and calls of it.
 */
#ifndef STATOR_FUZZ_H
#define STATOR_FUZZ_H

#include "base/buffer.h"
#include "base/check.h"
#include "base/json.h"
#include "stator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const char fuzz_table[] =
    "{\"TableName\":\"tab\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
    "{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},{\"AttributeName\":\"s\","
    "\"AttributeType\":\"N\"},{\"AttributeName\":\"g\",\"AttributeType\":\"B\"}],"
    "\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\","
    "\"KeyType\":\"RANGE\"}],\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":"
    "\"NEW_AND_OLD_IMAGES\"},"
    "\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\",\"KeySchema\":[{\"AttributeName\":\"p\","
    "\"KeyType\":\"HASH\"},{\"AttributeName\":\"g\",\"KeyType\":\"RANGE\"}],\"Projection\":{"
    "\"ProjectionType\":\"KEYS_ONLY\"}}],"
    "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":\"g\","
    "\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\",\"KeyType\":\"RANGE\"}],\"Projection\":{"
    "\"ProjectionType\":\"ALL\"}}]}";
static const char fuzz_item[] =
    "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"a\"},\"s\":{\"N\":\"1\"},\"g\":{\"B\":"
    "\"eHl6\"},\"l\":{\"L\":[{\"M\":{\"x\":{\"SS\":[\"a\",\"b\"]}}}]}}}";

static inline int fuzz_call(struct stator *db, const char *operation, struct slice body)
{
    struct stator_response response;
    const int status = stator_call(db, operation, (const char *)body.data, body.length, &response);
    stator_response_free(&response);
    return status;
}

/* The table may have been deleted by an earlier input; then it comes back. */
static inline void fuzz_restore(struct stator *db)
{
    if (fuzz_call(db, "CreateTable", slice_of_string(fuzz_table)) == 200)
        CHECK(fuzz_call(db, "PutItem", slice_of_string(fuzz_item)) == 200);
}

static inline struct stator *fuzz_open(void)
{
    struct stator *db = NULL;
    CHECK(stator_open(&(struct stator_options){.in_memory = true}, &db, NULL, 0) == STATOR_OK);
    fuzz_restore(db);
    return db;
}

/*
 * One database serves many inputs, since opening it takes longer than a request; but not all, since
 * what they leave behind would make each slower than the one before.
 */
static inline struct stator *fuzz_database(void)
{
    enum { INPUTS = 1000 };
    static struct stator *db;
    static unsigned inputs;
    if (db != NULL && ++inputs % INPUTS == 0) {
        stator_close(db);
        db = NULL;
    }
    if (db == NULL)
        db = fuzz_open();
    else
        fuzz_restore(db);
    return db;
}

/* The answer of an operation that has to succeed, as JSON. */
static inline const struct json_token *fuzz_ask(struct stator *db, struct arena *arena,
                                                const char *operation, struct slice body)
{
    struct stator_response response;
    const int status = stator_call(db, operation, (const char *)body.data, body.length, &response);
    CHECK(status == 200);
    const struct slice answer = arena_copy(arena, slice_of(response.body, response.length));
    stator_response_free(&response);
    const struct json_token *root = json_parse(arena, answer, NULL);
    CHECK(root != NULL);
    return root;
}

/* The stream of the table, and its first shard. */
struct fuzz_stream {
    struct slice arn;
    struct slice shard;
};

static inline struct fuzz_stream fuzz_find_stream(struct stator *db, struct arena *arena)
{
    const struct json_token *root =
        fuzz_ask(db, arena, "ListStreams", SLICE("{\"TableName\":\"tab\"}"));
    const struct json_token *streams = json_member(root, SLICE("Streams"));
    if (streams->length == 0) return (struct fuzz_stream){0};
    const struct json_token *newest = json_first(streams);
    for (uint32_t i = 1; i < streams->length; i++)
        newest = json_next(newest);
    const struct slice arn = json_string(json_member(newest, SLICE("StreamArn")), arena);
    root = fuzz_ask(db, arena, "DescribeStream",
                    arena_format(arena, "{\"StreamArn\":\"%.*s\"}", SLICE_ARGS(arn)));
    const struct json_token *shards =
        json_member(json_member(root, SLICE("StreamDescription")), SLICE("Shards"));
    if (shards->length == 0) return (struct fuzz_stream){.arn = arn};
    const struct json_token *shard = json_member(json_first(shards), SLICE("ShardId"));
    return (struct fuzz_stream){.arn = arn, .shard = json_string(shard, arena)};
}

#endif
