/* SPDX-License-Identifier: Apache-2.0 */
/* delete_item — DeleteItem: an item goes, or was not there. */
#include "ops/single_write.h"

enum input {
    INPUT_KEY,
    INPUT_TABLE_NAME,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_RETURN_VALUES,
    INPUT_RETURN_ITEM_COLLECTION_METRICS,
    INPUT_RETURN_VALUES_ON_FAILURE,
    INPUT_CONDITIONAL_OPERATOR,
    INPUT_EXPECTED,
    INPUT_CONDITION_EXPRESSION,
    INPUT_NAMES,
    INPUT_VALUES,
    INPUT_COUNT,
};

static const struct field fields[] = {
    [INPUT_KEY] = {"Key", &shape_key, true},
    [INPUT_TABLE_NAME] = {"TableName", &shape_table_name, true},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_RETURN_VALUES] = {"ReturnValues", &shape_return_values, false},
    [INPUT_RETURN_ITEM_COLLECTION_METRICS] = {"ReturnItemCollectionMetrics",
                                              &shape_return_item_collection_metrics, false},
    [INPUT_RETURN_VALUES_ON_FAILURE] = {"ReturnValuesOnConditionCheckFailure",
                                        &shape_return_values_on_failure, false},
    [INPUT_CONDITIONAL_OPERATOR] = {"ConditionalOperator", &legacy_conditional_operator, false},
    [INPUT_EXPECTED] = {"Expected", &legacy_expected, false},
    [INPUT_CONDITION_EXPRESSION] = {"ConditionExpression", &shape_string, false},
    [INPUT_NAMES] = {"ExpressionAttributeNames", &shape_names, false},
    [INPUT_VALUES] = {"ExpressionAttributeValues", &shape_values, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "DeleteItemInput",
    .fields = fields,
};

static struct write_input write_members(const struct json_token **input)
{
    return (struct write_input){
        .kind = WRITE_DELETE,
        .table_name = input[INPUT_TABLE_NAME],
        .subject = input[INPUT_KEY],
        .condition = input[INPUT_CONDITION_EXPRESSION],
        .names = input[INPUT_NAMES],
        .values = input[INPUT_VALUES],
        .return_on_failure = input[INPUT_RETURN_VALUES_ON_FAILURE],
        .expected = input[INPUT_EXPECTED],
        .conditional_operator = input[INPUT_CONDITIONAL_OPERATOR],
    };
}

/* A delete can only return what it removed. */
static enum error_code check_return_values(struct request *request, const struct json_token *token)
{
    struct slice wanted = input_string(request, token);
    if (token == NULL || slice_equal_string(wanted, "NONE")) return OK;
    if (slice_equal_string(wanted, "ALL_OLD")) return OK;
    return fail(&request->call, ERROR_VALIDATION, "ReturnValues can only be ALL_OLD or NONE");
}

static enum error_code plan_delete(struct request *request)
{
    const struct json_token **input = request->input;
    struct single_write *plan = arena_new(request->call.arena, struct single_write);
    plan->input = write_members(input);
    plan->return_values = input[INPUT_RETURN_VALUES];
    plan->return_consumed_capacity = input[INPUT_RETURN_CONSUMED_CAPACITY];
    plan->return_item_collection_metrics = input[INPUT_RETURN_ITEM_COLLECTION_METRICS];
    request->plan = plan;

    TRY(write_input_compile(request, &plan->input, &plan->write));
    TRY(check_return_values(request, plan->return_values));
    TRY(write_input_lower(&request->call, &plan->input, &plan->write));
    TRY(write_input_bind(request, &plan->input, &plan->write));
    return write_input_check(&request->call, &plan->write, KEY_OF_READ);
}

const struct op op_delete_item = {
    .name = "DeleteItem",
    .kind = OP_WRITE,
    .input = &input_shape,
    .plan = plan_delete,
    .run = single_write_run,
    .render = single_write_render,
};
