/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create_table — CreateTable: checks a whole description, in the service's order, and records it.
 *
 * What must hold whatever is stored is checked in plan; what depends on other tables (the name, the
 * account's quotas) in run.
 */
#include "ops/table_input.h"
#include "ops/table_keys.h"
#include "ops/table_output.h"
#include "ops/table_quota.h"
#include "ops/table_shape.h"
#include "ops/table_state.h"
#include "ops/table_units.h"
#include "store/stream.h"

#define INVALID "One or more parameter values were invalid: "

enum input {
    INPUT_DEFINITIONS,
    INPUT_TABLE_NAME,
    INPUT_BILLING_MODE,
    INPUT_THROUGHPUT,
    INPUT_KEY_SCHEMA,
    INPUT_LOCAL_INDEXES,
    INPUT_GLOBAL_INDEXES,
    INPUT_STREAM,
    INPUT_ENCRYPTION,
    INPUT_TAGS,
    INPUT_TABLE_CLASS,
    INPUT_DELETION_PROTECTION,
    INPUT_ON_DEMAND,
    INPUT_WARM,
    INPUT_RESOURCE_POLICY,
    INPUT_GLOBAL_TABLE_SOURCE,
    INPUT_REPLICATION_MODE,
    INPUT_VECTOR_INDEXES,
    INPUT_COUNT,
};

static const struct field fields[] = {
    [INPUT_DEFINITIONS] = {"AttributeDefinitions", &table_shape_definitions, true},
    [INPUT_TABLE_NAME] = {"TableName", &table_shape_name, false},
    [INPUT_BILLING_MODE] = {"BillingMode", &table_shape_billing_mode, false},
    [INPUT_THROUGHPUT] = {"ProvisionedThroughput", &table_shape_throughput, false},
    [INPUT_KEY_SCHEMA] = {"KeySchema", &table_shape_key, true},
    [INPUT_LOCAL_INDEXES] = {"LocalSecondaryIndexes", &table_shape_local_indexes, false},
    [INPUT_GLOBAL_INDEXES] = {"GlobalSecondaryIndexes", &table_shape_global_indexes, false},
    [INPUT_STREAM] = {"StreamSpecification", &table_shape_stream, false},
    [INPUT_ENCRYPTION] = {"SSESpecification", &table_shape_encryption, false},
    [INPUT_TAGS] = {"Tags", &table_shape_tags, false},
    [INPUT_TABLE_CLASS] = {"TableClass", &shape_string, false},
    [INPUT_DELETION_PROTECTION] = {"DeletionProtectionEnabled", &shape_boolean, false},
    [INPUT_ON_DEMAND] = {"OnDemandThroughput", &table_shape_on_demand, false},
    [INPUT_WARM] = {"WarmThroughput", &table_shape_warm, false},
    [INPUT_RESOURCE_POLICY] = {"ResourcePolicy", &shape_string, false},
    [INPUT_GLOBAL_TABLE_SOURCE] = {"GlobalTableSourceArn", &shape_string, false},
    [INPUT_REPLICATION_MODE] = {"GlobalTableSettingsReplicationMode", &shape_string, false},
    [INPUT_VECTOR_INDEXES] = {"VectorIndexes", &table_shape_unbuilt_list, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "CreateTableInput", .fields = fields};

struct creation {
    struct table table; /* as planned; run completes a copy */
    struct definitions definitions;
    struct table_view view;
    struct table written;
};

/* ---- capacity -------------------------------------------------------------------------------- */

static enum error_code plan_throughput(struct request *request, struct table *table)
{
    const struct json_token *token = request->input[INPUT_THROUGHPUT];
    table->billing =
        table_input_billing(request, request->input[INPUT_BILLING_MODE], BILLING_PROVISIONED);
    if (table->billing == BILLING_PAY_PER_REQUEST && token != NULL) {
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID
                    "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
                    "BillingMode is PAY_PER_REQUEST");
    }
    if (table->billing == BILLING_PROVISIONED && token == NULL) {
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID "ReadCapacityUnits and WriteCapacityUnits must both be specified when "
                            "BillingMode is PROVISIONED");
    }
    return table_input_throughput(request, token, (struct slice){0}, &table->throughput);
}

