/* SPDX-License-Identifier: Apache-2.0 */
/* describe_stream — DescribeStream: a stream and its shards, in pages, or the children of one. */
#include "model/limits.h"
#include "ops/stream_iterator.h"

enum input { INPUT_STREAM_ARN, INPUT_LIMIT, INPUT_START, INPUT_FILTER, INPUT_COUNT };

static const struct shape filter_type = {.kind = SHAPE_STRING, .values = "[CHILD_SHARDS]"};
static const struct field filter_fields[] = {
    {"Type", &filter_type, true},
    {"ShardId", &stream_shape_shard_id, true},
    {NULL, NULL, false},
};
static const struct shape filter = {
    .kind = SHAPE_STRUCT, .name = "ShardFilter", .fields = filter_fields};

static const struct field fields[] = {
    [INPUT_STREAM_ARN] = {"StreamArn", &stream_shape_arn, true},
    [INPUT_LIMIT] = {"Limit", &stream_shape_limit, false},
    [INPUT_START] = {"ExclusiveStartShardId", &stream_shape_shard_id, false},
    [INPUT_FILTER] = {"ShardFilter", &filter, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "DescribeStreamInput", .fields = fields};

struct description {
    struct stream_name name;
    uint32_t after_shard_id;  /* 0: from the first */
    uint32_t parent_shard_id; /* 0: any */
};

/* A shard that is not there any more is a good place to go on from. */
static enum error_code plan_shard(struct request *request, const struct json_token *token,
                                  uint32_t *shard_id)
{
    int64_t opened_ms;
    if (token == NULL) return OK;
    if (stream_shard_read(input_string(request, token), shard_id, &opened_ms)) return OK;
    return fail(&request->call, ERROR_VALIDATION, "Invalid ShardId");
}

static enum error_code plan(struct request *request)
{
    struct description *description = arena_new(request->call.arena, struct description);
    request->plan = description;
    const struct json_token *parent = input_member(request->input[INPUT_FILTER], "ShardId");
    TRY(stream_input_name(request, request->input[INPUT_STREAM_ARN], &description->name));
    TRY(plan_shard(request, request->input[INPUT_START], &description->after_shard_id));
    return plan_shard(request, parent, &description->parent_shard_id);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_text(struct buffer *out, const char *name, struct slice text)
{
    buffer_append_format(out, "\"%s\":", name);
    json_append_string(out, text);
}

/* The list is in the order of ids. NULL: the shard is not in it. */
static const struct shard_state *find_shard(const struct shard_list *list, uint32_t shard_id)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct shard_state *shard = &list->shards[middle];
        if (shard->id == shard_id) return shard;
        if (shard->id < shard_id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void write_shard(struct request *request, const struct shard_list *list,
                        const struct shard_state *shard)
{
    struct arena *arena = request->call.arena;
    struct buffer *out = &request->response;
    BUFFER_TEXT(out, "{");
    const struct shard_state *parent = find_shard(list, shard->parent_id);
    if (parent != NULL) { /* one that is past its day is named no more */
        write_text(out, "ParentShardId", stream_shard_text(arena, parent->id, parent->opened_ms));
        buffer_append_byte(out, ',');
    }
    BUFFER_TEXT(out, "\"SequenceNumberRange\":{");
    if (shard->is_closed) {
        write_text(out, "EndingSequenceNumber", stream_sequence_text(arena, shard->last));
        buffer_append_byte(out, ',');
    }
    write_text(out, "StartingSequenceNumber", stream_sequence_text(arena, shard->first));
    BUFFER_TEXT(out, "},");
    write_text(out, "ShardId", stream_shard_text(arena, shard->id, shard->opened_ms));
    buffer_append_byte(out, '}');
}

static void write_shards(struct request *request, const struct shard_list *list)
{
    const struct description *description = request->plan;
    struct buffer *out = &request->response;
    const int64_t most = input_integer(request->input[INPUT_LIMIT], LIMIT_LIST_STREAMS);
    const uint32_t parent_id = description->parent_shard_id;
    const struct shard_state *last = NULL;
    int64_t count = 0;
    bool has_more = false;
    BUFFER_TEXT(out, "\"Shards\":[");
    for (size_t i = 0; i < list->count && !has_more; i++) {
        const struct shard_state *shard = &list->shards[i];
        if (shard->id <= description->after_shard_id) continue;
        if (parent_id != 0 && shard->parent_id != parent_id) continue;
        has_more = count == most;
        if (has_more) continue;
        if (count++ > 0) buffer_append_byte(out, ',');
        write_shard(request, list, shard);
        last = shard;
    }
    BUFFER_TEXT(out, "],");
    if (!has_more) return;
    write_text(out, "LastEvaluatedShardId",
               stream_shard_text(request->call.arena, last->id, last->opened_ms));
    buffer_append_byte(out, ',');
}

static void write_key(struct buffer *out, const struct key_schema *key)
{
    BUFFER_TEXT(out, "\"KeySchema\":[");
    for (unsigned i = 0; i < key_schema_count(key); i++) {
        buffer_append(out, i > 0 ? SLICE(",{") : SLICE("{"));
        write_text(out, "AttributeName", key->attributes[i].name);
        buffer_append(out, i < key->partition_count ? SLICE(",\"KeyType\":\"HASH\"}")
                                                    : SLICE(",\"KeyType\":\"RANGE\"}"));
    }
    BUFFER_TEXT(out, "],");
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    static const char *const status_words[] = {
        [STREAM_ENABLING] = "ENABLING",
        [STREAM_ENABLED] = "ENABLED",
        [STREAM_DISABLING] = "DISABLING",
        [STREAM_DISABLED] = "DISABLED",
    };
    const struct description *description = request->plan;
    struct buffer *out = &request->response;
    struct stream stream;
    struct shard_list list;
    TRY(stream_input_find(request, txn, &description->name, &stream));
    TRY(database_status(&request->call, stream_shards(&request->call, txn, &stream, &list)));
    BUFFER_TEXT(out, "{\"StreamDescription\":{\"CreationRequestDateTime\":");
    json_append_seconds(out, stream.created_ms);
    buffer_append_byte(out, ',');
    write_key(out, &stream.key);
    write_shards(request, &list);
    write_text(out, "StreamArn", description->name.arn);
    buffer_append_byte(out, ',');
    write_text(out, "StreamLabel", stream.label);
    buffer_append_format(out, ",\"StreamStatus\":\"%s\",", status_words[stream.status]);
    write_text(out, "StreamViewType", slice_of_string(stream_view_word(stream.view)));
    buffer_append_byte(out, ',');
    write_text(out, "TableName", stream.table_name);
    BUFFER_TEXT(out, "}}");
    return OK;
}

const struct op op_describe_stream = {
    .name = "DescribeStream",
    .kind = OP_READ,
    .is_of_streams = true,
    .input = &input_shape,
    .plan = plan,
    .run = run,
};
