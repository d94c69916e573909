/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update_index — GlobalSecondaryIndexUpdates: creating, deleting and re-provisioning global indexes
 * of a table that is there. The background fills what is recorded as CREATING and clears what is
 * recorded as DELETING.
 */
#include <stdlib.h>

#include "ops/table_quota.h"
#include "ops/table_state.h"
#include "ops/table_units.h"
#include "ops/update_index.h"

#define INVALID "One or more parameter values were invalid: "

/* ---- planning -------------------------------------------------------------------------------- */

static enum error_code read_action(struct request *request, const struct json_token *token,
                                   struct index_action *action)
{
    static const char *const members[] = {
        [INDEX_ACTION_UPDATE] = "Update",
        [INDEX_ACTION_CREATE] = "Create",
        [INDEX_ACTION_DELETE] = "Delete",
    };
    struct call *call = &request->call;
    unsigned count = 0;
    for (unsigned i = 0; i < sizeof members / sizeof members[0]; i++) {
        const struct json_token *member = input_member(token, members[i]);
        if (member == NULL) continue;
        action->kind = (enum index_action_kind)i;
        action->token = member;
        count++;
    }
    if (count == 0) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "One of GlobalSecondaryIndexUpdate.Update, "
                            "GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete "
                            "must not be null");
    }
    if (count > 1) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "Only one global secondary index action is allowed per "
                            "GlobalSecondaryIndexUpdate object");
    }
    action->name = input_string(request, input_member(action->token, "IndexName"));
    return OK;
}

static enum error_code check_definitions(struct request *request, const struct table_update *update)
{
    for (size_t i = 0; i < update->action_count; i++) {
        if (update->actions[i].kind != INDEX_ACTION_CREATE || update->has_definitions) continue;
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID "AttributeDefinitions is not specified for index: %.*s",
                    SLICE_ARGS(update->actions[i].name));
    }
    return OK;
}

enum error_code update_index_plan(struct request *request, const struct json_token *list,
                                  struct table_update *update)
{
    if (list == NULL) return OK;
    update->actions = arena_array(request->call.arena, struct index_action, list->length);
    const struct json_token *token = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, token = json_next(token)) {
        struct index_action action = {0};
        TRY(read_action(request, token, &action));
        if (update_index_find(update, action.name) != NULL) {
            return fail(&request->call, ERROR_VALIDATION,
                        INVALID "Only one global secondary index update per index is allowed "
                                "simultaneously. Index: %.*s",
                        SLICE_ARGS(action.name));
        }
        update->actions[update->action_count++] = action;
    }
    return check_definitions(request, update);
}

const struct index_action *update_index_find(const struct table_update *update, struct slice name)
{
    for (size_t i = 0; i < update->action_count; i++) {
        if (slice_equal(update->actions[i].name, name)) return &update->actions[i];
    }
    return NULL;
}

bool update_index_creates_or_deletes(const struct table_update *update)
{
    for (size_t i = 0; i < update->action_count; i++) {
        if (update->actions[i].kind != INDEX_ACTION_UPDATE) return true;
    }
    return false;
}

/* ---- finding --------------------------------------------------------------------------------- */

static struct index *find_index(struct table *table, struct slice name)
{
    for (size_t i = 0; i < table->index_count; i++) {
        if (slice_equal(table->indexes[i].name, name)) return &table->indexes[i];
    }
    return NULL;
}

static enum error_code find_global(struct request *request, struct table *table,
                                   const struct index_action *action, struct index **index)
{
    struct call *call = &request->call;
    *index = find_index(table, action->name);
    if (*index == NULL) {
        return fail(call, ERROR_RESOURCE_NOT_FOUND,
                    "Requested resource not found: Index %.*s for table %.*s",
                    SLICE_ARGS(action->name), SLICE_ARGS(table->name));
    }
    if ((*index)->kind == INDEX_GLOBAL) return OK;
    return fail(
        call, ERROR_VALIDATION, "Cannot %s an index that is not a GlobalSecondaryIndex: %.*s",
        action->kind == INDEX_ACTION_DELETE ? "delete" : "update", SLICE_ARGS(action->name));
}

static enum error_code fail_busy(struct request *request, const struct table *table,
                                 const struct index *index, const char *what)
{
    return fail(&request->call, ERROR_RESOURCE_IN_USE,
                TABLE_STATE_IN_USE "Index is being %s. Table: %.*s Index: %.*s", what,
                SLICE_ARGS(table->name), SLICE_ARGS(index->name));
}

static enum error_code fail_one_online(struct request *request)
{
    return fail(&request->call, ERROR_LIMIT_EXCEEDED,
                "Subscriber limit exceeded: Only 1 online index can be created or deleted "
                "simultaneously per table");
}

/* ---- updating -------------------------------------------------------------------------------- */

