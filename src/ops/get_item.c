/* SPDX-License-Identifier: Apache-2.0 */
/* get_item — GetItem: one item by its key. */
#include "expr/expressions.h"
#include "model/value_json.h"
#include "ops/legacy.h"
#include "ops/paths.h"
#include "ops/respond.h"

enum input {
    INPUT_KEY,
    INPUT_TABLE_NAME,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_ATTRIBUTES_TO_GET,
    INPUT_CONSISTENT_READ,
    INPUT_PROJECTION_EXPRESSION,
    INPUT_NAMES,
    INPUT_COUNT,
};

static const struct field fields[] = {
    [INPUT_KEY] = {"Key", &shape_key, true},
    [INPUT_TABLE_NAME] = {"TableName", &shape_table_name, true},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_ATTRIBUTES_TO_GET] = {"AttributesToGet", &legacy_attributes_to_get, false},
    [INPUT_CONSISTENT_READ] = {"ConsistentRead", &shape_boolean, false},
    [INPUT_PROJECTION_EXPRESSION] = {"ProjectionExpression", &shape_string, false},
    [INPUT_NAMES] = {"ExpressionAttributeNames", &shape_names, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "GetItemInput",
    .fields = fields,
};

struct get {
    const struct table *table;
    struct slice key;
    const struct projection *projection; /* NULL: the whole item */
};

static enum error_code plan_get(struct request *request)
{
    const struct json_token **input = request->input;
    struct call *call = &request->call;
    struct get *get = arena_new(call->arena, struct get);
    struct expression_input expressions = {
        .text = {[EXPRESSION_PROJECTION] = input[INPUT_PROJECTION_EXPRESSION]},
        .known = 1U << EXPRESSION_PROJECTION,
        .names = input[INPUT_NAMES],
    };
    const struct parameter legacy[] = {
        {"AttributesToGet", input[INPUT_ATTRIBUTES_TO_GET]},
        {NULL, NULL},
    };
    const struct parameter given[] = {
        {"ProjectionExpression", input[INPUT_PROJECTION_EXPRESSION]},
        {NULL, NULL},
    };
    struct expression_set set = {0};
    request->plan = get;

    TRY(legacy_check(call, legacy, given));
    TRY(expressions_check(call, &expressions));
    TRY(item_from_json(call, input[INPUT_KEY], &get->key));
    TRY(expressions_parse(call, &expressions, &set));
    get->projection = set.projection;
    TRY(legacy_project(call, input[INPUT_ATTRIBUTES_TO_GET], &get->projection));
    TRY(request_table(request, input[INPUT_TABLE_NAME], &get->table));
    TRY(key_check(call, get->table, get->key));
    return paths_check_projection(call, get->table, get->projection);
}

static void respond_cost(struct request *request, const struct get *get, struct slice item)
{
    const struct json_token **input = request->input;
    enum consumption_detail detail = respond_detail(input[INPUT_RETURN_CONSUMED_CAPACITY]);
    if (detail == CONSUMED_NONE) return;
    bool consistent = input_boolean(input[INPUT_CONSISTENT_READ], false);
    size_t bytes = item.length > 0 ? item_size(item) : 0;
    struct consumption consumption;
    consumption_open(&consumption, request->call.arena, get->table);
    consumption.name = input_string(request, input[INPUT_TABLE_NAME]);
    consumption_add_table(&consumption, units_of_read(bytes, consistent));
    respond_consumed(request, &consumption, detail);
}

static enum error_code run_get(struct request *request, struct kv_txn *txn)
{
    const struct get *get = request->plan;
    struct call *call = &request->call;
    struct slice item;
    const bool is_consistent = input_boolean(request->input[INPUT_CONSISTENT_READ], false);
    const struct past_view view = {
        .faults = is_consistent ? NULL : request->database->faults,
        .table = get->table,
        .now_ms = call->now_ms,
    };
    TRY(item_read_eventually(call, txn, &view, get->key, &item));

    respond_open(request);
    if (item.length > 0) {
        struct slice shown = item;
        if (get->projection != NULL) shown = projection_apply(get->projection, item, call->arena);
        respond_item(request, "Item", shown);
    }
    respond_cost(request, get, item);
    respond_close(request);
    return OK;
}

const struct op op_get_item = {
    .name = "GetItem",
    .kind = OP_READ_ONE,
    .input = &input_shape,
    .plan = plan_get,
    .run = run_get,
};
