/* SPDX-License-Identifier: Apache-2.0 */
/* read_page — plans and answers one page of Query or Scan. */
#include "ops/read_page.h"

#include "model/value_json.h"
#include "ops/legacy_condition.h"
#include "ops/paths.h"
#include "ops/respond.h"
#include "store/item.h"
#include "store/layout.h"

static const char start_invalid[] = "The provided starting key is invalid";

/* ---- ExclusiveStartKey ----------------------------------------------------------------------- */

/* The messages about values that do not say which key they are about (facts/errors.md 4). */
static bool is_said_bare(struct slice message)
{
    static const char *const marks[] = {
        "contains duplicates",   "number set", "numeric value", "significant digits",
        "number with magnitude",
    };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (memmem(message.data, message.length, marks[i], strlen(marks[i])) != NULL) return true;
    }
    return false;
}

/* Puts the failure that is recorded behind "The provided starting key is invalid: ". */
static enum error_code say_start_invalid(struct call *call)
{
    if (call->error.code != ERROR_VALIDATION) return call->error.code;
    struct slice message = call->error.message;
    call_reset(call);
    return fail(call, ERROR_VALIDATION, "%s: %.*s", start_invalid, SLICE_ARGS(message));
}

enum error_code read_page_start(struct request *request, struct read_page *read)
{
    struct call *call = &request->call;
    if (read->input.start_key == NULL) return OK;
    enum error_code code = item_from_json(call, read->input.start_key, &read->start);
    if (code == OK || is_said_bare(call->error.message)) return code;
    return say_start_invalid(call);
}

/* Attributes of the table's key and the index's, each once. */
static unsigned start_attribute_count(const struct read_page *read)
{
    unsigned count = key_schema_count(&read->table->key);
    if (read->index == NULL) return count;
    for (unsigned i = 0; i < key_schema_count(&read->index->key); i++) {
        struct slice name = read->index->key.attributes[i].name;
        count += key_schema_find(&read->table->key, name) < 0;
    }
    return count;
}

static enum error_code check_start_of_index(struct call *call, const struct read_page *read)
{
    for (unsigned i = 0; i < key_schema_count(&read->index->key); i++) {
        const struct key_attribute *attribute = &read->index->key.attributes[i];
        struct value value = item_attribute(read->start, attribute->name);
        if (value.type == VALUE_ABSENT) return fail(call, ERROR_VALIDATION, "%s", start_invalid);
        if (value.type != attribute->type) {
            return fail(call, ERROR_VALIDATION,
                        "The provided key element does not match the schema");
        }
        /* No entry has such a key, so no page ended there. */
        if (value.data.length == 0) return fail(call, ERROR_VALIDATION, "%s", start_invalid);
        const bool is_partition = i < read->index->key.partition_count;
        if (key_condition_check_length(call, is_partition, value.data.length) != OK)
            return say_start_invalid(call);
    }
    return OK;
}

enum error_code read_page_check_start(struct call *call, const struct read_page *read,
                                      const char *mismatch)
{
    if (read->input.start_key == NULL) return OK;
    if (value_read(read->start).count != start_attribute_count(read))
        return fail(call, ERROR_VALIDATION, "%s", mismatch);
    if (read->index != NULL) TRY(check_start_of_index(call, read));
    struct slice table_key = item_key(call->arena, read->table, NULL, read->start);
    const bool is_whole = value_read(table_key).count == key_schema_count(&read->table->key);
    if (!is_whole && read->index == NULL) return fail(call, ERROR_VALIDATION, "%s", mismatch);
    if (key_check(call, read->table, table_key) != OK) return say_start_invalid(call);
    return OK;
}

struct slice read_page_start_row(struct call *call, const struct read_page *read)
{
    if (read->index == NULL) return layout_item_key(call->arena, read->table, read->start);
    return layout_index_key(call->arena, read->table, read->index, read->start);
}

/* ---- conditions and projections -------------------------------------------------------------- */

enum error_code read_page_lower_filter(struct call *call, struct read_page *read)
{
    return legacy_condition_filter(call, read->input.filter, read->input.conditional_operator,
                                   &read->legacy.filter);
}

enum error_code read_page_lower_projection(struct call *call, struct read_page *read)
{
    return legacy_project(call, read->input.attributes_to_get, &read->legacy.projection);
}

enum error_code read_page_parse(struct call *call, struct read_page *read)
{
    const struct expression_set *legacy = &read->legacy;
    struct expression_set *set = &read->set;
    TRY(expressions_parse(call, &read->input.expressions, set));
    if (set->filter == NULL) set->filter = legacy->filter;
    if (set->projection == NULL) set->projection = legacy->projection;
    return OK;
}

/* ---- Select ---------------------------------------------------------------------------------- */

static bool selects(struct request *request, const struct read_page *read, const char *what)
{
    return slice_equal_string(input_string(request, read->input.select), what);
}

