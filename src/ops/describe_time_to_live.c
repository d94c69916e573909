/* SPDX-License-Identifier: Apache-2.0 */
/* describe_time_to_live — DescribeTimeToLive: whether items expire, and by which attribute. */
#include "ops/respond.h"
#include "ops/table_output.h"
#include "ops/table_shape.h"
#include "store/expiry.h"

enum input { INPUT_TABLE_NAME, INPUT_COUNT };

static const struct field fields[] = {
    [INPUT_TABLE_NAME] = {"TableName", &table_shape_name, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "DescribeTimeToLiveInput", .fields = fields};

static enum error_code find(struct request *request, const struct table **table)
{
    struct call *call = &request->call;
    struct slice name;
    TRY(request_table_name(request, request->input[INPUT_TABLE_NAME], &name));
    *table = catalog_find(request->catalog, name, call->now_ms);
    if (*table == NULL) {
        return fail(call, ERROR_RESOURCE_NOT_FOUND,
                    "Requested resource not found: Table: %.*s not found", SLICE_ARGS(name));
    }
    const enum table_status status = table_status_at(*table, call->now_ms);
    if (status != TABLE_CREATING && status != TABLE_DELETING) return OK;
    const char *word = status == TABLE_CREATING ? "CREATING" : "DELETING";
    return fail(call, ERROR_VALIDATION,
                "Cannot describe time to live while table is in %s state: Current table state is "
                "%s",
                word, word);
}

/* What the background does for time to live on this table, once that has taken a second. */
static void write_progress(struct request *request, const struct table *table)
{
    static const enum progress_kind kinds[] = {PROGRESS_EXPIRY_INDEX, PROGRESS_EXPIRED};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct progress_job job = {.kind = kinds[i], .table_id = table->id};
        struct progress_count count;
        struct progress_rate rate;
        if (!progress_find(request->database->progress, &job, &count, &rate)) continue;
        if (rate.items_per_second == PROGRESS_UNKNOWN) continue;
        BUFFER_TEXT(&request->response, ",\"StatorProgress\":");
        table_output_write_progress(&request->response, count, rate);
        return;
    }
}

static enum error_code plan(struct request *request)
{
    static const char *const words[] = {
        [TTL_DISABLED] = "DISABLED",
        [TTL_ENABLING] = "ENABLING",
        [TTL_ENABLED] = "ENABLED",
        [TTL_DISABLING] = "DISABLING",
    };
    const struct table *table;
    TRY(find(request, &table));
    const enum ttl_status status = expiry_status_at(&table->ttl, request->call.now_ms);
    struct buffer *out = &request->response;
    respond_open(request);
    respond_member(request, "TimeToLiveDescription");
    BUFFER_TEXT(out, "{\"TimeToLiveStatus\":");
    json_append_string(out, slice_of_string(words[status]));
    if (status != TTL_DISABLED) {
        BUFFER_TEXT(out, ",\"AttributeName\":");
        json_append_string(out, table->ttl.attribute);
    }
    write_progress(request, table);
    BUFFER_TEXT(out, "}");
    respond_close(request);
    return OK;
}

const struct op op_describe_time_to_live = {
    .name = "DescribeTimeToLive",
    .kind = OP_LOCAL,
    .input = &input_shape,
    .plan = plan,
};
