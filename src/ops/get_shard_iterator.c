/* SPDX-License-Identifier: Apache-2.0 */
/* get_shard_iterator — GetShardIterator: a place in a shard to read from. */
#include "model/limits.h"
#include "ops/stream_iterator.h"

enum input { INPUT_STREAM_ARN, INPUT_SHARD_ID, INPUT_TYPE, INPUT_SEQUENCE, INPUT_COUNT };

static const struct shape iterator_type = {
    .kind = SHAPE_STRING,
    .values = "[AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]"};
static const struct shape sequence_number = {
    .kind = SHAPE_STRING,
    .has_min = true,
    .min = LIMIT_SEQUENCE_LENGTH_MIN,
    .has_max = true,
    .max = LIMIT_SEQUENCE_LENGTH,
};

static const struct field fields[] = {
    [INPUT_STREAM_ARN] = {"StreamArn", &stream_shape_arn, true},
    [INPUT_SHARD_ID] = {"ShardId", &stream_shape_shard_id, true},
    [INPUT_TYPE] = {"ShardIteratorType", &iterator_type, true},
    [INPUT_SEQUENCE] = {"SequenceNumber", &sequence_number, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "GetShardIteratorInput", .fields = fields};

enum type { TYPE_HORIZON, TYPE_LATEST, TYPE_AT, TYPE_AFTER };

struct place {
    enum type type;
    struct stream_name name;
    uint8_t stamp[KV_STAMP_BYTES]; /* of the sequence number */
};

static enum error_code plan_sequence(struct request *request, struct place *place)
{
    const struct json_token *token = request->input[INPUT_SEQUENCE];
    const bool is_needed = place->type == TYPE_AT || place->type == TYPE_AFTER;
    if (!is_needed) return OK;
    if (token == NULL) {
        return fail(&request->call, ERROR_VALIDATION,
                    "SequenceNumber must be provided for ShardIteratorType %s",
                    place->type == TYPE_AT ? "AT_SEQUENCE_NUMBER" : "AFTER_SEQUENCE_NUMBER");
    }
    if (stream_sequence_read(input_string(request, token), place->stamp)) return OK;
    return fail(&request->call, ERROR_VALIDATION, "Invalid SequenceNumber");
}

static enum error_code plan(struct request *request)
{
    struct place *place = arena_new(request->call.arena, struct place);
    request->plan = place;
    const struct slice word = input_string(request, request->input[INPUT_TYPE]);
    if (slice_equal(word, SLICE("LATEST"))) place->type = TYPE_LATEST;
    if (slice_equal(word, SLICE("AT_SEQUENCE_NUMBER"))) place->type = TYPE_AT;
    if (slice_equal(word, SLICE("AFTER_SEQUENCE_NUMBER"))) place->type = TYPE_AFTER;
    TRY(stream_input_name(request, request->input[INPUT_STREAM_ARN], &place->name));
    return plan_sequence(request, place);
}

/* The stamp just before this one, which is not the lowest. */
static void step_back(uint8_t stamp[KV_STAMP_BYTES])
{
    int at = KV_STAMP_BYTES - 1;
    while (stamp[at] == 0 && at > 0)
        stamp[at--] = UINT8_MAX;
    stamp[at]--;
}

/* Behind all that there is: the newest change, or what has been trimmed, or the beginning. */
static enum error_code find_latest(struct request *request, struct kv_txn *txn,
                                   const struct shard_state *shard, uint8_t *after)
{
    struct call *call = &request->call;
    struct slice newest = shard->trimmed.length > 0 ? shard->trimmed : shard->first;
    const enum kv_status status =
        change_newest(txn, call->arena, shard->table_id, shard->id, &newest);
    if (status != KV_NOT_FOUND) TRY(database_status(call, status));
    memcpy(after, newest.data, KV_STAMP_BYTES);
    return OK;
}

static enum error_code find_sequence(struct request *request, const struct shard_state *shard,
                                     uint8_t *after)
{
    const struct place *place = request->plan;
    const struct slice stamp = slice_of(place->stamp, KV_STAMP_BYTES);
    if (slice_compare(stamp, shard->first) < 0) return stream_iterator_trimmed(request);
    memcpy(after, place->stamp, KV_STAMP_BYTES);
    if (place->type == TYPE_AT) step_back(after);
    return OK;
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    const struct place *place = request->plan;
    struct stream stream;
    struct shard_state shard;
    TRY(stream_input_find(request, txn, &place->name, &stream));
    TRY(stream_input_find_shard(request, txn, &stream, request->input[INPUT_SHARD_ID], &shard));
    struct stream_iterator iterator = {
        .name = place->name, .shard_id = shard.id, .created_ms = request->call.now_ms};
    if (place->type == TYPE_LATEST) {
        TRY(find_latest(request, txn, &shard, iterator.after));
    } else if (place->type != TYPE_HORIZON) {
        TRY(find_sequence(request, &shard, iterator.after));
        TRY(stream_iterator_check(request, txn, &shard, &iterator));
    }
    struct buffer *out = &request->response;
    BUFFER_TEXT(out, "{\"ShardIterator\":");
    json_append_string(out, stream_iterator_text(request->call.arena, &iterator));
    buffer_append_byte(out, '}');
    return OK;
}

const struct op op_get_shard_iterator = {
    .name = "GetShardIterator",
    .kind = OP_READ,
    .is_of_streams = true,
    .input = &input_shape,
    .plan = plan,
    .run = run,
};
