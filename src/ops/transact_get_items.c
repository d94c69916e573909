/* SPDX-License-Identifier: Apache-2.0 */
/* transact_get_items — TransactGetItems: up to 100 items as they stood at one moment. */
#include "expr/expressions.h"
#include "model/value_json.h"
#include "ops/distinct.h"
#include "ops/paths.h"
#include "ops/respond.h"
#include "store/faults.h"
#include "store/layout.h"
#include "store/transaction.h"

enum input {
    INPUT_TRANSACT_ITEMS,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_COUNT,
};

static const struct field get_fields[] = {
    {"Key", &shape_key, true},
    {"TableName", &shape_table_name, true},
    {"ProjectionExpression", &shape_string, false},
    {"ExpressionAttributeNames", &shape_names, false},
    {NULL, NULL, false},
};
static const struct shape shape_get = {
    .kind = SHAPE_STRUCT,
    .name = "Get",
    .fields = get_fields,
};
static const struct field element_fields[] = {
    {"Get", &shape_get, true},
    {NULL, NULL, false},
};
static const struct shape shape_element = {
    .kind = SHAPE_STRUCT,
    .name = "TransactGetItem",
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

static const struct field fields[] = {
    [INPUT_TRANSACT_ITEMS] = {"TransactItems", &shape_transact_items, true},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "TransactGetItemsInput",
    .fields = fields,
};

struct get {
    struct slice name;
    const struct table *table;
    struct slice key;
    struct slice row_key;
    const struct projection *projection;
    struct slice item; /* the outcome; empty: there is none */
};

struct gets {
    struct get *gets;
    size_t count;
};

/* ---- plan ------------------------------------------------------------------------------------ */

static enum error_code compile_get(struct request *request, const struct json_token *token,
                                   struct get *get)
{
    struct call *call = &request->call;
    struct expression_input expressions = {
        .text = {[EXPRESSION_PROJECTION] = input_member(token, "ProjectionExpression")},
        .known = 1U << EXPRESSION_PROJECTION,
        .names = input_member(token, "ExpressionAttributeNames"),
        .may_idle = true,
    };
    struct expression_set set = {0};
    get->name = input_string(request, input_member(token, "TableName"));
    TRY(expressions_check(call, &expressions));
    TRY(item_from_json(call, input_member(token, "Key"), &get->key));
    TRY(expressions_parse(call, &expressions, &set));
    get->projection = set.projection;
    return OK;
}

static enum error_code compile(struct request *request, struct gets *gets)
{
    const struct json_token *items = request->input[INPUT_TRANSACT_ITEMS];
    const struct json_token *element = json_first(items);
    gets->gets = arena_array(request->call.arena, struct get, items->length);
    for (; gets->count < items->length; element = json_next(element)) {
        const struct json_token *token = input_member(element, "Get");
        TRY(compile_get(request, token, &gets->gets[gets->count++]));
    }
    element = json_first(items);
    for (size_t i = 0; i < gets->count; i++, element = json_next(element)) {
        const struct json_token *name = input_member(input_member(element, "Get"), "TableName");
        TRY(request_table(request, name, &gets->gets[i].table));
    }
    return OK;
}

static enum error_code check_get(struct call *call, struct get *get)
{
    TRY(key_check(call, get->table, get->key));
    TRY(paths_check_projection(call, get->table, get->projection));
    get->row_key = layout_item_key(call->arena, get->table, get->key);
    return OK;
}

/* What is wrong with a key cancels the transaction, with a reason per action. */
static enum error_code check_keys(struct call *call, struct gets *gets)
{
    struct cancellation_reason *reasons =
        arena_array(call->arena, struct cancellation_reason, gets->count);
    bool canceled = false;
    for (size_t i = 0; i < gets->count; i++) {
        reasons[i].code = "None";
        if (check_get(call, &gets->gets[i]) == OK) continue;
        reasons[i].code = "ValidationError";
        reasons[i].message = call->error.message;
        call_reset(call);
        canceled = true;
    }
    return canceled ? transaction_cancel(call, reasons, gets->count) : OK;
}

static enum error_code check_distinct(struct call *call, const struct gets *gets)
{
    struct slice *keys = arena_array(call->arena, struct slice, gets->count);
    for (size_t i = 0; i < gets->count; i++)
        keys[i] = gets->gets[i].row_key;
    if (distinct_sort(keys, gets->count)) return OK;
    return fail(call, ERROR_VALIDATION,
                "Transaction request cannot include multiple operations on one item");
}

static enum error_code plan_gets(struct request *request)
{
    struct gets *gets = arena_new(request->call.arena, struct gets);
    request->plan = gets;
    TRY(compile(request, gets));
    TRY(check_keys(&request->call, gets));
    return check_distinct(&request->call, gets);
}

/* ---- run ------------------------------------------------------------------------------------- */

static size_t size_of(struct slice item)
{
    return item.length > 0 ? item_size(item) : 0;
}

/* Conflicts only happen where they are asked for (faults.h). */
static enum error_code check_conflicts(struct request *request, const struct gets *gets)
{
    struct call *call = &request->call;
    if (request->database->faults == NULL) return OK;
    struct cancellation_reason *reasons =
        arena_array(call->arena, struct cancellation_reason, gets->count);
    bool canceled = false;
    for (size_t i = 0; i < gets->count; i++) {
        struct call single = {.arena = call->arena};
        reasons[i].code = "None";
        if (faults_conflict(&single, request->database, gets->gets[i].table) == OK) continue;
        reasons[i].code = "TransactionConflict";
        reasons[i].message = single.error.message;
        canceled = true;
    }
    return canceled ? transaction_cancel(call, reasons, gets->count) : OK;
}

static enum error_code read_all(struct request *request, struct kv_txn *txn, struct gets *gets)
{
    struct call *call = &request->call;
    size_t bytes = 0;
    TRY(check_conflicts(request, gets));
    for (size_t i = 0; i < gets->count; i++) {
        struct get *get = &gets->gets[i];
        TRY(item_read(call, txn, get->table, get->key, &get->item));
        bytes += size_of(get->item);
        if (bytes <= LIMIT_TRANSACTION_BYTES) continue;
        return fail(call, ERROR_VALIDATION,
                    "Collection size of items exceeded, which can also be caused by the aggregate "
                    "size of the items in the transaction exceeding the 4MB limit");
    }
    return OK;
}

/* An item of which nothing is asked for that it has is left out, as if it were missing. */
static void respond_get(struct request *request, const struct get *get)
{
    struct buffer *out = &request->response;
    struct slice shown = get->item;
    if (shown.length > 0 && get->projection != NULL) {
        shown = projection_apply(get->projection, shown, request->call.arena);
        if (value_read(shown).count == 0) shown.length = 0;
    }
    BUFFER_TEXT(out, "{");
    if (shown.length > 0) {
        BUFFER_TEXT(out, "\"Item\":");
        item_to_json(out, shown);
    }
    BUFFER_TEXT(out, "}");
}

static void respond_cost(struct request *request, const struct gets *gets)
{
    enum consumption_detail detail = respond_detail(request->input[INPUT_RETURN_CONSUMED_CAPACITY]);
    if (detail == CONSUMED_NONE) return;
    struct consumption_list list = consumption_list_open(request->call.arena, gets->count);
    for (size_t i = 0; i < gets->count; i++) {
        const struct get *get = &gets->gets[i];
        /* Rounded first, then doubled: a transaction reads everything twice. */
        int64_t units = 2 * units_of_read(size_of(get->item), true);
        consumption_add_table(consumption_list_find(&list, get->table, get->name), units);
    }
    respond_consumed_list(request, &list, detail, MIRROR_READ);
}

static enum error_code run_gets(struct request *request, struct kv_txn *txn)
{
    struct gets *gets = request->plan;
    TRY(read_all(request, txn, gets));
    respond_open(request);
    respond_member(request, "Responses");
    BUFFER_TEXT(&request->response, "[");
    for (size_t i = 0; i < gets->count; i++) {
        if (i > 0) BUFFER_TEXT(&request->response, ",");
        respond_get(request, &gets->gets[i]);
    }
    BUFFER_TEXT(&request->response, "]");
    respond_cost(request, gets);
    respond_close(request);
    return OK;
}

const struct op op_transact_get_items = {
    .name = "TransactGetItems",
    .kind = OP_READ,
    .input = &input_shape,
    .plan = plan_gets,
    .run = run_gets,
};
