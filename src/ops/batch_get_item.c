/* SPDX-License-Identifier: Apache-2.0 */
/* batch_get_item — BatchGetItem: up to 100 items of several tables, up to 16 MB of them. */
#include "expr/expressions.h"
#include "model/value_json.h"
#include "ops/distinct.h"
#include "ops/legacy.h"
#include "ops/paths.h"
#include "ops/respond.h"
#include "store/faults.h"

enum input {
    INPUT_REQUEST_ITEMS,
    INPUT_RETURN_CONSUMED_CAPACITY,
    INPUT_COUNT,
};

static const struct shape shape_keys = {
    .kind = SHAPE_LIST,
    .is_terse_max = true,
    .element = &shape_key,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_BATCH_GET_KEYS,
};
static const struct field table_fields[] = {
    {"Keys", &shape_keys, true},
    {"AttributesToGet", &legacy_attributes_to_get, false},
    {"ConsistentRead", &shape_boolean, false},
    {"ProjectionExpression", &shape_string, false},
    {"ExpressionAttributeNames", &shape_names, false},
    {NULL, NULL, false},
};
static const struct shape shape_table = {
    .kind = SHAPE_STRUCT,
    .name = "KeysAndAttributes",
    .fields = table_fields,
};
static const struct shape shape_request_items = {
    .kind = SHAPE_MAP,
    .element = &shape_table,
    .has_max = true,
    .max = LIMIT_BATCH_GET_KEYS,
    .has_key_limits = true,
    .key_max = LIMIT_TABLE_ARN_LENGTH,
};

static const struct field fields[] = {
    [INPUT_REQUEST_ITEMS] = {"RequestItems", &shape_request_items, false},
    [INPUT_RETURN_CONSUMED_CAPACITY] = {"ReturnConsumedCapacity", &shape_return_consumed_capacity,
                                        false},
    [INPUT_COUNT] = {NULL, NULL, false},
};

static const struct shape input_shape = {
    .kind = SHAPE_STRUCT,
    .name = "BatchGetItemInput",
    .fields = fields,
};

/* The keys asked of one table. */
struct part {
    const struct json_token *name;
    const struct json_token *names;      /* ExpressionAttributeNames */
    const struct json_token *expression; /* ProjectionExpression */
    const struct json_token *attributes; /* AttributesToGet */
    const struct json_token *consistent_read;
    const struct table *table;
    const struct projection *projection;
    struct slice *keys;
    size_t key_count;
    size_t done; /* keys looked at; the rest is unprocessed */
    bool *left;  /* one per key: it was left out on purpose (faults.h) */
    size_t left_count;
};

struct batch {
    struct part *parts;
    size_t count;
    size_t key_count; /* of all parts */
    struct consumption_list consumed;
};

/* ---- plan ------------------------------------------------------------------------------------ */

/* The rule against mixing is for the request as a whole, not only within one table's part. */
static enum error_code check_legacy(struct call *call, const struct json_token *tables)
{
    struct parameter legacy[] = {{"AttributesToGet", NULL}, {NULL, NULL}};
    struct parameter given[] = {{"ProjectionExpression", NULL}, {NULL, NULL}};
    const struct json_token *name = json_first(tables);
    for (uint32_t i = 0; i < tables->length; i++, name = json_next(name + 1)) {
        const struct json_token *attributes = input_member(name + 1, "AttributesToGet");
        const struct json_token *expression = input_member(name + 1, "ProjectionExpression");
        if (attributes != NULL) legacy[0].token = attributes;
        if (expression != NULL) given[0].token = expression;
    }
    return legacy_check(call, legacy, given);
}

/* Equal keys have equal bytes, whatever the table's schema is. */
static bool are_distinct(struct arena *arena, const struct part *part)
{
    struct slice *sorted = arena_array(arena, struct slice, part->key_count);
    memcpy(sorted, part->keys, part->key_count * sizeof *sorted);
    return distinct_sort(sorted, part->key_count);
}

static enum error_code compile_keys(struct call *call, const struct json_token *keys,
                                    struct part *part)
{
    part->keys = arena_array(call->arena, struct slice, keys->length);
    const struct json_token *key = json_first(keys);
    for (; part->key_count < keys->length; key = json_next(key))
        TRY(item_from_json(call, key, &part->keys[part->key_count++]));
    if (are_distinct(call->arena, part)) return OK;
    return fail(call, ERROR_VALIDATION, "Provided list of item keys contains duplicates");
}

