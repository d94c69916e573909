/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execute_transaction — ExecuteTransaction: up to 100 statements, all reads of items by their keys
 * or all writes and EXISTS conditions; all or none.
 */
#include "model/limits.h"
#include "model/value_json.h"
#include "ops/distinct.h"
#include "ops/many_writes.h"
#include "ops/statements.h"
#include "ops/transact_digest.h"
#include "store/faults.h"
#include "store/layout.h"
#include "store/transaction.h"

enum input {
    INPUT_TRANSACT_STATEMENTS,
    INPUT_CLIENT_REQUEST_TOKEN,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_COUNT,
};

static const struct field element_fields[] = {
    {"Statement", &statements_shape_text, true},
    {"Parameters", &statements_shape_parameters, false},
    {"ReturnValuesOnConditionCheckFailure", &shape_return_values_on_failure, false},
    {NULL, NULL, false},
};
static const struct shape shape_element = {
    .kind = SHAPE_STRUCT,
    .name = "ParameterizedStatement",
    .fields = element_fields,
};
static const struct shape shape_statements = {
    .kind = SHAPE_LIST,
    .element = &shape_element,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_TRANSACTION_ACTIONS,
};
static const struct shape shape_token = {
    .kind = SHAPE_STRING,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_TOKEN_LENGTH,
};

static const struct field fields[] = {
    [INPUT_TRANSACT_STATEMENTS] = {"TransactStatements", &shape_statements, true},
    [INPUT_CLIENT_REQUEST_TOKEN] = {"ClientRequestToken", &shape_token, false},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "ExecuteTransactionInput",
    .fields = fields,
};

struct member {
    struct prepared prepared;
    struct slice row_key; /* empty: unknown */
    struct slice item;    /* the outcome of a SELECT */
};

struct members {
    struct member *list;
    size_t count;
    bool reads;
    struct transaction transaction;
    struct cancellation_reason *reasons; /* of the plan: what is wrong with keys and tables */
};

/* ---- plan ------------------------------------------------------------------------------------ */

/* Fails in the words of the recorded failure, with the statement's place before them. */
static enum error_code fail_at(struct call *call, size_t index)
{
    const struct error error = statements_take_error(call);
    return fail(call, error.code, "Validation failed in TransactStatements[%zu]: %.*s", index,
                SLICE_ARGS(error.message));
}

/* What a transaction never takes, whatever the tables are like. */
static enum error_code check_form(struct call *call, const struct statement *statement)
{
    if (statement->returning != RETURNING_NOTHING) {
        return fail(call, ERROR_VALIDATION,
                    "RETURNING clause is not supported in ExecuteTransaction.");
    }
    if (statement->index.data == NULL) return OK;
    if (statement->kind == STATEMENT_EXISTS) {
        return fail(call, ERROR_VALIDATION,
                    "Operations on indices are not supported in transactions");
    }
    return fail(call, ERROR_VALIDATION, "Reads on indices are not supported within transactions.");
}

static enum error_code parse_members(struct request *request, struct members *members)
{
    const struct json_token *element = json_first(request->input[INPUT_TRANSACT_STATEMENTS]);
    for (size_t i = 0; i < members->count; i++, element = json_next(element)) {
        struct prepared *prepared = &members->list[i].prepared;
        TRY(statements_parse(request, input_member(element, "Statement"),
                             input_member(element, "Parameters"), prepared));
        if (check_form(&request->call, &prepared->statement) != OK)
            return fail_at(&request->call, i);
        struct slice wanted =
            input_string(request, input_member(element, "ReturnValuesOnConditionCheckFailure"));
        prepared->write.return_old_on_failure = slice_equal_string(wanted, "ALL_OLD");
        prepared->write.in_transaction = true;
    }
    return OK;
}

static enum error_code check_kinds(struct call *call, struct members *members)
{
    size_t reads = 0;
    for (size_t i = 0; i < members->count; i++)
        reads += statement_reads(&members->list[i].prepared.statement);
    members->reads = reads > 0;
    if (reads == 0 || reads == members->count) return OK;
    return fail(call, ERROR_VALIDATION,
                "ExecuteTransaction API does not support both read and write operations in the "
                "same request.");
}

/* The key is checked, and what is wrong with it is a reason of the statement. */
static enum error_code plan_select(struct call *call, struct member *member, bool *cancels)
{
    struct prepared *prepared = &member->prepared;
    *cancels = false;
    if (write_plan_read_key(call, &prepared->statement, prepared->table, &prepared->key) !=
        WRITE_PLAN_FITS) {
        return fail(call, ERROR_VALIDATION,
                    "Select statements within ExecuteTransaction must specify the primary key in "
                    "the where clause.");
    }
    *cancels = true;
    TRY(key_check(call, prepared->table, prepared->key));
    member->row_key = layout_item_key(call->arena, prepared->table, prepared->key);
    return OK;
}

