/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update_table — UpdateTable: one logical change of a table per call.
 *
 * plan refuses what no table could be asked, run what this table cannot be asked now. The response
 * shows some changes as made and others as being made: which is which follows the service, member
 * by member (show).
 */
#include "ops/table_quota.h"
#include "ops/table_shape.h"
#include "ops/table_state.h"
#include "ops/table_units.h"
#include "ops/update_index.h"
#include "store/stream.h"

#define INVALID "One or more parameter values were invalid: "

enum input {
    INPUT_TABLE_NAME,
    INPUT_THROUGHPUT,
    INPUT_BILLING_MODE,
    INPUT_INDEX_UPDATES,
    INPUT_DEFINITIONS,
    INPUT_STREAM,
    INPUT_ENCRYPTION,
    INPUT_TABLE_CLASS,
    INPUT_DELETION_PROTECTION,
    INPUT_ON_DEMAND,
    INPUT_WARM,
    INPUT_REPLICA_UPDATES,
    INPUT_CONSISTENCY,
    INPUT_WITNESS_UPDATES,
    INPUT_REPLICATION_MODE,
    INPUT_DISASSOCIATION_PROTECTION,
    INPUT_VECTOR_UPDATES,
    INPUT_COUNT,
};

static const struct field fields[] = {
    [INPUT_TABLE_NAME] = {"TableName", &table_shape_name, false},
    [INPUT_THROUGHPUT] = {"ProvisionedThroughput", &table_shape_throughput, false},
    [INPUT_BILLING_MODE] = {"BillingMode", &table_shape_billing_mode, false},
    [INPUT_INDEX_UPDATES] = {"GlobalSecondaryIndexUpdates", &table_shape_index_updates, false},
    [INPUT_DEFINITIONS] = {"AttributeDefinitions", &table_shape_definitions, false},
    [INPUT_STREAM] = {"StreamSpecification", &table_shape_stream, false},
    [INPUT_ENCRYPTION] = {"SSESpecification", &table_shape_encryption, false},
    [INPUT_TABLE_CLASS] = {"TableClass", &shape_string, false},
    [INPUT_DELETION_PROTECTION] = {"DeletionProtectionEnabled", &shape_boolean, false},
    [INPUT_ON_DEMAND] = {"OnDemandThroughput", &table_shape_on_demand, false},
    [INPUT_WARM] = {"WarmThroughput", &table_shape_warm, false},
    [INPUT_REPLICA_UPDATES] = {"ReplicaUpdates", &table_shape_unbuilt_list, false},
    [INPUT_CONSISTENCY] = {"MultiRegionConsistency", &shape_string, false},
    [INPUT_WITNESS_UPDATES] = {"GlobalTableWitnessUpdates", &table_shape_unbuilt_list, false},
    [INPUT_REPLICATION_MODE] = {"GlobalTableSettingsReplicationMode", &shape_string, false},
    [INPUT_DISASSOCIATION_PROTECTION] = {"DisassociationProtectionEnabled", &shape_boolean, false},
    [INPUT_VECTOR_UPDATES] = {"VectorIndexUpdates", &table_shape_unbuilt_list, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "UpdateTableInput", .fields = fields};

/* ---- planning: what may come together -------------------------------------------------------- */

static bool has_index_updates(const struct request *request)
{
    const struct json_token *list = request->input[INPUT_INDEX_UPDATES];
    return list != NULL && list->length > 0;
}

static enum error_code check_anything(struct request *request)
{
    static const enum input changes[] = {
        INPUT_THROUGHPUT,  INPUT_BILLING_MODE,        INPUT_STREAM,    INPUT_ENCRYPTION,
        INPUT_TABLE_CLASS, INPUT_DELETION_PROTECTION, INPUT_ON_DEMAND, INPUT_WARM};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        if (request->input[changes[i]] != NULL) return OK;
    }
    if (has_index_updates(request)) return OK;
    return fail(&request->call, ERROR_VALIDATION,
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
                "GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, "
                "MultiAccountReplicaReady, ReplicaTransitRoleArn, %sDeletionProtectionEnabled, "
                "OnDemandThroughput, WarmThroughput or TableClass is required",
                request->input[INPUT_CONSISTENCY] != NULL ? "" : "MultiRegionConsistency, ");
}

