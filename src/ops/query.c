/* SPDX-License-Identifier: Apache-2.0 */
/* query — Query: the items of one partition key, in the order of their sort keys. */
#include "model/value_json.h"
#include "ops/legacy_condition.h"
#include "ops/paths.h"
#include "ops/read_page.h"
#include "store/layout.h"

enum input {
    INPUT_TABLE_NAME,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_SELECT,
    INPUT_LIMIT,
    INPUT_INDEX_NAME,
    INPUT_ATTRIBUTES_TO_GET,
    INPUT_QUERY_FILTER,
    INPUT_CONDITIONAL_OPERATOR,
    INPUT_KEY_CONDITIONS,
    INPUT_EXCLUSIVE_START_KEY,
    INPUT_CONSISTENT_READ,
    INPUT_SCAN_INDEX_FORWARD,
    INPUT_KEY_CONDITION_EXPRESSION,
    INPUT_FILTER_EXPRESSION,
    INPUT_PROJECTION_EXPRESSION,
    INPUT_NAMES,
    INPUT_VALUES,
    INPUT_COUNT,
};

static const struct shape shape_limit = {
    .kind = SHAPE_INTEGER, .has_min = true, .min = 1, .is_terse_min = true};

static const struct field fields[] = {
    [INPUT_TABLE_NAME] = {"TableName", &shape_table_name, true},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_SELECT] = {"Select", &shape_select, false},
    [INPUT_LIMIT] = {"Limit", &shape_limit, false},
    [INPUT_INDEX_NAME] = {"IndexName", &shape_index_name, false},
    [INPUT_ATTRIBUTES_TO_GET] = {"AttributesToGet", &legacy_attributes_to_get, false},
    [INPUT_QUERY_FILTER] = {"QueryFilter", &legacy_conditions, false},
    [INPUT_CONDITIONAL_OPERATOR] = {"ConditionalOperator", &legacy_conditional_operator, false},
    [INPUT_KEY_CONDITIONS] = {"KeyConditions", &legacy_conditions, false},
    [INPUT_EXCLUSIVE_START_KEY] = {"ExclusiveStartKey", &shape_key, false},
    [INPUT_CONSISTENT_READ] = {"ConsistentRead", &shape_boolean, false},
    [INPUT_SCAN_INDEX_FORWARD] = {"ScanIndexForward", &shape_boolean, false},
    [INPUT_KEY_CONDITION_EXPRESSION] = {"KeyConditionExpression", &shape_string, false},
    [INPUT_FILTER_EXPRESSION] = {"FilterExpression", &shape_string, false},
    [INPUT_PROJECTION_EXPRESSION] = {"ProjectionExpression", &shape_string, false},
    [INPUT_NAMES] = {"ExpressionAttributeNames", &shape_names, false},
    [INPUT_VALUES] = {"ExpressionAttributeValues", &shape_values, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "QueryInput",
    .fields = fields,
};

static struct read_page_input page_members(const struct json_token **input)
{
    return (struct read_page_input){
        .table_name = input[INPUT_TABLE_NAME],
        .index_name = input[INPUT_INDEX_NAME],
        .select = input[INPUT_SELECT],
        .limit = input[INPUT_LIMIT],
        .consistent_read = input[INPUT_CONSISTENT_READ],
        .start_key = input[INPUT_EXCLUSIVE_START_KEY],
        .return_consumed_capacity = input[INPUT_RETURN_CONSUMED_CAPACITY],
        .attributes_to_get = input[INPUT_ATTRIBUTES_TO_GET],
        .filter = input[INPUT_QUERY_FILTER],
        .conditional_operator = input[INPUT_CONDITIONAL_OPERATOR],
        .expressions =
            {
                .text = {[EXPRESSION_KEY_CONDITION] = input[INPUT_KEY_CONDITION_EXPRESSION],
                         [EXPRESSION_FILTER] = input[INPUT_FILTER_EXPRESSION],
                         [EXPRESSION_PROJECTION] = input[INPUT_PROJECTION_EXPRESSION]},
                .known = 1U << EXPRESSION_KEY_CONDITION | 1U << EXPRESSION_FILTER |
                         1U << EXPRESSION_PROJECTION,
                .names = input[INPUT_NAMES],
                .values = input[INPUT_VALUES],
            },
    };
}

static enum error_code check_legacy(struct request *request)
{
    const struct json_token **input = request->input;
    const struct json_token *key_expression = input[INPUT_KEY_CONDITION_EXPRESSION];
    const struct parameter legacy[] = {
        {"AttributesToGet", input[INPUT_ATTRIBUTES_TO_GET]},
        {"QueryFilter", input[INPUT_QUERY_FILTER]},
        {"ConditionalOperator", input[INPUT_CONDITIONAL_OPERATOR]},
        /* KeyConditions may stand beside other expressions than the one that replaced it. */
        {"KeyConditions", key_expression == NULL ? NULL : input[INPUT_KEY_CONDITIONS]},
        {NULL, NULL},
    };
    const struct parameter given[] = {
        {"ProjectionExpression", input[INPUT_PROJECTION_EXPRESSION]},
        {"FilterExpression", input[INPUT_FILTER_EXPRESSION]},
        {"KeyConditionExpression", key_expression},
        {NULL, NULL},
    };
    TRY(legacy_check(&request->call, legacy, given));
    return legacy_check_operator(&request->call, input[INPUT_CONDITIONAL_OPERATOR],
                                 input[INPUT_QUERY_FILTER]);
}

