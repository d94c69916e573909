/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_json — the stored form of a table description: JSON text of our own, with a format number.
 *
 *   {"format":1,"id":7,"version":3,"name":"orders","uuid":"…",
 *    "partition":[["pk","S"]],"sort":[["sk","N"]],"definitions":[["pk","S"],["sk","N"]],
 *    "indexes":[{"name":"by_date","kind":"GLOBAL","id":1,"partition":…,"projection":"ALL",…}],
 *    "status":"ACTIVE",…}
 *
 * A member that has its resting value (0, false, empty, unset) is left out and reads back as that,
 * so members can be added without a new format. A format number newer than ours is refused. Records
 * may come from a damaged or foreign store, so nothing read is trusted.
 */
#include "base/json.h"
#include "model/schema.h"

enum { FORMAT = 1 };

static const char *const type_names[] = {"S", "N", "B", NULL};
static const enum value_type types[] = {VALUE_STRING, VALUE_NUMBER, VALUE_BINARY};
static const char *const projection_names[] = {"KEYS_ONLY", "INCLUDE", "ALL", NULL};
static const char *const kind_names[] = {"LOCAL", "GLOBAL", NULL};
static const char *const status_names[] = {"CREATING", "UPDATING", "DELETING", "ACTIVE", NULL};
static const char *const change_names[] = {"OTHER", "UNITS", "STREAM", "CLASS", NULL};
static const char *const billing_names[] = {"PROVISIONED", "PAY_PER_REQUEST", NULL};
static const char *const class_names[] = {"", "STANDARD", "STANDARD_INFREQUENT_ACCESS", NULL};
static const char *const view_names[] = {"",          "KEYS_ONLY",          "NEW_IMAGE",
                                         "OLD_IMAGE", "NEW_AND_OLD_IMAGES", NULL};

_Static_assert((int)INDEX_CREATING == (int)TABLE_CREATING &&
                   (int)INDEX_UPDATING == (int)TABLE_UPDATING &&
                   (int)INDEX_DELETING == (int)TABLE_DELETING &&
                   (int)INDEX_ACTIVE == (int)TABLE_ACTIVE,
               "tables and indexes share status_names");

/* ---- writing --------------------------------------------------------------------------------- */

static void write_name(struct buffer *out, const char *name)
{
    const uint8_t last = out->data[out->length - 1];
    if (last != '{' && last != '[') buffer_append_byte(out, ',');
    json_append_string(out, slice_of_string(name));
    buffer_append_byte(out, ':');
}

static void write_text(struct buffer *out, const char *name, struct slice text)
{
    if (text.length == 0) return;
    write_name(out, name);
    json_append_string(out, text);
}

static void write_word(struct buffer *out, const char *name, const char *word)
{
    write_text(out, name, slice_of_string(word));
}

static void write_integer(struct buffer *out, const char *name, int64_t value, int64_t resting)
{
    if (value == resting) return;
    write_name(out, name);
    json_append_int(out, value);
}

static void write_truth(struct buffer *out, const char *name, bool truth)
{
    if (!truth) return;
    write_name(out, name);
    BUFFER_TEXT(out, "true");
}

static void write_attributes(struct buffer *out, const char *name,
                             const struct key_attribute *attributes, size_t count)
{
    if (count == 0) return;
    write_name(out, name);
    for (size_t i = 0; i < count; i++) {
        buffer_append_byte(out, i == 0 ? '[' : ',');
        buffer_append_byte(out, '[');
        json_append_string(out, attributes[i].name);
        buffer_append_byte(out, ',');
        json_append_string(out, slice_of_string(value_type_name(attributes[i].type)));
        buffer_append_byte(out, ']');
    }
    buffer_append_byte(out, ']');
}

static void write_key(struct buffer *out, const struct key_schema *key)
{
    write_attributes(out, "partition", key->attributes, key->partition_count);
    write_attributes(out, "sort", key->attributes + key->partition_count, key->sort_count);
}

static void write_throughput(struct buffer *out, const struct throughput *throughput)
{
    write_integer(out, "read_units", throughput->read_units, 0);
    write_integer(out, "write_units", throughput->write_units, 0);
    write_integer(out, "increase_ms", throughput->increase_ms, 0);
    write_integer(out, "decrease_ms", throughput->decrease_ms, 0);
    write_integer(out, "decreases_today", throughput->decreases_today, 0);
}

