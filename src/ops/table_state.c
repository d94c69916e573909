/* SPDX-License-Identifier: Apache-2.0 */
/* table_state — who has to wait for whom, in the words of facts/errors.md 8 (UpdateTable). */
#include "ops/table_state.h"

enum error_code table_state_read(struct request *request, struct kv_txn *txn, struct slice name,
                                 struct table **table)
{
    struct call *call = &request->call;
    TRY(database_status(call, catalog_read(txn, call->arena, name, table)));
    if (*table == NULL || table_is_gone(*table, call->now_ms)) {
        return fail(call, ERROR_RESOURCE_NOT_FOUND,
                    "Requested resource not found: Table: %.*s not found", SLICE_ARGS(name));
    }
    const enum table_status status = table_status_at(*table, call->now_ms);
    if (status == TABLE_CREATING || status == TABLE_DELETING) {
        return fail(call, ERROR_RESOURCE_IN_USE, TABLE_STATE_IN_USE "Table is being %s: %.*s",
                    status == TABLE_CREATING ? "created" : "deleted", SLICE_ARGS(name));
    }
    return OK;
}

enum error_code table_state_updating(struct request *request, const struct table *table)
{
    return fail(&request->call, ERROR_RESOURCE_IN_USE,
                TABLE_STATE_IN_USE "Table: %.*s is in the process of being updated.",
                SLICE_ARGS(table->name));
}

const struct index *table_state_moving_index(const struct table *table)
{
    for (size_t i = 0; i < table->index_count; i++) {
        const struct index *index = &table->indexes[i];
        if (index->status == INDEX_CREATING || index->status == INDEX_DELETING) return index;
    }
    return NULL;
}

bool table_state_has_busy_index(const struct table *table, int64_t now_ms)
{
    if (table_state_moving_index(table) != NULL) return true;
    for (size_t i = 0; i < table->index_count; i++) {
        if (now_ms < table->indexes[i].updating_until_ms) return true;
    }
    return false;
}

/* An index that is being deleted, or whose creation has not yet come to backfilling, blocks. */
static enum error_code check_moving(struct request *request, const struct table *table,
                                    const struct index *index, enum concern concern)
{
    struct call *call = &request->call;
    const bool is_created = index->status == INDEX_CREATING;
    switch (concern) {
    case CONCERN_UNITS:
        return fail(call, ERROR_RESOURCE_IN_USE,
                    TABLE_STATE_IN_USE "Can't change table IOPS when an index is being %s. Table: "
                                       "%.*s Indexes: [%.*s]",
                    is_created ? "created" : "deleted", SLICE_ARGS(table->name),
                    SLICE_ARGS(index->name));
    case CONCERN_STREAM:
        return fail(call, ERROR_RESOURCE_IN_USE,
                    TABLE_STATE_IN_USE "Can't change stream status when an index is being %s",
                    is_created ? "created" : "deleted");
    case CONCERN_ON_DEMAND:
        return fail(call, ERROR_RESOURCE_IN_USE,
                    TABLE_STATE_IN_USE "OnDemandThroughput cannot be updated while index %s is in "
                                       "progress for indexes: [%.*s]",
                    is_created ? "creation" : "deletion", SLICE_ARGS(index->name));
    case CONCERN_CLASS:
    case CONCERN_INDEXES:
        break;
    }
    return table_state_updating(request, table);
}

static enum error_code wait_for_units(struct request *request, const struct table *table,
                                      enum concern concern)
{
    struct call *call = &request->call;
    if (concern == CONCERN_INDEXES) {
        return fail(call, ERROR_RESOURCE_IN_USE,
                    TABLE_STATE_IN_USE "Can't create or delete indexes while table IOPS are being "
                                       "updated. Table: %.*s",
                    SLICE_ARGS(table->name));
    }
    if (concern == CONCERN_ON_DEMAND) {
        return fail(call, ERROR_RESOURCE_IN_USE,
                    TABLE_STATE_IN_USE "OnDemandThroughput cannot be updated while BillingMode "
                                       "update is in progress");
    }
    if (concern != CONCERN_UNITS) return table_state_updating(request, table);
    return fail(call, ERROR_RESOURCE_IN_USE,
                TABLE_STATE_IN_USE "Table IOPS are currently being updated. Table: %.*s",
                SLICE_ARGS(table->name));
}

static enum error_code wait_for_stream(struct request *request, const struct table *table,
                                       enum concern concern)
{
    struct call *call = &request->call;
    if (concern == CONCERN_INDEXES) {
        return fail(call, ERROR_RESOURCE_IN_USE,
                    TABLE_STATE_IN_USE
                    "Can't create or delete an index when stream status is being "
                    "updated.");
    }
    if (concern == CONCERN_ON_DEMAND) {
        return fail(call, ERROR_RESOURCE_IN_USE,
                    TABLE_STATE_IN_USE "OnDemandThroughput cannot be updated while stream status "
                                       "update is in progress");
    }
    if (concern != CONCERN_CLASS) return table_state_updating(request, table);
    return fail(call, ERROR_RESOURCE_IN_USE,
                TABLE_STATE_IN_USE "Can't update table class when stream status is being updated. "
                                   "Table: %.*s",
                SLICE_ARGS(table->name));
}

enum error_code table_state_allows(struct request *request, const struct table *table,
                                   enum concern concern)
{
    struct call *call = &request->call;
    const bool is_updating = table_status_at(table, call->now_ms) == TABLE_UPDATING;
    const struct index *index = table_state_moving_index(table);
    if (concern != CONCERN_INDEXES && index != NULL &&
        (is_updating || index->status == INDEX_DELETING)) {
        return check_moving(request, table, index, concern);
    }
    if (!is_updating) return OK;
    switch (table->change) {
    case CHANGE_UNITS:
        return wait_for_units(request, table, concern);
    case CHANGE_STREAM:
        return wait_for_stream(request, table, concern);
    case CHANGE_CLASS:
        if (concern == CONCERN_INDEXES) {
            return fail(call, ERROR_RESOURCE_IN_USE,
                        TABLE_STATE_IN_USE "Can't create or delete an index when a table class "
                                           "update is in progress.");
        }
        break;
    case CHANGE_OTHER: /* an index: words of its own, later */
        if (concern == CONCERN_INDEXES) return OK;
        break;
    }
    return table_state_updating(request, table);
}
