/* SPDX-License-Identifier: Apache-2.0 */
/* list_streams — ListStreams: the streams of one table or of all, by name and age. */
#include "model/limits.h"
#include "ops/stream_input.h"

enum input { INPUT_TABLE_NAME, INPUT_LIMIT, INPUT_START, INPUT_COUNT };

static const struct shape table_name = {
    .kind = SHAPE_STRING,
    .name_pattern = true,
    .has_min = true,
    .min = LIMIT_TABLE_NAME_LENGTH_MIN,
    .has_max = true,
    .max = LIMIT_TABLE_NAME_LENGTH,
};

static const struct field fields[] = {
    [INPUT_TABLE_NAME] = {"TableName", &table_name, false},
    [INPUT_LIMIT] = {"Limit", &stream_shape_limit, false},
    [INPUT_START] = {"ExclusiveStartStreamArn", &stream_shape_arn, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "ListStreamsInput", .fields = fields};

static enum error_code plan(struct request *request)
{
    struct stream_list *list = arena_new(request->call.arena, struct stream_list);
    request->plan = list;
    list->table_name = input_string(request, request->input[INPUT_TABLE_NAME]);
    list->most = (size_t)input_integer(request->input[INPUT_LIMIT], LIMIT_LIST_STREAMS);
    if (request->input[INPUT_START] == NULL) return OK;
    struct stream_name start;
    TRY(stream_input_name(request, request->input[INPUT_START], &start));
    list->after_table_name = start.table;
    list->after_label = start.label;
    return OK;
}

static struct slice write_stream(struct request *request, const struct stream *stream)
{
    struct buffer *out = &request->response;
    const struct slice arn =
        stream_arn(request->call.arena, request->database, stream->table_name, stream->label);
    BUFFER_TEXT(out, "{\"StreamArn\":");
    json_append_string(out, arn);
    BUFFER_TEXT(out, ",\"StreamLabel\":");
    json_append_string(out, stream->label);
    BUFFER_TEXT(out, ",\"TableName\":");
    json_append_string(out, stream->table_name);
    buffer_append_byte(out, '}');
    return arn;
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    struct stream_list *list = request->plan;
    struct buffer *out = &request->response;
    struct slice last = {0};
    TRY(database_status(&request->call, stream_list_read(&request->call, txn, list)));
    BUFFER_TEXT(out, "{\"Streams\":[");
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) buffer_append_byte(out, ',');
        last = write_stream(request, &list->streams[i]);
    }
    buffer_append_byte(out, ']');
    if (list->has_more) {
        BUFFER_TEXT(out, ",\"LastEvaluatedStreamArn\":");
        json_append_string(out, last);
    }
    buffer_append_byte(out, '}');
    return OK;
}

const struct op op_list_streams = {
    .name = "ListStreams",
    .kind = OP_READ,
    .is_of_streams = true,
    .input = &input_shape,
    .plan = plan,
    .run = run,
};
