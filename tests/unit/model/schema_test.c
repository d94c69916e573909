/* SPDX-License-Identifier: Apache-2.0 */
/* schema: a description survives being stored, and what we did not write is refused. */
#include "unit/unit.h"

#include "model/schema.h"

static struct arena arena;

static int open_arena(void **state)
{
    (void)state;
    arena_open(&arena, 0);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

static struct key_attribute attribute(const char *name, enum value_type type)
{
    return (struct key_attribute){slice_of_string(name), type};
}

static struct slice written(const struct table *table)
{
    struct buffer out = buffer_open(&arena, 0);
    schema_write(&out, table);
    return buffer_slice(&out);
}

static struct table small_table(void)
{
    return (struct table){
        .id = 1,
        .name = SLICE("Small"),
        .key = {.partition_count = 1, .attributes = {attribute("pk", VALUE_STRING)}},
        .on_demand = {UNITS_UNSET, UNITS_UNSET},
        .warm = {UNITS_UNSET, UNITS_UNSET},
    };
}

/* Every member differs from its resting value, and from every other. */
static struct index full_index(void)
{
    static struct slice included[2];
    included[0] = SLICE("a\"b\\c\n");
    included[1] = SLICE("\xC3\xA9t\xC3\xA9");
    return (struct index){
        .name = SLICE("by.date-1_X"),
        .kind = INDEX_GLOBAL,
        .id = 9,
        .key = {2,
                2,
                {attribute("g1", VALUE_STRING), attribute("g2", VALUE_NUMBER),
                 attribute("s1", VALUE_BINARY), attribute("sk", VALUE_NUMBER)}},
        .projection = PROJECT_INCLUDE,
        .included = included,
        .included_count = 2,
        .status = INDEX_CREATING,
        .backfilling = true,
        .updating_until_ms = 101,
        .throughput = {.read_units = 102,
                       .write_units = 103,
                       .increase_ms = 104,
                       .decrease_ms = 105,
                       .decreases_today = 3},
        .on_demand = {106, 107},
        .warm = {108, 109},
    };
}

static struct table full_table(void)
{
    static struct index indexes[2];
    static struct key_attribute definitions[2];
    static struct tag tags[2];
    indexes[0] = full_index();
    indexes[1] = (struct index){
        .name = SLICE("local"),
        .kind = INDEX_LOCAL,
        .id = 2,
        .key = {1, 1, {attribute("pk", VALUE_STRING), attribute("x", VALUE_STRING)}},
        .projection = PROJECT_KEYS_ONLY,
        .status = INDEX_ACTIVE,
        .on_demand = {UNITS_UNSET, UNITS_UNSET},
        .warm = {UNITS_UNSET, UNITS_UNSET},
    };
    definitions[0] = attribute("pk", VALUE_STRING);
    definitions[1] = attribute("sk", VALUE_NUMBER);
    tags[0] = (struct tag){SLICE("team"), SLICE("red & \"blue\"")};
    tags[1] = (struct tag){SLICE("empty"), SLICE("")};
    return (struct table){
        .id = INT64_MAX,
        .version = 77,
        .name = SLICE("Full_Table-1.x"),
        .uuid = SLICE("c1766acb-52c9-4d5e-8e79-7532d8574eae"),
        .key = {1, 1, {attribute("pk", VALUE_STRING), attribute("sk", VALUE_NUMBER)}},
        .indexes = indexes,
        .index_count = 2,
        .next_index_id = 10,
        .definitions = definitions,
        .definition_count = 2,
        .status = TABLE_UPDATING,
        .created_ms = 201,
        .active_ms = 202,
        .change = CHANGE_STREAM,
        .billing = BILLING_PAY_PER_REQUEST,
        .on_demand_since_ms = 203,
        .throughput = {.read_units = 1, .write_units = 2, .increase_ms = 3, .decrease_ms = 4},
        .on_demand = {UNITS_UNSET, 204},
        .warm = {205, UNITS_UNSET},
        .class = CLASS_INFREQUENT_ACCESS,
        .class_changed_ms = 206,
        .class_changed_before_ms = 207,
        .deletion_protection = true,
        .stream = STREAM_NEW_AND_OLD,
        .stream_label = SLICE("2026-10-08T23:07:31.275"),
        .sse_enabled = true,
        .sse_key_arn = SLICE("arn:aws:kms:us-east-1:123456789012:key/x"),
        .protection_changed_ms = 1763700000001,
        .on_demand_switches_ms = {1763700000009, 1763700000008},
        .sse_changed_ms = 1763700000002,
        .sse_window_ms = 1763700000003,
        .sse_changes = 4,
        .policy = {SLICE("{\"Version\":\"2012-10-17\"}"), 1763700000004},
        .stream_policy = {SLICE("{}"), 1763700000005},
        .ttl = {SLICE("expires"), true, true, 1763700000006, 1763700000007},
        .tags = tags,
        .tag_count = 2,
    };
}

static void assert_same_key(const struct key_schema *a, const struct key_schema *b)
{
    assert_int_equal(a->partition_count, b->partition_count);
    assert_int_equal(a->sort_count, b->sort_count);
    for (unsigned i = 0; i < key_schema_count(a); i++) {
        ASSERT_SLICE(a->attributes[i].name, b->attributes[i].name);
        assert_int_equal(a->attributes[i].type, b->attributes[i].type);
    }
}

static void assert_same_throughput(const struct throughput *a, const struct throughput *b)
{
    assert_int_equal(a->read_units, b->read_units);
    assert_int_equal(a->write_units, b->write_units);
    assert_int_equal(a->increase_ms, b->increase_ms);
    assert_int_equal(a->decrease_ms, b->decrease_ms);
    assert_int_equal(a->decreases_today, b->decreases_today);
}

static void assert_same_pair(struct unit_pair a, struct unit_pair b)
{
    assert_true(a.read == b.read);
    assert_true(a.write == b.write);
}

static void assert_same_index(const struct index *a, const struct index *b)
{
    ASSERT_SLICE(a->name, b->name);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->id, b->id);
    assert_same_key(&a->key, &b->key);
    assert_int_equal(a->projection, b->projection);
    assert_int_equal(a->included_count, b->included_count);
    for (size_t i = 0; i < a->included_count; i++)
        ASSERT_SLICE(a->included[i], b->included[i]);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->backfilling, b->backfilling);
    assert_int_equal(a->updating_until_ms, b->updating_until_ms);
    assert_same_throughput(&a->throughput, &b->throughput);
    assert_same_pair(a->on_demand, b->on_demand);
    assert_same_pair(a->warm, b->warm);
}

