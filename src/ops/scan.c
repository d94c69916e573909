/* SPDX-License-Identifier: Apache-2.0 */
/* scan — Scan: all items of a table or an index, or those of one segment. */
#include "ops/paths.h"
#include "ops/read_page.h"
#include "store/layout.h"

enum input {
    INPUT_TABLE_NAME,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_SELECT,
    INPUT_LIMIT,
    INPUT_SEGMENT,
    INPUT_TOTAL_SEGMENTS,
    INPUT_INDEX_NAME,
    INPUT_ATTRIBUTES_TO_GET,
    INPUT_SCAN_FILTER,
    INPUT_CONDITIONAL_OPERATOR,
    INPUT_EXCLUSIVE_START_KEY,
    INPUT_CONSISTENT_READ,
    INPUT_FILTER_EXPRESSION,
    INPUT_PROJECTION_EXPRESSION,
    INPUT_NAMES,
    INPUT_VALUES,
    INPUT_COUNT,
};

static const struct shape shape_limit = {.kind = SHAPE_INTEGER, .has_min = true, .min = 1};
static const struct shape shape_segment = {
    .kind = SHAPE_INTEGER,
    .has_min = true,
    .min = 0,
    .has_max = true,
    .max = LIMIT_SCAN_SEGMENTS - 1,
};
static const struct shape shape_total_segments = {
    .kind = SHAPE_INTEGER,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_SCAN_SEGMENTS,
};

static const struct field fields[] = {
    [INPUT_TABLE_NAME] = {"TableName", &shape_table_name, true},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_SELECT] = {"Select", &shape_select, false},
    [INPUT_LIMIT] = {"Limit", &shape_limit, false},
    [INPUT_SEGMENT] = {"Segment", &shape_segment, false},
    [INPUT_TOTAL_SEGMENTS] = {"TotalSegments", &shape_total_segments, false},
    [INPUT_INDEX_NAME] = {"IndexName", &shape_index_name, false},
    [INPUT_ATTRIBUTES_TO_GET] = {"AttributesToGet", &legacy_attributes_to_get, false},
    [INPUT_SCAN_FILTER] = {"ScanFilter", &legacy_conditions, false},
    [INPUT_CONDITIONAL_OPERATOR] = {"ConditionalOperator", &legacy_conditional_operator, false},
    [INPUT_EXCLUSIVE_START_KEY] = {"ExclusiveStartKey", &shape_key, false},
    [INPUT_CONSISTENT_READ] = {"ConsistentRead", &shape_boolean, false},
    [INPUT_FILTER_EXPRESSION] = {"FilterExpression", &shape_string, false},
    [INPUT_PROJECTION_EXPRESSION] = {"ProjectionExpression", &shape_string, false},
    [INPUT_NAMES] = {"ExpressionAttributeNames", &shape_names, false},
    [INPUT_VALUES] = {"ExpressionAttributeValues", &shape_values, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "ScanInput",
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
        .filter = input[INPUT_SCAN_FILTER],
        .conditional_operator = input[INPUT_CONDITIONAL_OPERATOR],
        .expressions =
            {
                .text = {[EXPRESSION_FILTER] = input[INPUT_FILTER_EXPRESSION],
                         [EXPRESSION_PROJECTION] = input[INPUT_PROJECTION_EXPRESSION]},
                .known = 1U << EXPRESSION_FILTER | 1U << EXPRESSION_PROJECTION,
                .names = input[INPUT_NAMES],
                .values = input[INPUT_VALUES],
            },
    };
}

static enum error_code check_legacy(struct request *request)
{
    const struct json_token **input = request->input;
    const struct parameter legacy[] = {
        {"AttributesToGet", input[INPUT_ATTRIBUTES_TO_GET]},
        {"ScanFilter", input[INPUT_SCAN_FILTER]},
        {"ConditionalOperator", input[INPUT_CONDITIONAL_OPERATOR]},
        {NULL, NULL},
    };
    const struct parameter given[] = {
        {"ProjectionExpression", input[INPUT_PROJECTION_EXPRESSION]},
        {"FilterExpression", input[INPUT_FILTER_EXPRESSION]},
        {NULL, NULL},
    };
    TRY(legacy_check(&request->call, legacy, given));
    return legacy_check_operator(&request->call, input[INPUT_CONDITIONAL_OPERATOR],
                                 input[INPUT_SCAN_FILTER]);
}

