/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lex — tokens by hand.
 *
 * What the service's lexer does shows in its error messages: an identifier begins with a letter,
 * not with an underscore (token "_", near "_version"); an index has no leading zeros ("2021-03" is
 * four tokens); '#' and ':' alone are tokens (near "hits : incr"); ADD is a keyword in a condition
 * too.
 */
#include "expr/lex.h"

enum {
    IDENTIFIER_START = 1,
    DIGIT = 2,
    UNDERSCORE = 4,
    SPACE = 8,
    WORD = IDENTIFIER_START | DIGIT | UNDERSCORE,
};

enum {
    CAPITAL_MASK = 0xDF, /* makes a letter a capital, and no other byte */
    UTF8_TAIL_MASK = 0xC0,
    UTF8_TAIL = 0x80,
};

static const uint8_t classes[256] = {
    ['A' ... 'Z'] = IDENTIFIER_START,
    ['a' ... 'z'] = IDENTIFIER_START,
    ['0' ... '9'] = DIGIT,
    ['_'] = UNDERSCORE,
    [' '] = SPACE,
    ['\t'] = SPACE,
    ['\r'] = SPACE,
    ['\n'] = SPACE,
};

static enum token_kind scan(const uint8_t *text, size_t left, size_t *length);

struct token lex_next(struct slice expression, size_t *offset)
{
    size_t at = *offset;
    while (at < expression.length && (classes[expression.data[at]] & SPACE) != 0)
        at++;
    struct token token = {TOKEN_END, slice_of(expression.data + at, 0)};
    if (at < expression.length) {
        token.kind = scan(expression.data + at, expression.length - at, &token.text.length);
    }
    *offset = at + token.text.length;
    return token;
}

bool lex_is_word(uint8_t byte)
{
    return (classes[byte] & WORD) != 0;
}

/* How many bytes of text are of the given classes, from the one at from. */
static size_t span(const uint8_t *text, size_t left, size_t from, uint8_t wanted)
{
    size_t at = from;
    while (at < left && (classes[text[at]] & wanted) != 0)
        at++;
    return at;
}

/* True when the word, in any case, is the keyword, given in capitals and of the same length. */
static bool is_keyword(const uint8_t *word, const char *keyword, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((word[i] & CAPITAL_MASK) != (uint8_t)keyword[i]) return false;
    }
    return true;
}

static enum token_kind keyword_or_identifier(const uint8_t *word, size_t length)
{
    static const struct {
        const char *text;
        size_t length;
        enum token_kind kind;
    } keywords[] = {
#define KEYWORD(word) {#word, sizeof #word - 1, TOKEN_##word}
        KEYWORD(IN),  KEYWORD(OR),     KEYWORD(AND),    KEYWORD(SET),     KEYWORD(NOT),
        KEYWORD(ADD), KEYWORD(DELETE), KEYWORD(REMOVE), KEYWORD(BETWEEN),
#undef KEYWORD
    };
    enum { SHORTEST = sizeof "IN" - 1, LONGEST = sizeof "BETWEEN" - 1 };
    if (length < SHORTEST || length > LONGEST) return TOKEN_IDENTIFIER;
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (keywords[i].length != length) continue;
        if (is_keyword(word, keywords[i].text, length)) return keywords[i].kind;
    }
    return TOKEN_IDENTIFIER;
}

/* The length of a string in quotes, 0 when it has no end. A backslash protects a quote. */
static size_t quoted_length(const uint8_t *text, size_t left)
{
    for (size_t at = 1; at < left; at++) {
        if (text[at] == '\\' && at + 1 < left && text[at + 1] == text[0]) {
            at++;
        } else if (text[at] == text[0]) {
            return at + 1;
        }
    }
    return 0;
}

static enum token_kind unknown(const uint8_t *text, size_t left, size_t *length)
{
    *length = 1;
    if (*text == '"' || *text == '\'') {
        const size_t quoted = quoted_length(text, left);
        if (quoted > 0) *length = quoted;
    } else {
        /* A whole character, so that messages stay UTF-8. */
        while (*length < left && (text[*length] & UTF8_TAIL_MASK) == UTF8_TAIL)
            ++*length;
    }
    return TOKEN_UNKNOWN;
}

static enum token_kind placeholder(const uint8_t *text, size_t left, size_t *length)
{
    *length = span(text, left, 1, WORD);
    if (*length == 1) return TOKEN_UNKNOWN;
    return *text == '#' ? TOKEN_NAME : TOKEN_VALUE;
}

static enum token_kind less_or_greater(const uint8_t *text, size_t left, size_t *length)
{
    const uint8_t next = left > 1 ? text[1] : 0;
    *length = next == '=' || (*text == '<' && next == '>') ? 2 : 1;
    if (*text == '>') return *length == 2 ? TOKEN_GE : TOKEN_GT;
    if (*length == 1) return TOKEN_LT;
    return next == '=' ? TOKEN_LE : TOKEN_NE;
}

static enum token_kind scan(const uint8_t *text, size_t left, size_t *length)
{
    if ((classes[*text] & IDENTIFIER_START) != 0) {
        *length = span(text, left, 1, WORD);
        return keyword_or_identifier(text, *length);
    }
    if ((classes[*text] & DIGIT) != 0) {
        *length = *text == '0' ? 1 : span(text, left, 1, DIGIT);
        return TOKEN_INDEX;
    }
    *length = 1;
    switch (*text) {
    case '#':
    case ':':
        return placeholder(text, left, length);
    case '<':
    case '>':
        return less_or_greater(text, left, length);
    case ',':
        return TOKEN_COMMA;
    case '.':
        return TOKEN_DOT;
    case '(':
        return TOKEN_OPEN;
    case ')':
        return TOKEN_CLOSE;
    case '[':
        return TOKEN_OPEN_BRACKET;
    case ']':
        return TOKEN_CLOSE_BRACKET;
    case '=':
        return TOKEN_EQ;
    case '+':
        return TOKEN_PLUS;
    case '-':
        return TOKEN_MINUS;
    default:
        return unknown(text, left, length);
    }
}