static enum error_code compile_part(struct call *call, const struct json_token *name,
                                    struct part *part)
{
    const struct json_token *token = name + 1;
    part->name = name;
    part->names = input_member(token, "ExpressionAttributeNames");
    part->expression = input_member(token, "ProjectionExpression");
    part->attributes = input_member(token, "AttributesToGet");
    part->consistent_read = input_member(token, "ConsistentRead");
    struct expression_input expressions = {
        .text = {[EXPRESSION_PROJECTION] = part->expression},
        .known = 1U << EXPRESSION_PROJECTION,
        .names = part->names,
    };
    struct expression_set set = {0};
    TRY(expressions_check(call, &expressions));
    TRY(expressions_parse(call, &expressions, &set));
    part->projection = set.projection;
    TRY(legacy_project(call, part->attributes, &part->projection));
    return compile_keys(call, input_member(token, "Keys"), part);
}

/* Everything that needs no table. */
static enum error_code compile(struct call *call, const struct json_token *tables,
                               struct batch *batch)
{
    TRY(check_legacy(call, tables));
    const struct json_token *name = json_first(tables);
    for (uint32_t i = 0; i < tables->length; i++, name = json_next(name + 1)) {
        TRY(compile_part(call, name, &batch->parts[i]));
        batch->key_count += batch->parts[i].key_count;
    }
    batch->count = tables->length;
    if (batch->key_count <= LIMIT_BATCH_GET_KEYS) return OK;
    return fail(call, ERROR_VALIDATION, "Too many items requested for the BatchGetItem call");
}

static enum error_code check_part(struct call *call, const struct part *part)
{
    for (size_t i = 0; i < part->key_count; i++)
        TRY(key_check(call, part->table, part->keys[i]));
    return paths_check_projection(call, part->table, part->projection);
}

static enum error_code plan_batch(struct request *request)
{
    struct call *call = &request->call;
    const struct json_token *tables = request->input[INPUT_REQUEST_ITEMS];
    if (tables == NULL || tables->length == 0) {
        return fail(call, ERROR_VALIDATION,
                    "The requestItems parameter is required for BatchGetItem");
    }
    struct batch *batch = arena_new(call->arena, struct batch);
    batch->parts = arena_array(call->arena, struct part, tables->length);
    request->plan = batch;
    TRY(compile(call, tables, batch));
    for (size_t i = 0; i < batch->count; i++)
        TRY(request_table(request, batch->parts[i].name, &batch->parts[i].table));
    for (size_t i = 0; i < batch->count; i++)
        TRY(check_part(call, &batch->parts[i]));
    return OK;
}

/* ---- run ------------------------------------------------------------------------------------- */

/* Reading stops for good at the item that would exceed 16 MB. */
struct reading {
    struct request *request;
    struct kv_txn *txn;
    struct batch *batch;
    size_t bytes;
    size_t place; /* of the next key in the request */
    bool full;
};

static void write_item(struct reading *reading, const struct part *part, struct slice item)
{
    struct buffer *out = &reading->request->response;
    struct slice shown = item;
    if (part->projection != NULL)
        shown = projection_apply(part->projection, item, reading->request->call.arena);
    if (out->data[out->length - 1] != '[') BUFFER_TEXT(out, ",");
    item_to_json(out, shown);
}

static enum error_code read_key(struct reading *reading, const struct part *part,
                                struct slice *item)
{
    struct request *request = reading->request;
    const bool is_consistent = input_boolean(part->consistent_read, false);
    const struct past_view view = {
        .faults = is_consistent ? NULL : request->database->faults,
        .table = part->table,
        .now_ms = request->call.now_ms,
    };
    return item_read_eventually(&request->call, reading->txn, &view, part->keys[part->done], item);
}

static enum error_code read_part(struct reading *reading, struct part *part)
{
    struct request *request = reading->request;
    bool consistent = input_boolean(part->consistent_read, false);
    struct consumption *consumed = consumption_list_find(&reading->batch->consumed, part->table,
                                                         input_string(request, part->name));
    part->left = arena_array(request->call.arena, bool, part->key_count);
    part->left_count = 0;
    for (part->done = 0; part->done < part->key_count && !reading->full; part->done++) {
        struct slice item;
        part->left[part->done] = faults_leave_out(request->database, part->table, reading->place++);
        if (part->left[part->done]) {
            part->left_count++;
            continue;
        }
        TRY(read_key(reading, part, &item));
        size_t bytes = item.length > 0 ? item_size(item) : 0;
        if (reading->bytes + bytes > LIMIT_BATCH_GET_BYTES) {
            reading->full = true;
            break;
        }
        reading->bytes += bytes;
        consumption_add_table(consumed, units_of_read(bytes, consistent));
        if (item.length > 0) write_item(reading, part, item);
    }
    return OK;
}

