/* SPDX-License-Identifier: Apache-2.0 */
/* tagging — the table behind an ARN. Tags are told of a table only once it is ACTIVE. */
#include "ops/tagging.h"

#include "ops/table_state.h"

const struct shape tagging_shape_arn = {.kind = SHAPE_STRING};

enum error_code tagging_not_found(struct request *request, const struct resource_arn *arn)
{
    return fail(&request->call, ERROR_RESOURCE_NOT_FOUND,
                "Requested resource not found: ResourceArn: %.*s not found", SLICE_ARGS(arn->text));
}

enum error_code tagging_read_table(struct request *request, struct kv_txn *txn,
                                   const struct resource_arn *arn, struct table **table)
{
    struct call *call = &request->call;
    TRY(database_status(call, catalog_read(txn, call->arena, arn->table, table)));
    if (*table == NULL || table_is_gone(*table, call->now_ms))
        return tagging_not_found(request, arn);
    const enum table_status status = table_status_at(*table, call->now_ms);
    if (status == TABLE_CREATING) return tagging_not_found(request, arn);
    if (status != TABLE_DELETING) return OK;
    return fail(call, ERROR_RESOURCE_IN_USE, TABLE_STATE_IN_USE "Table is being deleted: %.*s",
                SLICE_ARGS(arn->table));
}
