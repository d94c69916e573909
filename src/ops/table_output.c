/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_output — members come in alphabetical order, as the service sends them. What is there and
 * when: facts/errors.md 9, and the cases under tests/wire/describe_table.
 */
#include "ops/table_output.h"

#include "ops/table_quota.h"
#include "store/stream.h"

static const char *const status_words[] = {
    [TABLE_CREATING] = "CREATING",
    [TABLE_UPDATING] = "UPDATING",
    [TABLE_DELETING] = "DELETING",
    [TABLE_ACTIVE] = "ACTIVE",
};

_Static_assert(LIMIT_LOCAL_INDEXES + LIMIT_GLOBAL_INDEXES < 64, "a bit for each index");

enum kv_status table_output_read_sizes(struct request *request, struct kv_txn *txn,
                                       struct table_view *view)
{
    const struct table *table = view->table;
    enum kv_status status = catalog_size(txn, table, NULL, &view->size);
    struct table_size *sizes =
        arena_array(request->call.arena, struct table_size, table->index_count);
    for (size_t i = 0; status == KV_OK && i < table->index_count; i++)
        status = catalog_size(txn, table, &table->indexes[i], &sizes[i]);
    view->index_sizes = sizes;
    return status;
}

/* While the table is UPDATING, the service looks for room; then it fills the index. */
static bool is_filling(const struct table_view *view, const struct index *index)
{
    return index->backfilling && index->status == INDEX_CREATING && view->status != TABLE_UPDATING;
}