static void write_unit_pairs(struct buffer *out, struct unit_pair on_demand, struct unit_pair warm)
{
    write_integer(out, "on_demand_read", on_demand.read, UNITS_UNSET);
    write_integer(out, "on_demand_write", on_demand.write, UNITS_UNSET);
    write_integer(out, "warm_read", warm.read, UNITS_UNSET);
    write_integer(out, "warm_write", warm.write, UNITS_UNSET);
}

static void write_index(struct buffer *out, const struct index *index)
{
    buffer_append_byte(out, '{');
    write_text(out, "name", index->name);
    write_word(out, "kind", kind_names[index->kind]);
    write_integer(out, "id", index->id, 0);
    write_key(out, &index->key);
    write_word(out, "projection", projection_names[index->projection]);
    if (index->included_count != 0) {
        write_name(out, "included");
        for (size_t i = 0; i < index->included_count; i++) {
            buffer_append_byte(out, i == 0 ? '[' : ',');
            json_append_string(out, index->included[i]);
        }
        buffer_append_byte(out, ']');
    }
    write_word(out, "status", status_names[index->status]);
    write_truth(out, "backfilling", index->backfilling);
    write_integer(out, "updating_until_ms", index->updating_until_ms, 0);
    write_throughput(out, &index->throughput);
    write_unit_pairs(out, index->on_demand, index->warm);
    buffer_append_byte(out, '}');
}

static void write_indexes(struct buffer *out, const struct table *table)
{
    if (table->index_count == 0) return;
    write_name(out, "indexes");
    for (size_t i = 0; i < table->index_count; i++) {
        buffer_append_byte(out, i == 0 ? '[' : ',');
        write_index(out, &table->indexes[i]);
    }
    buffer_append_byte(out, ']');
}

static void write_tags(struct buffer *out, const struct table *table)
{
    if (table->tag_count == 0) return;
    write_name(out, "tags");
    for (size_t i = 0; i < table->tag_count; i++) {
        buffer_append_byte(out, i == 0 ? '[' : ',');
        buffer_append_byte(out, '[');
        json_append_string(out, table->tags[i].key);
        buffer_append_byte(out, ',');
        json_append_string(out, table->tags[i].value);
        buffer_append_byte(out, ']');
    }
    buffer_append_byte(out, ']');
}

/* [id,first hash,last hash,opened at] */
static void write_shards(struct buffer *out, const struct table *table)
{
    if (table->shard_count == 0) return;
    write_name(out, "shards");
    for (size_t i = 0; i < table->shard_count; i++) {
        const struct shard *shard = &table->shards[i];
        buffer_append(out, i == 0 ? SLICE("[[") : SLICE(",["));
        json_append_int(out, shard->id);
        buffer_append_byte(out, ',');
        json_append_int(out, shard->hash_first);
        buffer_append_byte(out, ',');
        json_append_int(out, shard->hash_last);
        buffer_append_byte(out, ',');
        json_append_int(out, shard->opened_ms);
        buffer_append_byte(out, ']');
    }
    buffer_append_byte(out, ']');
}

static void write_ttl(struct buffer *out, const struct ttl *ttl)
{
    write_text(out, "ttl_attribute", ttl->attribute);
    write_truth(out, "ttl_enabled", ttl->enabled);
    write_truth(out, "ttl_filling", ttl->filling);
    write_integer(out, "ttl_changed_ms", ttl->changed_ms, 0);
    write_integer(out, "ttl_settled_ms", ttl->settled_ms, 0);
}

static void write_switches(struct buffer *out, const struct table *table)
{
    if (table->on_demand_switches_ms[0] == 0) return;
    write_name(out, "on_demand_switches_ms");
    for (size_t i = 0; i < LIMIT_ON_DEMAND_SWITCHES; i++) {
        buffer_append_byte(out, i == 0 ? '[' : ',');
        json_append_int(out, table->on_demand_switches_ms[i]);
    }
    buffer_append_byte(out, ']');
}

