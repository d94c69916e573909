/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_layout — keys of two items made from the input: rows are ordered as DynamoDB orders items,
 * a key condition's range holds exactly the rows that fulfil it, every row is in exactly one
 * segment of a scan, a page goes on behind the row it ended at; and keys that are taken apart come
 * back, or are refused.
 */
#include "store/layout.h"

#include "base/check.h"
#include "model/limits.h"
#include "model/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Bytes of the input, as long as there are some. */
struct source {
    struct slice rest;
};

static uint8_t take_byte(struct source *source)
{
    if (source->rest.length == 0) return 0;
    const uint8_t byte = source->rest.data[0];
    source->rest = slice_of(source->rest.data + 1, source->rest.length - 1);
    return byte;
}

static struct slice take_bytes(struct source *source, size_t length)
{
    if (length > source->rest.length) length = source->rest.length;
    const struct slice taken = slice_of(source->rest.data, length);
    source->rest = slice_of(source->rest.data + length, source->rest.length - length);
    return taken;
}

static struct value take_number(struct source *source, struct arena *arena)
{
    struct number number;
    const uint8_t digits = take_byte(source);
    const struct slice text = take_bytes(source, digits % 44);
    if (number_parse(text, &number) != NUMBER_OK) number = number_from_int64((int8_t)digits);
    CHECK(number_is_valid(number_slice(&number)));
    return value_scalar(arena, VALUE_NUMBER, number_slice(&number));
}

/* A value that can be a key, of the type: a string's bytes need not be text here. */
static struct value take_value(struct source *source, struct arena *arena, enum value_type type)
{
    if (type == VALUE_NUMBER) return take_number(source, arena);
    struct slice bytes = take_bytes(source, 1 + take_byte(source) % 6);
    if (bytes.length == 0) bytes = SLICE("k");
    return value_scalar(arena, type, bytes);
}

static enum value_type take_type(struct source *source)
{
    static const enum value_type types[] = {VALUE_STRING, VALUE_NUMBER, VALUE_BINARY};
    return types[take_byte(source) % 3];
}

enum { PARTITION, SORT, OTHER, THIRD, ATTRIBUTES };

static const char *const names[ATTRIBUTES] = {"p", "s", "x", "y"};

struct case_of {
    struct arena arena;
    struct table table;
    struct index index; /* its partition is x, its sort attributes are y and s */
    enum value_type types[ATTRIBUTES];
};

struct row {
    struct value values[ATTRIBUTES];
    struct slice item;
    struct slice key;
    struct slice entry;
};

static struct key_attribute attribute_of(const struct case_of *it, int which)
{
    return (struct key_attribute){slice_of_string(names[which]), it->types[which]};
}

static void make_table(struct case_of *it, struct source *source)
{
    for (int i = 0; i < ATTRIBUTES; i++)
        it->types[i] = take_type(source);
    it->table.id = 1 + take_byte(source);
    it->table.key = (struct key_schema){
        .partition_count = 1,
        .sort_count = take_byte(source) % 2,
        .attributes = {attribute_of(it, PARTITION), attribute_of(it, SORT)},
    };
    it->index.id = 1 + take_byte(source);
    it->index.kind = INDEX_GLOBAL;
    it->index.key = (struct key_schema){
        .partition_count = 1,
        .sort_count = 2,
        .attributes = {attribute_of(it, OTHER), attribute_of(it, THIRD), attribute_of(it, SORT)},
    };
}

