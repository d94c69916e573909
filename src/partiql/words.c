/* SPDX-License-Identifier: Apache-2.0 */
/* words — cuts a PartiQL statement into words. */
#include "partiql/words.h"

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Letters outside ASCII are taken as they come: the statement is UTF-8. */
static bool begins_name(uint8_t byte)
{
    enum { ASCII_END = 0x80 };
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           byte == '$' || byte >= ASCII_END;
}

static uint8_t byte_at(struct slice text, size_t offset)
{
    return offset < text.length ? text.data[offset] : 0;
}

static bool has_pair(struct slice text, size_t offset, const char pair[2])
{
    return offset + 1 < text.length && text.data[offset] == (uint8_t)pair[0] &&
           text.data[offset + 1] == (uint8_t)pair[1];
}

/* Behind white space and comments; false at a comment that does not end. */
static bool skip_space(struct slice text, size_t *offset)
{
    size_t at = *offset;
    for (;;) {
        *offset = at;
        if (at < text.length && is_space(text.data[at])) {
            at++;
        } else if (has_pair(text, at, "--")) {
            while (at < text.length && text.data[at] != '\n' && text.data[at] != '\r')
                at++;
        } else if (has_pair(text, at, "/*")) {
            at += 2;
            while (at < text.length && !has_pair(text, at, "*/"))
                at++;
            if (at == text.length) return false;
            at += 2;
        } else {
            return true;
        }
    }
}

/* A quoted word; a quote within is doubled. */
static struct word take_quoted(struct arena *arena, struct slice text, size_t offset)
{
    const uint8_t quote = text.data[offset];
    uint8_t *const out = arena_alloc_raw(arena, text.length - offset);
    size_t length = 0;
    for (size_t at = offset + 1; at < text.length; at++) {
        if (text.data[at] == quote && byte_at(text, at + 1) == quote) {
            at++;
        } else if (text.data[at] == quote) {
            return (struct word){
                .kind = quote == '"' ? WORD_QUOTED : WORD_STRING,
                .raw = slice_of(text.data + offset, at + 1 - offset),
                .text = slice_of(out, length),
            };
        }
        out[length++] = text.data[at];
    }
    return (struct word){.kind = WORD_BAD, .raw = slice_of(text.data + offset, 1)};
}

static size_t skip_digits(struct slice text, size_t at)
{
    while (is_digit(byte_at(text, at)))
        at++;
    return at;
}

static size_t number_end(struct slice text, size_t at)
{
    at = skip_digits(text, at);
    if (byte_at(text, at) == '.') at = skip_digits(text, at + 1);
    const uint8_t sign = byte_at(text, at + 1);
    if (byte_at(text, at) != 'e' && byte_at(text, at) != 'E') return at;
    const size_t digits = at + 1 + (sign == '+' || sign == '-');
    return is_digit(byte_at(text, digits)) ? skip_digits(text, digits) : at;
}

static size_t name_end(struct slice text, size_t at)
{
    while (at < text.length && (begins_name(text.data[at]) || is_digit(text.data[at])))
        at++;
    return at;
}

/* Longer signs come first. */
static const struct {
    const char *sign;
    enum word_kind kind;
} signs[] = {
    {"<<", WORD_OPEN_BAG},
    {">>", WORD_CLOSE_BAG},
    {"<>", WORD_NE},
    {"!=", WORD_NE},
    {"<=", WORD_LE},
    {">=", WORD_GE},
    {"||", WORD_OTHER_OPERATOR},
    {"<", WORD_LT},
    {">", WORD_GT},
    {"=", WORD_EQ},
    {"(", WORD_OPEN},
    {")", WORD_CLOSE},
    {"[", WORD_OPEN_BRACKET},
    {"]", WORD_CLOSE_BRACKET},
    {"{", WORD_OPEN_BRACE},
    {"}", WORD_CLOSE_BRACE},
    {",", WORD_COMMA},
    {":", WORD_COLON},
    {";", WORD_SEMICOLON},
    {".", WORD_DOT},
    {"*", WORD_STAR},
    {"+", WORD_PLUS},
    {"-", WORD_MINUS},
    {"?", WORD_PARAMETER},
    {"/", WORD_OTHER_OPERATOR},
    {"%", WORD_OTHER_OPERATOR},
};

static struct word take_sign(struct slice rest)
{
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        const struct slice sign = slice_of_string(signs[i].sign);
        if (!slice_has_prefix(rest, sign)) continue;
        const struct slice raw = slice_of(rest.data, sign.length);
        return (struct word){signs[i].kind, raw, raw};
    }
    return (struct word){.kind = WORD_BAD, .raw = slice_of(rest.data, 1)};
}

struct word words_next(struct arena *arena, struct slice statement, size_t *offset)
{
    const bool ended = skip_space(statement, offset);
    const size_t at = *offset;
    const struct slice rest = slice_of(statement.data + at, statement.length - at);
    struct word word = {.kind = WORD_END, .raw = slice_of(rest.data, 0)};
    if (!ended) {
        word.kind = WORD_BAD;
        word.raw.length = 2;
    } else if (rest.length == 0) {
        return word;
    } else if (rest.data[0] == '\'' || rest.data[0] == '"') {
        word = take_quoted(arena, statement, at);
    } else if (is_digit(rest.data[0])) {
        word.kind = WORD_NUMBER;
        word.raw.length = number_end(statement, at) - at;
        word.text = word.raw;
    } else if (begins_name(rest.data[0])) {
        word.kind = WORD_NAME;
        word.raw.length = name_end(statement, at) - at;
        word.text = word.raw;
    } else {
        word = take_sign(rest);
    }
    *offset = at + word.raw.length;
    return word;
}
