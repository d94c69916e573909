/* SPDX-License-Identifier: Apache-2.0 */
/* json_test — RFC 8259 in and out. The public suite of parsing cases is used when it is there. */
#include "base/json.h"
#include "unit/unit.h"

#include <dirent.h>

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

static const struct json_token *parse(struct arena *arena, const char *text)
{
    return json_parse(arena, slice_of_string(text), NULL);
}

/* ---- grammar --------------------------------------------------------------------------------- */

static void well_formed_texts_are_accepted(void **state)
{
    static const char *const cases[] = {
        "0",
        "-0",
        "1.5e+10",
        "-12E-3",
        "true",
        "false",
        "null",
        "\"\"",
        "[]",
        "{}",
        " \t\r\n[ ] \n",
        "[[],{},[[]]]",
        "{\"a\":{\"b\":[1,2,{}]},\"c\":null}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"gr\xC3\xBC\xC3\x9Fx \xF0\x9F\x98\x80\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\uD83D\"",
        "{\"\":0}",
        "{\"a\":1,\"a\":2}",
        "\"\x7F\"",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ASSERT_CASE(parse(*state, cases[i]) != NULL, cases[i]);
    }
}

static void malformed_texts_are_refused_at_the_first_bad_byte(void **state)
{
    static const struct {
        const char *text;
        size_t error_at;
    } cases[] = {
        {"", 0},
        {" ", 1},
        {"[", 1},
        {"]", 0},
        {"[1,]", 3},
        {"[,1]", 1},
        {"[1 2]", 3},
        {"[1}", 2},
        {"{]", 1},
        {"{\"a\"}", 4},
        {"{\"a\":}", 5},
        {"{\"a\":1,}", 7},
        {"{a:1}", 1},
        {"{\"a\" 1}", 5},
        {"{1:2}", 1},
        {"01", 1},
        {"-", 1},
        {"+1", 0},
        {".5", 0},
        {"5.", 2},
        {"1e", 2},
        {"1e+", 3},
        {"0x1", 1},
        {"NaN", 0},
        {"Infinity", 0},
        {"tru", 3},
        {"nulL", 3},
        {"falsey", 5},
        {"\"abc", 4},
        {"'a'", 0},
        {"\"a\nb\"", 2},
        {"\"\\x\"", 1},
        {"\"\\u12G4\"", 1},
        {"\"\\u123", 1},
        {"\"\\", 1},
        {"\"\x80\"", 1},
        {"\"\xED\xA0\x80\"", 1},
        {"\"\xC0\xAF\"", 1},
        {"\"a\xE2\x82\"", 2},
        {"[] []", 3},
        {"{}x", 2},
        {"\xEF\xBB\xBF{}", 0},
        {"[1]]", 3},
        {"// x\n1", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t error_at = SIZE_MAX;
        const struct slice text = slice_of_string(cases[i].text);
        ASSERT_CASE(json_parse(*state, text, &error_at) == NULL, cases[i].text);
        ASSERT_CASE(error_at == cases[i].error_at, cases[i].text);
    }
}

static void neither_nothing_nor_a_nul_byte_is_a_value(void **state)
{
    assert_null(json_parse(*state, (struct slice){0}, NULL));
    assert_null(json_parse(*state, slice_of("1\0", 2), NULL));
    assert_null(json_parse(*state, slice_of("\"a\0b\"", 5), NULL));
    assert_null(json_parse(*state, slice_of("[\0]", 3), NULL));
}

/* Cut anywhere, a text is refused (or, for numbers, shorter) and nothing behind it is read. */
static void every_prefix_of_a_document_is_refused(void **state)
{
    static const char text[] = "{\"key\":[1,-2.5e3,true,false,null,\"a\\u00e9\\n\xC3\xBC\",{\"x\":{"
                               "}}],\"long key\":\"12345678\"}";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        uint8_t *copy = malloc(length + 1);
        assert_non_null(copy);
        uint8_t *start = copy + 1; /* up against the end of the block, which ASan watches */
        memcpy(start, text, length);
        assert_null(json_parse(*state, slice_of(start, length), NULL));
        free(copy);
    }
    assert_non_null(parse(*state, text));
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static void containers_know_their_span_and_length(void **state)
{
    const struct json_token *root = parse(*state, "{\"a\":[1,[2,3],{}],\"b\":{\"c\":[]},\"d\":4}");
    assert_int_equal(root->kind, JSON_OBJECT);
    assert_int_equal(root->length, 3);
    assert_int_equal(root->span, 14);
    const struct json_token *a = json_member(root, SLICE("a"));
    assert_int_equal(a->kind, JSON_ARRAY);
    assert_int_equal(a->length, 3);
    assert_int_equal(a->span, 6);
    const struct json_token *element = json_first(a);
    ASSERT_SLICE(json_raw(element), SLICE("1"));
    element = json_next(element);
    assert_int_equal(element->length, 2);
    element = json_next(element);
    assert_int_equal(element->kind, JSON_OBJECT);
    assert_int_equal(element->length, 0);
    assert_int_equal(element->span, 1);
    ASSERT_SLICE(json_raw(json_member(root, SLICE("d"))), SLICE("4"));
    assert_null(json_member(root, SLICE("e")));
}

static void the_last_of_equal_members_is_found(void **state)
{
    const struct json_token *root = parse(*state, "{\"a\":1,\"\\u0061\":2,\"b\":3}");
    ASSERT_SLICE(json_raw(json_member(root, SLICE("a"))), SLICE("2"));
    ASSERT_SLICE(json_raw(json_member(root, SLICE("b"))), SLICE("3"));
}

static void escaped_names_match_what_they_stand_for_and_no_more(void **state)
{
    const struct json_token *root =
        parse(*state, "{\"x\\n\\u20ac\\ud83d\\ude00y\":1,\"\\\\\":2,\"pre\\t\":3}");
    assert_non_null(json_member(root, SLICE("x\n\xE2\x82\xAC\xF0\x9F\x98\x80y")));
    assert_non_null(json_member(root, SLICE("\\")));
    assert_null(json_member(root, SLICE("pre")));
    assert_null(json_member(root, SLICE("pre\tx")));
    assert_null(json_member(root, SLICE("")));
}

static void strings_are_unescaped(void **state)
{
    static const char *const cases[][2] = {
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\"", "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"\"\\uDBFF\\uDFFF\"", "\xF4\x8F\xBF\xBF"},
        {"\"\\uD800\"", "\xEF\xBF\xBD"},
        {"\"\\uDC00\\uD800x\"", "\xEF\xBF\xBD\xEF\xBF\xBDx"},
        {"\"\\uD800\\uD800\\uDC00\"", "\xEF\xBF\xBD\xF0\x90\x80\x80"},
        {"\"\\uD800\\n\"", "\xEF\xBF\xBD\n"},
        {"\"a\\nb\xC3\xBCz\"", "a\nb\xC3\xBCz"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct json_token *token = parse(*state, cases[i][0]);
        assert_non_null(token);
        ASSERT_SLICE(json_string(token, *state), slice_of_string(cases[i][1]));
    }
    ASSERT_SLICE(json_string(parse(*state, "\"\\u0000\""), *state), slice_of("\0", 1));
}

static void integers_are_read_when_they_fit(void **state)
{
    static const struct {
        const char *text;
        bool fits;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"-42", true, -42},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"1.0", false, 0},
        {"1e2", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = 0;
        const bool fits = json_int64(parse(*state, cases[i].text), &value);
        ASSERT_CASE(fits == cases[i].fits, cases[i].text);
        if (fits) ASSERT_CASE(value == cases[i].value, cases[i].text);
    }
}

