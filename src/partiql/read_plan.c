/* SPDX-License-Identifier: Apache-2.0 */
/* read_plan — how a SELECT is read, and reading it. */
#include "partiql/read_plan.h"

#include "partiql/keys.h"
#include "store/faults.h"
#include "store/layout.h"

static const struct key_schema *source_key(const struct read_plan *plan)
{
    return plan->index == NULL ? &plan->table->key : &plan->index->key;
}

/* ---- the index ------------------------------------------------------------------------------- */

static enum error_code bind_index(struct call *call, struct read_plan *plan)
{
    const struct slice name = plan->statement->index;
    if (name.data == NULL) return OK;
    plan->index = table_index(plan->table, name);
    if (plan->index == NULL || plan->index->status == INDEX_DELETING)
        return fail(call, ERROR_VALIDATION, "The table does not have the specified index");
    if (plan->index->status == INDEX_CREATING) {
        return fail(call, ERROR_VALIDATION,
                    "Cannot read from backfilling global secondary index: %.*s", SLICE_ARGS(name));
    }
    if (plan->index->kind == INDEX_LOCAL || !plan->consistent) return OK;
    return fail(call, ERROR_VALIDATION,
                "Strongly consistent read is not supported on Global Secondary Indexes");
}

/* Names that the index lacks, each once, as messages print them. */
struct missing {
    const struct index *index;
    struct buffer text;
    struct slice *names;
    size_t count;
};

static struct missing missing_open(struct arena *arena, const struct index *index)
{
    return (struct missing){.index = index, .text = buffer_open(arena, 0)};
}

static void miss(struct missing *missing, const struct path *path)
{
    const struct slice name = path->steps[0].name;
    if (missing->index->projection == PROJECT_ALL || index_projects(missing->index, name)) return;
    for (size_t i = 0; i < missing->count; i++) {
        if (slice_equal(missing->names[i], name)) return;
    }
    const size_t size = missing->count * sizeof name;
    missing->names = arena_grow(missing->text.arena, missing->names, size, size + sizeof name);
    missing->names[missing->count++] = name;
    if (missing->count > 1) BUFFER_TEXT(&missing->text, ", ");
    buffer_append(&missing->text, name);
}

static void miss_in(struct missing *missing, const struct node *node)
{
    if (node == NULL) return;
    if (node->kind == NODE_PATH) miss(missing, &node->path);
    miss_in(missing, node->left);
    miss_in(missing, node->right);
    for (size_t i = 0; i < node->child_count; i++)
        miss_in(missing, node->children[i]);
}

/* Global indexes give what they hold; local ones are completed from the table. */
static enum error_code check_columns(struct call *call, struct read_plan *plan)
{
    if (plan->index == NULL) return OK;
    struct missing missing = missing_open(call->arena, plan->index);
    for (size_t i = 0; i < plan->statement->column_count; i++)
        miss(&missing, &plan->statement->columns[i].path);
    plan->fetch = missing.count > 0;
    if (missing.count == 0 || plan->index->kind == INDEX_LOCAL) return OK;
    return fail(call, ERROR_VALIDATION,
                "One or more parameter values were invalid: Global secondary index %.*s does not "
                "project [%.*s]",
                SLICE_ARGS(plan->index->name), SLICE_ARGS(buffer_slice(&missing.text)));
}

/*
 * Filters see entries. Asking a query for more than they hold is refused, unless one of several
 * queries does not; a scan just does not find it.
 */
static enum error_code check_filters(struct call *call, const struct read_plan *plan,
                                     const struct keys *keys)
{
    if (plan->index == NULL || !keys->keyed) return OK;
    struct missing missing = missing_open(call->arena, plan->index);
    for (size_t i = 0; i < keys->count; i++) {
        missing = missing_open(call->arena, plan->index);
        for (size_t j = 0; j < keys->branches[i].filter_count; j++)
            miss_in(&missing, keys->branches[i].filters[j]);
        if (missing.count == 0) return OK;
    }
    if (missing.count == 0) return OK;
    return fail(call, ERROR_VALIDATION,
                "One or more parameter values were invalid: Secondary index %.*s does not project "
                "one or more filter attributes: [%.*s]",
                SLICE_ARGS(plan->index->name), SLICE_ARGS(buffer_slice(&missing.text)));
}