static enum error_code plan_units(struct request *request, struct creation *creation)
{
    struct table *table = &creation->table;
    const struct units_of of = {.billing = table->billing, .throughput = &table->throughput};
    table->on_demand = table_input_on_demand(request->input[INPUT_ON_DEMAND]);
    TRY(table_units_create_on_demand(request, table->on_demand, &of));
    const struct unit_pair warm = table_input_warm(request->input[INPUT_WARM]);
    TRY(table_units_create_warm(request, warm, &of));
    creation->view.shows_warm = !unit_pair_is_empty(warm);
    table->warm =
        table_units_merge(warm, table_units_initial_warm(table->billing, &table->throughput));
    return OK;
}

/* ---- indexes --------------------------------------------------------------------------------- */

static enum error_code check_new_name(struct request *request, const struct table *table,
                                      struct slice name)
{
    if (table_index(table, name) == NULL) return OK;
    return fail(&request->call, ERROR_VALIDATION, INVALID "Duplicate index name: %.*s",
                SLICE_ARGS(name));
}

static struct index *add_index(struct table *table, const struct index *index)
{
    struct index *added = &table->indexes[table->index_count++];
    *added = *index;
    added->id = table->next_index_id++;
    added->status = INDEX_ACTIVE; /* as soon as its table is */
    return added;
}

static enum error_code plan_local(struct request *request, struct creation *creation,
                                  const struct json_token *token)
{
    struct call *call = &request->call;
    struct table *table = &creation->table;
    struct index index = {
        .name = input_string(request, input_member(token, "IndexName")),
        .kind = INDEX_LOCAL,
        .on_demand = {UNITS_UNSET, UNITS_UNSET},
        .warm = {UNITS_UNSET, UNITS_UNSET},
    };
    TRY(table_keys_of_index(request, input_member(token, "KeySchema"), INDEX_LOCAL,
                            &creation->definitions, &index.key));
    if (index.key.sort_count == 0) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "Index KeySchema does not have a range key for index: %.*s",
                    SLICE_ARGS(index.name));
    }
    const struct slice hash = index.key.attributes[0].name;
    const struct slice table_hash = table->key.attributes[0].name;
    if (!slice_equal(hash, table_hash)) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "Index KeySchema does not have the same leading hash key as table "
                            "KeySchema for index: %.*s. index hash key: %.*s, table hash key: %.*s",
                    SLICE_ARGS(index.name), SLICE_ARGS(hash), SLICE_ARGS(table_hash));
    }
    TRY(table_input_projection(request, input_member(token, "Projection"), &index));
    TRY(check_new_name(request, table, index.name));
    add_index(table, &index);
    return OK;
}

static enum error_code plan_locals(struct request *request, struct creation *creation)
{
    const struct json_token *list = request->input[INPUT_LOCAL_INDEXES];
    struct call *call = &request->call;
    if (list == NULL) return OK;
    if (list->length == 0)
        return fail(call, ERROR_VALIDATION, INVALID "List of LocalSecondaryIndexes is empty");
    if (creation->table.key.sort_count == 0) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "Table KeySchema does not have a range key, which is required when "
                            "specifying a LocalSecondaryIndex");
    }
    const struct json_token *token = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, token = json_next(token))
        TRY(plan_local(request, creation, token));
    if (list->length <= LIMIT_LOCAL_INDEXES) return OK;
    return fail(call, ERROR_VALIDATION,
                INVALID "Number of LocalSecondaryIndexes exceeds per-table limit of %d",
                LIMIT_LOCAL_INDEXES);
}

static enum error_code plan_global_units(struct request *request, const struct table *table,
                                         const struct json_token *token, struct index *index)
{
    struct call *call = &request->call;
    const struct json_token *throughput = input_member(token, "ProvisionedThroughput");
    if (table->billing == BILLING_PAY_PER_REQUEST && throughput != NULL) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "ProvisionedThroughput should not be specified for index: %.*s when "
                            "BillingMode is PAY_PER_REQUEST",
                    SLICE_ARGS(index->name));
    }
    if (table->billing == BILLING_PROVISIONED && throughput == NULL) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "ProvisionedThroughput is not specified for index: %.*s",
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