static enum error_code refuse_unbuilt(struct request *request)
{
    static const enum input unbuilt[] = {
        INPUT_REPLICA_UPDATES, INPUT_WITNESS_UPDATES,           INPUT_REPLICATION_MODE,
        INPUT_VECTOR_UPDATES,  INPUT_DISASSOCIATION_PROTECTION,
    };
    for (size_t i = 0; i < sizeof unbuilt / sizeof unbuilt[0]; i++)
        TRY(table_input_unbuilt(request, request->input[unbuilt[i]], fields[unbuilt[i]].name));
    return OK;
}

static bool creates_index(const struct table_update *update)
{
    for (size_t i = 0; i < update->action_count; i++) {
        if (update->actions[i].kind == INDEX_ACTION_CREATE) return true;
    }
    return false;
}

/* Changes that stand alone. In this order the service names them. */
static enum error_code check_alone(struct request *request, const struct table_update *update)
{
    struct call *call = &request->call;
    const struct {
        bool given;
        const char *message;
    } alone[] = {
        {update->has_encryption, "Server-Side Encryption modification"},
        {update->class != CLASS_UNSET, "TableClass modification"},
        {update->has_protection, "DeletionProtection modification"},
        {!unit_pair_is_empty(update->warm), "WarmThroughput"},
    };
    const bool has_others = update->has_billing || update->has_throughput || update->has_stream ||
                            update->action_count > 0 || !unit_pair_is_empty(update->on_demand);
    const size_t count = sizeof alone / sizeof alone[0];
    for (size_t i = 0; i < count; i++) {
        bool is_alone = !has_others;
        for (size_t j = i + 1; j < count; j++)
            is_alone = is_alone && !alone[j].given;
        if (!alone[i].given || is_alone) continue;
        if (i == count - 1 && creates_index(update)) {
            return fail(call, ERROR_VALIDATION,
                        INVALID "Create global secondary index cannot be specified when updating "
                                "WarmThroughput");
        }
        return fail(call, ERROR_VALIDATION, INVALID "%s must be the only operation in the request",
                    alone[i].message);
    }
    return OK;
}

static enum error_code check_together(struct request *request, const struct table_update *update)
{
    struct call *call = &request->call;
    const bool has_units =
        update->has_throughput || (update->has_billing && update->billing == BILLING_PROVISIONED);
    const bool moves_index = update_index_creates_or_deletes(update);
    TRY(check_alone(request, update));
    if (!unit_pair_is_empty(update->on_demand) &&
        (update->has_stream || update->has_throughput || update->action_count > 0)) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "OnDemandThroughput can only be combined with BillingMode in an "
                            "UpdateTable request");
    }
    if (update->has_stream && has_units) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "You cannot modify stream status while updating table IOPS");
    }
    if (moves_index && has_units) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "You cannot create or delete index while updating table IOPS");
    }
    if (moves_index && update->has_stream) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "You cannot create or delete index while changing stream status");
    }
    return OK;
}

/* ---- planning: member by member -------------------------------------------------------------- */

static enum error_code plan_units(struct request *request, struct table_update *update)
{
    struct call *call = &request->call;
    const struct json_token *throughput = request->input[INPUT_THROUGHPUT];
    const struct json_token *billing = request->input[INPUT_BILLING_MODE];
    update->has_billing = billing != NULL;
    update->billing = table_input_billing(request, billing, BILLING_PROVISIONED);
    update->has_throughput = throughput != NULL;
    update->on_demand = table_input_on_demand(request->input[INPUT_ON_DEMAND]);
    update->warm = table_input_warm(request->input[INPUT_WARM]);
    if (update->has_billing && update->billing == BILLING_PROVISIONED && throughput == NULL) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "ProvisionedThroughput must be specified when BillingMode is "
                            "PROVISIONED");
    }
    if (update->has_billing && update->billing == BILLING_PAY_PER_REQUEST && throughput != NULL) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "ProvisionedThroughput cannot be specified when BillingMode is "
                            "PAY_PER_REQUEST");
    }
    return table_input_throughput(request, throughput, (struct slice){0}, &update->throughput);
}

