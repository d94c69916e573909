/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_test — the encoding of value.h: bytes spelled out, sizes by the published formula, and a
 * strict judgement of bytes that are not ours.
 */
#include "model/limits.h"
#include "model/value.h"
#include "unit/unit.h"

static int open_arena(void **state)
{
    static struct arena arena;
    arena_open(&arena, 0);
    *state = &arena;
    return 0;
}

static int close_arena(void **state)
{
    arena_close(*state);
    return 0;
}

static struct slice string(struct arena *arena, const char *text)
{
    return value_scalar(arena, VALUE_STRING, slice_of_string(text)).encoded;
}

static struct slice number(struct arena *arena, const char *text)
{
    struct number parsed;
    assert_int_equal(number_parse(slice_of_string(text), &parsed), NUMBER_OK);
    return value_scalar(arena, VALUE_NUMBER, number_slice(&parsed)).encoded;
}

static struct slice item(struct arena *arena, const struct attribute *attributes, size_t count)
{
    struct attribute copy[8];
    assert_true(count <= COUNT_OF(copy));
    memcpy(copy, attributes, count * sizeof *attributes);
    return item_build(arena, copy, count);
}

/* A list in a list in a list … around a NULL; levels 0 is the NULL. */
static struct slice nested(struct arena *arena, unsigned levels)
{
    size_t marks[64];
    struct buffer out = buffer_open(arena, 0);
    for (unsigned i = 0; i < levels; i++)
        marks[i] = value_begin(&out, VALUE_LIST);
    value_write_null(&out);
    for (unsigned i = levels; i > 0; i--)
        value_end(&out, marks[i - 1], 1);
    return buffer_slice(&out);
}

/* One of every type, in a map: the sample that several tests read. */
static struct slice sample(struct arena *arena)
{
    struct buffer out = buffer_open(arena, 0);
    const size_t map = value_begin(&out, VALUE_MAP);
    value_write_name(&out, SLICE("binary"));
    value_write_scalar(&out, VALUE_BINARY, SLICE("\x00\xFF"));
    value_write_name(&out, SLICE("list"));
    const size_t list = value_begin(&out, VALUE_LIST);
    value_write_encoded(&out, string(arena, "x"));
    value_write_boolean(&out, true);
    value_write_null(&out);
    value_end(&out, list, 3);
    value_write_name(&out, SLICE("map"));
    value_end(&out, value_begin(&out, VALUE_MAP), 0);
    value_write_name(&out, SLICE("number"));
    value_write_encoded(&out, number(arena, "-12.5"));
    value_write_name(&out, SLICE("set"));
    const size_t set = value_begin(&out, VALUE_STRING_SET);
    value_write_member(&out, SLICE(""));
    value_write_member(&out, SLICE("a"));
    value_write_member(&out, SLICE("ab"));
    value_end(&out, set, 3);
    value_end(&out, map, 5);
    return buffer_slice(&out);
}

static void the_bytes_are_those_of_the_format(void **state)
{
    struct arena *arena = *state;
    ASSERT_SLICE(string(arena, "ab"), SLICE("\x01\x02"
                                            "ab"));
    ASSERT_SLICE(number(arena, "1"), SLICE("\x02\x02\xC1\x02"));
    const struct attribute attributes[] = {{SLICE("b"), string(arena, "")},
                                           {SLICE("a"), nested(arena, 0)}};
    ASSERT_SLICE(item(arena, attributes, 2), SLICE("\x07\x0B\0\0\0\x02\0\0\0\x01"
                                                   "a\x05\x01"
                                                   "b\x01\0"));
    ASSERT_SLICE(item_empty(), item(arena, attributes, 0));
}