static enum error_code plan_global(struct request *request, struct creation *creation,
                                   const struct json_token *token)
{
    struct table *table = &creation->table;
    struct index index = {
        .name = input_string(request, input_member(token, "IndexName")),
        .kind = INDEX_GLOBAL,
    };
    TRY(table_keys_of_index(request, input_member(token, "KeySchema"), INDEX_GLOBAL,
                            &creation->definitions, &index.key));
    TRY(table_input_projection(request, input_member(token, "Projection"), &index));
    TRY(plan_global_units(request, table, token, &index));
    TRY(check_new_name(request, table, index.name));
    add_index(table, &index);
    return OK;
}

static enum error_code plan_globals(struct request *request, struct creation *creation)
{
    const struct json_token *list = request->input[INPUT_GLOBAL_INDEXES];
    struct call *call = &request->call;
    if (list == NULL) return OK;
    if (list->length == 0)
        return fail(call, ERROR_VALIDATION, INVALID "List of GlobalSecondaryIndexes is empty");
    const struct json_token *token = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, token = json_next(token))
        TRY(plan_global(request, creation, token));
    if (list->length <= LIMIT_GLOBAL_INDEXES) return OK;
    return fail(call, ERROR_VALIDATION,
                INVALID "GlobalSecondaryIndex count exceeds the per-table limit of %d",
                LIMIT_GLOBAL_INDEXES);
}

static enum error_code plan_keys(struct request *request, struct creation *creation)
{
    struct table *table = &creation->table;
    const struct key_lists lists = {
        .table = request->input[INPUT_KEY_SCHEMA],
        .local = request->input[INPUT_LOCAL_INDEXES],
        .global = request->input[INPUT_GLOBAL_INDEXES],
    };
    TRY(table_keys_definitions(request, request->input[INPUT_DEFINITIONS], &creation->definitions));
    TRY(table_keys_of_table(request, lists.table, &creation->definitions, &table->key));
    TRY(table_keys_all_used(request, &creation->definitions, &lists));

    const size_t index_count = (lists.local == NULL ? 0 : lists.local->length) +
                               (lists.global == NULL ? 0 : lists.global->length);
    table->indexes = arena_array(request->call.arena, struct index, index_count);
    table->next_index_id = 1;
    TRY(plan_locals(request, creation));
    TRY(plan_globals(request, creation));
    TRY(table_input_check_included(request, table));
    const struct definitions sorted =
        table_keys_sorted(request->call.arena, &creation->definitions);
    table->definitions = sorted.list;
    table->definition_count = sorted.count;
    return OK;
}

/* ---- settings -------------------------------------------------------------------------------- */

static enum error_code plan_stream(struct request *request, struct table *table)
{
    const struct json_token *token = request->input[INPUT_STREAM];
    struct call *call = &request->call;
    if (token == NULL) return OK;
    const enum stream_view view = table_input_view(request, token);
    if (!input_boolean(input_member(token, "StreamEnabled"), false)) {
        if (view == STREAM_OFF) return OK;
        return fail(call, ERROR_VALIDATION,
                    INVALID "Table is being created with a stream disabled, UpdateViewType should "
                            "not be specified");
    }
    if (view == STREAM_OFF) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "Table is being created with a stream enabled, UpdateViewType is "
                            "required");
    }
    table->stream = view;
    return OK;
}

static enum error_code plan_encryption(struct request *request, struct table *table)
{
    struct encryption encryption;
    if (request->input[INPUT_ENCRYPTION] == NULL) return OK;
    TRY(table_input_encryption(request, request->input[INPUT_ENCRYPTION], &encryption));
    table->sse_enabled = encryption.enabled;
    table->sse_key_arn = encryption.key_arn;
    return OK;
}

