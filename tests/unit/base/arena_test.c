/* SPDX-License-Identifier: Apache-2.0 */
/* arena_test — what base/arena.h promises about memory. */
#include "base/arena.h"
#include "unit/unit.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(WITH_ASAN)
#define WITH_ASAN 1
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

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

static void allocations_are_aligned_zeroed_and_apart(void **state)
{
    enum { SIZES = 300 };
    uint8_t *allocations[SIZES];
    for (size_t size = 0; size < SIZES; size++) {
        uint8_t *bytes = arena_alloc(*state, size);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, (int)size, size);
        allocations[size] = bytes;
    }
    for (size_t size = 0; size < SIZES; size++) {
        for (size_t i = 0; i < size; i++)
            assert_int_equal(allocations[size][i], (uint8_t)size);
    }
}

static void reused_memory_is_zeroed_again(void **state)
{
    struct arena *arena = *state;
    memset(arena_alloc_raw(arena, 1000), 0xFF, 1000);
    arena_reset(arena);
    const uint8_t *bytes = arena_alloc(arena, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(bytes[i], 0);
}

static void an_allocation_of_nothing_has_an_address_of_its_own(void **state)
{
    const void *a = arena_alloc(*state, 0);
    const void *b = arena_alloc(*state, 0);
    assert_non_null(a);
    assert_ptr_not_equal(a, b);
}

static void large_requests_are_served(void **state)
{
    struct arena *arena = *state;
    const size_t sizes[] = {16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 1 << 20, 20 << 20, 1};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t *bytes = arena_alloc_raw(arena, sizes[i]);
        memset(bytes, (int)i, sizes[i]);
        assert_int_equal(bytes[sizes[i] - 1], i);
    }
}

static void growing_the_newest_allocation_keeps_its_place(void **state)
{
    struct arena *arena = *state;
    uint8_t *bytes = arena_alloc_raw(arena, 10);
    memcpy(bytes, "0123456789", 10);
    assert_ptr_equal(arena_grow(arena, bytes, 10, 1000), bytes);
    assert_memory_equal(bytes, "0123456789", 10);
    assert_ptr_equal(arena_grow(arena, bytes, 1000, 20), bytes);
    const uint8_t *next = arena_alloc_raw(arena, 1);
    assert_true(next < bytes + 100); /* what shrinking gave back is used */
}

static void growing_an_older_allocation_copies_it(void **state)
{
    struct arena *arena = *state;
    uint8_t *bytes = arena_alloc_raw(arena, 4);
    memcpy(bytes, "abcd", 4);
    arena_alloc(arena, 1);
    uint8_t *grown = arena_grow(arena, bytes, 4, 64);
    assert_ptr_not_equal(grown, bytes);
    assert_memory_equal(grown, "abcd", 4);
    assert_ptr_equal(arena_grow(arena, bytes, 4, 2), bytes);
}

static void growing_step_by_step_keeps_the_content(void **state)
{
    struct arena *arena = *state;
    size_t size = 1;
    uint8_t *bytes = arena_grow(arena, NULL, 0, size);
    bytes[0] = 0;
    while (size < 1 << 20) {
        bytes = arena_grow(arena, bytes, size, size * 2);
        memset(bytes + size, (int)(size % 251), size);
        size *= 2;
    }
    for (size_t i = 1; i < size; i *= 2)
        assert_int_equal(bytes[i], i % 251);
}

static void rewinding_forgets_what_came_after_the_mark(void **state)
{
    struct arena *arena = *state;
    uint8_t *before = arena_alloc_raw(arena, 100);
    memset(before, 7, 100);
    const struct arena_mark mark = arena_mark(arena);
    const void *first = arena_alloc(arena, 8);
    for (int i = 0; i < 100; i++)
        arena_alloc(arena, 10000);
    arena_rewind(arena, mark);
    assert_ptr_equal(arena_alloc(arena, 8), first);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(before[i], 7);
}

static void a_mark_of_an_empty_arena_can_be_returned_to(void **state)
{
    struct arena *arena = *state;
    const struct arena_mark mark = arena_mark(arena);
    for (int i = 0; i < 10; i++)
        arena_alloc(arena, 10000);
    arena_rewind(arena, mark);
    assert_non_null(arena_alloc(arena, 10));
}

