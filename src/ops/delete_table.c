/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete_table — DeleteTable: the name is free as soon as the table has had its time as DELETING;
 * the background clears the data.
 */
#include "ops/table_output.h"
#include "ops/table_shape.h"
#include "ops/table_state.h"
#include "store/stream.h"

enum input { INPUT_TABLE_NAME, INPUT_COUNT };

static const struct field fields[] = {
    [INPUT_TABLE_NAME] = {"TableName", &table_shape_name, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "DeleteTableInput", .fields = fields};

struct deletion {
    struct slice name;
    struct table_view view;
};

static enum error_code plan(struct request *request)
{
    struct deletion *deletion = arena_new(request->call.arena, struct deletion);
    request->plan = deletion;
    return request_table_name(request, request->input[INPUT_TABLE_NAME], &deletion->name);
}

static enum error_code check_deletable(struct request *request, const struct table *table)
{
    struct call *call = &request->call;
    if (table->deletion_protection) {
        return fail(call, ERROR_VALIDATION,
                    "Resource cannot be deleted as it is currently protected against deletion. "
                    "Disable deletion protection first.");
    }
    if (table_state_has_busy_index(table, call->now_ms)) {
        return fail(call, ERROR_RESOURCE_IN_USE,
                    TABLE_STATE_IN_USE "Cannot delete table while indexes are being created, "
                                       "updated, or deleted.");
    }
    if (table_status_at(table, call->now_ms) != TABLE_UPDATING) return OK;
    if (table->change == CHANGE_STREAM) {
        return fail(call, ERROR_RESOURCE_IN_USE,
                    TABLE_STATE_IN_USE "Cannot delete table while stream is being "
                                       "enabled/disabled.");
    }
    return table_state_updating(request, table);
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    struct deletion *deletion = request->plan;
    struct call *call = &request->call;
    struct table *table;
    TRY(table_state_read(request, txn, deletion->name, &table));
    TRY(check_deletable(request, table));
    deletion->view = (struct table_view){
        .table = table,
        .look = LOOK_DELETED,
        .status = TABLE_DELETING,
        .now_ms = call->now_ms,
    };
    TRY(database_status(call, table_output_read_sizes(request, txn, &deletion->view)));
    TRY(database_status(call, stream_disable(call, request->database, txn, table)));

    if (request->database->table_delay_ms == 0) {
        catalog_erase(txn, table);
        return OK;
    }
    table->status = TABLE_DELETING;
    table->active_ms = call->now_ms + request->database->table_delay_ms;
    catalog_write(txn, call->arena, table);
    return OK;
}

static enum error_code render(struct request *request)
{
    struct deletion *deletion = request->plan;
    table_output_write(request, "TableDescription", &deletion->view);
    return OK;
}

const struct op op_delete_table = {
    .name = "DeleteTable",
    .kind = OP_CATALOG,
    .input = &input_shape,
    .plan = plan,
    .run = run,
    .render = render,
};