static enum error_code plan_stream(struct request *request, struct table_update *update)
{
    const struct json_token *token = request->input[INPUT_STREAM];
    if (token == NULL) return OK;
    const bool enabled = input_boolean(input_member(token, "StreamEnabled"), false);
    update->has_stream = true;
    update->stream = table_input_view(request, token);
    if (enabled && update->stream == STREAM_OFF) {
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID "If stream is being enabled then UpdateViewType is required");
    }
    if (!enabled && update->stream != STREAM_OFF) {
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID "If stream is being disabled, then UpdateViewType must not be "
                            "specified");
    }
    return OK;
}

static enum error_code plan_settings(struct request *request, struct table_update *update)
{
    TRY(plan_stream(request, update));
    TRY(table_input_class(request, request->input[INPUT_TABLE_CLASS], &update->class));
    if (request->input[INPUT_ENCRYPTION] != NULL) {
        update->has_encryption = true;
        TRY(table_input_encryption(request, request->input[INPUT_ENCRYPTION], &update->encryption));
    }
    update->has_protection = request->input[INPUT_DELETION_PROTECTION] != NULL;
    update->protection = input_boolean(request->input[INPUT_DELETION_PROTECTION], false);
    return OK;
}

/* OnDemandThroughput or WarmThroughput without members, and nothing else: the service breaks. */
static enum error_code check_effective(struct request *request, const struct table_update *update)
{
    if (update->has_billing || update->has_throughput || update->has_stream ||
        update->has_encryption || update->has_protection || update->class != CLASS_UNSET ||
        update->action_count > 0 || !unit_pair_is_empty(update->on_demand) ||
        !unit_pair_is_empty(update->warm)) {
        return OK;
    }
    return fail(&request->call, ERROR_INTERNAL_FAILURE, "%s", "");
}

static enum error_code plan(struct request *request)
{
    struct table_update *update = arena_new(request->call.arena, struct table_update);
    request->plan = update;
    const struct json_token *index_updates = request->input[INPUT_INDEX_UPDATES];
    TRY(request_table_name(request, request->input[INPUT_TABLE_NAME], &update->name));
    TRY(refuse_unbuilt(request));
    TRY(check_anything(request));
    TRY(table_input_unbuilt(request, request->input[INPUT_CONSISTENCY],
                            fields[INPUT_CONSISTENCY].name));
    if (index_updates != NULL && index_updates->length == 0) {
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID "List of GlobalSecondaryIndexUpdates is empty");
    }
    update->has_definitions = request->input[INPUT_DEFINITIONS] != NULL;
    TRY(table_keys_definitions(request, request->input[INPUT_DEFINITIONS], &update->definitions));
    TRY(update_index_plan(request, index_updates, update));
    TRY(plan_units(request, update));
    TRY(plan_settings(request, update));
    TRY(check_together(request, update));
    return check_effective(request, update);
}

/* ---- running: capacity ----------------------------------------------------------------------- */

static enum error_code change_throughput(struct request *request, struct table_update *update)
{
    struct table *table = update->table;
    const struct throughput *wanted = &update->throughput;
    const struct throughput *now = &table->throughput;
    if (wanted->read_units == now->read_units && wanted->write_units == now->write_units) {
        return fail(&request->call, ERROR_VALIDATION,
                    "The provisioned throughput for the table will not change. The requested value "
                    "equals the current value. Current ReadCapacityUnits provisioned for the "
                    "table: %lld. Requested ReadCapacityUnits: %lld. Current WriteCapacityUnits "
                    "provisioned for the table: %lld. Requested WriteCapacityUnits: %lld. Refer to "
                    "the Amazon DynamoDB Developer Guide for current limits and how to request "
                    "higher limits.",
                    (long long)now->read_units, (long long)wanted->read_units,
                    (long long)now->write_units, (long long)wanted->write_units);
    }
    return table_update_units(request, wanted, &table->throughput, &table->warm);
}