static enum error_code plan_write(struct call *call, struct member *member, bool *cancels)
{
    struct prepared *prepared = &member->prepared;
    struct slice fault_key = {0};
    const enum write_plan_fault fault =
        write_plan_make(call, &prepared->statement, prepared->table, &prepared->write, &fault_key);
    *cancels = prepared->statement.kind != STATEMENT_EXISTS;
    if (fault != WRITE_PLAN_FITS && *cancels) {
        return fail(call, ERROR_VALIDATION, "The provided key element does not match the schema");
    }
    if (fault != WRITE_PLAN_FITS) return statements_fail(call, WRITE_PLAN_KEY_ALONE, fault_key);
    *cancels = true;
    TRY(statements_check_write(call, prepared));
    member->row_key = prepared->write.row_key;
    return OK;
}

static enum error_code plan_member(struct request *request, struct member *member, bool *cancels)
{
    struct prepared *prepared = &member->prepared;
    *cancels = true;
    TRY(statements_bind(request, prepared));
    if (statement_reads(&prepared->statement)) return plan_select(&request->call, member, cancels);
    return plan_write(&request->call, member, cancels);
}

/* Sets *canceled when a statement has a reason. */
static enum error_code plan_members(struct request *request, struct members *members,
                                    bool *canceled)
{
    struct call *call = &request->call;
    *canceled = false;
    for (size_t i = 0; i < members->count; i++) {
        bool cancels;
        members->reasons[i].code = "None";
        if (plan_member(request, &members->list[i], &cancels) == OK) continue;
        if (!cancels) return fail_at(call, i);
        const struct error error = statements_take_error(call);
        members->reasons[i].code = statements_error_code(error.code);
        members->reasons[i].message = error.message;
        *canceled = true;
    }
    return OK;
}

static enum error_code check_distinct(struct call *call, const struct members *members)
{
    struct slice *keys = arena_array(call->arena, struct slice, members->count);
    size_t count = 0;
    for (size_t i = 0; i < members->count; i++) {
        if (members->list[i].row_key.length > 0) keys[count++] = members->list[i].row_key;
    }
    if (distinct_sort(keys, count)) return OK;
    return fail(call, ERROR_VALIDATION,
                "Transaction request cannot include multiple operations on one item");
}

static enum error_code fail_total_size(struct call *call)
{
    return fail(call, ERROR_VALIDATION,
                "Collection size of items exceeded, which can also be caused by the aggregate size "
                "of the items in the transaction exceeding the 4MB limit");
}

/* ClientRequestTokens are remembered per operation: this one's begin with a byte no text has. */
static struct slice own_token(struct request *request, const struct json_token *token)
{
    enum { OPERATION_MARK = 0xFF };
    struct buffer own = buffer_open(request->call.arena, 0);
    buffer_append_byte(&own, OPERATION_MARK);
    buffer_append(&own, input_string(request, token));
    return buffer_slice(&own);
}

static enum error_code set_transaction(struct request *request, struct members *members)
{
    struct arena *arena = request->call.arena;
    struct write *writes = arena_array(arena, struct write, members->count);
    size_t bytes = 0;
    for (size_t i = 0; i < members->count; i++) {
        writes[i] = members->list[i].prepared.write;
        bytes += item_size(writes[i].key);
    }
    members->transaction = (struct transaction){.writes = writes, .count = members->count};
    if (bytes > LIMIT_TRANSACTION_BYTES) return fail_total_size(&request->call);

    const struct json_token *token = request->input[INPUT_CLIENT_REQUEST_TOKEN];
    if (token == NULL) return OK;
    struct transact_digest *digest = transact_digest_open(arena);
    for (size_t i = 0; i < members->count; i++) {
        const struct prepared *prepared = &members->list[i].prepared;
        const uint8_t returned = prepared->write.return_old_on_failure;
        transact_digest_add_bytes(digest, prepared->input.text);
        for (size_t j = 0; j < prepared->input.parameter_count; j++)
            transact_digest_add_bytes(digest, prepared->input.parameters[j].encoded);
        transact_digest_add_bytes(digest, slice_of(&returned, sizeof returned));
    }
    members->transaction.digest = transact_digest_finish(digest);
    members->transaction.token = own_token(request, token);
    return OK;
}