static void every_type_reads_back(void **state)
{
    struct arena *arena = *state;
    const struct slice encoded = sample(arena);
    assert_true(value_is_valid(encoded));
    ASSERT_SLICE(item_attribute(encoded, SLICE("binary")).data, SLICE("\x00\xFF"));
    const struct value list = item_attribute(encoded, SLICE("list"));
    assert_int_equal(list.count, 3);
    ASSERT_SLICE(value_element(list, 0).data, SLICE("x"));
    assert_int_equal(value_element(list, 1).data.data[0], 1);
    assert_int_equal(value_element(list, 2).type, VALUE_NULL);
    assert_int_equal(value_element(list, 3).type, VALUE_ABSENT);
    assert_int_equal(item_attribute(encoded, SLICE("map")).count, 0);
    ASSERT_SLICE(item_attribute(encoded, SLICE("number")).encoded, number(arena, "-12.5"));
    assert_int_equal(item_attribute(encoded, SLICE("set")).count, 3);
}

static void absent_names_are_absent(void **state)
{
    const struct slice encoded = sample(*state);
    static const char *const names[] = {"", "a", "binar", "binaryx", "lisu", "zzz"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct value value = item_attribute(encoded, slice_of_string(names[i]));
        ASSERT_CASE(value.type == VALUE_ABSENT, names[i]);
    }
    assert_int_equal(item_attribute((struct slice){0}, SLICE("a")).type, VALUE_ABSENT);
}

static void lengths_of_every_varint_size_read_back(void **state)
{
    static const size_t lengths[] = {0, 1, 127, 128, 16383, 16384, 400 * 1024, 1 << 21, 1 << 24};
    struct arena *arena = *state;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        uint8_t *bytes = arena_alloc(arena, lengths[i]);
        memset(bytes, 'x', lengths[i]);
        const struct value value = value_scalar(arena, VALUE_STRING, slice_of(bytes, lengths[i]));
        ASSERT_SLICE(value.data, slice_of(bytes, lengths[i]));
        assert_true(value_is_valid(value.encoded));
        assert_int_equal(value_size(value), lengths[i]);
    }
}

static void walking_visits_everything_in_order(void **state)
{
    const struct value map = value_read(sample(*state));
    static const char *const names[] = {"binary", "list", "map", "number", "set"};
    struct value_walk walk = {0};
    struct slice name;
    struct value value;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_true(value_next(map, &walk, &name, &value));
        ASSERT_SLICE(name, slice_of_string(names[i]));
    }
    assert_false(value_next(map, &walk, &name, &value));
    assert_int_equal(value.type, VALUE_STRING_SET);
    static const char *const members[] = {"", "a", "ab"};
    struct value member;
    walk = (struct value_walk){0};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        assert_true(value_next(value, &walk, NULL, &member));
        assert_int_equal(member.type, VALUE_STRING);
        ASSERT_SLICE(member.data, slice_of_string(members[i]));
        assert_int_equal(member.encoded.length, 0);
        assert_true(value_set_contains(value, slice_of_string(members[i])));
    }
    assert_false(value_next(value, &walk, NULL, &member));
    assert_false(value_set_contains(value, SLICE("aa")));
    assert_false(value_set_contains(value, SLICE("b")));
}

static void items_are_built_sorted_whatever_the_order_given(void **state)
{
    struct arena *arena = *state;
    struct random random;
    unit_random_open(&random);
    for (size_t count = 0; count < 100; count++) {
        struct attribute attributes[100];
        for (size_t i = 0; i < count; i++) {
            attributes[i].name = arena_format(arena, "%zu", i * 7919 % 1000);
            attributes[i].value = string(arena, (const char *)attributes[i].name.data);
        }
        for (size_t i = count; i > 1; i--) {
            const size_t j = unit_random_below(&random, i);
            const struct attribute other = attributes[j];
            attributes[j] = attributes[i - 1];
            attributes[i - 1] = other;
        }
        const struct slice built = item_build(arena, attributes, count);
        assert_true(value_is_valid(built));
        assert_int_equal(value_read(built).count, count);
        for (size_t i = 0; i < count; i++) {
            const struct slice name = arena_format(arena, "%zu", i * 7919 % 1000);
            ASSERT_SLICE(item_attribute(built, name).data, name);
        }
    }
}