static enum error_code switch_to_on_demand(struct request *request, struct table *table)
{
    TRY(table_quota_on_demand(request, table));
    const struct unit_pair initial =
        table_units_initial_warm(BILLING_PAY_PER_REQUEST, &table->throughput);
    const int64_t now_ms = request->call.now_ms;
    table->billing = BILLING_PAY_PER_REQUEST;
    table->on_demand_since_ms = now_ms;
    table->throughput.read_units = 0;
    table->throughput.write_units = 0;
    table->warm = table_units_raise(table->warm, initial);
    for (size_t i = 0; i < table->index_count; i++) {
        struct index *index = &table->indexes[i];
        if (index->kind != INDEX_GLOBAL) continue;
        /* The service counts this as a decrease of the index, but not of the table. */
        index->throughput.decreases_today =
            table_quota_decreases_today(&index->throughput, now_ms) + 1;
        index->throughput.decrease_ms = now_ms;
        index->throughput.read_units = 0;
        index->throughput.write_units = 0;
        index->warm = table_units_raise(index->warm, initial);
    }
    return OK;
}

static enum error_code switch_to_provisioned(struct request *request, struct table_update *update)
{
    struct table *table = update->table;
    for (size_t i = 0; i < table->index_count; i++) {
        struct index *index = &table->indexes[i];
        if (index->kind != INDEX_GLOBAL) continue;
        const struct index_action *action = update_index_find(update, index->name);
        if (action == NULL || input_member(action->token, "ProvisionedThroughput") == NULL) {
            return fail(&request->call, ERROR_VALIDATION,
                        INVALID "ProvisionedThroughput must be specified for index: %.*s",
                        SLICE_ARGS(index->name));
        }
        index->on_demand = (struct unit_pair){UNITS_UNSET, UNITS_UNSET};
    }
    table->billing = BILLING_PROVISIONED;
    table->throughput.read_units = update->throughput.read_units;
    table->throughput.write_units = update->throughput.write_units;
    table->on_demand = (struct unit_pair){UNITS_UNSET, UNITS_UNSET};
    table->warm = table_units_raise(table->warm, (struct unit_pair){table->throughput.read_units,
                                                                    table->throughput.write_units});
    return OK;
}

static enum error_code change_billing(struct request *request, struct table_update *update)
{
    struct table *table = update->table;
    const enum billing_mode billing = update->has_billing ? update->billing : table->billing;
    if (!update->has_billing && !update->has_throughput) return OK;
    if (update->has_throughput && billing == BILLING_PAY_PER_REQUEST) {
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID
                    "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
                    "BillingMode is PAY_PER_REQUEST");
    }
    update->is_updating = true;
    /* Asking for the mode that is there says UPDATING and does nothing. */
    if (billing == BILLING_PAY_PER_REQUEST && table->billing == billing) return OK;

    TRY(table_state_allows(request, table, CONCERN_UNITS));
    update->change = CHANGE_UNITS;
    update->is_changed = true;
    if (billing == table->billing) return change_throughput(request, update);
    if (billing == BILLING_PROVISIONED) return switch_to_provisioned(request, update);
    return switch_to_on_demand(request, table);
}

static enum error_code change_pairs(struct request *request, struct table_update *update)
{
    struct table *table = update->table;
    const struct units_of of = {.billing = table->billing, .warm = table->warm};
    TRY(table_units_update_on_demand(request, update->on_demand, &of));
    TRY(table_units_update_warm(request, update->warm, &of));
    if (!unit_pair_is_empty(update->on_demand)) {
        if (!update->has_billing) TRY(table_state_allows(request, table, CONCERN_ON_DEMAND));
        table->on_demand =
            table_units_settle(table_units_merge(update->on_demand, table->on_demand));
        update->is_changed = true;
    }
    if (!unit_pair_is_empty(update->warm)) {
        table->warm = table_units_merge(update->warm, table->warm);
        update->view.warm_is_updating = true;
        update->is_changed = true;
    }
    return OK;
}

