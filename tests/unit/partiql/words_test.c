/* SPDX-License-Identifier: Apache-2.0 */
/* words — statements cut into words. */
#include "partiql/words.h"

#include "unit/unit.h"

/* The texts of all words, each in brackets. */
static struct slice cut(struct arena *arena, const char *text)
{
    struct slice out = {0};
    size_t offset = 0;
    for (;;) {
        const struct word word = words_next(arena, slice_of_string(text), &offset);
        if (word.kind == WORD_END) return out;
        if (word.kind == WORD_BAD) return arena_format(arena, "%.*s!", SLICE_ARGS(out));
        out = arena_format(arena, "%.*s[%.*s]", SLICE_ARGS(out), SLICE_ARGS(word.text));
    }
}

static void statements_are_cut_into_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", ""},
        {" \t\n", ""},
        {"a.b[0]", "[a][.][b][[][0][]]"},
        {"'it''s' \"a\"\"b\"", "[it's][a\"b]"},
        {"a<>b a!=b a<=b a>=b a<b a>b a=b",
         "[a][<>][b][a][!=][b][a][<=][b][a][>=][b][a][<][b][a][>][b][a][=][b]"},
        {"<<1,-2.5e+3>>", "[<<][1][,][-][2.5e+3][>>]"},
        {"1e 2E5x", "[1][e][2E5][x]"},
        {"a--b\nc", "[a][c]"},
        {"a/*b*/c", "[a][c]"},
        {"n-1", "[n][-][1]"},
        {"?*;:{}()+/%||", "[?][*][;][:][{][}][(][)][+][/][%][||]"},
        {"größe", "[größe]"},
        {"a /* b", "[a]!"},
        {"a 'b", "[a]!"},
        {"a \"b", "[a]!"},
        {"a # b", "[a]!"},
        {"a|b", "[a]!"},
    };
    struct arena arena;
    arena_open(&arena, 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct slice words = cut(&arena, cases[i].text);
        ASSERT_CASE(slice_equal_string(words, cases[i].words), cases[i].text);
    }
    arena_close(&arena);
}

static void quoted_names_are_not_names(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 0);
    size_t offset = 0;
    assert_int_equal(words_next(&arena, SLICE("\"SELECT\""), &offset).kind, WORD_QUOTED);
    offset = 0;
    assert_int_equal(words_next(&arena, SLICE("SELECT"), &offset).kind, WORD_NAME);
    offset = 0;
    assert_int_equal(words_next(&arena, SLICE("'SELECT'"), &offset).kind, WORD_STRING);
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_cut_into_words),
        cmocka_unit_test(quoted_names_are_not_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
