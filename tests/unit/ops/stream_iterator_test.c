/* SPDX-License-Identifier: Apache-2.0 */
/* stream_iterator: sequence numbers in order and back, iterators that are ours or nothing. */
#include "ops/stream_iterator.h"

#include "model/limits.h"
#include "unit/unit.h"

static struct arena arena;
static struct random chance;

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

static void fill(uint8_t stamp[KV_STAMP_BYTES])
{
    /* Stamps of all magnitudes: most begin with zeros. */
    const size_t zeros = unit_random_below(&chance, KV_STAMP_BYTES + 1);
    for (size_t i = 0; i < KV_STAMP_BYTES; i++)
        stamp[i] = i < zeros ? 0 : (uint8_t)random_next(&chance);
}

static void sequence_numbers_sort_as_their_stamps(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    unit_random_open(&chance);
    for (int i = 0; i < ROUNDS; i++) {
        const struct arena_mark mark = arena_mark(&arena);
        uint8_t stamps[2][KV_STAMP_BYTES];
        struct slice texts[2];
        for (int s = 0; s < 2; s++) {
            uint8_t back[KV_STAMP_BYTES];
            fill(stamps[s]);
            texts[s] = stream_sequence_text(&arena, slice_of(stamps[s], KV_STAMP_BYTES));
            assert_true(texts[s].length >= LIMIT_SEQUENCE_LENGTH_MIN);
            assert_true(texts[s].length <= LIMIT_SEQUENCE_LENGTH);
            assert_true(stream_sequence_read(texts[s], back));
            assert_memory_equal(back, stamps[s], KV_STAMP_BYTES);
        }
        const int order = memcmp(stamps[0], stamps[1], KV_STAMP_BYTES);
        const int text_order = slice_compare(texts[0], texts[1]);
        assert_int_equal((order > 0) - (order < 0), (text_order > 0) - (text_order < 0));
        arena_rewind(&arena, mark);
    }
}

static void other_numbers_are_the_nearest_stamp(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_number;
        uint8_t fill; /* every byte of the stamp */
    } cases[] = {
        {"000000000000000000000", true, 0},
        {"000000000000000000001", true, 0},
        {"99999999999999999999999999999", true, 0},
        {"100000000000000000000000000000", true, 0},
        {"0000000000100000000000000000000000000000", true, 0},
        {"179228162514264337593543950335", true, 0xFF}, /* the highest stamp */
        {"179228162514264337593543950336", true, 0xFF},
        {"199999999999999999999999999999", true, 0xFF},
        {"200000000000000000000000000000", true, 0xFF},
        {"9999999999999999999999999999999999999999", true, 0xFF},
        {"10000000000000000000000000000x", false, 0},
        {"-00000000000000000000000000001", false, 0},
        {" 00000000000000000000000000001", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t stamp[KV_STAMP_BYTES];
        uint8_t expected[KV_STAMP_BYTES];
        memset(expected, cases[i].fill, sizeof expected);
        const bool is_number = stream_sequence_read(slice_of_string(cases[i].text), stamp);
        ASSERT_CASE(is_number == cases[i].is_number, cases[i].text);
        if (is_number) ASSERT_CASE(memcmp(stamp, expected, sizeof stamp) == 0, cases[i].text);
    }
}

static void shard_ids_read_back_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_shard;
    } cases[] = {
        {"shardId-00000001795253049507-0000002a", true},
        {"shardId-00000001795253049507-0000002A", false},
        {"shardId-00000001795253049507-00000000", false},
        {"shardId-00000001795253049507-0000002a0", false},
        {"shardId-00000001795253049507-0000002", false},
        {"shardId-99999999999999999999-0000002a", false},
        {"shardId-0000000179525304950a-0000002a", false},
        {"ShardId-00000001795253049507-0000002a", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t shard_id = 0;
        int64_t opened_ms = 0;
        const struct slice text = slice_of_string(cases[i].text);
        ASSERT_CASE(stream_shard_read(text, &shard_id, &opened_ms) == cases[i].is_shard,
                    cases[i].text);
        if (!cases[i].is_shard) continue;
        assert_int_equal(shard_id, 0x2a);
        assert_int_equal(opened_ms, 1795253049507);
        ASSERT_SLICE(stream_shard_text(&arena, shard_id, opened_ms), text);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_arena, close_arena)
    const struct CMUnitTest tests[] = {
        TEST(sequence_numbers_sort_as_their_stamps),
        TEST(other_numbers_are_the_nearest_stamp),
        TEST(shard_ids_read_back_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