/* ---- running: settings ----------------------------------------------------------------------- */

static enum error_code change_stream(struct request *request, struct table_update *update)
{
    struct table *table = update->table;
    if (!update->has_stream) return OK;
    TRY(table_state_allows(request, table, CONCERN_STREAM));
    if (update->stream != STREAM_OFF && table->stream != STREAM_OFF) {
        return fail(&request->call, ERROR_VALIDATION,
                    "Table already has an enabled stream: TableName: %.*s",
                    SLICE_ARGS(table->name));
    }
    if (update->stream == STREAM_OFF && table->stream == STREAM_OFF) {
        return fail(&request->call, ERROR_VALIDATION,
                    "Table has no stream to disable: TableName: %.*s", SLICE_ARGS(table->name));
    }
    table->stream = update->stream;
    if (table->stream != STREAM_OFF) table->stream_policy = (struct policy){0}; /* the old one's */
    update->change = CHANGE_STREAM;
    update->is_changed = true;
    update->is_updating = true;
    return OK;
}

static enum error_code change_class(struct request *request, struct table_update *update)
{
    struct table *table = update->table;
    if (update->class == CLASS_UNSET) return OK;
    TRY(table_state_allows(request, table, CONCERN_CLASS));
    update->is_updating = true;
    if (table->class == CLASS_UNSET && update->class == CLASS_STANDARD) return OK;
    TRY(table_quota_class(request, table));
    if (table->class == update->class) return OK;
    table->class = update->class;
    table->class_changed_before_ms = table->class_changed_ms;
    table->class_changed_ms = request->call.now_ms;
    update->change = CHANGE_CLASS;
    update->is_changed = true;
    return OK;
}

static enum error_code change_encryption(struct request *request, struct table_update *update)
{
    struct table *table = update->table;
    const struct encryption *encryption = &update->encryption;
    if (!update->has_encryption) return OK;
    TRY(table_quota_encryption(request, encryption->enabled, table));
    if (!encryption->enabled && !table->sse_enabled) {
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID "Table is already encrypted by default");
    }
    if (encryption->key_is_arn && slice_equal(encryption->key_arn, table->sse_key_arn)) {
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID "Table is already encrypted with given KMSMasterKeyId. Use "
                            "KMSMasterKeyId parameter if you want to change Master Key");
    }
    table->sse_enabled = encryption->enabled;
    table->sse_key_arn = encryption->key_arn;
    update->view.encryption_is_updating = true;
    update->is_changed = true;
    return OK;
}

/* Saying again what is already so waits as a change does, and is none. */
static enum error_code change_protection(struct request *request, struct table_update *update)
{
    struct table *table = update->table;
    if (!update->has_protection) return OK;
    TRY(table_quota_protection(request, table));
    if (table->deletion_protection == update->protection) return OK;
    table->deletion_protection = update->protection;
    table->protection_changed_ms = request->call.now_ms;
    update->is_changed = true;
    return OK;
}

/* ---- running: the whole ---------------------------------------------------------------------- */

static struct table copy_table(struct arena *arena, const struct table *table)
{
    struct table copy = *table;
    copy.indexes = arena_array(arena, struct index, table->index_count);
    if (table->index_count > 0)
        memcpy(copy.indexes, table->indexes, table->index_count * sizeof *copy.indexes);
    return copy;
}

/* A run may be repeated: everything it leaves behind begins anew. */
static void reset(struct table_update *update)
{
    update->table = NULL;
    update->changed_units = 0;
    update->changed_index = 0;
    update->is_changed = false;
    update->is_updating = false;
    update->change = CHANGE_OTHER;
    update->view = (struct table_view){0};
}

static enum error_code change_all(struct request *request, struct table_update *update)
{
    TRY(change_billing(request, update));
    TRY(update_index_run(request, update));
    TRY(change_pairs(request, update));
    TRY(change_stream(request, update));
    TRY(change_class(request, update));
    TRY(change_encryption(request, update));
    TRY(change_protection(request, update));
    return table_quota_units(request, update->table);
}

