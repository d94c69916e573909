/* SPDX-License-Identifier: Apache-2.0 */
/* stream_input — names of streams and shards, and the words when there is nothing of that name. */
#include "ops/stream_input.h"

#include "model/limits.h"

enum {
    SHARD_TIME_DIGITS = 20,
    SHARD_NUMBER_DIGITS = 8,
    DECIMAL = 10,
    HEXADECIMAL = 16,
    BAD_DIGIT = 16,
};

const struct shape stream_shape_arn = {
    .kind = SHAPE_STRING,
    .has_min = true,
    .min = LIMIT_STREAM_ARN_LENGTH_MIN,
    .has_max = true,
    .max = LIMIT_STREAM_ARN_LENGTH,
};
const struct shape stream_shape_shard_id = {
    .kind = SHAPE_STRING,
    .has_min = true,
    .min = LIMIT_SHARD_ID_LENGTH_MIN,
    .has_max = true,
    .max = LIMIT_SHARD_ID_LENGTH,
};
const struct shape stream_shape_limit = {
    .kind = SHAPE_INTEGER, .has_min = true, .min = 1, .has_max = true, .max = LIMIT_LIST_STREAMS};

/* ---- streams --------------------------------------------------------------------------------- */

static bool skip(struct slice *text, struct slice prefix)
{
    if (!slice_has_prefix(*text, prefix)) return false;
    *text = slice_of(text->data + prefix.length, text->length - prefix.length);
    return true;
}

/* Cuts the text before the first such byte; what is behind it stays in *text. */
static bool cut(struct slice *text, char byte, struct slice *head)
{
    const uint8_t *at = text->length > 0 ? memchr(text->data, byte, text->length) : NULL;
    if (at == NULL) return false;
    *head = slice_of(text->data, (size_t)(at - text->data));
    *text = slice_of(at + 1, text->length - head->length - 1);
    return true;
}

bool stream_name_of_arn(const struct database *database, struct slice arn, struct stream_name *name)
{
    struct slice rest = arn;
    struct slice region;
    struct slice account;
    if (!skip(&rest, SLICE("arn:aws:dynamodb:"))) return false;
    if (!cut(&rest, ':', &region) || !slice_equal(region, database->region)) return false;
    if (!cut(&rest, ':', &account) || !slice_equal(account, database->account_id)) return false;
    if (!skip(&rest, SLICE("table/")) || !cut(&rest, '/', &name->table)) return false;
    if (!skip(&rest, SLICE("stream/"))) return false;
    name->arn = arn;
    name->label = rest;
    /* A zero would end the name early in the store's keys. */
    return name->table.length > 0 && name->label.length > 0 &&
           memchr(name->table.data, 0, name->table.length) == NULL;
}

enum error_code stream_input_name(struct request *request, const struct json_token *token,
                                  struct stream_name *name)
{
    const struct slice arn = input_string(request, token);
    if (stream_name_of_arn(request->database, arn, name)) return OK;
    return fail(&request->call, ERROR_VALIDATION, "Invalid StreamArn");
}

enum error_code stream_input_find(struct request *request, struct kv_txn *txn,
                                  const struct stream_name *name, struct stream *stream)
{
    struct call *call = &request->call;
    const enum kv_status status = stream_find(call, txn, name->table, name->label, stream);
    if (status != KV_NOT_FOUND) return database_status(call, status);
    return fail(call, ERROR_RESOURCE_NOT_FOUND,
                "Requested resource not found: Stream: %.*s not found", SLICE_ARGS(name->arn));
}

/* ---- shards ---------------------------------------------------------------------------------- */

struct slice stream_shard_text(struct arena *arena, uint32_t shard_id, int64_t opened_ms)
{
    return arena_format(arena, "shardId-%020lld-%08x", (long long)opened_ms, (unsigned)shard_id);
}

static uint64_t digit_of(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') return (uint64_t)(byte - '0');
    if (byte >= 'a' && byte <= 'f') return (uint64_t)(byte - 'a') + DECIMAL;
    return BAD_DIGIT;
}

/* As many digits as the number has to have; it is less than 2^63. */
static bool read_digits(struct slice *text, size_t count, uint64_t base, uint64_t *number)
{
    *number = 0;
    if (text->length < count) return false;
    for (size_t i = 0; i < count; i++) {
        const uint64_t digit = digit_of(text->data[i]);
        if (digit >= base || *number > (INT64_MAX - digit) / base) return false;
        *number = *number * base + digit;
    }
    *text = slice_of(text->data + count, text->length - count);
    return true;
}

bool stream_shard_read(struct slice text, uint32_t *shard_id, int64_t *opened_ms)
{
    uint64_t time;
    uint64_t number;
    if (!skip(&text, SLICE("shardId-"))) return false;
    if (!read_digits(&text, SHARD_TIME_DIGITS, DECIMAL, &time)) return false;
    if (!skip(&text, SLICE("-"))) return false;
    if (!read_digits(&text, SHARD_NUMBER_DIGITS, HEXADECIMAL, &number)) return false;
    *opened_ms = (int64_t)time;
    *shard_id = (uint32_t)number;
    return text.length == 0 && number > 0;
}

enum error_code stream_input_no_shard(struct request *request)
{
    return fail(&request->call, ERROR_RESOURCE_NOT_FOUND,
                "Requested resource not found: Shard does not exist");
}

enum error_code stream_input_find_shard(struct request *request, struct kv_txn *txn,
                                        const struct stream *stream, const struct json_token *token,
                                        struct shard_state *shard)
{
    uint32_t shard_id;
    int64_t opened_ms;
    if (!stream_shard_read(input_string(request, token), &shard_id, &opened_ms))
        return stream_input_no_shard(request);
    const enum kv_status status = stream_find_shard(&request->call, txn, stream, shard_id, shard);
    if (status == KV_NOT_FOUND) return stream_input_no_shard(request);
    TRY(database_status(&request->call, status));
    return shard->opened_ms == opened_ms ? OK : stream_input_no_shard(request);
}