/* Everything that needs no table. */
static enum error_code compile(struct request *request, struct read_page *read)
{
    struct call *call = &request->call;
    TRY(check_legacy(request));
    TRY(expressions_check(call, &read->input.expressions));
    TRY(read_page_lower_filter(call, read));
    TRY(read_page_lower_projection(call, read));
    TRY(read_page_start(request, read));
    const struct json_token *key_conditions = request->input[INPUT_KEY_CONDITIONS];
    if (request->input[INPUT_KEY_CONDITION_EXPRESSION] == NULL && key_conditions == NULL) {
        return fail(call, ERROR_VALIDATION,
                    "Either the KeyConditions or KeyConditionExpression parameter must be "
                    "specified in the request.");
    }
    TRY(read_page_parse(call, read));
    if (key_conditions != NULL) {
        TRY(legacy_condition_keys(call, key_conditions, &read->set.key_condition));
    } else {
        TRY(key_condition_check(call, read->set.key_condition));
    }
    return read_page_check_select(request, read, "1 validation error detected: ");
}

/* ---- ExclusiveStartKey and the condition ----------------------------------------------------- */

static bool meets_operator(const struct key_condition *condition, struct value value)
{
    switch (condition->op) {
    case SORT_ANY:
        return true;
    case SORT_LT:
        return value_compare(value, condition->low) < 0;
    case SORT_LE:
        return value_compare(value, condition->low) <= 0;
    case SORT_GT:
        return value_compare(value, condition->low) > 0;
    case SORT_GE:
        return value_compare(value, condition->low) >= 0;
    case SORT_BETWEEN:
        return value_compare(value, condition->low) >= 0 &&
               value_compare(value, condition->high) <= 0;
    case SORT_BEGINS_WITH:
        return slice_has_prefix(value.data, condition->low.data);
    }
    CHECK(false);
}

static bool is_in_partition(const struct key_schema *key, const struct key_condition *condition,
                            struct slice start)
{
    for (unsigned i = 0; i < key->partition_count; i++) {
        struct value value = item_attribute(start, key->attributes[i].name);
        if (!value_equal(value, condition->partition[i])) return false;
    }
    return true;
}

static bool meets_sort_condition(const struct key_schema *key,
                                 const struct key_condition *condition, struct slice start)
{
    const struct key_attribute *sort = key->attributes + key->partition_count;
    for (unsigned i = 0; i < condition->sort_count; i++) {
        struct value value = item_attribute(start, sort[i].name);
        if (!value_equal(value, condition->sort[i])) return false;
    }
    if (condition->op == SORT_ANY) return true;
    return meets_operator(condition, item_attribute(start, sort[condition->sort_count].name));
}

/* A page of this query could have ended at the start key. */
static enum error_code check_start_fits(struct call *call, const struct read_page *read,
                                        const struct key_condition *condition)
{
    const struct key_schema *key = read_page_key(read);
    bool in_partition = is_in_partition(key, condition, read->start);
    if (condition->sort_count == 0 && condition->op == SORT_ANY) {
        if (in_partition) return OK;
        return fail(call, ERROR_VALIDATION,
                    "The provided starting key is outside query boundaries based on provided "
                    "conditions");
    }
    if (!meets_sort_condition(key, condition, read->start)) {
        return fail(call, ERROR_VALIDATION,
                    "The provided starting key does not match the range key predicate");
    }
    if (in_partition) return OK;
    return fail(call, ERROR_VALIDATION,
                "The query can return at most one row and cannot be restarted");
}

static enum error_code set_range(struct request *request, struct read_page *read)
{
    struct call *call = &request->call;
    struct key_condition condition;
    TRY(read_page_check_start(call, read, "The provided starting key is invalid"));
    TRY(key_condition_resolve(call, read->set.key_condition, read_page_key(read), &condition));

    struct kv_range range = layout_query_range(call->arena, read->table, read->index, &condition);
    range.reverse = !input_boolean(request->input[INPUT_SCAN_INDEX_FORWARD], true);
    if (read->input.start_key != NULL) {
        TRY(check_start_fits(call, read, &condition));
        range = layout_resume(call->arena, range, read_page_start_row(call, read));
    }
    read->page.range = range;
    return OK;
}

/* ---- plan ------------------------------------------------------------------------------------ */

/* A filter sees what the rows hold; asking it for more is refused rather than answered wrongly. */
static enum error_code check_filter(struct call *call, const struct read_page *read)
{
    const struct index *index = read->index;
    const struct node *filter = read->set.filter;
    TRY(paths_check_filter(call, read->table, filter));
    if (index == NULL || filter == NULL || read->page.fetch) return OK;
    struct slice missing = paths_unprojected_by_filter(call->arena, index, filter);
    if (missing.length == 0) return OK;
    return fail(call, ERROR_VALIDATION,
                "One or more parameter values were invalid: Secondary index %.*s does not project "
                "one or more filter attributes: [%.*s]",
                SLICE_ARGS(index->name), SLICE_ARGS(missing));
}

static enum error_code plan_query(struct request *request)
{
    struct call *call = &request->call;
    struct read_page *read = arena_new(call->arena, struct read_page);
    read->input = page_members(request->input);
    request->plan = read;

    TRY(compile(request, read));
    TRY(read_page_bind(request, read));
    TRY(set_range(request, read));
    TRY(paths_check_projection(call, read->table, read->set.projection));
    const char *filter = read->legacy.filter != NULL ? "QueryFilter" : "Filter Expression";
    TRY(paths_check_filter_keys(call, read_page_key(read), read->set.filter, filter));
    TRY(read_page_check_projection(request, read));
    if (!read->page.fetch) request->kind = OP_READ_ONE;
    return check_filter(call, read);
}

const struct op op_query = {
    .name = "Query",
    .kind = OP_READ,
    .input = &input_shape,
    .plan = plan_query,
    .run = read_page_run,
};