static void write_settings(struct buffer *out, const struct table *table)
{
    write_word(out, "billing", billing_names[table->billing]);
    write_integer(out, "on_demand_since_ms", table->on_demand_since_ms, 0);
    write_switches(out, table);
    write_throughput(out, &table->throughput);
    write_unit_pairs(out, table->on_demand, table->warm);
    write_word(out, "class", class_names[table->class]);
    write_integer(out, "class_changed_ms", table->class_changed_ms, 0);
    write_integer(out, "class_changed_before_ms", table->class_changed_before_ms, 0);
    write_truth(out, "deletion_protection", table->deletion_protection);
    write_integer(out, "protection_changed_ms", table->protection_changed_ms, 0);
    write_word(out, "stream", view_names[table->stream]);
    write_text(out, "stream_label", table->stream_label);
    write_shards(out, table);
    write_integer(out, "next_shard_id", table->next_shard_id, 0);
    write_truth(out, "sse_enabled", table->sse_enabled);
    write_text(out, "sse_key_arn", table->sse_key_arn);
    write_integer(out, "sse_changed_ms", table->sse_changed_ms, 0);
    write_integer(out, "sse_window_ms", table->sse_window_ms, 0);
    write_integer(out, "sse_changes", table->sse_changes, 0);
    write_text(out, "resource_policy", table->policy.text);
    write_integer(out, "policy_changed_ms", table->policy.changed_ms, 0);
    write_text(out, "stream_policy", table->stream_policy.text);
    write_integer(out, "stream_policy_changed_ms", table->stream_policy.changed_ms, 0);
    write_ttl(out, &table->ttl);
    write_tags(out, table);
}

void schema_write(struct buffer *out, const struct table *table)
{
    CHECK(table->id <= INT64_MAX);
    CHECK(table->version <= INT64_MAX);
    CHECK(table->key.partition_count == 1);

    buffer_append_byte(out, '{');
    write_integer(out, "format", FORMAT, 0);
    write_integer(out, "id", (int64_t)table->id, 0);
    write_integer(out, "version", (int64_t)table->version, 0);
    write_text(out, "name", table->name);
    write_text(out, "uuid", table->uuid);
    write_key(out, &table->key);
    write_attributes(out, "definitions", table->definitions, table->definition_count);
    write_indexes(out, table);
    write_integer(out, "next_index_id", table->next_index_id, 0);
    write_word(out, "status", status_names[table->status]);
    write_integer(out, "created_ms", table->created_ms, 0);
    write_integer(out, "active_ms", table->active_ms, 0);
    write_word(out, "change", change_names[table->change]);
    write_settings(out, table);
    buffer_append_byte(out, '}');
}

/* ---- reading --------------------------------------------------------------------------------- */

/* ok turns false at the first thing that we cannot have written. */
struct reader {
    struct arena *arena;   /* what is kept */
    struct arena *scratch; /* tokens and unescaped text */
    bool ok;
};

static const struct json_token *member(struct reader *reader, const struct json_token *object,
                                       const char *name, enum json_kind kind)
{
    const struct json_token *token = json_member(object, slice_of_string(name));
    if (token == NULL) return NULL;
    if (token->kind == (unsigned)kind) return token;
    reader->ok = false;
    return NULL;
}

static struct slice read_string(struct reader *reader, const struct json_token *token)
{
    if (token->kind == JSON_STRING)
        return arena_copy(reader->arena, json_string(token, reader->scratch));
    reader->ok = false;
    return (struct slice){0};
}

static struct slice read_text(struct reader *reader, const struct json_token *object,
                              const char *name)
{
    const struct json_token *token = member(reader, object, name, JSON_STRING);
    if (token == NULL) return (struct slice){0};
    return read_string(reader, token);
}

static int64_t read_integer(struct reader *reader, const struct json_token *object,
                            const char *name, int64_t resting)
{
    int64_t value = resting;
    const struct json_token *token = member(reader, object, name, JSON_NUMBER);
    if (token != NULL && !json_int64(token, &value)) reader->ok = false;
    return value;
}

static uint64_t read_unsigned(struct reader *reader, const struct json_token *object,
                              const char *name)
{
    const int64_t value = read_integer(reader, object, name, 0);
    if (value < 0) reader->ok = false;
    return (uint64_t)value;
}