/* The segment of total that is read; segment 0 of 1 when none is asked for. */
struct segment {
    uint32_t number;
    uint32_t total;
};

static struct segment segment_of(const struct request *request)
{
    return (struct segment){
        .number = (uint32_t)input_integer(request->input[INPUT_SEGMENT], 0),
        .total = (uint32_t)input_integer(request->input[INPUT_TOTAL_SEGMENTS], 1),
    };
}

static enum error_code check_segments(struct request *request)
{
    struct call *call = &request->call;
    bool has_segment = request->input[INPUT_SEGMENT] != NULL;
    bool has_total = request->input[INPUT_TOTAL_SEGMENTS] != NULL;
    if (has_segment && !has_total) {
        return fail(call, ERROR_VALIDATION,
                    "The TotalSegments parameter is required but was not present in the request "
                    "when Segment parameter is present");
    }
    if (has_total && !has_segment) {
        return fail(call, ERROR_VALIDATION,
                    "The Segment parameter is required but was not present in the request when "
                    "parameter TotalSegments is present");
    }
    struct segment segment = segment_of(request);
    if (segment.number < segment.total) return OK;
    return fail(call, ERROR_VALIDATION,
                "The Segment parameter is zero-based and must be less than parameter "
                "TotalSegments: Segment: %u is not less than TotalSegments: %u",
                segment.number, segment.total);
}

/* Everything that needs no table. */
static enum error_code compile(struct request *request, struct read_page *read)
{
    struct call *call = &request->call;
    TRY(check_legacy(request));
    TRY(expressions_check(call, &read->input.expressions));
    TRY(read_page_lower_projection(call, read));
    TRY(read_page_lower_filter(call, read));
    TRY(read_page_start(request, read));
    TRY(check_segments(request));
    TRY(read_page_parse(call, read));
    return read_page_check_select(request, read, "");
}

static enum error_code check_start(struct call *call, const struct read_page *read)
{
    const char *mismatch = read->index != NULL
                               ? "The provided starting key is invalid"
                               : "The provided starting key is invalid: The provided key element "
                                 "does not match the schema";
    return read_page_check_start(call, read, mismatch);
}

static bool holds(struct kv_range range, struct slice row_key)
{
    return slice_compare(range.begin, row_key) <= 0 && slice_compare(row_key, range.end) < 0;
}

static enum error_code set_range(struct request *request, struct read_page *read)
{
    struct call *call = &request->call;
    struct segment segment = segment_of(request);
    struct kv_range range =
        layout_scan_range(call->arena, read->table, read->index, segment.number, segment.total);
    if (read->input.start_key != NULL) {
        struct slice row_key = read_page_start_row(call, read);
        if (!holds(range, row_key)) {
            return fail(call, ERROR_VALIDATION,
                        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please "
                        "use ExclusiveStartKey with correct Segment. TotalSegments: %u Segment: %u",
                        segment.total, segment.number);
        }
        range = layout_resume(call->arena, range, row_key);
    }
    read->page.range = range;
    return OK;
}

static enum error_code plan_scan(struct request *request)
{
    struct call *call = &request->call;
    struct read_page *read = arena_new(call->arena, struct read_page);
    read->input = page_members(request->input);
    request->plan = read;

    TRY(compile(request, read));
    TRY(read_page_bind(request, read));
    TRY(check_start(call, read));
    TRY(read_page_check_projection(request, read));
    TRY(set_range(request, read));
    if (!read->page.fetch) request->kind = OP_READ_ONE;
    TRY(paths_check_projection(call, read->table, read->set.projection));
    return paths_check_filter(call, read->table, read->set.filter);
}

const struct op op_scan = {
    .name = "Scan",
    .kind = OP_READ,
    .input = &input_shape,
    .plan = plan_scan,
    .run = read_page_run,
};
