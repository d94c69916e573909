/* SPDX-License-Identifier: Apache-2.0 */
/* list_tables — ListTables: the names of all tables, page by page, in byte order. */
#include "model/limits.h"
#include "ops/op.h"

enum input { INPUT_LIMIT, INPUT_START, INPUT_COUNT };

static const struct shape limit = {
    .kind = SHAPE_INTEGER, .has_min = true, .min = 1, .has_max = true, .max = LIMIT_LIST_TABLES};
static const struct shape start = {
    .kind = SHAPE_STRING,
    .name_pattern = true,
    .has_min = true,
    .min = LIMIT_TABLE_NAME_LENGTH_MIN,
    .has_max = true,
    .max = LIMIT_TABLE_NAME_LENGTH,
};

static const struct field fields[] = {
    [INPUT_LIMIT] = {"Limit", &limit, false},
    [INPUT_START] = {"ExclusiveStartTableName", &start, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "ListTablesInput", .fields = fields};

static enum error_code plan(struct request *request)
{
    const struct catalog_snapshot *catalog = request->catalog;
    const struct slice after = input_string(request, request->input[INPUT_START]);
    const int64_t most = input_integer(request->input[INPUT_LIMIT], LIMIT_LIST_TABLES);
    struct buffer *out = &request->response;
    struct slice last = {0};
    bool has_more = false;
    int64_t count = 0;

    BUFFER_TEXT(out, "{\"TableNames\":[");
    for (size_t i = 0; i < catalog->table_count && !has_more; i++) {
        const struct table *table = catalog->tables[i];
        if (table_is_gone(table, request->call.now_ms)) continue;
        if (slice_compare(table->name, after) <= 0) continue;
        has_more = count == most;
        if (has_more) continue;
        if (count++ > 0) buffer_append_byte(out, ',');
        json_append_string(out, table->name);
        last = table->name;
    }
    buffer_append_byte(out, ']');
    if (has_more) {
        BUFFER_TEXT(out, ",\"LastEvaluatedTableName\":");
        json_append_string(out, last);
    }
    buffer_append_byte(out, '}');
    return OK;
}

const struct op op_list_tables = {
    .name = "ListTables",
    .kind = OP_LOCAL,
    .input = &input_shape,
    .plan = plan,
};