static bool read_truth(const struct json_token *object, const char *name)
{
    const struct json_token *token = json_member(object, slice_of_string(name));
    return token != NULL && token->kind == JSON_TRUE;
}

/* The position of a word in a list that ends in NULL; absent counts as the first. */
static unsigned read_word(struct reader *reader, const struct json_token *object, const char *name,
                          const char *const *words)
{
    const struct json_token *token = json_member(object, slice_of_string(name));
    if (token == NULL) return 0;
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (token->kind == JSON_STRING && slice_equal_string(json_raw(token), words[i])) return i;
    }
    reader->ok = false;
    return 0;
}

/* ["name","S"] */
static struct key_attribute read_attribute(struct reader *reader, const struct json_token *pair)
{
    struct key_attribute attribute = {.type = VALUE_STRING};
    if (pair->kind != JSON_ARRAY || pair->length != 2) {
        reader->ok = false;
        return attribute;
    }
    const struct json_token *name = json_first(pair);
    const struct json_token *type = json_next(name);
    attribute.name = read_string(reader, name);
    for (unsigned i = 0; type_names[i] != NULL; i++) {
        if (type->kind == JSON_STRING && slice_equal_string(json_raw(type), type_names[i])) {
            attribute.type = types[i];
            return attribute;
        }
    }
    reader->ok = false;
    return attribute;
}

static uint8_t read_key_part(struct reader *reader, const struct json_token *object,
                             const char *name, struct key_attribute *attributes)
{
    const struct json_token *list = member(reader, object, name, JSON_ARRAY);
    if (list == NULL) return 0;
    if (list->length > LIMIT_INDEX_KEY_ATTRIBUTES) {
        reader->ok = false;
        return 0;
    }
    const struct json_token *pair = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, pair = json_next(pair)) {
        attributes[i] = read_attribute(reader, pair);
    }
    return (uint8_t)list->length;
}

static void read_key(struct reader *reader, const struct json_token *object, struct key_schema *key)
{
    key->partition_count = read_key_part(reader, object, "partition", key->attributes);
    key->sort_count = read_key_part(reader, object, "sort", key->attributes + key->partition_count);
    if (key->partition_count == 0) reader->ok = false;
}

static struct throughput read_throughput(struct reader *reader, const struct json_token *object)
{
    return (struct throughput){
        .read_units = read_integer(reader, object, "read_units", 0),
        .write_units = read_integer(reader, object, "write_units", 0),
        .increase_ms = read_integer(reader, object, "increase_ms", 0),
        .decrease_ms = read_integer(reader, object, "decrease_ms", 0),
        .decreases_today = read_integer(reader, object, "decreases_today", 0),
    };
}

static struct unit_pair read_on_demand(struct reader *reader, const struct json_token *object)
{
    return (struct unit_pair){
        .read = read_integer(reader, object, "on_demand_read", UNITS_UNSET),
        .write = read_integer(reader, object, "on_demand_write", UNITS_UNSET),
    };
}

static struct unit_pair read_warm(struct reader *reader, const struct json_token *object)
{
    return (struct unit_pair){
        .read = read_integer(reader, object, "warm_read", UNITS_UNSET),
        .write = read_integer(reader, object, "warm_write", UNITS_UNSET),
    };
}

static void read_included(struct reader *reader, const struct json_token *object,
                          struct index *index)
{
    const struct json_token *list = member(reader, object, "included", JSON_ARRAY);
    if (list == NULL) return;
    index->included = arena_array(reader->arena, struct slice, list->length);
    index->included_count = list->length;
    const struct json_token *token = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, token = json_next(token)) {
        index->included[i] = read_string(reader, token);
    }
}

static void read_index(struct reader *reader, const struct json_token *object, struct index *index)
{
    if (object->kind != JSON_OBJECT) {
        reader->ok = false;
        return;
    }
    index->name = read_text(reader, object, "name");
    index->kind = (enum index_kind)read_word(reader, object, "kind", kind_names);
    index->id = (uint32_t)read_unsigned(reader, object, "id");
    read_key(reader, object, &index->key);
    index->projection =
        (enum projection_type)read_word(reader, object, "projection", projection_names);
    read_included(reader, object, index);
    index->status = (enum index_status)read_word(reader, object, "status", status_names);
    index->backfilling = read_truth(object, "backfilling");
    index->updating_until_ms = read_integer(reader, object, "updating_until_ms", 0);
    index->throughput = read_throughput(reader, object);
    index->on_demand = read_on_demand(reader, object);
    index->warm = read_warm(reader, object);
    if (index->id == 0 || index->name.length == 0) reader->ok = false;
}