enum error_code read_page_check_select(struct request *request, const struct read_page *read,
                                       const char *specific_envelope)
{
    struct call *call = &request->call;
    if (read->input.select == NULL) return OK;
    bool projects = read->set.projection != NULL;
    bool specific = selects(request, read, "SPECIFIC_ATTRIBUTES");
    if (specific && !projects) {
        return fail(call, ERROR_VALIDATION,
                    "%sMust specify the AttributesToGet or ProjectionExpression when choosing to "
                    "get SPECIFIC_ATTRIBUTES",
                    specific_envelope);
    }
    if (projects && !specific) {
        struct slice select = input_string(request, read->input.select);
        if (selects(request, read, "COUNT")) select = SLICE("only the Count");
        return fail(call, ERROR_VALIDATION, "Cannot specify the %s when choosing to get %.*s",
                    read->input.attributes_to_get != NULL ? "AttributesToGet"
                                                          : "ProjectionExpression",
                    SLICE_ARGS(select));
    }
    if (selects(request, read, "ALL_PROJECTED_ATTRIBUTES") && read->input.index_name == NULL) {
        return fail(call, ERROR_VALIDATION,
                    "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
    }
    return OK;
}

/* ---- table and index ------------------------------------------------------------------------- */

static enum error_code bind_index(struct request *request, struct read_page *read)
{
    struct call *call = &request->call;
    struct slice name = input_string(request, read->input.index_name);
    const struct index *index = table_index(read->table, name);
    if (index == NULL || index->status == INDEX_DELETING) {
        return fail(call, ERROR_VALIDATION, "The table does not have the specified index: %.*s",
                    SLICE_ARGS(name));
    }
    if (index->status == INDEX_CREATING) {
        return fail(call, ERROR_VALIDATION,
                    "Cannot read from backfilling global secondary index: %.*s", SLICE_ARGS(name));
    }
    if (index->kind == INDEX_GLOBAL && read->page.consistent) {
        return fail(call, ERROR_VALIDATION,
                    "Consistent reads are not supported on global secondary indexes");
    }
    read->index = index;
    return OK;
}

enum error_code read_page_bind(struct request *request, struct read_page *read)
{
    read->request = request;
    read->page.consistent = input_boolean(read->input.consistent_read, false);
    TRY(request_table(request, read->input.table_name, &read->table));
    if (read->input.index_name != NULL) TRY(bind_index(request, read));
    return OK;
}

const struct key_schema *read_page_key(const struct read_page *read)
{
    return read->index == NULL ? &read->table->key : &read->index->key;
}

/* Local indexes are completed from the table; global ones are not. */
enum error_code read_page_check_projection(struct request *request, struct read_page *read)
{
    struct call *call = &request->call;
    const struct index *index = read->index;
    if (index == NULL || index->projection == PROJECT_ALL) return OK;
    if (selects(request, read, "ALL_ATTRIBUTES")) {
        read->page.fetch = index->kind == INDEX_LOCAL;
        if (read->page.fetch) return OK;
        return fail(call, ERROR_VALIDATION,
                    "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not "
                    "supported for global secondary index %.*s because its projection type is not "
                    "ALL",
                    SLICE_ARGS(index->name));
    }
    if (read->set.projection == NULL) return OK;
    struct slice missing = paths_unprojected(call->arena, index, read->set.projection);
    if (missing.length == 0) return OK;
    read->page.fetch = index->kind == INDEX_LOCAL;
    if (read->page.fetch) return OK;
    return fail(call, ERROR_VALIDATION,
                "One or more parameter values were invalid: Global secondary index %.*s does not "
                "project [%.*s]",
                SLICE_ARGS(index->name), SLICE_ARGS(missing));
}

/* ---- the page -------------------------------------------------------------------------------- */

/* Called for each item of the page. */
static enum error_code write_item(void *context, struct slice item)
{
    const struct read_page *read = context;
    struct buffer *out = &read->request->response;
    struct slice shown = item;
    if (read->set.projection != NULL)
        shown = projection_apply(read->set.projection, item, read->request->call.arena);
    if (out->data[out->length - 1] != '[') BUFFER_TEXT(out, ",");
    item_to_json(out, shown);
    return OK;
}

static void respond_cost(struct request *request, const struct read_page *read)
{
    enum consumption_detail detail = respond_detail(read->input.return_consumed_capacity);
    if (detail == CONSUMED_NONE) return;
    int64_t units = units_of_read(read->page.bytes, read->page.consistent);
    struct consumption consumption;
    consumption_open(&consumption, request->call.arena, read->table);
    consumption.name = input_string(request, read->input.table_name);
    if (read->index == NULL) {
        consumption_add_table(&consumption, units);
    } else {
        consumption_add_index(&consumption, (size_t)(read->index - read->table->indexes), units);
        if (read->page.fetch) consumption_add_table(&consumption, read->page.fetch_units);
    }
    respond_consumed(request, &consumption, detail);
}

static void respond_counts(struct request *request, const struct page *page)
{
    respond_member(request, "Count");
    json_append_int(&request->response, (int64_t)page->count);
    respond_member(request, "ScannedCount");
    json_append_int(&request->response, (int64_t)page->scanned);
}

enum error_code read_page_run(struct request *request, struct kv_txn *txn)
{
    struct read_page *read = request->plan;
    struct page *page = &read->page;
    bool counts_only = selects(request, read, "COUNT");
    page->database = request->database;
    page->table = read->table;
    page->index = read->index;
    page->filter = read->set.filter;
    page->limit = (size_t)input_integer(read->input.limit, 0);
    page->row = counts_only ? NULL : write_item;
    page->context = read;

    respond_open(request);
    if (!counts_only) {
        respond_member(request, "Items");
        BUFFER_TEXT(&request->response, "[");
    }
    TRY(page_read(&request->call, txn, page));
    if (!counts_only) BUFFER_TEXT(&request->response, "]");
    respond_counts(request, page);
    if (page->last.length > 0) respond_item(request, "LastEvaluatedKey", page->last);
    respond_cost(request, read);
    respond_close(request);
    return OK;
}