enum error_code table_output_read_progress(struct request *request, struct kv_txn *txn,
                                           struct table_view *view)
{
    const struct table *table = view->table;
    struct progress_board *board = request->database->progress;
    struct index_progress *progress =
        arena_array(request->call.arena, struct index_progress, table->index_count);
    enum kv_status status = KV_OK;
    for (size_t i = 0; status == KV_OK && i < table->index_count; i++) {
        progress[i] = (struct index_progress){.rate = {PROGRESS_UNKNOWN, PROGRESS_UNKNOWN}};
        if (!is_filling(view, &table->indexes[i])) continue;
        /* Of an index that is filled by now nothing is left to be read. */
        TRY(catalog_check(txn, request->catalog));
        const struct progress_job job = {
            .kind = PROGRESS_INDEX, .table_id = table->id, .index_id = table->indexes[i].id};
        struct progress_count reported;
        status = progress_read(txn, table, job.index_id, &progress[i].count);
        progress[i].is_known = true;
        progress_find(board, &job, &reported, &progress[i].rate);
    }
    view->progress = progress;
    return database_status(&request->call, status);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* Begins a member of the innermost structure. */
static void member(struct buffer *out, const char *name)
{
    const uint8_t last = out->data[out->length - 1];
    if (last != '{' && last != '[') buffer_append_byte(out, ',');
    json_append_string(out, slice_of_string(name));
    buffer_append_byte(out, ':');
}

static void write_text(struct buffer *out, const char *name, struct slice text)
{
    member(out, name);
    json_append_string(out, text);
}

static void write_word(struct buffer *out, const char *name, const char *word)
{
    write_text(out, name, slice_of_string(word));
}

static void write_integer(struct buffer *out, const char *name, int64_t value)
{
    member(out, name);
    json_append_int(out, value);
}

static void write_truth(struct buffer *out, const char *name, bool truth)
{
    member(out, name);
    buffer_append(out, truth ? SLICE("true") : SLICE("false"));
}

static void write_time(struct buffer *out, const char *name, int64_t time_ms)
{
    member(out, name);
    json_append_seconds(out, time_ms);
}

static void begin(struct buffer *out, const char *name)
{
    member(out, name);
    buffer_append_byte(out, '{');
}

static void end(struct buffer *out)
{
    buffer_append_byte(out, '}');
}

/* ---- keys and projections -------------------------------------------------------------------- */

static void write_definitions(struct buffer *out, const struct table *table)
{
    member(out, "AttributeDefinitions");
    buffer_append_byte(out, '[');
    for (size_t i = 0; i < table->definition_count; i++) {
        buffer_append(out, i > 0 ? SLICE(",{") : SLICE("{"));
        write_text(out, "AttributeName", table->definitions[i].name);
        write_word(out, "AttributeType", value_type_name(table->definitions[i].type));
        end(out);
    }
    buffer_append_byte(out, ']');
}

static void write_key(struct buffer *out, const struct key_schema *key)
{
    member(out, "KeySchema");
    buffer_append_byte(out, '[');
    for (unsigned i = 0; i < key_schema_count(key); i++) {
        buffer_append(out, i > 0 ? SLICE(",{") : SLICE("{"));
        write_text(out, "AttributeName", key->attributes[i].name);
        write_word(out, "KeyType", i < key->partition_count ? "HASH" : "RANGE");
        end(out);
    }
    buffer_append_byte(out, ']');
}

static void write_projection(struct buffer *out, const struct index *index)
{
    static const char *const words[] = {
        [PROJECT_KEYS_ONLY] = "KEYS_ONLY", [PROJECT_INCLUDE] = "INCLUDE", [PROJECT_ALL] = "ALL"};
    begin(out, "Projection");
    if (index->included_count > 0) {
        member(out, "NonKeyAttributes");
        buffer_append_byte(out, '[');
        for (size_t i = 0; i < index->included_count; i++) {
            if (i > 0) buffer_append_byte(out, ',');
            json_append_string(out, index->included[i]);
        }
        buffer_append_byte(out, ']');
    }
    write_word(out, "ProjectionType", words[index->projection]);
    end(out);
}

/* ---- capacity -------------------------------------------------------------------------------- */

static void write_throughput(struct buffer *out, const struct throughput *throughput,
                             int64_t now_ms)
{
    begin(out, "ProvisionedThroughput");
    if (throughput->decrease_ms != 0)
        write_time(out, "LastDecreaseDateTime", throughput->decrease_ms);
    if (throughput->increase_ms != 0)
        write_time(out, "LastIncreaseDateTime", throughput->increase_ms);
    write_integer(out, "NumberOfDecreasesToday", table_quota_decreases_today(throughput, now_ms));
    write_integer(out, "ReadCapacityUnits", throughput->read_units);
    write_integer(out, "WriteCapacityUnits", throughput->write_units);
    end(out);
}

static void write_on_demand(struct buffer *out, struct unit_pair units)
{
    if (units.read == UNITS_UNSET && units.write == UNITS_UNSET) return;
    begin(out, "OnDemandThroughput");
    if (units.read != UNITS_UNSET) write_integer(out, "MaxReadRequestUnits", units.read);
    if (units.write != UNITS_UNSET) write_integer(out, "MaxWriteRequestUnits", units.write);
    end(out);
}

static void write_warm(struct buffer *out, struct unit_pair warm, const char *status)
{
    if (warm.read == UNITS_UNSET || warm.write == UNITS_UNSET) return;
    begin(out, "WarmThroughput");
    write_integer(out, "ReadUnitsPerSecond", warm.read);
    write_word(out, "Status", status);
    write_integer(out, "WriteUnitsPerSecond", warm.write);
    end(out);
}

static void write_billing(struct buffer *out, const struct table_view *view)
{
    const struct table *table = view->table;
    const bool is_on_demand = table->billing == BILLING_PAY_PER_REQUEST;
    if (!is_on_demand && table->on_demand_since_ms == 0) return;
    begin(out, "BillingModeSummary");
    write_word(out, "BillingMode", is_on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
    if (view->look != LOOK_CREATED && table->on_demand_since_ms != 0)
        write_time(out, "LastUpdateToPayPerRequestDateTime", table->on_demand_since_ms);
    end(out);
}

/* ---- progress -------------------------------------------------------------------------------- */

void table_output_write_progress(struct buffer *out, struct progress_count count,
                                 struct progress_rate rate)
{
    buffer_append_byte(out, '{');
    write_integer(out, "ItemsDone", count.done);
    if (count.total != PROGRESS_UNKNOWN) write_integer(out, "ItemsTotal", count.total);
    if (rate.items_per_second != PROGRESS_UNKNOWN)
        write_integer(out, "ItemsPerSecond", rate.items_per_second);
    if (rate.seconds_left != PROGRESS_UNKNOWN) write_integer(out, "SecondsLeft", rate.seconds_left);
    end(out);
}

/* ---- indexes --------------------------------------------------------------------------------- */

/* Indexes made with their table come to life with it. */
static enum index_status index_status_of(const struct table_view *view, const struct index *index)
{
    if (view->status == TABLE_CREATING) return INDEX_CREATING;
    if (view->status == TABLE_DELETING) return INDEX_DELETING;
    if (index->status == INDEX_ACTIVE && view->now_ms < index->updating_until_ms)
        return INDEX_UPDATING;
    return index->status;
}

static void write_global(struct buffer *out, const struct table_view *view, size_t at)
{
    static const char *const words[] = {
        [INDEX_CREATING] = "CREATING",
        [INDEX_UPDATING] = "UPDATING",
        [INDEX_DELETING] = "DELETING",
        [INDEX_ACTIVE] = "ACTIVE",
    };
    const struct index *index = &view->table->indexes[at];
    if (index->backfilling && index->status == INDEX_CREATING)
        write_truth(out, "Backfilling", is_filling(view, index));
    write_word(out, "IndexStatus", words[index_status_of(view, index)]);
    write_on_demand(out, index->on_demand);
    write_throughput(out, &index->throughput, view->now_ms);
    const bool is_updating = (view->warm_indexes >> at & 1) != 0;
    if (view->look != LOOK_CREATED)
        write_warm(out, index->warm, is_updating ? "UPDATING" : "ACTIVE");
    if (view->progress != NULL && view->progress[at].is_known) {
        member(out, "StatorProgress");
        table_output_write_progress(out, view->progress[at].count, view->progress[at].rate);
    }
}

static void write_index(struct request *request, const struct table_view *view, size_t at)
{
    struct buffer *out = &request->response;
    const struct table *table = view->table;
    const struct index *index = &table->indexes[at];
    write_text(out, "IndexArn",
               table_arn(request->call.arena, request->database, table->name, index));
    write_text(out, "IndexName", index->name);
    write_integer(out, "IndexSizeBytes", view->index_sizes[at].bytes);
    write_integer(out, "ItemCount", view->index_sizes[at].items);
    write_key(out, &index->key);
    write_projection(out, index);
    if (index->kind == INDEX_GLOBAL) write_global(out, view, at);
}

static void write_indexes(struct request *request, const struct table_view *view,
                          enum index_kind kind)
{
    struct buffer *out = &request->response;
    size_t count = 0;
    for (size_t i = 0; i < view->table->index_count; i++) {
        if (view->table->indexes[i].kind != kind) continue;
        if (count++ == 0) {
            member(out, kind == INDEX_LOCAL ? "LocalSecondaryIndexes" : "GlobalSecondaryIndexes");
            buffer_append_byte(out, '[');
        } else {
            buffer_append_byte(out, ',');
        }
        buffer_append_byte(out, '{');
        write_index(request, view, i);
        end(out);
    }
    if (count > 0) buffer_append_byte(out, ']');
}

/* ---- settings -------------------------------------------------------------------------------- */

static void write_stream(struct buffer *out, const struct table *table)
{
    if (table->stream == STREAM_OFF) return;
    begin(out, "StreamSpecification");
    write_truth(out, "StreamEnabled", true);
    write_word(out, "StreamViewType", stream_view_word(table->stream));
    end(out);
}

static void write_latest_stream(struct request *request, const struct table *table)
{
    if (table->stream_label.length == 0) return;
    write_text(
        &request->response, "LatestStreamArn",
        stream_arn(request->call.arena, request->database, table->name, table->stream_label));
    write_text(&request->response, "LatestStreamLabel", table->stream_label);
}

static void write_encryption(struct buffer *out, const struct table_view *view)
{
    const struct table *table = view->table;
    if (!table->sse_enabled && !view->encryption_is_updating) return;
    begin(out, "SSEDescription");
    if (table->sse_enabled) write_text(out, "KMSMasterKeyArn", table->sse_key_arn);
    if (table->sse_enabled) write_word(out, "SSEType", "KMS");
    write_word(out, "Status", view->encryption_is_updating ? "UPDATING" : "ENABLED");
    end(out);
}

static void write_class(struct buffer *out, const struct table *table)
{
    if (table->class == CLASS_UNSET) return;
    begin(out, "TableClassSummary");
    if (table->class_changed_ms != 0)
        write_time(out, "LastUpdateDateTime", table->class_changed_ms);
    write_word(out, "TableClass",
               table->class == CLASS_STANDARD ? "STANDARD" : "STANDARD_INFREQUENT_ACCESS");
    end(out);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void write_table(struct request *request, const struct table_view *view)
{
    struct buffer *out = &request->response;
    const struct table *table = view->table;
    const bool is_whole = view->look != LOOK_DELETED;
    if (is_whole) write_definitions(out, table);
    write_billing(out, view);
    if (is_whole) write_time(out, "CreationDateTime", table->created_ms);
    write_truth(out, "DeletionProtectionEnabled", table->deletion_protection);
    if (is_whole) write_indexes(request, view, INDEX_GLOBAL);
    write_integer(out, "ItemCount", view->size.items);
    if (is_whole) write_key(out, &table->key);
    write_latest_stream(request, table);
    if (is_whole) write_indexes(request, view, INDEX_LOCAL);
    write_on_demand(out, table->on_demand);
    write_throughput(out, &table->throughput, view->now_ms);
    write_encryption(out, view);
    write_stream(out, table);
    write_text(out, "TableArn",
               table_arn(request->call.arena, request->database, table->name, NULL));
    write_class(out, table);
    write_text(out, "TableId", table->uuid);
    write_text(out, "TableName", table->name);
    write_integer(out, "TableSizeBytes", view->size.bytes);
    write_word(out, "TableStatus", status_words[view->status]);
    const bool is_updating = view->warm_is_updating || view->look == LOOK_CREATED;
    if (view->look == LOOK_DESCRIBED || (view->look == LOOK_CREATED && view->shows_warm))
        write_warm(out, table->warm, is_updating ? "UPDATING" : "ACTIVE");
}

void table_output_write(struct request *request, const char *name, const struct table_view *view)
{
    struct buffer *out = &request->response;
    out->length = 0;
    buffer_append_byte(out, '{');
    begin(out, name);
    write_table(request, view);
    end(out);
    end(out);
}