static enum error_code change_throughput(struct request *request, struct table_update *update,
                                         struct index *index, const struct json_token *token)
{
    struct call *call = &request->call;
    const struct table *table = update->table;
    if (table->billing == BILLING_PAY_PER_REQUEST) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "The only Updates for index: %.*s when TableThroughputMode is "
                            "PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput",
                    SLICE_ARGS(index->name));
    }
    struct throughput wanted;
    struct throughput *now = &index->throughput;
    TRY(table_input_throughput(request, token, index->name, &wanted));
    if (wanted.read_units == now->read_units && wanted.write_units == now->write_units) {
        const struct slice name = index->name;
        return fail(call, ERROR_VALIDATION,
                    "The provisioned throughput for the index %.*s will not change. The requested "
                    "value equals the current value. Current ReadCapacityUnits provisioned for "
                    "index %.*s: %lld. Requested ReadCapacityUnits: %lld. Current "
                    "WriteCapacityUnits provisioned for index %.*s: %lld. Requested "
                    "WriteCapacityUnits: %lld. Refer to the Amazon DynamoDB Developer Guide for "
                    "current limits and how to request higher limits.",
                    SLICE_ARGS(name), SLICE_ARGS(name), (long long)now->read_units,
                    (long long)wanted.read_units, SLICE_ARGS(name), (long long)now->write_units,
                    (long long)wanted.write_units);
    }
    TRY(table_update_units(request, &wanted, now, &index->warm));
    update->changed_units |= 1ULL << (index - table->indexes);
    return OK;
}

static enum error_code change_units(struct request *request, struct table_update *update,
                                    struct index *index, const struct json_token *token)
{
    const struct units_of of = {
        .index = index, .billing = update->table->billing, .warm = index->warm};
    const struct unit_pair on_demand =
        table_input_on_demand(input_member(token, "OnDemandThroughput"));
    const struct unit_pair warm = table_input_warm(input_member(token, "WarmThroughput"));
    TRY(table_units_update_on_demand(request, on_demand, &of));
    TRY(table_units_update_warm(request, warm, &of));
    index->on_demand = table_units_settle(table_units_merge(on_demand, index->on_demand));
    if (unit_pair_is_empty(warm)) return OK;
    index->warm = table_units_merge(warm, index->warm);
    update->view.warm_indexes |= 1ULL << (index - update->table->indexes);
    return OK;
}

static enum error_code update_one(struct request *request, struct table_update *update,
                                  const struct index_action *action)
{
    struct table *table = update->table;
    struct index *index;
    TRY(find_global(request, table, action, &index));
    if (index->status == INDEX_DELETING) return fail_busy(request, table, index, "deleted");
    if (index->status == INDEX_CREATING) return fail_busy(request, table, index, "created");
    if (request->call.now_ms < index->updating_until_ms)
        return fail_busy(request, table, index, "updated");

    const struct json_token *throughput = input_member(action->token, "ProvisionedThroughput");
    const bool has_units = input_member(action->token, "OnDemandThroughput") != NULL ||
                           input_member(action->token, "WarmThroughput") != NULL;
    if (throughput == NULL && !has_units) {
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID "ProvisionedThroughput must be specified for index: %.*s",
                    SLICE_ARGS(index->name));
    }
    if (throughput != NULL) TRY(change_throughput(request, update, index, throughput));
    if (has_units) TRY(change_units(request, update, index, action->token));
    const int64_t delay_ms = request->database->table_delay_ms;
    index->updating_until_ms = delay_ms == 0 ? 0 : request->call.now_ms + delay_ms;
    update->changed_index |= 1ULL << (index - table->indexes);
    update->is_changed = true;
    return OK;
}

/* ---- creating -------------------------------------------------------------------------------- */

static size_t count_global(const struct table *table)
{
    size_t count = 0;
    for (size_t i = 0; i < table->index_count; i++)
        count += table->indexes[i].kind == INDEX_GLOBAL;
    return count;
}

static enum error_code check_creatable(struct request *request, struct table *table,
                                       const struct index_action *action)
{
    struct call *call = &request->call;
    if (find_index(table, action->name) != NULL)
        return fail(call, ERROR_VALIDATION, "Attempting to create an index which already exists");
    TRY(table_state_allows(request, table, CONCERN_INDEXES));
    if (table_state_moving_index(table) != NULL) return fail_one_online(request);
    if (count_global(table) < LIMIT_GLOBAL_INDEXES) return OK;
    return fail(call, ERROR_LIMIT_EXCEEDED,
                "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table "
                "limit of %d",
                LIMIT_GLOBAL_INDEXES);
}

static const struct key_attribute *find_definition(const struct table *table, struct slice name)
{
    for (size_t i = 0; i < table->definition_count; i++) {
        if (slice_equal(table->definitions[i].name, name)) return &table->definitions[i];
    }
    return NULL;
}

/* The request's definitions; an attribute the table knows keeps its type, whatever is said of it.
 */
static struct definitions reconcile(struct request *request, const struct table_update *update)
{
    struct definitions definitions = table_keys_sorted(request->call.arena, &update->definitions);
    for (size_t i = 0; i < definitions.count; i++) {
        const struct key_attribute *known =
            find_definition(update->table, definitions.list[i].name);
        if (known != NULL) definitions.list[i].type = known->type;
    }
    return definitions;
}