/* What was there before is shown while it is being changed. */
static void show_indexes(struct table_update *update)
{
    const struct table *old = &update->old;
    const bool is_switched = update->table->billing != old->billing;
    for (size_t i = 0; i < old->index_count; i++) {
        struct index *shown = &update->shown.indexes[i];
        const struct index *before = &old->indexes[i];
        const bool is_global = shown->kind == INDEX_GLOBAL;
        if ((update->changed_index >> i & 1) != 0 || (is_switched && is_global))
            shown->updating_until_ms = INT64_MAX;
        if ((update->view.warm_indexes >> i & 1) != 0) shown->warm = before->warm;
        if ((update->changed_units >> i & 1) == 0 || is_switched) continue;
        shown->throughput.read_units = before->throughput.read_units;
        shown->throughput.write_units = before->throughput.write_units;
        shown->throughput.decreases_today = before->throughput.decreases_today;
        shown->warm = before->warm;
    }
}

static void show(struct request *request, struct table_update *update)
{
    const struct table *table = update->table;
    const struct table *old = &update->old;
    const int64_t now_ms = request->call.now_ms;
    update->shown = copy_table(request->call.arena, table);
    struct table *shown = &update->shown;
    shown->on_demand_since_ms = old->on_demand_since_ms;
    shown->class = old->class;
    shown->class_changed_ms = old->class_changed_ms;
    shown->sse_enabled = old->sse_enabled;
    shown->sse_key_arn = old->sse_key_arn;
    shown->warm = old->warm;
    if (!unit_pair_is_empty(update->on_demand))
        shown->on_demand = table_units_merge(update->on_demand, old->on_demand);
    if (table->billing == old->billing) {
        shown->throughput.read_units = old->throughput.read_units;
        shown->throughput.write_units = old->throughput.write_units;
        shown->throughput.decreases_today = table_quota_decreases_today(&old->throughput, now_ms);
    } else if (table->billing == BILLING_PAY_PER_REQUEST) {
        shown->throughput.decrease_ms = now_ms;
        shown->throughput.decreases_today = table_quota_decreases_today(&old->throughput, now_ms);
    }
    show_indexes(update);

    struct table_view *view = &update->view;
    view->table = shown;
    view->look = LOOK_DESCRIBED;
    view->now_ms = now_ms;
    view->status = update->is_updating      ? TABLE_UPDATING
                   : update->has_encryption ? TABLE_ACTIVE
                                            : table_status_at(old, now_ms);
}

static enum kv_status apply_stream(struct request *request, struct kv_txn *txn,
                                   const struct table_update *update)
{
    struct table *table = update->table;
    if (table->stream == update->old.stream) return KV_OK;
    if (table->stream == STREAM_OFF)
        return stream_disable(&request->call, request->database, txn, table);
    return stream_enable(&request->call, request->database, txn, table, table->stream);
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    struct table_update *update = request->plan;
    struct call *call = &request->call;
    reset(update);
    TRY(table_state_read(request, txn, update->name, &update->table));
    struct table *table = update->table;
    update->old = copy_table(call->arena, table);
    TRY(change_all(request, update));
    TRY(database_status(call, apply_stream(request, txn, update)));
    show(request, update);
    TRY(database_status(call, table_output_read_sizes(request, txn, &update->view)));
    if (!update->is_changed) return OK;
    if (update->is_updating) {
        table->status = TABLE_UPDATING;
        const int64_t delay_ms = request->database->table_delay_ms;
        table->active_ms = delay_ms == 0 ? 0 : call->now_ms + delay_ms;
        table->change = update->change;
    }
    catalog_write(txn, call->arena, table);
    return OK;
}

static enum error_code render(struct request *request)
{
    struct table_update *update = request->plan;
    table_output_write(request, "TableDescription", &update->view);
    return OK;
}

const struct op op_update_table = {
    .name = "UpdateTable",
    .kind = OP_CATALOG,
    .input = &input_shape,
    .plan = plan,
    .run = run,
    .render = render,
};
