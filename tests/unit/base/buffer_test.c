/* SPDX-License-Identifier: Apache-2.0 */
/* buffer_test — bytes appended are bytes kept. */
#include "base/buffer.h"
#include "unit/unit.h"

static void appended_bytes_are_kept_in_order(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 0);
    struct buffer buffer = buffer_open(&arena, 0);
    for (int i = 0; i < 20000; i++) {
        buffer_append_byte(&buffer, (uint8_t)i);
        BUFFER_TEXT(&buffer, "ab");
        if (i % 100 == 0) arena_alloc(&arena, 1); /* so that it cannot always grow in place */
    }
    assert_int_equal(buffer.length, 60000);
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(buffer.data[3 * i], (uint8_t)i);
        assert_int_equal(buffer.data[3 * i + 2], 'b');
    }
    arena_close(&arena);
}

static void an_empty_slice_appends_nothing(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 0);
    struct buffer buffer = buffer_open(&arena, 0);
    buffer_append(&buffer, (struct slice){0});
    assert_int_equal(buffer_slice(&buffer).length, 0);
    arena_close(&arena);
}

static void formatted_text_is_appended_whatever_its_length(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 0);
    for (int width = 0; width < 500; width += 7) {
        struct buffer buffer = buffer_open(&arena, 3);
        BUFFER_TEXT(&buffer, "<");
        buffer_append_format(&buffer, "%*s", width, "");
        buffer_append_format(&buffer, "%s", ">");
        assert_int_equal(buffer.length, width + 2);
        assert_int_equal(buffer.data[width + 1], '>');
    }
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_bytes_are_kept_in_order),
        cmocka_unit_test(an_empty_slice_appends_nothing),
        cmocka_unit_test(formatted_text_is_appended_whatever_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
