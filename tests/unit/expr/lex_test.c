/* SPDX-License-Identifier: Apache-2.0 */
/* lex_test — texts and their tokens. */
#include "expr/lex.h"

#include "unit/expr/fixture.h"

/* The tokens of a text, each in brackets with the first letter of its kind. */
static void assert_tokens(const char *text, const char *expected)
{
    static const char kinds[] = {
        [TOKEN_END] = 'e',     [TOKEN_UNKNOWN] = 'u',      [TOKEN_IDENTIFIER] = 'i',
        [TOKEN_NAME] = 'n',    [TOKEN_VALUE] = 'v',        [TOKEN_INDEX] = 'd',
        [TOKEN_COMMA] = 'p',   [TOKEN_DOT] = 'p',          [TOKEN_OPEN] = 'p',
        [TOKEN_CLOSE] = 'p',   [TOKEN_OPEN_BRACKET] = 'p', [TOKEN_CLOSE_BRACKET] = 'p',
        [TOKEN_EQ] = 'o',      [TOKEN_NE] = 'o',           [TOKEN_LT] = 'o',
        [TOKEN_LE] = 'o',      [TOKEN_GT] = 'o',           [TOKEN_GE] = 'o',
        [TOKEN_PLUS] = 'o',    [TOKEN_MINUS] = 'o',        [TOKEN_IN] = 'k',
        [TOKEN_BETWEEN] = 'k', [TOKEN_NOT] = 'k',          [TOKEN_AND] = 'k',
        [TOKEN_OR] = 'k',      [TOKEN_SET] = 'k',          [TOKEN_ADD] = 'k',
        [TOKEN_DELETE] = 'k',  [TOKEN_REMOVE] = 'k',
    };
    char found[512];
    size_t length = 0;
    size_t offset = 0;
    struct token token;
    do {
        token = lex_next(slice_of_string(text), &offset);
        length += (size_t)snprintf(found + length, sizeof found - length, "%c<%.*s>",
                                   kinds[token.kind], SLICE_ARGS(token.text));
    } while (token.kind != TOKEN_END);
    assert_string_equal(found, expected);
}

static void texts_fall_into_the_tokens_of_the_service(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *tokens;
    } cases[] = {
        {"", "e<>"},
        {" \t\r\n", "e<>"},
        {"a_1 B", "i<a_1>i<B>e<>"},
        {"_version", "u<_>i<version>e<>"},
        {"#a_1:b", "n<#a_1>v<:b>e<>"},
        {"#_1", "n<#_1>e<>"},
        {"# :", "u<#>u<:>e<>"},
        {"2021-03-03", "d<2021>o<->d<0>d<3>o<->d<0>d<3>e<>"},
        {"007", "d<0>d<0>d<7>e<>"},
        {"a<=b<>c<d>=e>f=g", "i<a>o<<=>i<b>o<<>>i<c>o<<>i<d>o<>=>i<e>o<>>i<f>o<=>i<g>e<>"},
        {"(a.b[0],c)+-", "p<(>i<a>p<.>i<b>p<[>d<0>p<]>p<,>i<c>p<)>o<+>o<->e<>"},
        {"In bEtween NOT and Or set ADD delete REMOVE",
         "k<In>k<bEtween>k<NOT>k<and>k<Or>k<set>k<ADD>k<delete>k<REMOVE>e<>"},
        {"inn an sets remov", "i<inn>i<an>i<sets>i<remov>e<>"},
        {"!!\xC3\xA9*", "u<!>u<!>u<\xC3\xA9>u<*>e<>"},
        {"'a b' \"c\\\"d\" 'e", "u<'a b'>u<\"c\\\"d\">u<'>i<e>e<>"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_tokens(cases[i].text, cases[i].tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_fall_into_the_tokens_of_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