/* ---- sizes ----------------------------------------------------------------------------------- */

static void sizes_follow_the_published_formula(void **state)
{
    struct arena *arena = *state;
    const struct attribute shirt[] = {{SLICE("shirt-color"), string(arena, "R")},
                                      {SLICE("shirt-size"), string(arena, "M")}};
    assert_int_equal(item_size(item(arena, shirt, 2)), 23); /* the Developer Guide's example */
    const struct value map = value_read(sample(arena));
    static const struct {
        const char *name;
        size_t size;
    } cases[] = {
        {"binary", 2},      {"list", 3 + (1 + 1) + (1 + 1) + (1 + 1)},
        {"map", 3},         {"number", 1 + 2 + 1},
        {"set", 0 + 1 + 2},
    };
    size_t sum = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct slice name = slice_of_string(cases[i].name);
        ASSERT_CASE(value_size(value_member(map, name)) == cases[i].size, cases[i].name);
        sum += name.length + cases[i].size;
    }
    assert_int_equal(item_size(map.encoded), sum);
    assert_int_equal(value_size(map), sum + 3 + COUNT_OF(cases));
    assert_int_equal(item_size((struct slice){0}), 0);
    assert_int_equal(item_size(item_empty()), 0);
}

static void depth_counts_containers(void **state)
{
    struct arena *arena = *state;
    for (unsigned levels = 0; levels <= LIMIT_NESTING_LEVELS; levels++) {
        assert_int_equal(value_depth(value_read(nested(arena, levels))), levels);
    }
    assert_int_equal(value_depth(value_read(item_empty())), 1);
    assert_int_equal(value_depth(value_read(sample(arena))), 2);
}

/* ---- types ----------------------------------------------------------------------------------- */

static void type_names_are_known_both_ways(void **state)
{
    (void)state;
    for (enum value_type type = VALUE_STRING; type < VALUE_TYPES; type++) {
        const struct slice name = slice_of_string(value_type_name(type));
        assert_int_equal(value_type_of_name(name), type);
    }
    static const char *const unknown[] = {"", "s", "SSS", "BOOLEAN", "X"};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        const struct slice name = slice_of_string(unknown[i]);
        ASSERT_CASE(value_type_of_name(name) == VALUE_ABSENT, unknown[i]);
    }
    assert_string_equal(value_type_word(VALUE_NUMBER_SET), "NUMBER_SET");
    assert_int_equal(value_set_member_type(VALUE_NUMBER_SET), VALUE_NUMBER);
    assert_int_equal(value_set_member_type(VALUE_BINARY_SET), VALUE_BINARY);
}

/* ---- distrust -------------------------------------------------------------------------------- */

