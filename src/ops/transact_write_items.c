/* SPDX-License-Identifier: Apache-2.0 */
/* transact_write_items — TransactWriteItems: up to 100 actions, all or none. */
#include "ops/many_writes.h"
#include "ops/transact_digest.h"
#include "ops/write_input.h"
#include "store/transaction.h"

enum input {
    INPUT_TRANSACT_ITEMS,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_RETURN_ITEM_COLLECTION_METRICS,
    INPUT_CLIENT_REQUEST_TOKEN,
    INPUT_COUNT,
};

/* ---- shapes ---------------------------------------------------------------------------------- */

static const struct field check_fields[] = {
    {"Key", &shape_key, true},
    {"TableName", &shape_table_name, true},
    {"ConditionExpression", &shape_string, true},
    {"ExpressionAttributeNames", &shape_names, false},
    {"ExpressionAttributeValues", &shape_values, false},
    {"ReturnValuesOnConditionCheckFailure", &shape_return_values_on_failure, false},
    {NULL, NULL, false},
};
static const struct field put_fields[] = {
    {"Item", &shape_item, true},
    {"TableName", &shape_table_name, true},
    {"ConditionExpression", &shape_string, false},
    {"ExpressionAttributeNames", &shape_names, false},
    {"ExpressionAttributeValues", &shape_values, false},
    {"ReturnValuesOnConditionCheckFailure", &shape_return_values_on_failure, false},
    {NULL, NULL, false},
};
static const struct field delete_fields[] = {
    {"Key", &shape_key, true},
    {"TableName", &shape_table_name, true},
    {"ConditionExpression", &shape_string, false},
    {"ExpressionAttributeNames", &shape_names, false},
    {"ExpressionAttributeValues", &shape_values, false},
    {"ReturnValuesOnConditionCheckFailure", &shape_return_values_on_failure, false},
    {NULL, NULL, false},
};
static const struct field update_fields[] = {
    {"Key", &shape_key, true},
    {"UpdateExpression", &shape_string, true},
    {"TableName", &shape_table_name, true},
    {"ConditionExpression", &shape_string, false},
    {"ExpressionAttributeNames", &shape_names, false},
    {"ExpressionAttributeValues", &shape_values, false},
    {"ReturnValuesOnConditionCheckFailure", &shape_return_values_on_failure, false},
    {NULL, NULL, false},
};
static const struct shape shape_check = {
    .kind = SHAPE_STRUCT,
    .name = "ConditionCheck",
    .fields = check_fields,
};
static const struct shape shape_put = {
    .kind = SHAPE_STRUCT,
    .name = "Put",
    .fields = put_fields,
};
static const struct shape shape_delete = {
    .kind = SHAPE_STRUCT,
    .name = "Delete",
    .fields = delete_fields,
};
static const struct shape shape_update = {
    .kind = SHAPE_STRUCT,
    .name = "Update",
    .fields = update_fields,
};

static const struct field element_fields[] = {
    {"ConditionCheck", &shape_check, false},
    {"Put", &shape_put, false},
    {"Delete", &shape_delete, false},
    {"Update", &shape_update, false},
    {NULL, NULL, false},
};
static const struct shape shape_element = {
    .kind = SHAPE_STRUCT,
    .name = "TransactWriteItem",
    .fields = element_fields,
};
static const struct shape shape_transact_items = {
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
    [INPUT_TRANSACT_ITEMS] = {"TransactItems", &shape_transact_items, true},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_RETURN_ITEM_COLLECTION_METRICS] = {"ReturnItemCollectionMetrics",
                                              &shape_return_item_collection_metrics, false},
    [INPUT_CLIENT_REQUEST_TOKEN] = {"ClientRequestToken", &shape_token, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "TransactWriteItemsInput",
    .fields = fields,
};

/* The plan: the actions as members, as writes, and as the store's transaction. */
struct actions {
    struct write_input *inputs;
    struct many_writes many;
    struct transaction transaction;
};