/* ---- ORDER BY -------------------------------------------------------------------------------- */

struct direction {
    bool partitions_descending;
    bool sort_descending;
    bool names_partition;
};

static bool spans_partitions(const struct keys *keys)
{
    for (size_t i = 1; i < keys->count; i++) {
        if (!keys_same_partition(keys, &keys->branches[0], &keys->branches[i])) return true;
    }
    return false;
}

/*
 * With ORDER BY, sort keys that it does not name come in descending order: seen at the service.
 * Partition keys always order before them.
 */
static enum error_code find_direction(struct call *call, const struct read_plan *plan,
                                      struct direction *direction)
{
    const struct statement *statement = plan->statement;
    const struct key_schema *schema = source_key(plan);
    bool names_sort = false;
    direction->sort_descending = statement->order_count > 0;
    for (size_t i = 0; i < statement->order_count; i++) {
        const struct statement_order *order = &statement->orders[i];
        const int position = key_schema_find(schema, order->name);
        if (position < 0) {
            return fail(call, ERROR_VALIDATION,
                        "Attribute %.*s in ORDER BY clause must be part of the primary key",
                        SLICE_ARGS(order->name));
        }
        if (position < schema->partition_count) {
            direction->names_partition = true;
            direction->partitions_descending = order->descending;
        } else if (!names_sort) {
            names_sort = true;
            direction->sort_descending = order->descending;
        }
    }
    return OK;
}

static enum error_code check_order(struct call *call, const struct read_plan *plan,
                                   const struct keys *keys, struct direction *direction)
{
    *direction = (struct direction){0};
    if (plan->statement->order_count == 0) return OK;
    if (plan->statement->where == NULL) {
        return fail(call, ERROR_VALIDATION,
                    "Must have WHERE clause in the statement when using ORDER BY clause.");
    }
    TRY(find_direction(call, plan, direction));
    if (!keys->keyed) {
        return fail(call, ERROR_VALIDATION,
                    "Must have at least one non-optional hash key condition in WHERE clause when "
                    "using ORDER BY clause.");
    }
    if (direction->names_partition || !spans_partitions(keys)) return OK;
    return fail(call, ERROR_VALIDATION,
                "Must have hash key in ORDER BY clause when more than one hash key condition "
                "specified in WHERE clause.");
}

/* ---- reads ----------------------------------------------------------------------------------- */

static void scan_all(struct call *call, struct read_plan *plan)
{
    plan->ranges = arena_new(call->arena, struct kv_range);
    plan->ranges[0] = layout_scan_range(call->arena, plan->table, plan->index, 0, 1);
    plan->range_count = 1;
    plan->filter = plan->statement->where;
}

/* The one item that a branch of the table's own key names. */
static void get_one(struct call *call, struct read_plan *plan, const struct keys *keys)
{
    struct attribute attributes[2];
    const struct key_schema *schema = &plan->table->key;
    attributes[0] =
        (struct attribute){schema->attributes[0].name, keys->branches[0].partition[0].encoded};
    if (schema->sort_count > 0) {
        attributes[1] =
            (struct attribute){schema->attributes[1].name, keys->branches[0].sort[0].low.encoded};
    }
    plan->key = item_build(call->arena, attributes, key_schema_count(schema));
    plan->filter = keys->branches[0].filter_count > 0 ? plan->statement->where : NULL;
}

static void query_branches(struct call *call, struct read_plan *plan, const struct keys *keys,
                           const struct direction *direction)
{
    plan->ranges = arena_array(call->arena, struct kv_range, keys->count);
    plan->range_count = keys->count;
    for (size_t i = 0; i < keys->count; i++) {
        struct key_condition condition;
        const bool exact = keys_condition(keys, &keys->branches[i], &condition);
        if (!exact || keys->branches[i].filter_count > 0) plan->filter = plan->statement->where;
        plan->ranges[i] = layout_query_range(call->arena, plan->table, plan->index, &condition);
        plan->ranges[i].reverse = direction->sort_descending;
    }
}

