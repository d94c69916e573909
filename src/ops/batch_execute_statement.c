/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_execute_statement — BatchExecuteStatement: up to 25 statements, all reads or all writes,
 * each with an outcome of its own.
 */
#include "model/limits.h"
#include "model/value_json.h"
#include "ops/distinct.h"
#include "ops/respond.h"
#include "ops/statements.h"
#include "store/faults.h"
#include "store/layout.h"

enum input {
    INPUT_STATEMENTS,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_COUNT,
};

static const struct field element_fields[] = {
    {"Statement", &statements_shape_text, true},
    {"Parameters", &statements_shape_parameters, false},
    {"ConsistentRead", &shape_boolean, false},
    /* Looked at by nobody, as at the service: a failed member never has its item. */
    {"ReturnValuesOnConditionCheckFailure", &shape_return_values_on_failure, false},
    {NULL, NULL, false},
};
static const struct shape shape_element = {
    .kind = SHAPE_STRUCT,
    .name = "BatchStatementRequest",
    .fields = element_fields,
};
static const struct shape shape_statements = {
    .kind = SHAPE_LIST,
    .element = &shape_element,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_STATEMENT_BATCH,
};

static const struct field fields[] = {
    [INPUT_STATEMENTS] = {"Statements", &shape_statements, true},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "BatchExecuteStatementInput",
    .fields = fields,
};

struct member {
    struct prepared prepared;
    bool parsed;
    bool consistent;
    struct slice row_key; /* of the item it is about; empty: unknown */
    struct error planned; /* what keeps it from being run */
    struct error error;   /* the outcome */
    struct slice item;    /* the outcome of a SELECT */
};

struct batch {
    struct member *members;
    size_t count;
    bool reads;
};

/* ---- plan ------------------------------------------------------------------------------------ */

static enum error_code plan_select(struct request *request, struct prepared *prepared)
{
    struct call *call = &request->call;
    const struct statement *statement = &prepared->statement;
    if (statement->index.data != NULL ||
        write_plan_read_key(call, statement, prepared->table, &prepared->key) != WRITE_PLAN_FITS) {
        return fail(call, ERROR_VALIDATION,
                    "Select statements within BatchExecuteStatement must specify the primary key "
                    "in the where clause.");
    }
    TRY(statements_check_key(call, prepared->table, prepared->key));
    return key_check(call, prepared->table, prepared->key);
}

static enum error_code plan_member(struct request *request, struct member *member)
{
    struct prepared *prepared = &member->prepared;
    if (prepared->statement.kind == STATEMENT_EXISTS) {
        return fail(&request->call, ERROR_VALIDATION,
                    "EXISTS can only be used in ExecuteTransaction write requests.");
    }
    TRY(statements_bind(request, prepared));
    if (!statement_reads(&prepared->statement)) {
        TRY(statements_plan_write(request, prepared));
        member->row_key = prepared->write.row_key;
    } else {
        TRY(plan_select(request, prepared));
        member->row_key = layout_item_key(request->call.arena, prepared->table, prepared->key);
    }
    return OK;
}

static void parse_members(struct request *request, struct batch *batch)
{
    const struct json_token *element = json_first(request->input[INPUT_STATEMENTS]);
    for (size_t i = 0; i < batch->count; i++, element = json_next(element)) {
        struct member *member = &batch->members[i];
        member->consistent = input_boolean(input_member(element, "ConsistentRead"), false);
        member->parsed =
            statements_parse(request, input_member(element, "Statement"),
                             input_member(element, "Parameters"), &member->prepared) == OK;
        member->planned = statements_take_error(&request->call);
    }
}

static enum error_code check_kinds(struct call *call, struct batch *batch)
{
    size_t reads = 0;
    size_t writes = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->members[i].parsed) continue;
        const bool is_read = statement_reads(&batch->members[i].prepared.statement);
        ++*(is_read ? &reads : &writes);
    }
    batch->reads = writes == 0;
    if (reads == 0 || writes == 0) return OK;
    return fail(call, ERROR_VALIDATION,
                "Read and write requests together in the same batch is not supported.");
}

static enum error_code check_distinct(struct call *call, const struct batch *batch)
{
    struct slice *keys = arena_array(call->arena, struct slice, batch->count);
    size_t count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->members[i].row_key.length > 0) keys[count++] = batch->members[i].row_key;
    }
    if (distinct_sort(keys, count)) return OK;
    return fail(call, ERROR_VALIDATION, "Provided list of item keys contains duplicates");
}

static enum error_code plan_batch(struct request *request)
{
    struct call *call = &request->call;
    struct batch *batch = arena_new(call->arena, struct batch);
    batch->count = request->input[INPUT_STATEMENTS]->length;
    batch->members = arena_array(call->arena, struct member, batch->count);
    request->plan = batch;
    parse_members(request, batch);
    TRY(check_kinds(call, batch));
    for (size_t i = 0; i < batch->count; i++) {
        struct member *member = &batch->members[i];
        if (!member->parsed) continue;
        if (plan_member(request, member) != OK) member->planned = statements_take_error(call);
    }
    TRY(check_distinct(call, batch));
    request->kind = batch->reads ? OP_READ : OP_WRITE;
    return OK;
}