/* ---- plan ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum write_kind kind;
    const char *subject;
} kinds[] = {
    {"ConditionCheck", WRITE_CHECK, "Key"},
    {"Put", WRITE_PUT, "Item"},
    {"Delete", WRITE_DELETE, "Key"},
    {"Update", WRITE_UPDATE, "Key"},
};

/* An element's one action. */
static enum error_code take_action(struct call *call, const struct json_token *element,
                                   struct write_input *input)
{
    unsigned count = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct json_token *token = input_member(element, kinds[i].name);
        if (token == NULL) continue;
        count++;
        *input = (struct write_input){
            .kind = kinds[i].kind,
            .in_transaction = true,
            .table_name = input_member(token, "TableName"),
            .subject = input_member(token, kinds[i].subject),
            .update =
                kinds[i].kind == WRITE_UPDATE ? input_member(token, "UpdateExpression") : NULL,
            .condition = input_member(token, "ConditionExpression"),
            .names = input_member(token, "ExpressionAttributeNames"),
            .values = input_member(token, "ExpressionAttributeValues"),
            .return_on_failure = input_member(token, "ReturnValuesOnConditionCheckFailure"),
        };
    }
    if (count == 1) return OK;
    if (count == 0) {
        return fail(call, ERROR_VALIDATION,
                    "Invalid Request: TransactWriteRequest should contain Delete or Put or Update "
                    "request");
    }
    return fail(call, ERROR_VALIDATION,
                "TransactItems can only contain one of Check, Put, Update or Delete");
}

/* Everything that needs no table. */
static enum error_code compile(struct request *request, struct actions *actions)
{
    struct call *call = &request->call;
    struct many_writes *many = &actions->many;
    const struct json_token *items = request->input[INPUT_TRANSACT_ITEMS];
    const struct json_token *element = json_first(items);
    for (size_t i = 0; i < items->length; i++, element = json_next(element))
        TRY(take_action(call, element, &actions->inputs[i]));
    for (; many->count < items->length; many->count++) {
        const struct write_input *input = &actions->inputs[many->count];
        struct write *write = &many->writes[many->count];
        TRY(write_input_compile(request, input, write));
        TRY(write_input_measure(call, write));
        write->in_transaction = true;
        many->names[many->count] = input_string(request, input->table_name);
    }
    return OK;
}

static enum error_code check_total_size(struct call *call, const struct many_writes *many)
{
    size_t bytes = 0;
    for (size_t i = 0; i < many->count; i++)
        bytes += item_size(many->writes[i].key);
    if (bytes <= LIMIT_TRANSACTION_BYTES) return OK;
    return fail(call, ERROR_VALIDATION,
                "Collection size of items exceeded, which can also be caused by the aggregate size "
                "of the items in the transaction exceeding the 4MB limit");
}

/*
 * What is wrong with a key cancels the transaction, with a reason per action; only an empty key
 * value fails the request itself, and so do two actions on one item, which come before either.
 */
static enum error_code check_keys(struct call *call, struct many_writes *many,
                                  const struct cancellation_reason **canceling)
{
    struct cancellation_reason *reasons =
        arena_array(call->arena, struct cancellation_reason, many->count);
    struct error fatal = {0};
    bool canceled = false;
    for (size_t i = 0; i < many->count; i++) {
        reasons[i].code = "None";
        if (write_input_check(call, &many->writes[i], KEY_OF_PUT) == OK) continue;
        if (fatal.code == OK && transaction_fails_whole(&call->error)) fatal = call->error;
        reasons[i].code = "ValidationError";
        reasons[i].message = call->error.message;
        call_reset(call);
        canceled = true;
    }
    if (!many_writes_are_distinct(many, call->arena)) {
        return fail(call, ERROR_VALIDATION,
                    "Transaction request cannot include multiple operations on one item");
    }
    TRY(check_total_size(call, many));
    call->error = fatal;
    *canceling = canceled ? reasons : NULL;
    return fatal.code;
}