static void assert_same_settings(const struct table *a, const struct table *b)
{
    assert_int_equal(a->billing, b->billing);
    assert_int_equal(a->on_demand_since_ms, b->on_demand_since_ms);
    assert_same_throughput(&a->throughput, &b->throughput);
    assert_same_pair(a->on_demand, b->on_demand);
    assert_same_pair(a->warm, b->warm);
    assert_int_equal(a->class, b->class);
    assert_int_equal(a->class_changed_ms, b->class_changed_ms);
    assert_int_equal(a->class_changed_before_ms, b->class_changed_before_ms);
    assert_int_equal(a->deletion_protection, b->deletion_protection);
    assert_int_equal(a->stream, b->stream);
    ASSERT_SLICE(a->stream_label, b->stream_label);
    assert_int_equal(a->sse_enabled, b->sse_enabled);
    ASSERT_SLICE(a->sse_key_arn, b->sse_key_arn);
    assert_int_equal(a->protection_changed_ms, b->protection_changed_ms);
    assert_memory_equal(a->on_demand_switches_ms, b->on_demand_switches_ms,
                        sizeof a->on_demand_switches_ms);
    assert_int_equal(a->sse_changed_ms, b->sse_changed_ms);
    assert_int_equal(a->sse_window_ms, b->sse_window_ms);
    assert_int_equal(a->sse_changes, b->sse_changes);
    ASSERT_SLICE(a->policy.text, b->policy.text);
    assert_int_equal(a->policy.changed_ms, b->policy.changed_ms);
    ASSERT_SLICE(a->stream_policy.text, b->stream_policy.text);
    assert_int_equal(a->stream_policy.changed_ms, b->stream_policy.changed_ms);
    ASSERT_SLICE(a->ttl.attribute, b->ttl.attribute);
    assert_int_equal(a->ttl.enabled, b->ttl.enabled);
    assert_int_equal(a->ttl.filling, b->ttl.filling);
    assert_int_equal(a->ttl.changed_ms, b->ttl.changed_ms);
    assert_int_equal(a->ttl.settled_ms, b->ttl.settled_ms);
    assert_int_equal(a->tag_count, b->tag_count);
    for (size_t i = 0; i < a->tag_count; i++) {
        ASSERT_SLICE(a->tags[i].key, b->tags[i].key);
        ASSERT_SLICE(a->tags[i].value, b->tags[i].value);
    }
}

