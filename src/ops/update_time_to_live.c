/* SPDX-License-Identifier: Apache-2.0 */
/* update_time_to_live — UpdateTimeToLive: on for an attribute, or off; not often. */
#include "ops/respond.h"
#include "ops/table_shape.h"
#include "ops/table_state.h"
#include "store/expiry.h"

enum input { INPUT_TABLE_NAME, INPUT_SPECIFICATION, INPUT_COUNT };

static const struct shape attribute_name = {
    .kind = SHAPE_STRING,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_TTL_NAME_LENGTH,
};
static const struct field specification_fields[] = {
    {"Enabled", &shape_boolean, true},
    {"AttributeName", &attribute_name, true},
    {NULL, NULL, false},
};
static const struct shape specification = {
    .kind = SHAPE_STRUCT, .name = "TimeToLiveSpecification", .fields = specification_fields};

static const struct field fields[] = {
    [INPUT_TABLE_NAME] = {"TableName", &table_shape_name, false},
    [INPUT_SPECIFICATION] = {"TimeToLiveSpecification", &specification, true},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "UpdateTimeToLiveInput", .fields = fields};

struct change {
    struct slice name;
    struct slice attribute;
    bool enabled;
};

static enum error_code plan(struct request *request)
{
    struct change *change = arena_new(request->call.arena, struct change);
    const struct json_token *given = request->input[INPUT_SPECIFICATION];
    request->plan = change;
    change->attribute = input_string(request, input_member(given, "AttributeName"));
    change->enabled = input_boolean(input_member(given, "Enabled"), false);
    return request_table_name(request, request->input[INPUT_TABLE_NAME], &change->name);
}

/* What the content says comes before how often it may be changed. */
static enum error_code check_change(struct request *request, const struct ttl *ttl,
                                    const struct change *change)
{
    struct call *call = &request->call;
    if (!change->enabled && !ttl->enabled)
        return fail(call, ERROR_VALIDATION, "TimeToLive is already disabled");
    if (ttl->enabled && !slice_equal(ttl->attribute, change->attribute)) {
        return fail(call, ERROR_VALIDATION,
                    "TimeToLive is active on a different AttributeName: current AttributeName is "
                    "%.*s",
                    SLICE_ARGS(ttl->attribute));
    }
    if (change->enabled && ttl->enabled)
        return fail(call, ERROR_VALIDATION, "TimeToLive is already enabled");
    if (ttl->changed_ms != 0 && call->now_ms < ttl->changed_ms + LIMIT_TTL_COOLDOWN_MS) {
        return fail(call, ERROR_VALIDATION,
                    "Time to live has been modified multiple times within a fixed interval");
    }
    return OK;
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    const struct change *change = request->plan;
    struct call *call = &request->call;
    const int64_t delay_ms = request->database->table_delay_ms;
    struct table *table;
    TRY(table_state_read(request, txn, change->name, &table));
    TRY(check_change(request, &table->ttl, change));
    if (change->enabled)
        expiry_enable(table, change->attribute, call->now_ms, delay_ms);
    else
        expiry_disable(txn, call->arena, table, call->now_ms, delay_ms);
    catalog_write(txn, call->arena, table);
    return OK;
}

static enum error_code render(struct request *request)
{
    const struct change *change = request->plan;
    struct buffer *out = &request->response;
    respond_open(request);
    respond_member(request, "TimeToLiveSpecification");
    BUFFER_TEXT(out, "{\"Enabled\":");
    buffer_append(out, change->enabled ? SLICE("true") : SLICE("false"));
    BUFFER_TEXT(out, ",\"AttributeName\":");
    json_append_string(out, change->attribute);
    BUFFER_TEXT(out, "}");
    respond_close(request);
    return OK;
}

const struct op op_update_time_to_live = {
    .name = "UpdateTimeToLive",
    .kind = OP_CATALOG,
    .input = &input_shape,
    .plan = plan,
    .run = run,
    .render = render,
};