/* Definitions that no key uses are dropped, as the service drops them. */
static void add_definitions(struct request *request, struct table *table, const struct index *index)
{
    const unsigned key_count = key_schema_count(&index->key);
    struct definitions merged = {
        .list = arena_array(request->call.arena, struct key_attribute,
                            table->definition_count + key_count),
        .count = table->definition_count,
    };
    memcpy(merged.list, table->definitions, merged.count * sizeof *merged.list);
    for (unsigned i = 0; i < key_count; i++) {
        if (find_definition(table, index->key.attributes[i].name) == NULL)
            merged.list[merged.count++] = index->key.attributes[i];
    }
    merged = table_keys_sorted(request->call.arena, &merged);
    table->definitions = merged.list;
    table->definition_count = merged.count;
}

static enum error_code read_new_units(struct request *request, const struct table *table,
                                      const struct json_token *token, struct index *index)
{
    struct call *call = &request->call;
    const struct json_token *throughput = input_member(token, "ProvisionedThroughput");
    if (table->billing == BILLING_PAY_PER_REQUEST && throughput != NULL) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for "
                            "index: %.*s when BillingMode is PAY_PER_REQUEST",
                    SLICE_ARGS(index->name));
    }
    if (table->billing == BILLING_PROVISIONED && throughput == NULL) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "Both ReadCapacityUnits and WriteCapacityUnits must be specified for "
                            "index: %.*s",
                    SLICE_ARGS(index->name));
    }
    TRY(table_input_throughput(request, throughput, index->name, &index->throughput));
    const struct units_of of = {
        .index = index, .billing = table->billing, .throughput = &index->throughput};
    index->on_demand = table_input_on_demand(input_member(token, "OnDemandThroughput"));
    TRY(table_units_create_on_demand(request, index->on_demand, &of));
    const struct unit_pair warm = table_input_warm(input_member(token, "WarmThroughput"));
    TRY(table_units_create_warm(request, warm, &of));
    index->warm =
        table_units_merge(warm, table_units_initial_warm(table->billing, &index->throughput));
    return OK;
}

static enum error_code create_one(struct request *request, struct table_update *update,
                                  const struct index_action *action)
{
    struct table *table = update->table;
    TRY(check_creatable(request, table, action));
    struct index index = {
        .name = action->name,
        .kind = INDEX_GLOBAL,
        .status = INDEX_CREATING,
        .backfilling = true,
    };
    const struct definitions definitions = reconcile(request, update);
    TRY(table_keys_of_index(request, input_member(action->token, "KeySchema"), INDEX_GLOBAL,
                            &definitions, &index.key));
    TRY(table_input_projection(request, input_member(action->token, "Projection"), &index));
    TRY(read_new_units(request, table, action->token, &index));

    index.id = table->next_index_id++;
    struct index *indexes = arena_array(request->call.arena, struct index, table->index_count + 1);
    if (table->index_count > 0)
        memcpy(indexes, table->indexes, table->index_count * sizeof *indexes);
    indexes[table->index_count] = index;
    table->indexes = indexes;
    table->index_count++;
    add_definitions(request, table, &index);
    update->is_changed = true;
    update->is_updating = true;
    return table_input_check_included(request, table);
}

/* ---- deleting -------------------------------------------------------------------------------- */

static enum error_code delete_one(struct request *request, struct table_update *update,
                                  const struct index_action *action)
{
    struct table *table = update->table;
    struct index *index;
    TRY(find_global(request, table, action, &index));
    if (index->status == INDEX_DELETING) return fail_busy(request, table, index, "deleted");
    const bool is_updating = table_status_at(table, request->call.now_ms) == TABLE_UPDATING;
    if (index->status == INDEX_CREATING && is_updating) {
        return fail(&request->call, ERROR_RESOURCE_IN_USE,
                    TABLE_STATE_IN_USE "Index creation is in resource allocation phase. Retry "
                                       "deletion during backfilling phase or when the index is "
                                       "active. Table: %.*s Index: %.*s",
                    SLICE_ARGS(table->name), SLICE_ARGS(index->name));
    }
    TRY(table_state_allows(request, table, CONCERN_INDEXES));
    const struct index *moving = table_state_moving_index(table);
    if (moving != NULL && moving != index) return fail_one_online(request);
    index->status = INDEX_DELETING;
    index->backfilling = false;
    update->is_changed = true;
    update->is_updating = true;
    return OK;
}

/* ---- all actions ----------------------------------------------------------------------------- */

enum error_code update_index_run(struct request *request, struct table_update *update)
{
    unsigned online = 0;
    for (size_t i = 0; i < update->action_count; i++)
        online += update->actions[i].kind != INDEX_ACTION_UPDATE;
    if (online > 1) return fail_one_online(request);

    for (size_t i = 0; i < update->action_count; i++) {
        const struct index_action *action = &update->actions[i];
        switch (action->kind) {
        case INDEX_ACTION_UPDATE:
            TRY(update_one(request, update, action));
            break;
        case INDEX_ACTION_CREATE:
            TRY(create_one(request, update, action));
            break;
        case INDEX_ACTION_DELETE:
            TRY(delete_one(request, update, action));
            break;
        }
    }
    return OK;
}