/* ---- run ------------------------------------------------------------------------------------- */

static enum error_code run_member(struct request *request, struct kv_txn *txn,
                                  struct member *member)
{
    struct prepared *prepared = &member->prepared;
    struct call single = {.arena = request->call.arena, .now_ms = request->call.now_ms};
    const struct past_view view = {
        .faults = member->consistent ? NULL : request->database->faults,
        .table = prepared->table,
        .now_ms = single.now_ms,
    };
    enum error_code code;
    if (statement_reads(&prepared->statement)) {
        code = item_read_eventually(&single, txn, &view, prepared->key, &member->item);
    } else {
        code = item_write(&single, request->database, txn, &prepared->write);
    }
    member->error = single.error;
    if (code != ERROR_INTERNAL) return OK;
    request->call.error = single.error;
    return code;
}

/* A member that fails leaves nothing behind; only the store's trouble fails the batch. */
static enum error_code run_batch(struct request *request, struct kv_txn *txn)
{
    struct batch *batch = request->plan;
    if (!batch->reads) TRY(catalog_check(txn, request->catalog));
    for (size_t i = 0; i < batch->count; i++) {
        struct member *member = &batch->members[i];
        member->error = member->planned;
        member->item = (struct slice){0};
        if (member->planned.code == OK) TRY(run_member(request, txn, member));
    }
    return OK;
}

/* ---- render ---------------------------------------------------------------------------------- */

static void respond_error(struct buffer *out, const struct member *member)
{
    const struct error *error = &member->error;
    BUFFER_TEXT(out, "\"Error\":{\"Code\":");
    json_append_string(out, slice_of_string(statements_error_code(error->code)));
    BUFFER_TEXT(out, ",\"Message\":");
    json_append_string(out, error->message);
    BUFFER_TEXT(out, "}");
}

static struct slice returned_item(const struct member *member, struct arena *arena)
{
    const struct statement *statement = &member->prepared.statement;
    if (!statement_reads(statement))
        return write_plan_returned(statement, &member->prepared.write, arena);
    if (member->item.length == 0) return member->item;
    return statement_project(statement, member->item, arena);
}

/* The table is named by members that were run, and by those whose table is not there. */
static void respond_outcome(struct request *request, const struct member *member)
{
    struct buffer *out = &request->response;
    const enum error_code code = member->error.code;
    BUFFER_TEXT(out, "{");
    if (code != OK) respond_error(out, member);
    if (code != ERROR_VALIDATION) {
        if (code != OK) BUFFER_TEXT(out, ",");
        BUFFER_TEXT(out, "\"TableName\":");
        json_append_string(out, member->prepared.statement.table);
    }
    const struct slice item =
        code == OK ? returned_item(member, request->call.arena) : (struct slice){0};
    if (item.length > 0) {
        BUFFER_TEXT(out, ",\"Item\":");
        item_to_json(out, item);
    }
    BUFFER_TEXT(out, "}");
}

/* What a member consumed; of one that failed, what it attempted, which is in no arm. */
static void add_cost(struct consumption *consumption, const struct member *member)
{
    const struct write_cost *cost = &member->prepared.write.cost;
    if (statement_reads(&member->prepared.statement)) {
        const size_t bytes = member->item.length > 0 ? item_size(member->item) : 0;
        consumption_add_table(consumption, units_of_read(bytes, member->consistent));
    } else if (member->error.code == OK) {
        consumption_add_write(consumption, cost, 1);
    } else {
        consumption->armless_units += units_of_write(cost->old_bytes, cost->new_bytes);
    }
}

/* Tables of which no member succeeded are left out. */
static void respond_cost(struct request *request, const struct batch *batch)
{
    enum consumption_detail detail = respond_detail(request->input[INPUT_RETURN_CONSUMED_CAPACITY]);
    if (detail == CONSUMED_NONE) return;
    struct consumption_list list = consumption_list_open(request->call.arena, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        const struct member *member = &batch->members[i];
        if (member->error.code != OK) continue;
        consumption_list_find(&list, member->prepared.table, member->prepared.statement.table);
    }
    for (size_t i = 0; i < batch->count; i++) {
        const struct member *member = &batch->members[i];
        if (member->planned.code != OK) continue;
        for (size_t j = 0; j < list.count; j++) {
            if (list.entries[j].table == member->prepared.table) add_cost(&list.entries[j], member);
        }
    }
    if (list.count > 0) respond_consumed_list(request, &list, detail, MIRROR_NONE);
}

static enum error_code render_batch(struct request *request)
{
    const struct batch *batch = request->plan;
    respond_open(request);
    respond_member(request, "Responses");
    BUFFER_TEXT(&request->response, "[");
    for (size_t i = 0; i < batch->count; i++) {
        if (i > 0) BUFFER_TEXT(&request->response, ",");
        respond_outcome(request, &batch->members[i]);
    }
    BUFFER_TEXT(&request->response, "]");
    respond_cost(request, batch);
    respond_close(request);
    return OK;
}

const struct op op_batch_execute_statement = {
    .name = "BatchExecuteStatement",
    .kind = OP_READ,
    .input = &input_shape,
    .plan = plan_batch,
    .run = run_batch,
    .render = render_batch,
};
