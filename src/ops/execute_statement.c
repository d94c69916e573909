/* SPDX-License-Identifier: Apache-2.0 */
/* execute_statement — ExecuteStatement: one PartiQL statement, a page of rows or one write. */
#include "model/limits.h"
#include "model/value_json.h"
#include "ops/respond.h"
#include "ops/statements.h"
#include "partiql/next_token.h"
#include "partiql/read_plan.h"

enum input {
    INPUT_STATEMENT,
    INPUT_PARAMETERS,
    INPUT_CONSISTENT_READ,
    INPUT_NEXT_TOKEN,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_LIMIT,
    INPUT_RETURN_VALUES_ON_FAILURE,
    INPUT_COUNT,
};

static const struct shape shape_next_token = {
    .kind = SHAPE_STRING,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_NEXT_TOKEN_LENGTH,
};
static const struct shape shape_limit = {.kind = SHAPE_INTEGER, .has_min = true, .min = 1};

static const struct field fields[] = {
    [INPUT_STATEMENT] = {"Statement", &statements_shape_text, true},
    [INPUT_PARAMETERS] = {"Parameters", &statements_shape_parameters, false},
    [INPUT_CONSISTENT_READ] = {"ConsistentRead", &shape_boolean, false},
    [INPUT_NEXT_TOKEN] = {"NextToken", &shape_next_token, false},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_LIMIT] = {"Limit", &shape_limit, false},
    [INPUT_RETURN_VALUES_ON_FAILURE] = {"ReturnValuesOnConditionCheckFailure",
                                        &shape_return_values_on_failure, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "ExecuteStatementInput",
    .fields = fields,
};

struct execution {
    struct prepared prepared;
    struct read_plan read; /* SELECT */
};

/* ---- plan ------------------------------------------------------------------------------------ */

static enum error_code resume(struct request *request, struct execution *execution)
{
    const struct json_token *text = request->input[INPUT_NEXT_TOKEN];
    struct call *call = &request->call;
    struct next_token token;
    if (text == NULL) return OK;
    TRY(next_token_read(call, &execution->prepared.input, input_string(request, text), &token));
    if (read_plan_resume(call, &execution->read, token.range, token.key)) return OK;
    return fail(call, ERROR_VALIDATION, "Invalid NextToken");
}

static enum error_code plan_read(struct request *request, struct execution *execution)
{
    const struct prepared *prepared = &execution->prepared;
    const bool consistent = input_boolean(request->input[INPUT_CONSISTENT_READ], false);
    execution->read.database = request->database;
    TRY(read_plan_make(&request->call, &prepared->statement, prepared->table, consistent,
                       &execution->read));
    execution->read.limit = (size_t)input_integer(request->input[INPUT_LIMIT], 0);
    TRY(resume(request, execution));
    request->kind = execution->read.key.length > 0 ? OP_READ_ONE : OP_READ;
    return OK;
}

static enum error_code plan_write(struct request *request, struct execution *execution)
{
    struct slice wanted = input_string(request, request->input[INPUT_RETURN_VALUES_ON_FAILURE]);
    execution->prepared.write.return_old_on_failure = slice_equal_string(wanted, "ALL_OLD");
    request->kind = OP_WRITE;
    return statements_plan_write(request, &execution->prepared);
}

static enum error_code plan_statement(struct request *request)
{
    struct execution *execution = arena_new(request->call.arena, struct execution);
    struct prepared *prepared = &execution->prepared;
    request->plan = execution;
    TRY(statements_parse(request, request->input[INPUT_STATEMENT], request->input[INPUT_PARAMETERS],
                         prepared));
    if (prepared->statement.kind == STATEMENT_EXISTS) {
        return fail(&request->call, ERROR_VALIDATION,
                    "EXISTS can only be used in ExecuteTransaction write requests.");
    }
    TRY(statements_bind(request, prepared));
    return statement_reads(&prepared->statement) ? plan_read(request, execution)
                                                 : plan_write(request, execution);
}

/* ---- reads ----------------------------------------------------------------------------------- */

static enum error_code write_row(void *context, struct slice item)
{
    struct request *request = context;
    struct buffer *out = &request->response;
    if (out->data[out->length - 1] != '[') BUFFER_TEXT(out, ",");
    item_to_json(out, item);
    return OK;
}

static void respond_read_cost(struct request *request, const struct execution *execution)
{
    enum consumption_detail detail = respond_detail(request->input[INPUT_RETURN_CONSUMED_CAPACITY]);
    const struct read_plan *read = &execution->read;
    struct consumption consumption;
    consumption_open(&consumption, request->call.arena, read->table);
    consumption.name = execution->prepared.statement.table;
    if (read->index == NULL) {
        consumption_add_table(&consumption, read->units);
    } else {
        consumption_add_index(&consumption, (size_t)(read->index - read->table->indexes),
                              read->units);
        if (read->fetch) consumption_add_table(&consumption, read->fetch_units);
    }
    respond_consumed(request, &consumption, detail);
}

static void respond_next(struct request *request, const struct execution *execution)
{
    const struct read_plan *read = &execution->read;
    if (read->last.length == 0) return;
    const struct next_token token = {read->last_range, read->last};
    respond_item(request, "LastEvaluatedKey", read->last);
    respond_member(request, "NextToken");
    json_append_string(&request->response,
                       next_token_write(request->call.arena, &execution->prepared.input, &token));
}

static enum error_code run_read(struct request *request, struct kv_txn *txn,
                                struct execution *execution)
{
    respond_open(request);
    respond_member(request, "Items");
    BUFFER_TEXT(&request->response, "[");
    TRY(read_plan_run(&request->call, txn, &execution->read, write_row, request));
    BUFFER_TEXT(&request->response, "]");
    respond_next(request, execution);
    respond_read_cost(request, execution);
    respond_close(request);
    return OK;
}

/* ---- writes ---------------------------------------------------------------------------------- */

static enum error_code run_statement(struct request *request, struct kv_txn *txn)
{
    struct execution *execution = request->plan;
    if (statement_reads(&execution->prepared.statement)) return run_read(request, txn, execution);
    TRY(catalog_check(txn, request->catalog));
    return item_write(&request->call, request->database, txn, &execution->prepared.write);
}

static void respond_write_cost(struct request *request, const struct prepared *prepared)
{
    struct consumption consumption;
    consumption_open(&consumption, request->call.arena, prepared->table);
    consumption.name = prepared->statement.table;
    consumption_add_write(&consumption, &prepared->write.cost, 1);
    respond_consumed(request, &consumption,
                     respond_detail(request->input[INPUT_RETURN_CONSUMED_CAPACITY]));
}

static enum error_code render_statement(struct request *request)
{
    const struct execution *execution = request->plan;
    const struct prepared *prepared = &execution->prepared;
    if (statement_reads(&prepared->statement)) return OK;
    const struct slice item =
        write_plan_returned(&prepared->statement, &prepared->write, request->call.arena);
    respond_open(request);
    respond_member(request, "Items");
    BUFFER_TEXT(&request->response, "[");
    if (item.length > 0) item_to_json(&request->response, item);
    BUFFER_TEXT(&request->response, "]");
    respond_write_cost(request, prepared);
    respond_close(request);
    return OK;
}

const struct op op_execute_statement = {
    .name = "ExecuteStatement",
    .kind = OP_READ,
    .input = &input_shape,
    .plan = plan_statement,
    .run = run_statement,
    .render = render_statement,
};
