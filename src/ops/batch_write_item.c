/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_write_item — BatchWriteItem: up to 25 puts and deletes, without conditions.
 *
 * All of them are written in one transaction. The service promises less (each by itself), and a
 * client cannot tell; nothing is left unprocessed unless a test asks for it (faults.h).
 */
#include "model/value_json.h"
#include "ops/many_writes.h"
#include "store/faults.h"
#include "store/layout.h"

enum input {
    INPUT_REQUEST_ITEMS,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_RETURN_ITEM_COLLECTION_METRICS,
    INPUT_COUNT,
};

static const struct field put_fields[] = {
    {"Item", &shape_item, true},
    {NULL, NULL, false},
};
static const struct shape shape_put = {
    .kind = SHAPE_STRUCT,
    .name = "PutRequest",
    .fields = put_fields,
};
static const struct field delete_fields[] = {
    {"Key", &shape_key, true},
    {NULL, NULL, false},
};
static const struct shape shape_delete = {
    .kind = SHAPE_STRUCT,
    .name = "DeleteRequest",
    .fields = delete_fields,
};
static const struct field write_fields[] = {
    {"DeleteRequest", &shape_delete, false},
    {"PutRequest", &shape_put, false},
    {NULL, NULL, false},
};
static const struct shape shape_write = {
    .kind = SHAPE_STRUCT,
    .name = "WriteRequest",
    .fields = write_fields,
};
static const struct shape shape_writes = {
    .kind = SHAPE_LIST,
    .element = &shape_write,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_BATCH_WRITES,
};
static const struct shape shape_request_items = {
    .kind = SHAPE_MAP,
    .element = &shape_writes,
    .has_max = true,
    .max = LIMIT_BATCH_WRITES,
    .has_key_limits = true,
    .key_max = LIMIT_TABLE_ARN_LENGTH,
};

static const struct field fields[] = {
    [INPUT_REQUEST_ITEMS] = {"RequestItems", &shape_request_items, false},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_RETURN_ITEM_COLLECTION_METRICS] = {"ReturnItemCollectionMetrics",
                                              &shape_return_item_collection_metrics, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "BatchWriteItemInput",
    .fields = fields,
};

struct batch {
    struct many_writes many;
    bool *left; /* one per write: it was left out on purpose (faults.h) */
};

/* ---- plan ------------------------------------------------------------------------------------ */

/* One WriteRequest: its values, and its size. */
static enum error_code compile_write(struct call *call, const struct json_token *token,
                                     struct write *write)
{
    const struct json_token *put = input_member(token, "PutRequest");
    const struct json_token *delete = input_member(token, "DeleteRequest");
    if ((put == NULL) == (delete == NULL)) {
        /* The service's own words, also where neither is given. */
        return fail(call, ERROR_VALIDATION,
                    "Supplied AttributeValue has more than one datatypes set, must contain exactly "
                    "one of the supported datatypes");
    }
    if (put == NULL) {
        write->kind = WRITE_DELETE;
        return item_from_json(call, input_member(delete, "Key"), &write->key);
    }
    write->kind = WRITE_PUT;
    TRY(item_from_json(call, input_member(put, "Item"), &write->item));
    write->key = write->item;
    if (item_size(write->item) <= LIMIT_ITEM_BYTES) return OK;
    return fail(call, ERROR_VALIDATION, "Item size has exceeded the maximum allowed size");
}

static size_t count_writes(const struct json_token *tables)
{
    size_t count = 0;
    const struct json_token *name = json_first(tables);
    for (uint32_t i = 0; i < tables->length; i++, name = json_next(name + 1))
        count += name[1].length;
    return count;
}

/* Everything that needs no table. */
static enum error_code compile(struct request *request, const struct json_token *tables,
                               struct many_writes *many)
{
    struct call *call = &request->call;
    const struct json_token *name = json_first(tables);
    for (uint32_t i = 0; i < tables->length; i++, name = json_next(name + 1)) {
        const struct json_token *list = name + 1;
        const struct json_token *element = json_first(list);
        for (uint32_t j = 0; j < list->length; j++, element = json_next(element)) {
            CHECK(many->count < many->capacity);
            TRY(compile_write(call, element, &many->writes[many->count]));
            many->writes[many->count].unopposed = true;
            many->names[many->count++] = input_string(request, name);
        }
    }
    if (many->count <= LIMIT_BATCH_WRITES) return OK;
    return fail(call, ERROR_VALIDATION, "Too many items requested for the BatchWriteItem call");
}

static enum error_code bind(struct request *request, const struct json_token *tables,
                            struct many_writes *many)
{
    size_t next = 0;
    const struct json_token *name = json_first(tables);
    for (uint32_t i = 0; i < tables->length; i++, name = json_next(name + 1)) {
        const struct table *table;
        TRY(request_table(request, name, &table));
        for (uint32_t j = 0; j < name[1].length; j++)
            many->writes[next++].table = table;
    }
    return OK;
}