static enum error_code refuse_unbuilt(struct request *request)
{
    static const enum input unbuilt[] = {INPUT_GLOBAL_TABLE_SOURCE, INPUT_REPLICATION_MODE,
                                         INPUT_VECTOR_INDEXES};
    for (size_t i = 0; i < sizeof unbuilt / sizeof unbuilt[0]; i++)
        TRY(table_input_unbuilt(request, request->input[unbuilt[i]], fields[unbuilt[i]].name));
    return OK;
}

static enum error_code plan(struct request *request)
{
    struct creation *creation = arena_new(request->call.arena, struct creation);
    struct table *table = &creation->table;
    request->plan = creation;
    TRY(request_table_name(request, request->input[INPUT_TABLE_NAME], &table->name));
    TRY(refuse_unbuilt(request));
    TRY(plan_throughput(request, table));
    TRY(plan_keys(request, creation));
    TRY(plan_stream(request, table));
    TRY(table_input_class(request, request->input[INPUT_TABLE_CLASS], &table->class));
    TRY(plan_encryption(request, table));
    TRY(plan_units(request, creation));
    TRY(table_input_tags(request, request->input[INPUT_TAGS], table));
    TRY(table_input_policy(request, request->input[INPUT_RESOURCE_POLICY], &table->policy.text));
    table->deletion_protection = input_boolean(request->input[INPUT_DELETION_PROTECTION], false);

    const int64_t now_ms = request->call.now_ms;
    char uuid[RANDOM_UUID_LENGTH];
    random_uuid(&request->database->random, uuid);
    table->uuid = arena_copy(request->call.arena, slice_of(uuid, sizeof uuid));
    table->status = TABLE_CREATING;
    table->created_ms = now_ms;
    if (table->policy.text.length > 0) table->policy.changed_ms = now_ms;
    /* Without a delay it is ACTIVE at any time: also when the clock is set back. */
    const int64_t delay_ms = request->database->table_delay_ms;
    table->active_ms = delay_ms == 0 ? 0 : now_ms + delay_ms;
    if (table->billing == BILLING_PAY_PER_REQUEST) table->on_demand_since_ms = now_ms;
    schema_finish(table, request->call.arena);
    return OK;
}

/* ---- recording ------------------------------------------------------------------------------- */

/* The name is free: nothing recorded, or only a table whose time has come. */
static enum error_code free_name(struct request *request, struct kv_txn *txn, struct slice name)
{
    struct call *call = &request->call;
    struct table *old;
    TRY(database_status(call, catalog_read(txn, call->arena, name, &old)));
    if (old == NULL) return OK;
    if (table_is_gone(old, call->now_ms)) {
        catalog_erase(txn, old);
        return OK;
    }
    if (table_status_at(old, call->now_ms) == TABLE_CREATING) {
        return fail(call, ERROR_RESOURCE_IN_USE, TABLE_STATE_IN_USE "Table is being created: %.*s",
                    SLICE_ARGS(name));
    }
    return fail(call, ERROR_RESOURCE_IN_USE, "Table already exists: %.*s", SLICE_ARGS(name));
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    struct creation *creation = request->plan;
    struct call *call = &request->call;
    creation->written = creation->table;
    struct table *table = &creation->written;
    TRY(free_name(request, txn, table->name));
    TRY(table_quota_tables(request, txn));
    TRY(table_quota_units(request, table));
    TRY(database_status(call, catalog_new_id(txn, &table->id)));
    if (table->stream != STREAM_OFF) {
        TRY(database_status(call,
                            stream_enable(call, request->database, txn, table, table->stream)));
    }
    catalog_write(txn, call->arena, table);
    return OK;
}

static enum error_code render(struct request *request)
{
    struct creation *creation = request->plan;
    creation->view.table = &creation->written;
    creation->view.look = LOOK_CREATED;
    creation->view.status = TABLE_CREATING;
    creation->view.now_ms = request->call.now_ms;
    creation->view.index_sizes =
        arena_array(request->call.arena, struct table_size, creation->written.index_count);
    table_output_write(request, "TableDescription", &creation->view);
    return OK;
}

const struct op op_create_table = {
    .name = "CreateTable",
    .kind = OP_CATALOG,
    .input = &input_shape,
    .plan = plan,
    .run = run,
    .render = render,
};