static void a_reset_arena_keeps_one_ordinary_chunk(void **state)
{
    struct arena *arena = *state;
    const void *first = arena_alloc(arena, 8);
    arena_alloc(arena, 1 << 20);
    arena_reset(arena);
    assert_ptr_equal(arena_alloc(arena, 8), first);
    arena_reset(arena);
    arena_reset(arena);
    assert_ptr_equal(arena_alloc(arena, 8), first);
}

static void a_closed_arena_can_be_opened_again(void **state)
{
    struct arena *arena = *state;
    arena_alloc(arena, 8);
    arena_close(arena);
    arena_close(arena);
    arena_open(arena, 64);
    assert_non_null(arena_alloc(arena, 1000));
}

static void an_arena_tells_how_much_it_takes(void **state)
{
    enum { LARGE = 1000000 };
    struct arena *arena = *state;
    assert_int_equal(arena_bytes(arena), 0);
    (void)arena_alloc(arena, 1);
    const size_t ordinary = arena_bytes(arena);
    assert_int_equal(ordinary, arena->chunk_bytes);
    (void)arena_alloc(arena, LARGE);
    (void)arena_alloc(arena, LARGE);
    assert_in_range(arena_bytes(arena), 2 * LARGE, 2 * LARGE + 3 * ordinary);
    arena_reset(arena);
    assert_int_equal(arena_bytes(arena), ordinary);
}

static void copies_and_strings_are_independent_of_their_source(void **state)
{
    struct arena *arena = *state;
    char text[] = "hello";
    const struct slice copy = arena_copy(arena, slice_of_string(text));
    const char *string = arena_string(arena, slice_of_string(text));
    text[0] = 'j';
    ASSERT_SLICE(copy, SLICE("hello"));
    assert_string_equal(string, "hello");
    assert_string_equal(arena_string(arena, (struct slice){0}), "");
    assert_int_equal(arena_copy(arena, (struct slice){0}).length, 0);
}

static void formatted_text_may_be_of_any_length(void **state)
{
    struct arena *arena = *state;
    for (int width = 1; width < 400; width += 13) {
        const struct slice text = arena_format(arena, "%*d|", width, 5);
        assert_int_equal(text.length, width + 1);
        assert_int_equal(text.data[width], '|');
        assert_int_equal(text.data[width + 1], '\0');
        assert_int_equal(text.data[width - 1], '5');
    }
}

static void what_is_not_allocated_is_poisoned(void **state)
{
#ifdef WITH_ASAN
    struct arena *arena = *state;
    for (size_t size = 1; size < 100; size++) {
        const uint8_t *bytes = arena_alloc(arena, size);
        assert_false(__asan_address_is_poisoned(bytes + size - 1));
        assert_true(__asan_address_is_poisoned(bytes + size));
    }
    const struct arena_mark mark = arena_mark(arena);
    uint8_t *bytes = arena_alloc(arena, 100);
    bytes = arena_grow(arena, bytes, 100, 200);
    assert_false(__asan_address_is_poisoned(bytes + 199));
    bytes = arena_grow(arena, bytes, 200, 50);
    assert_true(__asan_address_is_poisoned(bytes + 50));
    arena_rewind(arena, mark);
    assert_true(__asan_address_is_poisoned(bytes));
    bytes = arena_alloc(arena, 10);
    arena_reset(arena);
    assert_true(__asan_address_is_poisoned(bytes));
#else
    (void)state;
    skip();
#endif
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)
    const struct CMUnitTest tests[] = {
        TEST(allocations_are_aligned_zeroed_and_apart),
        TEST(reused_memory_is_zeroed_again),
        TEST(an_allocation_of_nothing_has_an_address_of_its_own),
        TEST(large_requests_are_served),
        TEST(growing_the_newest_allocation_keeps_its_place),
        TEST(growing_an_older_allocation_copies_it),
        TEST(growing_step_by_step_keeps_the_content),
        TEST(rewinding_forgets_what_came_after_the_mark),
        TEST(a_mark_of_an_empty_arena_can_be_returned_to),
        TEST(a_reset_arena_keeps_one_ordinary_chunk),
        TEST(a_closed_arena_can_be_opened_again),
        TEST(an_arena_tells_how_much_it_takes),
        TEST(copies_and_strings_are_independent_of_their_source),
        TEST(formatted_text_may_be_of_any_length),
        TEST(what_is_not_allocated_is_poisoned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