enum error_code read_plan_make(struct call *call, const struct statement *statement,
                               const struct table *table, bool consistent, struct read_plan *plan)
{
    plan->statement = statement;
    plan->table = table;
    plan->consistent = consistent;
    struct keys keys;
    struct direction direction;
    TRY(bind_index(call, plan));
    TRY(check_columns(call, plan));
    TRY(keys_split(call, statement->where, source_key(plan), &keys));
    TRY(check_filters(call, plan, &keys));
    TRY(check_order(call, plan, &keys, &direction));
    if (!keys.keyed) {
        scan_all(call, plan);
    } else if (plan->index == NULL && keys.count == 1 && keys_is_point(&keys, keys.branches)) {
        get_one(call, plan, &keys);
    } else {
        keys_sort(&keys, direction.partitions_descending, direction.sort_descending);
        query_branches(call, plan, &keys, &direction);
    }
    return OK;
}

/* ---- pages ----------------------------------------------------------------------------------- */

static bool key_fits(const struct key_schema *schema, struct slice key)
{
    for (unsigned i = 0; i < key_schema_count(schema); i++) {
        const struct value value = item_attribute(key, schema->attributes[i].name);
        const bool partition = i < schema->partition_count;
        if (value.type != schema->attributes[i].type || value.data.length == 0) return false;
        if (value.data.length > (partition ? LIMIT_PARTITION_KEY_BYTES : LIMIT_SORT_KEY_BYTES))
            return false;
    }
    return true;
}

bool read_plan_resume(struct call *call, struct read_plan *plan, size_t range, struct slice key)
{
    if (range >= plan->range_count || !key_fits(&plan->table->key, key)) return false;
    if (plan->index != NULL && !key_fits(&plan->index->key, key)) return false;
    const struct slice row = plan->index == NULL
                                 ? layout_item_key(call->arena, plan->table, key)
                                 : layout_index_key(call->arena, plan->table, plan->index, key);
    plan->first = range;
    plan->ranges[range] = layout_resume(call->arena, plan->ranges[range], row);
    return true;
}

/* Hands rows on as the statement shows them. */
struct showing {
    const struct statement *statement;
    struct arena *arena;
    page_row *row;
    void *context;
};

static enum error_code show_row(void *context, struct slice item)
{
    const struct showing *showing = context;
    return showing->row(showing->context,
                        statement_project(showing->statement, item, showing->arena));
}

static enum error_code read_one(struct call *call, struct kv_txn *txn, struct read_plan *plan,
                                struct showing *showing)
{
    struct slice item;
    const struct past_view view = {
        .faults = plan->consistent ? NULL : plan->database->faults,
        .table = plan->table,
        .now_ms = call->now_ms,
    };
    TRY(item_read_eventually(call, txn, &view, plan->key, &item));
    plan->units = units_of_read(item.length > 0 ? item_size(item) : 0, plan->consistent);
    if (item.length == 0) return OK;
    if (plan->filter != NULL && !condition_evaluate(plan->filter, item, call->arena)) return OK;
    return show_row(showing, item);
}

static enum error_code read_ranges(struct call *call, struct kv_txn *txn, struct read_plan *plan,
                                   struct showing *showing)
{
    size_t scanned = 0;
    size_t bytes = 0;
    for (size_t i = plan->first; i < plan->range_count; i++) {
        struct page page = {
            .table = plan->table,
            .index = plan->index,
            .range = plan->ranges[i],
            .limit = plan->limit == 0 ? 0 : plan->limit - scanned,
            .filter = plan->filter,
            .fetch = plan->fetch,
            .filter_row = true,
            .bytes_before = bytes,
            .consistent = plan->consistent,
            .database = plan->database,
            .row = show_row,
            .context = showing,
        };
        TRY(page_read(call, txn, &page));
        scanned += page.scanned;
        bytes += page.bytes;
        plan->units += units_of_read(page.bytes, plan->consistent);
        plan->fetch_units += page.fetch_units;
        plan->last = page.last;
        plan->last_range = i;
        if (page.last.length > 0) return OK;
    }
    return OK;
}

enum error_code read_plan_run(struct call *call, struct kv_txn *txn, struct read_plan *plan,
                              page_row *row, void *context)
{
    struct showing showing = {plan->statement, call->arena, row, context};
    plan->units = 0;
    plan->fetch_units = 0;
    plan->last = (struct slice){0};
    if (plan->key.length > 0) return read_one(call, txn, plan, &showing);
    return read_ranges(call, txn, plan, &showing);
}