static enum error_code add_all(struct transact_digest *digest, struct request *request,
                               const struct actions *actions)
{
    for (size_t i = 0; i < actions->many.count; i++) {
        TRY(transact_digest_add(digest, request, &actions->inputs[i], &actions->many.writes[i]));
    }
    return OK;
}

static enum error_code set_transaction(struct request *request, struct actions *actions)
{
    const struct json_token *token = request->input[INPUT_CLIENT_REQUEST_TOKEN];
    struct transaction *transaction = &actions->transaction;
    transaction->writes = actions->many.writes;
    transaction->count = actions->many.count;
    if (token == NULL && transaction->reasons != NULL)
        return transaction_cancel(&request->call, transaction->reasons, transaction->count);
    if (token == NULL) return OK;
    struct transact_digest *digest = transact_digest_open(request->call.arena);
    enum error_code code = add_all(digest, request, actions);
    transaction->digest = transact_digest_finish(digest);
    transaction->token = input_string(request, token);
    return code;
}

static enum error_code plan_actions(struct request *request)
{
    struct arena *arena = request->call.arena;
    size_t count = request->input[INPUT_TRANSACT_ITEMS]->length;
    struct actions *actions = arena_new(arena, struct actions);
    actions->inputs = arena_array(arena, struct write_input, count);
    actions->many = many_writes_open(arena, count);
    request->plan = actions;
    TRY(compile(request, actions));
    for (size_t i = 0; i < count; i++)
        TRY(write_input_bind(request, &actions->inputs[i], &actions->many.writes[i]));
    actions->transaction = (struct transaction){0};
    TRY(check_keys(&request->call, &actions->many, &actions->transaction.reasons));
    return set_transaction(request, actions);
}

/* ---- run and render -------------------------------------------------------------------------- */

static enum error_code run_actions(struct request *request, struct kv_txn *txn)
{
    struct actions *actions = request->plan;
    TRY(catalog_check(txn, request->catalog));
    return transaction_write(&request->call, request->database, txn, &actions->transaction);
}

/* A replay wrote nothing: it is charged, and shown, as reads of the same items. */
static void add_cost(struct consumption *consumption, const struct write *write, bool replayed)
{
    if (!replayed) {
        consumption_add_write(consumption, &write->cost, 2);
        return;
    }
    size_t old_bytes = write->cost.old_bytes;
    size_t new_bytes = write->cost.new_bytes;
    size_t larger = old_bytes > new_bytes ? old_bytes : new_bytes;
    consumption_add_table(consumption, 2 * units_of_read(larger, true));
}

static void respond_cost(struct request *request, const struct actions *actions)
{
    enum consumption_detail detail = respond_detail(request->input[INPUT_RETURN_CONSUMED_CAPACITY]);
    if (detail == CONSUMED_NONE) return;
    bool replayed = actions->transaction.replayed;
    const struct many_writes *many = &actions->many;
    struct consumption_list list = consumption_list_open(request->call.arena, many->count);
    for (size_t i = 0; i < many->count; i++) {
        const struct write *write = &many->writes[i];
        add_cost(consumption_list_find(&list, write->table, many->names[i]), write, replayed);
    }
    respond_consumed_list(request, &list, detail, replayed ? MIRROR_READ : MIRROR_WRITE);
}

static enum error_code render_actions(struct request *request)
{
    const struct actions *actions = request->plan;
    struct slice metrics =
        input_string(request, request->input[INPUT_RETURN_ITEM_COLLECTION_METRICS]);
    respond_open(request);
    respond_cost(request, actions);
    if (slice_equal_string(metrics, "SIZE")) many_writes_respond_metrics(request, &actions->many);
    respond_close(request);
    return OK;
}

const struct op op_transact_write_items = {
    .name = "TransactWriteItems",
    .kind = OP_WRITE,
    .input = &input_shape,
    .plan = plan_actions,
    .run = run_actions,
    .render = render_actions,
};
