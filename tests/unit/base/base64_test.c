/* SPDX-License-Identifier: Apache-2.0 */
/* base64_test — RFC 4648's vectors, round trips, and every way to be wrong. */
#include "base/base64.h"
#include "unit/unit.h"

static void the_rfcs_vectors_hold_both_ways(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    struct arena arena;
    arena_open(&arena, 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer out = buffer_open(&arena, 0);
        base64_append(&out, slice_of_string(cases[i][0]));
        ASSERT_SLICE(buffer_slice(&out), slice_of_string(cases[i][1]));
        struct slice bytes;
        assert_int_equal(base64_decode(buffer_slice(&out), &arena, &bytes), BASE64_OK);
        ASSERT_SLICE(bytes, slice_of_string(cases[i][0]));
    }
    arena_close(&arena);
}

static void random_bytes_survive_the_round_trip(void **state)
{
    (void)state;
    struct random random;
    unit_random_open(&random);
    struct arena arena;
    arena_open(&arena, 0);
    for (size_t length = 0; length < 300; length++) {
        uint8_t bytes[300];
        for (size_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)random_next(&random);
        struct buffer out = buffer_open(&arena, 0);
        BUFFER_TEXT(&out, ">");
        base64_append(&out, slice_of(bytes, length));
        const struct slice text = slice_of(out.data + 1, out.length - 1);
        assert_int_equal(text.length, (length + 2) / 3 * 4);
        struct slice back;
        assert_int_equal(base64_decode(text, &arena, &back), BASE64_OK);
        ASSERT_SLICE(back, slice_of(bytes, length));
        arena_reset(&arena);
    }
    arena_close(&arena);
}

static void every_byte_outside_the_alphabet_is_refused(void **state)
{
    (void)state;
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct arena arena;
    arena_open(&arena, 0);
    for (int byte = 0; byte < 256; byte++) {
        const bool known = byte != 0 && strchr(alphabet, byte) != NULL;
        for (size_t at = 0; at < 3; at++) {
            uint8_t text[8] = {'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A'};
            text[at] = (uint8_t)byte;
            struct slice bytes;
            const enum base64_status status = base64_decode(slice_of(text, 8), &arena, &bytes);
            assert_int_equal(status, known ? BASE64_OK : BASE64_BAD_CHARACTER);
        }
    }
    arena_close(&arena);
}

static void faults_have_their_status(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum base64_status status;
    } cases[] = {
        {"A", BASE64_BAD_LENGTH},         {"AA", BASE64_BAD_LENGTH},
        {"AAA", BASE64_BAD_LENGTH},       {"AAAAA", BASE64_BAD_LENGTH},
        {"AAAA=", BASE64_BAD_LENGTH},     {"AA=", BASE64_BAD_LENGTH},
        {"AB==", BASE64_BAD_TAIL},        {"AAB=", BASE64_BAD_TAIL},
        {"AAAAZh==", BASE64_BAD_TAIL},    {"AA A", BASE64_BAD_CHARACTER},
        {"AAAA\n", BASE64_BAD_CHARACTER}, {"AA-_", BASE64_BAD_CHARACTER},
        {"=AAA", BASE64_BAD_CHARACTER},   {"A=AA", BASE64_BAD_CHARACTER},
        {"A===", BASE64_BAD_CHARACTER},   {"====", BASE64_BAD_CHARACTER},
        {"AA=A", BASE64_BAD_CHARACTER},   {"AA==AAAA", BASE64_BAD_CHARACTER},
        {"A!", BASE64_BAD_CHARACTER},
    };
    struct arena arena;
    arena_open(&arena, 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice bytes;
        const enum base64_status status =
            base64_decode(slice_of_string(cases[i].text), &arena, &bytes);
        ASSERT_CASE(status == cases[i].status, cases[i].text);
    }
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_vectors_hold_both_ways),
        cmocka_unit_test(random_bytes_survive_the_round_trip),
        cmocka_unit_test(every_byte_outside_the_alphabet_is_refused),
        cmocka_unit_test(faults_have_their_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