static struct row make_row(struct case_of *it, struct source *source, const struct row *alike)
{
    struct row row;
    const uint8_t shared = alike == NULL ? 0 : take_byte(source);
    struct attribute attributes[ATTRIBUTES];
    for (int i = 0; i < ATTRIBUTES; i++) {
        const bool is_shared = (shared >> i & 1) != 0;
        row.values[i] = is_shared ? alike->values[i] : take_value(source, &it->arena, it->types[i]);
        attributes[i] = (struct attribute){slice_of_string(names[i]), row.values[i].encoded};
    }
    row.item = item_build(&it->arena, attributes, ATTRIBUTES);
    row.key = layout_item_key(&it->arena, &it->table, row.item);
    row.entry = layout_index_key(&it->arena, &it->table, &it->index, row.item);
    CHECK(row.entry.length > 0);
    CHECK(row.key.length <= KV_KEY_BYTES_MAX);
    CHECK(row.entry.length <= KV_KEY_BYTES_MAX);
    return row;
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* Rows of one partition are in the order of their sort attributes. */
static void check_order(const struct case_of *it, const struct row *a, const struct row *b)
{
    const int order = value_compare(a->values[SORT], b->values[SORT]);
    if (value_equal(a->values[PARTITION], b->values[PARTITION]) && it->table.key.sort_count > 0)
        CHECK(sign(slice_compare(a->key, b->key)) == sign(order));
    if (!value_equal(a->values[OTHER], b->values[OTHER])) {
        CHECK(slice_compare(a->entry, b->entry) != 0);
        return;
    }
    const int first = value_compare(a->values[THIRD], b->values[THIRD]);
    const int expected = first != 0 ? first : order;
    if (expected != 0) CHECK(sign(slice_compare(a->entry, b->entry)) == sign(expected));
    const bool same_item = slice_equal(a->key, b->key);
    if (expected == 0) CHECK(slice_equal(a->entry, b->entry) == same_item);
}

static bool is_within(struct kv_range range, struct slice key)
{
    return slice_compare(range.begin, key) <= 0 && slice_compare(key, range.end) < 0;
}

static bool fulfils(enum sort_operator op, struct value value, struct value low, struct value high)
{
    switch (op) {
    case SORT_LT:
        return value_compare(value, low) < 0;
    case SORT_LE:
        return value_compare(value, low) <= 0;
    case SORT_GT:
        return value_compare(value, low) > 0;
    case SORT_GE:
        return value_compare(value, low) >= 0;
    case SORT_BETWEEN:
        return value_compare(value, low) >= 0 && value_compare(value, high) <= 0;
    case SORT_BEGINS_WITH:
        return slice_has_prefix(value.data, low.data);
    case SORT_ANY:
        break;
    }
    return true;
}

/* What the condition says of the row, against what its range holds. */
static void check_range(struct case_of *it, const struct index *index,
                        const struct key_condition *condition, const struct row *row)
{
    const int partition = index == NULL ? PARTITION : OTHER;
    const int sorts[] = {index == NULL ? SORT : THIRD, SORT};
    const struct kv_range range = layout_query_range(&it->arena, &it->table, index, condition);
    bool expected = value_equal(condition->partition[0], row->values[partition]);
    for (unsigned i = 0; i < condition->sort_count; i++)
        expected = expected && value_equal(condition->sort[i], row->values[sorts[i]]);
    if (condition->op != SORT_ANY)
        expected = expected && fulfils(condition->op, row->values[sorts[condition->sort_count]],
                                       condition->low, condition->high);
    CHECK(is_within(range, index == NULL ? row->key : row->entry) == expected);
}

/* The second row's values are what the condition asks for, of the first. */
static void check_conditions(struct case_of *it, struct source *source, const struct row rows[2])
{
    const bool on_index = take_byte(source) % 2 == 1;
    if (!on_index && it->table.key.sort_count == 0) return;
    const int first = on_index ? THIRD : SORT;
    struct key_condition condition = {
        .partition = {rows[1].values[on_index ? OTHER : PARTITION]},
        .sort_count = take_byte(source) % (on_index ? 3 : 2),
        .sort = {rows[1].values[first], rows[1].values[SORT]},
        .op = take_byte(source) % (SORT_BEGINS_WITH + 1),
    };
    if (condition.sort_count == (on_index ? 2 : 1)) condition.op = SORT_ANY;
    const int ranged = condition.sort_count == 0 ? first : SORT;
    if (it->types[ranged] == VALUE_NUMBER && condition.op == SORT_BEGINS_WITH)
        condition.op = SORT_GE;
    condition.low = rows[1].values[ranged];
    condition.high = take_value(source, &it->arena, it->types[ranged]);
    for (int i = 0; i < 2; i++)
        check_range(it, on_index ? &it->index : NULL, &condition, &rows[i]);
}

static void check_segments(struct case_of *it, struct source *source, const struct row *row)
{
    const uint32_t total = 1 + take_byte(source) % 8;
    unsigned in_table = 0;
    unsigned in_index = 0;
    for (uint32_t i = 0; i < total; i++) {
        in_table += is_within(layout_scan_range(&it->arena, &it->table, NULL, i, total), row->key);
        in_index +=
            is_within(layout_scan_range(&it->arena, &it->table, &it->index, i, total), row->entry);
    }
    CHECK(in_table == 1);
    CHECK(in_index == 1);
    CHECK(is_within(layout_table_range(&it->arena, it->table.id), row->key) !=
          is_within(layout_table_rest(&it->arena, it->table.id), row->key));
    CHECK(is_within(layout_index_range(&it->arena, it->table.id, it->index.id), row->entry));
}

static void check_resume(struct case_of *it, const struct row rows[2])
{
    struct kv_range range = layout_scan_range(&it->arena, &it->table, NULL, 0, 1);
    for (int reverse = 0; reverse < 2; reverse++) {
        range.reverse = reverse == 1;
        const struct kv_range rest = layout_resume(&it->arena, range, rows[0].key);
        const int order = slice_compare(rows[1].key, rows[0].key);
        CHECK(is_within(rest, rows[1].key) == (reverse == 1 ? order < 0 : order > 0));
    }
}

/* Keys of other kinds: of any bytes, and of a row's. */
static void check_parts(struct case_of *it, const struct row *row, struct slice bytes)
{
    struct shard_key parts;
    int64_t expiry_ms = 0;
    struct slice row_key;
    if (layout_shard_of_key(bytes, &parts)) CHECK(parts.stamp.length <= bytes.length);
    if (layout_expiry_of_key(&it->arena, bytes, &expiry_ms, &row_key)) CHECK(expiry_ms >= 0);
    uint64_t expiry = 0;
    memcpy(&expiry, bytes.data, bytes.length < sizeof expiry ? bytes.length : sizeof expiry);
    const int64_t wanted_ms = (int64_t)(expiry >> 1);
    const struct slice entry = layout_expiry_key(&it->arena, wanted_ms, row->key);
    CHECK(layout_expiry_of_key(&it->arena, entry, &expiry_ms, &row_key));
    CHECK(expiry_ms == wanted_ms);
    CHECK(slice_equal(row_key, row->key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct case_of it = {0};
    arena_open(&it.arena, 0);
    struct source source = {slice_of(data, length)};
    make_table(&it, &source);
    struct row rows[2];
    rows[0] = make_row(&it, &source, NULL);
    rows[1] = make_row(&it, &source, &rows[0]);
    check_order(&it, &rows[0], &rows[1]);
    check_conditions(&it, &source, rows);
    check_segments(&it, &source, &rows[0]);
    check_resume(&it, rows);
    check_parts(&it, &rows[0], slice_of(data, length));
    arena_close(&it.arena);
    return 0;
}
