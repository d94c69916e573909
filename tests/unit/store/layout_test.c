/* SPDX-License-Identifier: Apache-2.0 */
/* layout: keys keep the order of what they stand for, ranges hold exactly their rows. */
#include "unit/unit.h"

#include <stdlib.h>
#include <time.h>

#include "store/layout.h"

static struct arena arena;

static struct key_attribute attribute(const char *name, enum value_type type)
{
    return (struct key_attribute){slice_of_string(name), type};
}

/* A table (p, s) with one index (g, s), the sort key of the given type. */
static struct table table_of(enum value_type sort_type)
{
    struct table table = {.id = 7, .index_count = 1};
    table.key =
        (struct key_schema){1, 1, {attribute("p", VALUE_STRING), attribute("s", sort_type)}};
    table.indexes = arena_new(&arena, struct index);
    table.indexes[0].id = 3;
    table.indexes[0].projection = PROJECT_ALL;
    table.indexes[0].key =
        (struct key_schema){1, 1, {attribute("g", VALUE_STRING), attribute("s", sort_type)}};
    return table;
}

static struct value number(const char *text)
{
    struct number number;
    assert_int_equal(number_parse(slice_of_string(text), &number), NUMBER_OK);
    return value_scalar(&arena, VALUE_NUMBER, number_slice(&number));
}

static struct value string(const char *bytes, size_t length)
{
    return value_scalar(&arena, VALUE_STRING, slice_of(bytes, length));
}

static struct slice item_of(struct value partition, struct value sort)
{
    struct attribute attributes[] = {{SLICE("p"), partition.encoded},
                                     {SLICE("s"), sort.encoded},
                                     {SLICE("g"), partition.encoded}};
    return item_build(&arena, attributes, 3);
}

static bool in_range(struct kv_range range, struct slice key)
{
    return slice_compare(key, range.begin) >= 0 && slice_compare(key, range.end) < 0;
}

static bool satisfies(enum sort_operator op, struct value sort, struct value low, struct value high)
{
    switch (op) {
    case SORT_ANY:
        return true;
    case SORT_LT:
        return value_compare(sort, low) < 0;
    case SORT_LE:
        return value_compare(sort, low) <= 0;
    case SORT_GT:
        return value_compare(sort, low) > 0;
    case SORT_GE:
        return value_compare(sort, low) >= 0;
    case SORT_BETWEEN:
        return value_compare(sort, low) >= 0 && value_compare(sort, high) <= 0;
    case SORT_BEGINS_WITH:
        return slice_has_prefix(sort.data, low.data);
    }
    return false;
}

/* Every operator, on table and index, selects exactly the rows that satisfy it. */
static void check_ranges(enum value_type type, const struct value *sorts, size_t count)
{
    struct table table = table_of(type);
    struct value partition = string("a", 1);
    for (int on_index = 0; on_index < 2; on_index++) {
        const struct index *index = on_index ? &table.indexes[0] : NULL;
        for (enum sort_operator op = SORT_ANY; op <= SORT_BEGINS_WITH; op++) {
            if (op == SORT_BEGINS_WITH && type == VALUE_NUMBER) continue;
            for (size_t l = 0; l < count; l++) {
                size_t h = (l + 3) % count;
                struct key_condition condition = {
                    .partition = {partition}, .op = op, .low = sorts[l], .high = sorts[h]};
                struct kv_range range = layout_query_range(&arena, &table, index, &condition);
                for (size_t i = 0; i < count; i++) {
                    struct slice item = item_of(partition, sorts[i]);
                    struct slice key = index == NULL
                                           ? layout_item_key(&arena, &table, item)
                                           : layout_index_key(&arena, &table, index, item);
                    assert_int_equal(in_range(range, key),
                                     satisfies(op, sorts[i], sorts[l], sorts[h]));
                }
            }
        }
    }
}

static void key_ranges_select_exactly_their_rows(void **state)
{
    (void)state;
    struct value strings[] = {string("a", 1),          string("a\0", 2),  string("a\0b", 3),
                              string("a\0\xff", 3),    string("a\1", 2),  string("ab", 2),
                              string("b", 1),          string("\xff", 1), string("\xff\xff", 2),
                              string("\xff\xff\0", 3), string("\0", 1),   string("\0\0", 2)};
    check_ranges(VALUE_STRING, strings, sizeof strings / sizeof strings[0]);
    struct value numbers[] = {number("-1E125"), number("-100"),   number("-99.5"),  number("-1"),
                              number("-0.01"),  number("0"),      number("1E-130"), number("0.5"),
                              number("1"),      number("1.0001"), number("10"),     number("100"),
                              number("100.01"), number("9E125")};
    check_ranges(VALUE_NUMBER, numbers, sizeof numbers / sizeof numbers[0]);
}