static void assert_same_table(const struct table *a, const struct table *b)
{
    assert_true(a->id == b->id);
    assert_true(a->version == b->version);
    ASSERT_SLICE(a->name, b->name);
    ASSERT_SLICE(a->uuid, b->uuid);
    assert_same_key(&a->key, &b->key);
    assert_int_equal(a->index_count, b->index_count);
    for (size_t i = 0; i < a->index_count; i++)
        assert_same_index(&a->indexes[i], &b->indexes[i]);
    assert_int_equal(a->next_index_id, b->next_index_id);
    assert_int_equal(a->definition_count, b->definition_count);
    for (size_t i = 0; i < a->definition_count; i++) {
        ASSERT_SLICE(a->definitions[i].name, b->definitions[i].name);
        assert_int_equal(a->definitions[i].type, b->definitions[i].type);
    }
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->created_ms, b->created_ms);
    assert_int_equal(a->active_ms, b->active_ms);
    assert_int_equal(a->change, b->change);
    assert_same_settings(a, b);
}

static void every_member_survives_being_stored(void **state)
{
    (void)state;
    const struct table tables[] = {full_table(), small_table()};
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        const struct slice record = written(&tables[i]);
        struct table read;
        assert_true(schema_read(&arena, record, &read));
        assert_same_table(&tables[i], &read);
        ASSERT_SLICE(written(&read), record);
    }
}

static void description_outlives_its_record(void **state)
{
    (void)state;
    const struct table table = full_table();
    struct slice record = arena_copy(&arena, written(&table));
    struct table read;
    assert_true(schema_read(&arena, record, &read));
    memset((uint8_t *)(uintptr_t)record.data, 'x', record.length);
    assert_same_table(&table, &read);
}

static void missing_members_read_as_resting_values(void **state)
{
    (void)state;
    struct table read;
    const struct slice oldest =
        SLICE("{\"format\":1,\"id\":3,\"name\":\"Old\",\"partition\":[[\"pk\",\"S\"]]}");
    assert_true(schema_read(&arena, oldest, &read));
    assert_int_equal(read.id, 3);
    assert_int_equal(read.index_count, 0);
    assert_true(read.on_demand.read == UNITS_UNSET);
    assert_true(read.warm.write == UNITS_UNSET);
    assert_int_equal(read.class, CLASS_UNSET);
    assert_int_equal(read.stream, STREAM_OFF);
    assert_false(read.deletion_protection);
}

static void unknown_members_are_passed_over(void **state)
{
    (void)state;
    struct table read;
    assert_true(schema_read(&arena,
                            SLICE("{\"format\":1,\"id\":3,\"name\":\"Old\",\"future\":{\"a\":[1]},"
                                  "\"partition\":[[\"pk\",\"S\"]]}"),
                            &read));
}