/* ---- size ------------------------------------------------------------------------------------ */

enum { BODY_BYTES = 16 << 20 };

static void any_number_has_a_whole_part(void **state)
{
    static const struct {
        const char *text;
        int64_t whole;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"42", 42},
        {"-42", -42},
        {"1.0", 1},
        {"1.9", 1},
        {"-1.9", -1},
        {"0.99", 0},
        {"1e2", 100},
        {"1.25E+1", 12},
        {"12.345e2", 1234},
        {"1234e-2", 12},
        {"1234e-9", 0},
        {"0.00012e5", 12},
        {"0e999999999999999999999", 0},
        {"0.0e99", 0},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775808", INT64_MAX},
        {"-9223372036854775809", INT64_MIN},
        {"1e999999999999999999999", INT64_MAX},
        {"-1e19", INT64_MIN},
        {"1e-999999999999999999999", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const int64_t whole = json_whole(parse(*state, cases[i].text));
        ASSERT_CASE(whole == cases[i].whole, cases[i].text);
    }
}

static void sixteen_megabytes_of_brackets_are_refused_without_recursion(void **state)
{
    uint8_t *text = malloc(BODY_BYTES);
    assert_non_null(text);
    memset(text, '[', BODY_BYTES);
    size_t error_at = 0;
    assert_null(json_parse(*state, slice_of(text, BODY_BYTES), &error_at));
    assert_int_equal(error_at, BODY_BYTES);
    memset(text + BODY_BYTES / 2, ']', BODY_BYTES / 2);
    const struct json_token *root = json_parse(*state, slice_of(text, BODY_BYTES), NULL);
    assert_non_null(root);
    assert_int_equal(root->span, BODY_BYTES / 2);
    assert_int_equal(root->length, 1);
    free(text);
}