static void what_breaks_the_canonical_form_is_not_valid(void **state)
{
    (void)state;
#define CASE(what, bytes)                               \
    {                                                   \
        what,                                           \
        {                                               \
            (const uint8_t *)(bytes), sizeof(bytes) - 1 \
        }                                               \
    }
    static const struct {
        const char *what;
        struct slice bytes;
    } cases[] = {
        CASE("nothing", ""),
        CASE("no type", "\x00"),
        CASE("an unknown type", "\x0B"),
        CASE("a byte too many", "\x05\x00"),
        CASE("a string cut short", "\x01\x02"
                                   "a"),
        CASE("a string that is not UTF-8", "\x01\x01\xFF"),
        CASE("a length that is not in its shortest form", "\x01\x81\x00"
                                                          "a"),
        CASE("a length of six bytes", "\x01\x80\x80\x80\x80\x80\x00"),
        CASE("a length above 32 bits", "\x01\x80\x80\x80\x80\x10"),
        CASE("a truth of 2", "\x04\x02"),
        CASE("a truth that is missing", "\x04"),
        CASE("a number that is none", "\x02\x01\xC1"),
        CASE("an empty number", "\x02\x00"),
        CASE("an empty set", "\x08\x04\0\0\0\0\0\0\0"),
        CASE("a set out of order", "\x08\x08\0\0\0\x02\0\0\0\x01"
                                   "b\x01"
                                   "a"),
        CASE("a set with a member twice", "\x08\x08\0\0\0\x02\0\0\0\x01"
                                          "a\x01"
                                          "a"),
        CASE("a number set of no numbers", "\x09\x06\0\0\0\x01\0\0\0\x01"
                                           "a"),
        CASE("a map out of order", "\x07\x0A\0\0\0\x02\0\0\0\x01"
                                   "b\x05\x01"
                                   "a\x05"),
        CASE("a map with a name twice", "\x07\x0A\0\0\0\x02\0\0\0\x01"
                                        "a\x05\x01"
                                        "a\x05"),
        CASE("a map without the value", "\x07\x06\0\0\0\x01\0\0\0\x01"
                                        "a"),
        CASE("a count too small", "\x06\x05\0\0\0\0\0\0\0\x05"),
        CASE("a count too large", "\x06\x05\0\0\0\x02\0\0\0\x05"),
        CASE("a body too long for the bytes", "\x06\x06\0\0\0\x01\0\0\0\x05"),
        CASE("a body too short for its count", "\x06\x03\0\0\0\0\0\0"),
        CASE("a body longer than memory", "\x06\xFF\xFF\xFF\xFF\0\0\0\0"),
    };
#undef CASE
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ASSERT_CASE(!value_is_valid(cases[i].bytes), cases[i].what);
    }
}

static void nesting_is_valid_up_to_the_limit(void **state)
{
    struct arena *arena = *state;
    assert_true(value_is_valid(nested(arena, LIMIT_NESTING_LEVELS)));
    assert_false(value_is_valid(nested(arena, LIMIT_NESTING_LEVELS + 1)));
}

static void every_prefix_of_a_value_is_not_valid(void **state)
{
    const struct slice encoded = sample(*state);
    for (size_t length = 0; length < encoded.length; length++) {
        uint8_t *copy = malloc(length + 1);
        assert_non_null(copy);
        memcpy(copy + 1, encoded.data, length); /* up against the end, which ASan watches */
        assert_false(value_is_valid(slice_of(copy + 1, length)));
        free(copy);
    }
}

/* Bytes flipped at random either stay a value that can be read whole, or are refused. */
static void what_is_called_valid_can_be_read(void **state)
{
    struct arena *arena = *state;
    struct random random;
    unit_random_open(&random);
    const struct slice encoded = sample(arena);
    for (int round = 0; round < 20000; round++) {
        uint8_t *bytes = malloc(encoded.length);
        assert_non_null(bytes);
        memcpy(bytes, encoded.data, encoded.length);
        for (uint64_t flips = 1 + unit_random_below(&random, 3); flips > 0; flips--) {
            const size_t at = unit_random_below(&random, encoded.length);
            bytes[at] = (uint8_t)(bytes[at] ^ 1 << unit_random_below(&random, 8));
        }
        const struct slice flipped = slice_of(bytes, encoded.length);
        if (value_is_valid(flipped)) {
            const struct value value = value_read(flipped);
            assert_int_equal(value.encoded.length, encoded.length);
            assert_true(value_size(value) < 2 * encoded.length);
            assert_true(value_depth(value) <= LIMIT_NESTING_LEVELS + 1);
        }
        free(bytes);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)
    const struct CMUnitTest tests[] = {
        TEST(the_bytes_are_those_of_the_format),
        TEST(every_type_reads_back),
        TEST(absent_names_are_absent),
        TEST(lengths_of_every_varint_size_read_back),
        TEST(walking_visits_everything_in_order),
        TEST(items_are_built_sorted_whatever_the_order_given),
        TEST(sizes_follow_the_published_formula),
        TEST(depth_counts_containers),
        TEST(type_names_are_known_both_ways),
        TEST(what_breaks_the_canonical_form_is_not_valid),
        TEST(nesting_is_valid_up_to_the_limit),
        TEST(every_prefix_of_a_value_is_not_valid),
        TEST(what_is_called_valid_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
