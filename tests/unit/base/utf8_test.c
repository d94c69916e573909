/* SPDX-License-Identifier: Apache-2.0 */
/* utf8_test — every code point is accepted in its one form, everything else is refused. */
#include "base/utf8.h"
#include "unit/unit.h"

/* The plainest encoder, so that the validator is not measured by itself. */
static size_t encode(uint32_t character, size_t length, uint8_t to[4])
{
    static const uint8_t heads[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    for (size_t i = length - 1; i > 0; i--) {
        to[i] = (uint8_t)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    to[0] = (uint8_t)(heads[length] | character);
    return length;
}

static size_t shortest(uint32_t character)
{
    return character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
}

static void code_points_are_valid_in_their_shortest_form_only(void **state)
{
    (void)state;
    static const uint32_t limits[] = {0, 0x80, 0x800, 0x10000, 0x200000};
    for (uint32_t character = 0; character < 0x120000; character++) {
        uint8_t text[4];
        const bool is_character =
            character < 0xD800 || (character > 0xDFFF && character <= 0x10FFFF);
        for (size_t length = shortest(character); length <= 4; length++) {
            if (character >= limits[length]) continue;
            const struct slice slice = slice_of(text, encode(character, length, text));
            const bool expected = is_character && length == shortest(character);
            if (utf8_is_valid(slice) != expected)
                fail_msg("U+%04X in %zu bytes", character, length);
            assert_int_equal(utf8_character_length(slice), expected ? length : 0);
        }
    }
}

static void the_valid_prefix_ends_where_the_fault_begins(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        size_t valid;
    } cases[] = {
        {"", 0, 0},
        {"abc", 3, 3},
        {"abcdefgh\xFFijklmnop", 17, 8},
        {"abcdefghi\x80", 10, 9},
        {"gr\xC3\xBC\xC3\x9Fx", 7, 7},
        {"gr\xC3", 3, 2},
        {"\xE2\x82", 2, 0},
        {"\xE2\x82\xAC\xF0\x9F\x98", 6, 3},
        {"\xF0\x9F\x98\x80", 4, 4},
        {"\xF5\x80\x80\x80", 4, 0},
        {"\xED\xA0\x80", 3, 0},
        {"\xC0\x80", 2, 0},
        {"a\0b", 3, 3},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct slice text = slice_of(cases[i].text, cases[i].length);
        assert_int_equal(utf8_valid_length(text), cases[i].valid);
        assert_int_equal(utf8_is_valid(text), cases[i].valid == cases[i].length);
    }
}

/* The word-wise loop must not run over the end, whatever the alignment: ASan watches. */
static void a_fault_is_found_at_every_offset(void **state)
{
    (void)state;
    for (size_t length = 1; length < 40; length++) {
        for (size_t at = 0; at < length; at++) {
            uint8_t *text = malloc(length);
            assert_non_null(text);
            memset(text, 'a', length);
            text[at] = 0xFE;
            assert_int_equal(utf8_valid_length(slice_of(text, length)), at);
            free(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_points_are_valid_in_their_shortest_form_only),
        cmocka_unit_test(the_valid_prefix_ends_where_the_fault_begins),
        cmocka_unit_test(a_fault_is_found_at_every_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