static void read_indexes(struct reader *reader, const struct json_token *object,
                         struct table *table)
{
    const struct json_token *list = member(reader, object, "indexes", JSON_ARRAY);
    if (list == NULL) return;
    table->indexes = arena_array(reader->arena, struct index, list->length);
    table->index_count = list->length;
    const struct json_token *token = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, token = json_next(token)) {
        read_index(reader, token, &table->indexes[i]);
    }
}

static void read_definitions(struct reader *reader, const struct json_token *object,
                             struct table *table)
{
    const struct json_token *list = member(reader, object, "definitions", JSON_ARRAY);
    if (list == NULL) return;
    table->definitions = arena_array(reader->arena, struct key_attribute, list->length);
    table->definition_count = list->length;
    const struct json_token *pair = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, pair = json_next(pair)) {
        table->definitions[i] = read_attribute(reader, pair);
    }
}

static void read_tags(struct reader *reader, const struct json_token *object, struct table *table)
{
    const struct json_token *list = member(reader, object, "tags", JSON_ARRAY);
    if (list == NULL) return;
    table->tags = arena_array(reader->arena, struct tag, list->length);
    table->tag_count = list->length;
    const struct json_token *pair = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, pair = json_next(pair)) {
        if (pair->kind != JSON_ARRAY || pair->length != 2) {
            reader->ok = false;
            return;
        }
        table->tags[i].key = read_string(reader, json_first(pair));
        table->tags[i].value = read_string(reader, json_next(json_first(pair)));
    }
}

static uint32_t read_u32(struct reader *reader, const struct json_token *token)
{
    int64_t value = 0;
    if (token->kind != JSON_NUMBER || !json_int64(token, &value)) reader->ok = false;
    if (value < 0 || value > UINT32_MAX) reader->ok = false;
    return (uint32_t)value;
}

static void read_shard(struct reader *reader, const struct json_token *list, struct shard *shard)
{
    enum { MEMBERS = 4 };
    if (list->kind != JSON_ARRAY || list->length != MEMBERS) {
        reader->ok = false;
        return;
    }
    const struct json_token *token = json_first(list);
    shard->id = read_u32(reader, token);
    token = json_next(token);
    shard->hash_first = read_u32(reader, token);
    token = json_next(token);
    shard->hash_last = read_u32(reader, token);
    token = json_next(token);
    if (token->kind != JSON_NUMBER || !json_int64(token, &shard->opened_ms)) reader->ok = false;
}

/* A write finds its shard by its hash, so no hash may be without one. */
static void read_shards(struct reader *reader, const struct json_token *object, struct table *table)
{
    const struct json_token *list = member(reader, object, "shards", JSON_ARRAY);
    if (list == NULL) return;
    table->shards = arena_array(reader->arena, struct shard, list->length);
    table->shard_count = list->length;
    const struct json_token *token = json_first(list);
    uint64_t next = 0;
    for (uint32_t i = 0; i < list->length; i++, token = json_next(token)) {
        struct shard *shard = &table->shards[i];
        read_shard(reader, token, shard);
        if (shard->id == 0 || shard->hash_first != next) reader->ok = false;
        if (shard->hash_last < shard->hash_first) reader->ok = false;
        next = (uint64_t)shard->hash_last + 1;
    }
    if (next != (uint64_t)UINT32_MAX + 1) reader->ok = false;
}

static struct ttl read_ttl(struct reader *reader, const struct json_token *object)
{
    return (struct ttl){
        .attribute = read_text(reader, object, "ttl_attribute"),
        .enabled = read_truth(object, "ttl_enabled"),
        .filling = read_truth(object, "ttl_filling"),
        .changed_ms = read_integer(reader, object, "ttl_changed_ms", 0),
        .settled_ms = read_integer(reader, object, "ttl_settled_ms", 0),
    };
}