static enum error_code plan_transaction(struct request *request)
{
    struct call *call = &request->call;
    struct members *members = arena_new(call->arena, struct members);
    members->count = request->input[INPUT_TRANSACT_STATEMENTS]->length;
    members->list = arena_array(call->arena, struct member, members->count);
    members->reasons = arena_array(call->arena, struct cancellation_reason, members->count);
    request->plan = members;
    bool canceled;
    TRY(parse_members(request, members));
    TRY(check_kinds(call, members));
    TRY(plan_members(request, members, &canceled));
    TRY(check_distinct(call, members));
    if (canceled) return transaction_cancel(call, members->reasons, members->count);
    request->kind = members->reads ? OP_READ : OP_WRITE;
    return members->reads ? OK : set_transaction(request, members);
}

/* ---- run ------------------------------------------------------------------------------------- */

static size_t size_of(struct slice item)
{
    return item.length > 0 ? item_size(item) : 0;
}

/* Conflicts only happen where they are asked for (faults.h). */
static enum error_code check_conflicts(struct request *request, struct members *members)
{
    bool canceled = false;
    if (request->database->faults == NULL) return OK;
    for (size_t i = 0; i < members->count; i++) {
        struct call single = {.arena = request->call.arena};
        const struct table *table = members->list[i].prepared.table;
        members->reasons[i] = (struct cancellation_reason){.code = "None"};
        if (faults_conflict(&single, request->database, table) == OK) continue;
        members->reasons[i].code = statements_error_code(single.error.code);
        members->reasons[i].message = single.error.message;
        canceled = true;
    }
    if (!canceled) return OK;
    return transaction_cancel(&request->call, members->reasons, members->count);
}

static enum error_code run_reads(struct request *request, struct kv_txn *txn,
                                 struct members *members)
{
    size_t bytes = 0;
    TRY(check_conflicts(request, members));
    for (size_t i = 0; i < members->count; i++) {
        struct member *member = &members->list[i];
        TRY(item_read(&request->call, txn, member->prepared.table, member->prepared.key,
                      &member->item));
        bytes += size_of(member->item);
        if (bytes > LIMIT_TRANSACTION_BYTES) return fail_total_size(&request->call);
    }
    return OK;
}

static enum error_code run_transaction(struct request *request, struct kv_txn *txn)
{
    struct members *members = request->plan;
    if (members->reads) return run_reads(request, txn, members);
    TRY(catalog_check(txn, request->catalog));
    return transaction_write(&request->call, request->database, txn, &members->transaction);
}

/* ---- render ---------------------------------------------------------------------------------- */

static void respond_member_item(struct request *request, const struct member *member)
{
    struct buffer *out = &request->response;
    BUFFER_TEXT(out, "{");
    if (member->item.length > 0) {
        BUFFER_TEXT(out, "\"Item\":");
        item_to_json(
            out, statement_project(&member->prepared.statement, member->item, request->call.arena));
    }
    BUFFER_TEXT(out, "}");
}

/* Rounded first, then doubled; a replay is charged as reads. */
static void add_cost(struct consumption *consumption, const struct members *members, size_t index)
{
    if (members->reads) {
        const size_t bytes = size_of(members->list[index].item);
        consumption_add_table(consumption, 2 * units_of_read(bytes, true));
        return;
    }
    const struct write_cost *cost = &members->transaction.writes[index].cost;
    if (!members->transaction.replayed) {
        consumption_add_write(consumption, cost, 2);
        return;
    }
    const size_t larger = cost->old_bytes > cost->new_bytes ? cost->old_bytes : cost->new_bytes;
    consumption_add_table(consumption, 2 * units_of_read(larger, true));
}

static void respond_cost(struct request *request, const struct members *members)
{
    enum consumption_detail detail = respond_detail(request->input[INPUT_RETURN_CONSUMED_CAPACITY]);
    if (detail == CONSUMED_NONE) return;
    struct consumption_list list = consumption_list_open(request->call.arena, members->count);
    for (size_t i = 0; i < members->count; i++) {
        const struct prepared *prepared = &members->list[i].prepared;
        add_cost(consumption_list_find(&list, prepared->table, prepared->statement.table), members,
                 i);
    }
    const bool as_reads = members->reads || members->transaction.replayed;
    respond_consumed_list(request, &list, detail, as_reads ? MIRROR_READ : MIRROR_WRITE);
}

static enum error_code render_transaction(struct request *request)
{
    const struct members *members = request->plan;
    respond_open(request);
    respond_member(request, "Responses");
    BUFFER_TEXT(&request->response, "[");
    for (size_t i = 0; members->reads && i < members->count; i++) { /* writes return nothing */
        if (i > 0) BUFFER_TEXT(&request->response, ",");
        respond_member_item(request, &members->list[i]);
    }
    BUFFER_TEXT(&request->response, "]");
    respond_cost(request, members);
    respond_close(request);
    return OK;
}

const struct op op_execute_transaction = {
    .name = "ExecuteTransaction",
    .kind = OP_READ,
    .input = &input_shape,
    .plan = plan_transaction,
    .run = run_transaction,
    .render = render_transaction,
};