static void a_string_of_sixteen_megabytes_is_one_token(void **state)
{
    uint8_t *text = malloc(BODY_BYTES);
    assert_non_null(text);
    memset(text, 'x', BODY_BYTES);
    text[0] = '"';
    text[BODY_BYTES - 1] = '"';
    const struct json_token *root = json_parse(*state, slice_of(text, BODY_BYTES), NULL);
    assert_non_null(root);
    assert_int_equal(root->length, BODY_BYTES - 2);
    free(text);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void strings_are_written_with_the_escapes_they_need(void **state)
{
    static const char *const cases[][2] = {
        {"", "\"\""},
        {"abc", "\"abc\""},
        {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
        {"\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001F\x7f\""},
        {"12345678\"2345678\n", "\"12345678\\\"2345678\\n\""},
        {"gr\xC3\xBC\xC3\x9Fx", "\"gr\xC3\xBC\xC3\x9Fx\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer out = buffer_open(*state, 0);
        json_append_string(&out, slice_of_string(cases[i][0]));
        ASSERT_SLICE(buffer_slice(&out), slice_of_string(cases[i][1]));
    }
}

/* Of every length, with the byte at every place: strings are copied in blocks that overlap. */
static void one_byte_to_escape_is_found_wherever_it_stands(void **state)
{
    struct arena *arena = *state;
    enum { LENGTH_MAX = 40 };
    static const char special[] = {'"', '\\', '\n', '\0', '\x1f'};
    uint8_t text[LENGTH_MAX];
    for (size_t length = 1; length <= LENGTH_MAX; length++) {
        for (size_t at = 0; at < length; at++) {
            memset(text, 'a', sizeof text);
            uint8_t *room = arena_alloc(arena, length + 2);
            assert_ptr_equal(json_put_plain(room, slice_of(text, length)), room + length + 2);
            ASSERT_SLICE(slice_of(room + 1, length), slice_of(text, length));
            text[at] = (uint8_t)special[(length + at) % sizeof special];
            assert_null(json_put_plain(room, slice_of(text, length)));
        }
        arena_reset(arena);
    }
}

/* Random strings, half of them rich in what needs escapes, come back as they were. */
static void written_strings_read_back_the_same(void **state)
{
    struct arena *arena = *state;
    struct random random;
    unit_random_open(&random);
    static const char special[] = {'"', '\\', '\n', '\0', '\x1f', ' ', 'a', '/'};
    for (int round = 0; round < 2000; round++) {
        uint8_t text[64];
        const size_t length = unit_random_below(&random, sizeof text);
        for (size_t i = 0; i < length; i++) {
            const uint64_t draw = random_next(&random);
            text[i] = round % 2 ? (uint8_t)special[draw % sizeof special] : (uint8_t)(draw % 0x80);
        }
        struct buffer out = buffer_open(arena, 0);
        json_append_string(&out, slice_of(text, length));
        const struct json_token *token = json_parse(arena, buffer_slice(&out), NULL);
        assert_non_null(token);
        ASSERT_SLICE(json_string(token, arena), slice_of(text, length));
        arena_reset(arena);
    }
}

static void figures_are_written_as_the_service_prints_them(void **state)
{
    static const struct {
        char what;
        int64_t value;
        const char *text;
    } cases[] = {
        {'i', 0, "0"},
        {'i', -7, "-7"},
        {'i', INT64_MAX, "9223372036854775807"},
        {'i', INT64_MIN, "-9223372036854775808"},
        {'s', 0, "0"},
        {'s', 1363728080070, "1363728080.07"},
        {'s', 1363728080000, "1363728080"},
        {'s', 1363728080123, "1363728080.123"},
        {'s', 1363728080100, "1363728080.1"},
        {'s', 5, "0.005"},
        {'s', -1500, "-1.5"},
        {'h', 0, "0.0"},
        {'h', 1, "0.5"},
        {'h', 2, "1.0"},
        {'h', 25, "12.5"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer out = buffer_open(*state, 0);
        if (cases[i].what == 'i') json_append_int(&out, cases[i].value);
        if (cases[i].what == 's') json_append_seconds(&out, cases[i].value);
        if (cases[i].what == 'h') json_append_halves(&out, cases[i].value);
        ASSERT_SLICE(buffer_slice(&out), slice_of_string(cases[i].text));
    }
}

/* ---- the public suite ------------------------------------------------------------------------ */

static struct slice read_file(struct arena *arena, const char *folder, const char *name)
{
    const struct slice path = arena_format(arena, "%s/%s", folder, name);
    FILE *file = fopen((const char *)path.data, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    const size_t length = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = arena_alloc_raw(arena, length);
    assert_int_equal(fread(bytes, 1, length, file), length);
    fclose(file);
    return slice_of(bytes, length);
}

/* Tests run in the build folder or in the repository's root; STATOR_SHARED decides when it is set.
 */
static DIR *open_suite(struct arena *arena, const char **folder)
{
    const char *shared = getenv("STATOR_SHARED");
    const char *const places[] = {
        shared == NULL ? "." : shared, "../shared", "../../shared", "../../../shared",
        "../../../../shared",
    };
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        *folder = (const char *)arena_format(arena, "%s/data/json-test-suite", places[i]).data;
        DIR *directory = opendir(*folder);
        if (directory != NULL) return directory;
    }
    return NULL;
}

/* y_ must be accepted, n_ refused; i_ is for the implementation to choose, without a crash. */
static void the_public_suite_is_judged_rightly(void **state)
{
    struct arena *arena = *state;
    const char *folder = NULL;
    DIR *directory = open_suite(arena, &folder);
    if (directory == NULL) skip();
    size_t count = 0;
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        const char *name = entry->d_name;
        if (strstr(name, ".json") == NULL) continue;
        const struct slice text = read_file(arena, folder, name);
        const bool accepted = json_parse(arena, text, NULL) != NULL;
        if (name[0] == 'y') ASSERT_CASE(accepted, name);
        if (name[0] == 'n') ASSERT_CASE(!accepted, name);
        count++;
    }
    closedir(directory);
    assert_true(count > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)
    const struct CMUnitTest tests[] = {
        TEST(well_formed_texts_are_accepted),
        TEST(malformed_texts_are_refused_at_the_first_bad_byte),
        TEST(neither_nothing_nor_a_nul_byte_is_a_value),
        TEST(every_prefix_of_a_document_is_refused),
        TEST(containers_know_their_span_and_length),
        TEST(the_last_of_equal_members_is_found),
        TEST(escaped_names_match_what_they_stand_for_and_no_more),
        TEST(strings_are_unescaped),
        TEST(integers_are_read_when_they_fit),
        TEST(any_number_has_a_whole_part),
        TEST(sixteen_megabytes_of_brackets_are_refused_without_recursion),
        TEST(a_string_of_sixteen_megabytes_is_one_token),
        TEST(strings_are_written_with_the_escapes_they_need),
        TEST(one_byte_to_escape_is_found_wherever_it_stands),
        TEST(written_strings_read_back_the_same),
        TEST(figures_are_written_as_the_service_prints_them),
        TEST(the_public_suite_is_judged_rightly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