static void read_switches(struct reader *reader, const struct json_token *object,
                          struct table *table)
{
    const struct json_token *list = member(reader, object, "on_demand_switches_ms", JSON_ARRAY);
    if (list == NULL) return;
    const struct json_token *token = json_first(list);
    for (uint32_t i = 0; i < list->length && i < LIMIT_ON_DEMAND_SWITCHES; i++) {
        if (!json_int64(token, &table->on_demand_switches_ms[i])) reader->ok = false;
        token = json_next(token);
    }
}

static void read_settings(struct reader *reader, const struct json_token *root, struct table *table)
{
    table->billing = (enum billing_mode)read_word(reader, root, "billing", billing_names);
    table->on_demand_since_ms = read_integer(reader, root, "on_demand_since_ms", 0);
    read_switches(reader, root, table);
    table->throughput = read_throughput(reader, root);
    table->on_demand = read_on_demand(reader, root);
    table->warm = read_warm(reader, root);
    table->class = (enum table_class)read_word(reader, root, "class", class_names);
    table->class_changed_ms = read_integer(reader, root, "class_changed_ms", 0);
    table->class_changed_before_ms = read_integer(reader, root, "class_changed_before_ms", 0);
    table->deletion_protection = read_truth(root, "deletion_protection");
    table->protection_changed_ms = read_integer(reader, root, "protection_changed_ms", 0);
    table->stream = (enum stream_view)read_word(reader, root, "stream", view_names);
    table->stream_label = read_text(reader, root, "stream_label");
    read_shards(reader, root, table);
    table->next_shard_id = (uint32_t)read_unsigned(reader, root, "next_shard_id");
    table->sse_enabled = read_truth(root, "sse_enabled");
    table->sse_key_arn = read_text(reader, root, "sse_key_arn");
    table->sse_changed_ms = read_integer(reader, root, "sse_changed_ms", 0);
    table->sse_window_ms = read_integer(reader, root, "sse_window_ms", 0);
    table->sse_changes = read_integer(reader, root, "sse_changes", 0);
    table->policy.text = read_text(reader, root, "resource_policy");
    table->policy.changed_ms = read_integer(reader, root, "policy_changed_ms", 0);
    table->stream_policy.text = read_text(reader, root, "stream_policy");
    table->stream_policy.changed_ms = read_integer(reader, root, "stream_policy_changed_ms", 0);
    table->ttl = read_ttl(reader, root);
    read_tags(reader, root, table);
}

static bool read_table(struct reader *reader, struct slice bytes, struct table *table)
{
    const struct json_token *root = json_parse(reader->scratch, bytes, NULL);
    if (root == NULL || root->kind != JSON_OBJECT) return false;
    const int64_t format = read_integer(reader, root, "format", 0);
    if (format < 1 || format > FORMAT) return false;

    table->id = read_unsigned(reader, root, "id");
    table->version = read_unsigned(reader, root, "version");
    table->name = read_text(reader, root, "name");
    table->uuid = read_text(reader, root, "uuid");
    read_key(reader, root, &table->key);
    read_definitions(reader, root, table);
    read_indexes(reader, root, table);
    table->next_index_id = (uint32_t)read_unsigned(reader, root, "next_index_id");
    table->status = (enum table_status)read_word(reader, root, "status", status_names);
    table->created_ms = read_integer(reader, root, "created_ms", 0);
    table->active_ms = read_integer(reader, root, "active_ms", 0);
    table->change = (enum table_change)read_word(reader, root, "change", change_names);
    read_settings(reader, root, table);
    if (table->id == 0 || table->name.length == 0) return false;
    if (table->key.partition_count != 1 || table->key.sort_count > 1) return false;
    return reader->ok;
}

bool schema_read(struct arena *arena, struct slice bytes, struct table *table)
{
    *table = (struct table){0};
    struct arena scratch;
    arena_open(&scratch, 0);
    struct reader reader = {.arena = arena, .scratch = &scratch, .ok = true};
    const bool ok = read_table(&reader, bytes, table);
    arena_close(&scratch);
    if (ok) schema_finish(table, arena);
    return ok;
}