static enum error_code respond_items(struct reading *reading)
{
    struct buffer *out = &reading->request->response;
    respond_member(reading->request, "Responses");
    BUFFER_TEXT(out, "{");
    for (size_t i = 0; i < reading->batch->count; i++) {
        struct part *part = &reading->batch->parts[i];
        if (i > 0) BUFFER_TEXT(out, ",");
        json_append_string(out, input_string(reading->request, part->name));
        BUFFER_TEXT(out, ":[");
        TRY(read_part(reading, part));
        BUFFER_TEXT(out, "]");
    }
    BUFFER_TEXT(out, "}");
    return OK;
}

static void respond_names(struct request *request, const struct json_token *names)
{
    struct buffer *out = &request->response;
    BUFFER_TEXT(out, ",\"ExpressionAttributeNames\":{");
    const struct json_token *name = json_first(names);
    for (uint32_t i = 0; i < names->length; i++, name = json_next(name + 1)) {
        if (i > 0) BUFFER_TEXT(out, ",");
        json_append_string(out, input_string(request, name));
        BUFFER_TEXT(out, ":");
        json_append_string(out, input_string(request, name + 1));
    }
    BUFFER_TEXT(out, "}");
}

static void respond_attributes(struct request *request, const struct json_token *attributes)
{
    struct buffer *out = &request->response;
    BUFFER_TEXT(out, ",\"AttributesToGet\":[");
    const struct json_token *name = json_first(attributes);
    for (uint32_t i = 0; i < attributes->length; i++, name = json_next(name)) {
        if (i > 0) BUFFER_TEXT(out, ",");
        json_append_string(out, input_string(request, name));
    }
    BUFFER_TEXT(out, "]");
}

/* What was not read, with the options it was asked with, so that it can be asked again as it is. */
static void respond_unprocessed_part(struct request *request, const struct part *part)
{
    struct buffer *out = &request->response;
    json_append_string(out, input_string(request, part->name));
    BUFFER_TEXT(out, ":{\"Keys\":[");
    for (size_t i = 0; i < part->key_count; i++) {
        if (i < part->done && !part->left[i]) continue;
        if (out->data[out->length - 1] != '[') BUFFER_TEXT(out, ",");
        item_to_json(out, part->keys[i]);
    }
    BUFFER_TEXT(out, "]");
    if (part->consistent_read != NULL) {
        bool consistent = input_boolean(part->consistent_read, false);
        buffer_append(out, consistent ? SLICE(",\"ConsistentRead\":true")
                                      : SLICE(",\"ConsistentRead\":false"));
    }
    if (part->expression != NULL) {
        BUFFER_TEXT(out, ",\"ProjectionExpression\":");
        json_append_string(out, input_string(request, part->expression));
    }
    if (part->names != NULL) respond_names(request, part->names);
    if (part->attributes != NULL) respond_attributes(request, part->attributes);
    BUFFER_TEXT(out, "}");
}

static void respond_unprocessed(struct request *request, const struct batch *batch)
{
    struct buffer *out = &request->response;
    bool any = false;
    respond_member(request, "UnprocessedKeys");
    BUFFER_TEXT(out, "{");
    for (size_t i = 0; i < batch->count; i++) {
        const struct part *part = &batch->parts[i];
        if (part->done == part->key_count && part->left_count == 0) continue;
        if (any) BUFFER_TEXT(out, ",");
        respond_unprocessed_part(request, &batch->parts[i]);
        any = true;
    }
    BUFFER_TEXT(out, "}");
}

static enum error_code run_batch(struct request *request, struct kv_txn *txn)
{
    struct batch *batch = request->plan;
    struct reading reading = {.request = request, .txn = txn, .batch = batch};
    batch->consumed = consumption_list_open(request->call.arena, batch->count);

    respond_open(request);
    TRY(respond_items(&reading));
    respond_unprocessed(request, batch);
    respond_consumed_list(request, &batch->consumed,
                          respond_detail(request->input[INPUT_RETURN_CONSUMED_CAPACITY]),
                          MIRROR_NONE);
    respond_close(request);
    return OK;
}

const struct op op_batch_get_item = {
    .name = "BatchGetItem",
    .kind = OP_READ,
    .input = &input_shape,
    .plan = plan_batch,
    .run = run_batch,
};