static enum error_code check_keys(struct call *call, const struct many_writes *many)
{
    for (size_t i = 0; i < many->count; i++) {
        struct write *write = &many->writes[i];
        if (write->kind == WRITE_PUT) {
            TRY(item_check(call, write->table, write->item, KEY_OF_READ));
        } else {
            TRY(key_check(call, write->table, write->key));
        }
        write->row_key = layout_item_key(call->arena, write->table, write->key);
    }
    if (many_writes_are_distinct(many, call->arena)) return OK;
    return fail(call, ERROR_VALIDATION, "Provided list of item keys contains duplicates");
}

static enum error_code plan_batch(struct request *request)
{
    struct call *call = &request->call;
    const struct json_token *tables = request->input[INPUT_REQUEST_ITEMS];
    if (tables == NULL || tables->length == 0) {
        return fail(call, ERROR_VALIDATION,
                    "The requestItems parameter is required for BatchWriteItem");
    }
    struct batch *batch = arena_new(call->arena, struct batch);
    struct many_writes *many = &batch->many;
    *many = many_writes_open(call->arena, count_writes(tables));
    batch->left = arena_array(call->arena, bool, many->capacity);
    request->plan = batch;
    TRY(compile(request, tables, many));
    TRY(bind(request, tables, many));
    return check_keys(call, many);
}

/* ---- run and render -------------------------------------------------------------------------- */

static enum error_code run_batch(struct request *request, struct kv_txn *txn)
{
    struct batch *batch = request->plan;
    const struct many_writes *many = &batch->many;
    TRY(catalog_check(txn, request->catalog));
    for (size_t i = 0; i < many->count; i++) {
        struct write *write = &many->writes[i];
        batch->left[i] = faults_leave_out(request->database, write->table, i);
        if (!batch->left[i]) TRY(item_write(&request->call, request->database, txn, write));
    }
    return OK;
}

static void respond_cost(struct request *request, const struct many_writes *many)
{
    enum consumption_detail detail = respond_detail(request->input[INPUT_RETURN_CONSUMED_CAPACITY]);
    if (detail == CONSUMED_NONE) return;
    struct consumption_list list = consumption_list_open(request->call.arena, many->count);
    for (size_t i = 0; i < many->count; i++) {
        const struct write *write = &many->writes[i];
        consumption_add_write(consumption_list_find(&list, write->table, many->names[i]),
                              &write->cost, 1);
    }
    respond_consumed_list(request, &list, detail, MIRROR_NONE);
}

/* The writes that were made. */
static struct many_writes made(struct request *request, const struct batch *batch)
{
    const struct many_writes *many = &batch->many;
    struct many_writes made = many_writes_open(request->call.arena, many->capacity);
    for (size_t i = 0; i < many->count; i++) {
        if (batch->left[i]) continue;
        made.writes[made.count] = many->writes[i];
        made.names[made.count++] = many->names[i];
    }
    return made;
}

static void respond_left(struct request *request, const struct write *write)
{
    struct buffer *out = &request->response;
    const bool is_put = write->kind == WRITE_PUT;
    buffer_append(out, is_put ? SLICE("{\"PutRequest\":{\"Item\":")
                              : SLICE("{\"DeleteRequest\":{\"Key\":"));
    item_to_json(out, is_put ? write->item : write->key);
    BUFFER_TEXT(out, "}}");
}

/* Writes of one table stand together. */
static void respond_unprocessed(struct request *request, const struct batch *batch)
{
    const struct many_writes *many = &batch->many;
    struct buffer *out = &request->response;
    const struct table *table = NULL;
    respond_member(request, "UnprocessedItems");
    BUFFER_TEXT(out, "{");
    for (size_t i = 0; i < many->count; i++) {
        if (!batch->left[i]) continue;
        const bool is_first = many->writes[i].table != table;
        if (is_first) {
            if (table != NULL) BUFFER_TEXT(out, "],");
            table = many->writes[i].table;
            json_append_string(out, many->names[i]);
            BUFFER_TEXT(out, ":[");
        } else {
            BUFFER_TEXT(out, ",");
        }
        respond_left(request, &many->writes[i]);
    }
    if (table != NULL) BUFFER_TEXT(out, "]");
    BUFFER_TEXT(out, "}");
}

static enum error_code render_batch(struct request *request)
{
    const struct batch *batch = request->plan;
    const struct many_writes many = made(request, batch);
    struct slice metrics =
        input_string(request, request->input[INPUT_RETURN_ITEM_COLLECTION_METRICS]);
    respond_open(request);
    respond_unprocessed(request, batch);
    if (slice_equal_string(metrics, "SIZE")) many_writes_respond_metrics(request, &many);
    respond_cost(request, &many);
    respond_close(request);
    return OK;
}

const struct op op_batch_write_item = {
    .name = "BatchWriteItem",
    .kind = OP_WRITE,
    .input = &input_shape,
    .plan = plan_batch,
    .run = run_batch,
    .render = render_batch,
};
