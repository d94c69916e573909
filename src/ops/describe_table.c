/* SPDX-License-Identifier: Apache-2.0 */
/* describe_table — DescribeTable: everything there is to say about a table. */
#include "ops/table_output.h"
#include "ops/table_shape.h"

enum input { INPUT_TABLE_NAME, INPUT_COUNT };

static const struct field fields[] = {
    [INPUT_TABLE_NAME] = {"TableName", &table_shape_name, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "DescribeTableInput", .fields = fields};

static enum error_code plan(struct request *request)
{
    struct call *call = &request->call;
    struct slice name;
    TRY(request_table_name(request, request->input[INPUT_TABLE_NAME], &name));
    const struct table *table = catalog_find(request->catalog, name, call->now_ms);
    if (table == NULL) {
        return fail(call, ERROR_RESOURCE_NOT_FOUND,
                    "Requested resource not found: Table: %.*s not found", SLICE_ARGS(name));
    }
    struct table_view *view = arena_new(call->arena, struct table_view);
    *view = (struct table_view){
        .table = table,
        .look = LOOK_DESCRIBED,
        .status = table_status_at(table, call->now_ms),
        .now_ms = call->now_ms,
    };
    request->plan = view;
    return OK;
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    struct table_view *view = request->plan;
    TRY(database_status(&request->call, table_output_read_sizes(request, txn, view)));
    TRY(table_output_read_progress(request, txn, view));
    table_output_write(request, "Table", view);
    return OK;
}

const struct op op_describe_table = {
    .name = "DescribeTable",
    .kind = OP_READ,
    .input = &input_shape,
    .plan = plan,
    .run = run,
};
