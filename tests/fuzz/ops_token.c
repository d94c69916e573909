/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_token — whatever a client may bring back to go on where it was: ExclusiveStartKey, NextToken,
 * shard iterators, sequence numbers, the names that lists start behind. The first byte chooses. All
 * are accepted or refused. Tokens with a digest are also made from the input, with the right one:
 * it would otherwise let nothing pass.
 */
#include "base/utf8.h"
#include "ops/stream_iterator.h"
#include "partiql/next_token.h"

#include "fuzz.h"
#include "library.h"

static const char *const statements[] = {
    "SELECT * FROM tab",
    "SELECT * FROM tab WHERE p='a'",
    "SELECT * FROM tab WHERE p IN ['a','b'] AND s>0",
    "SELECT * FROM tab.gsi WHERE g='eHl6'",
    "SELECT * FROM tab.lsi WHERE p='a' ORDER BY g DESC",
};

enum { STATEMENTS = sizeof statements / sizeof statements[0] };

static void run(struct stator *db, const char *operation, struct buffer *body)
{
    const int status = fuzz_call(db, operation, buffer_slice(body));
    CHECK(status == 200 || status == 400);
}

/* A body with the text as a JSON string between before and after. */
static void run_with_text(struct stator *db, struct arena *arena, const char *const request[3],
                          struct slice text)
{
    struct buffer body = buffer_open(arena, 0);
    buffer_append(&body, slice_of_string(request[1]));
    json_append_string(&body, text);
    buffer_append(&body, slice_of_string(request[2]));
    run(db, request[0], &body);
}

/* The input is the text: names and tokens as they come. */
static void try_texts(struct stator *db, struct arena *arena, struct slice text)
{
    static const char *const requests[][3] = {
        {"ListTables", "{\"ExclusiveStartTableName\":", "}"},
        {"ListStreams", "{\"ExclusiveStartStreamArn\":", "}"},
        {"GetRecords", "{\"ShardIterator\":", "}"},
        {"ListTagsOfResource",
         "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:123456789012:table/tab\",\"NextToken\":",
         "}"},
        {"ExecuteStatement", "{\"Statement\":\"SELECT * FROM tab\",\"NextToken\":", "}"},
    };
    if (!utf8_is_valid(text)) return;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        run_with_text(db, arena, requests[i], text);
}

/* The input is a key as JSON, in requests of every kind of read. */
static void try_start_key(struct stator *db, struct arena *arena, struct slice json)
{
    static const char *const before[][2] = {
        {"Scan", "{\"TableName\":\"tab\",\"ExclusiveStartKey\":"},
        {"Scan", "{\"TableName\":\"tab\",\"Segment\":1,\"TotalSegments\":3,\"ExclusiveStartKey\":"},
        {"Scan", "{\"TableName\":\"tab\",\"IndexName\":\"gsi\",\"ExclusiveStartKey\":"},
        {"Query", "{\"TableName\":\"tab\",\"KeyConditionExpression\":\"p=:p AND s<:s\","
                  "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"},\":s\":{\"N\":\"5\"}},"
                  "\"ExclusiveStartKey\":"},
        {"Query", "{\"TableName\":\"tab\",\"IndexName\":\"lsi\",\"KeyConditionExpression\":\"p=:p\""
                  ",\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"}},\"ScanIndexForward\":"
                  "false,\"ExclusiveStartKey\":"},
        {"Query", "{\"TableName\":\"tab\",\"IndexName\":\"gsi\",\"KeyConditionExpression\":\"g=:g\""
                  ",\"ExpressionAttributeValues\":{\":g\":{\"B\":\"eHl6\"}},"
                  "\"ExclusiveStartKey\":"},
    };
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        struct buffer body = buffer_open(arena, 0);
        buffer_append(&body, slice_of_string(before[i][1]));
        buffer_append(&body, json);
        buffer_append_byte(&body, '}');
        run(db, before[i][0], &body);
    }
}