static void rows_sort_as_their_sort_keys(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    struct table table = table_of(VALUE_STRING);
    for (int round = 0; round < 5000; round++) {
        char bytes[2][6];
        struct value sorts[2];
        struct slice keys[2][2];
        for (int i = 0; i < 2; i++) {
            size_t length = 1 + (size_t)(rand_r(&seed) % 5);
            for (size_t j = 0; j < length; j++)
                bytes[i][j] = "\0\1\xff\xfe"
                              "a"[rand_r(&seed) % 5];
            sorts[i] = string(bytes[i], length);
            struct slice item = item_of(string("p", 1), sorts[i]);
            keys[0][i] = layout_item_key(&arena, &table, item);
            keys[1][i] = layout_index_key(&arena, &table, &table.indexes[0], item);
        }
        int order = value_compare(sorts[0], sorts[1]);
        for (int k = 0; k < 2; k++) {
            int got = slice_compare(keys[k][0], keys[k][1]);
            assert_true((order < 0) == (got < 0) && (order > 0) == (got > 0));
        }
        if (round % 1000 == 0) arena_reset(&arena), table = table_of(VALUE_STRING);
    }
}

/* Segments meet without gap or overlap, so every row is in one. */
static void segments_cover_every_row_once(void **state)
{
    (void)state;
    struct table table = table_of(VALUE_STRING);
    const uint32_t totals[] = {1, 2, 3, 7, 64, 4096, 1000000};
    for (size_t t = 0; t < sizeof totals / sizeof totals[0]; t++) {
        uint32_t total = totals[t];
        uint32_t step = total > 1000 ? total / 1000 : 1;
        struct kv_range all = layout_scan_range(&arena, &table, NULL, 0, 1);
        struct kv_range first = layout_scan_range(&arena, &table, NULL, 0, total);
        struct kv_range last = layout_scan_range(&arena, &table, NULL, total - 1, total);
        assert_true(slice_compare(first.begin, all.begin) >= 0);
        assert_true(slice_equal(last.end, all.end));
        for (uint32_t s = 0; s + 1 < total; s += step) {
            struct kv_range here = layout_scan_range(&arena, &table, NULL, s, total);
            struct kv_range next = layout_scan_range(&arena, &table, NULL, s + 1, total);
            assert_true(slice_equal(here.end, next.begin));
            assert_true(slice_compare(here.begin, here.end) < 0);
        }
    }
}

static void resuming_leaves_out_the_row_itself(void **state)
{
    (void)state;
    struct table table = table_of(VALUE_STRING);
    struct slice a = layout_item_key(&arena, &table, item_of(string("p", 1), string("a", 1)));
    struct slice b = layout_item_key(&arena, &table, item_of(string("p", 1), string("b", 1)));
    struct kv_range range = layout_scan_range(&arena, &table, NULL, 0, 1);
    struct kv_range forward = layout_resume(&arena, range, a);
    assert_false(in_range(forward, a));
    assert_true(in_range(forward, b));
    range.reverse = true;
    struct kv_range backward = layout_resume(&arena, range, b);
    assert_false(in_range(backward, b));
    assert_true(in_range(backward, a));
}

static void an_item_without_a_proper_index_key_has_no_entry(void **state)
{
    (void)state;
    struct table table = table_of(VALUE_STRING);
    struct value one = string("1", 1);
    struct attribute without[] = {{SLICE("p"), one.encoded}, {SLICE("s"), one.encoded}};
    assert_int_equal(
        layout_index_key(&arena, &table, &table.indexes[0], item_build(&arena, without, 2)).length,
        0);
    struct attribute mistyped[] = {
        {SLICE("p"), one.encoded}, {SLICE("s"), one.encoded}, {SLICE("g"), number("1").encoded}};
    assert_int_equal(
        layout_index_key(&arena, &table, &table.indexes[0], item_build(&arena, mistyped, 3)).length,
        0);
    struct attribute empty[] = {
        {SLICE("p"), one.encoded}, {SLICE("s"), one.encoded}, {SLICE("g"), string("", 0).encoded}};
    assert_int_equal(
        layout_index_key(&arena, &table, &table.indexes[0], item_build(&arena, empty, 3)).length,
        0);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(key_ranges_select_exactly_their_rows, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(rows_sort_as_their_sort_keys, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(segments_cover_every_row_once, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(resuming_leaves_out_the_row_itself, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(an_item_without_a_proper_index_key_has_no_entry, open_arena,
                                        close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