static void what_we_did_not_write_is_refused(void **state)
{
    (void)state;
    static const char *const records[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"format\":1",
        "{\"format\":\"1\"}",
        /* a newer format, none, a broken one */
        "{\"format\":2,\"id\":3,\"name\":\"T\",\"partition\":[[\"pk\",\"S\"]]}",
        "{\"id\":3,\"name\":\"T\",\"partition\":[[\"pk\",\"S\"]]}",
        "{\"format\":1.5,\"id\":3,\"name\":\"T\",\"partition\":[[\"pk\",\"S\"]]}",
        /* no id, no name, no key */
        "{\"format\":1,\"name\":\"T\",\"partition\":[[\"pk\",\"S\"]]}",
        "{\"format\":1,\"id\":-3,\"name\":\"T\",\"partition\":[[\"pk\",\"S\"]]}",
        "{\"format\":1,\"id\":3,\"partition\":[[\"pk\",\"S\"]]}",
        "{\"format\":1,\"id\":3,\"name\":7,\"partition\":[[\"pk\",\"S\"]]}",
        "{\"format\":1,\"id\":3,\"name\":\"T\"}",
        /* keys that are none */
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[]}",
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[[\"pk\",\"L\"]]}",
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[[\"pk\"]]}",
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[[1,\"S\"]]}",
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[[\"a\",\"S\"],[\"b\",\"S\"]]}",
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[[\"a\",\"S\"]],"
        "\"sort\":[[\"b\",\"S\"],[\"c\",\"S\"]]}",
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[[\"a\",\"S\"],[\"b\",\"S\"],"
        "[\"c\",\"S\"],[\"d\",\"S\"],[\"e\",\"S\"]]}",
        /* words and indexes that are none */
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[[\"pk\",\"S\"]],\"status\":\"GONE\"}",
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[[\"pk\",\"S\"]],\"indexes\":[7]}",
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[[\"pk\",\"S\"]],\"indexes\":[{}]}",
        "{\"format\":1,\"id\":3,\"name\":\"T\",\"partition\":[[\"pk\",\"S\"]],\"tags\":[[\"k\"]]}",
    };
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        struct table read;
        ASSERT_CASE(!schema_read(&arena, slice_of_string(records[i]), &read), records[i]);
    }
}

/* Neither a record cut short nor one with a changed byte makes the reader fall over. */
static void damaged_records_do_no_harm(void **state)
{
    (void)state;
    const struct table table = full_table();
    const struct slice record = written(&table);
    struct random random;
    unit_random_open(&random);
    for (size_t i = 0; i < record.length; i++) {
        struct arena scratch;
        arena_open(&scratch, 0);
        struct table read;
        assert_false(schema_read(&scratch, slice_of(record.data, i), &read));
        struct slice copy = arena_copy(&scratch, record);
        ((uint8_t *)(uintptr_t)copy.data)[i] = (uint8_t)unit_random_below(&random, 128);
        if (schema_read(&scratch, copy, &read)) {
            assert_int_equal(read.key.partition_count, 1);
            assert_true(read.name.length > 0);
        }
        arena_close(&scratch);
    }
}

static void entries_hold_keys_and_included_attributes_once(void **state)
{
    (void)state;
    struct table table = full_table();
    schema_finish(&table, &arena);
    const struct index *index = table_index(&table, SLICE("by.date-1_X"));
    assert_non_null(index);
    static const char *const projected[] = {"pk", "sk", "g1", "g2", "s1", "a\"b\\c\n"};
    for (size_t i = 0; i < COUNT_OF(projected); i++)
        ASSERT_CASE(index_projects(index, slice_of_string(projected[i])), projected[i]);
    static const char *const others[] = {"", "p", "pkk", "g3", "zzz"};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        ASSERT_CASE(!index_projects(index, slice_of_string(others[i])), others[i]);
    for (size_t i = 1; i < index->projected_count; i++)
        assert_true(slice_compare(index->projected[i - 1], index->projected[i]) < 0);
    assert_true(table.has_local_indexes);
}

static void index_of_all_projects_everything(void **state)
{
    (void)state;
    const struct index index = {.projection = PROJECT_ALL};
    assert_true(index_projects(&index, SLICE("anything")));
}

static void key_attributes_are_found_by_name(void **state)
{
    (void)state;
    const struct table table = full_table();
    assert_int_equal(key_schema_find(&table.key, SLICE("pk")), 0);
    assert_int_equal(key_schema_find(&table.key, SLICE("sk")), 1);
    assert_int_equal(key_schema_find(&table.key, SLICE("PK")), -1);
    assert_null(table_index(&table, SLICE("none")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_survives_being_stored),
        cmocka_unit_test(description_outlives_its_record),
        cmocka_unit_test(missing_members_read_as_resting_values),
        cmocka_unit_test(unknown_members_are_passed_over),
        cmocka_unit_test(what_we_did_not_write_is_refused),
        cmocka_unit_test(damaged_records_do_no_harm),
        cmocka_unit_test(entries_hold_keys_and_included_attributes_once),
        cmocka_unit_test(index_of_all_projects_everything),
        cmocka_unit_test(key_attributes_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