/* The input is a statement, a range, and a key's bytes: a token as ours would be. */
static void try_next_token(struct stator *db, struct arena *arena, struct slice bytes)
{
    if (bytes.length < 2) return;
    const char *statement = statements[bytes.data[0] % STATEMENTS];
    const struct statement_input input = {.text = slice_of_string(statement)};
    const struct next_token token = {
        .range = bytes.data[1],
        .key = slice_of(bytes.data + 2, bytes.length - 2),
    };
    struct buffer body = buffer_open(arena, 0);
    BUFFER_TEXT(&body, "{\"Statement\":");
    json_append_string(&body, input.text);
    BUFFER_TEXT(&body, ",\"NextToken\":");
    json_append_string(&body, next_token_write(arena, &input, &token));
    BUFFER_TEXT(&body, "}");
    run(db, "ExecuteStatement", &body);
}

/* The input is a shard, a stamp and a time: an iterator of the table's stream as ours would be. */
static void try_iterator(struct stator *db, struct arena *arena, struct slice bytes)
{
    struct stream_iterator iterator = {.name.arn = fuzz_find_stream(db, arena).arn};
    enum { BYTES = sizeof iterator.shard_id + KV_STAMP_BYTES + sizeof iterator.created_ms };
    if (bytes.length < BYTES || iterator.name.arn.length == 0) return;
    const uint8_t *at = bytes.data;
    memcpy(&iterator.shard_id, at, sizeof iterator.shard_id);
    at += sizeof iterator.shard_id;
    memcpy(iterator.after, at, KV_STAMP_BYTES);
    /* Mostly young ones: others go no further than their age. */
    memcpy(&iterator.created_ms, at + KV_STAMP_BYTES, sizeof iterator.created_ms);
    if (bytes.length > BYTES) iterator.created_ms = clock_now_ms(&library_database(db)->clock);

    static const char *const request[3] = {"GetRecords", "{\"ShardIterator\":", "}"};
    run_with_text(db, arena, request, stream_iterator_text(arena, &iterator));
    uint8_t stamp[KV_STAMP_BYTES];
    const struct slice sequence =
        stream_sequence_text(arena, slice_of(iterator.after, sizeof stamp));
    CHECK(stream_sequence_read(sequence, stamp));
    CHECK(memcmp(stamp, iterator.after, sizeof stamp) == 0);
}

/* The input is a sequence number. */
static void try_sequence(struct stator *db, struct arena *arena, struct slice text)
{
    uint8_t stamp[KV_STAMP_BYTES];
    (void)stream_sequence_read(text, stamp);
    const struct fuzz_stream stream = fuzz_find_stream(db, arena);
    if (!utf8_is_valid(text) || stream.shard.length == 0) return;
    static const char *const types[] = {"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct slice before =
            arena_format(arena,
                         "{\"StreamArn\":\"%.*s\",\"ShardId\":\"%.*s\",\"ShardIteratorType\":"
                         "\"%s\",\"SequenceNumber\":",
                         SLICE_ARGS(stream.arn), SLICE_ARGS(stream.shard), types[i]);
        const char *const request[3] = {"GetShardIterator", arena_string(arena, before), "}"};
        run_with_text(db, arena, request, text);
    }
}

/* The input is a shard's name, to go on behind. */
static void try_shard(struct stator *db, struct arena *arena, struct slice text)
{
    uint32_t shard_id;
    int64_t opened_ms;
    if (stream_shard_read(text, &shard_id, &opened_ms))
        (void)stream_shard_text(arena, shard_id, opened_ms);
    const struct fuzz_stream stream = fuzz_find_stream(db, arena);
    if (!utf8_is_valid(text) || stream.arn.length == 0) return;
    const struct slice before = arena_format(
        arena, "{\"StreamArn\":\"%.*s\",\"ExclusiveStartShardId\":", SLICE_ARGS(stream.arn));
    const char *const request[3] = {"DescribeStream", arena_string(arena, before), "}"};
    run_with_text(db, arena, request, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static void (*const kinds[])(struct stator *, struct arena *, struct slice) = {
        try_texts, try_start_key, try_next_token, try_iterator, try_sequence, try_shard,
    };
    if (length == 0) return 0;
    struct stator *db = fuzz_database();
    struct arena arena;
    arena_open(&arena, 0);
    const size_t kind = data[0] % (sizeof kinds / sizeof kinds[0]);
    kinds[kind](db, &arena, slice_of(data + 1, length - 1));
    arena_close(&arena);
    return 0;
}
