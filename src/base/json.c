/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json — the reader is a loop over tokens with the stack inside the token array: while a container
 * is open, its span holds the index of the container around it, and its true span is written when
 * it closes. So depth costs nothing and hostile nesting is just many tokens.
 *
 * Strings are scanned eight bytes at a time, by the usual tricks on words (flag the high bit of
 * every byte that is special; the lowest flag is always a true one).
 */
#include "base/json.h"

#include "base/utf8.h"
#include <endian.h>

enum {
    JSON_TOKENS_MIN = 16,
    JSON_BYTES_PER_TOKEN = 8, /* first guess: {"name":{"S":"value"}} has about 6 */
    JSON_SPAN_MAX = (1 << 28) - 1,
    JSON_NO_PARENT = JSON_SPAN_MAX,
    WORD_BYTES = sizeof(uint64_t),
    BITS_PER_BYTE = 8,
    UTF16_ESCAPE_LENGTH = 6, /* \uXXXX */
    UTF8_LENGTH_MAX = 4,
    MS_PER_SECOND = 1000,
    INT64_DIGITS = 20, /* with a sign */
};

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH_BITS       EACH_BYTE(0x80)

struct parser {
    struct arena *arena;
    const uint8_t *at;
    const uint8_t *end;
    struct json_token *tokens;
    size_t count;
    size_t capacity;
    uint32_t parent; /* index of the innermost open container, or JSON_NO_PARENT */
};

static bool parse_document(struct parser *parser);
static bool parse_value(struct parser *parser);
static bool parse_key(struct parser *parser);
static bool parse_string(struct parser *parser);
static bool parse_number(struct parser *parser);
static bool parse_word(struct parser *parser, enum json_kind kind, struct slice word);
static bool close_containers(struct parser *parser);

const struct json_token *json_parse(struct arena *arena, struct slice text, size_t *error_at)
{
    CHECK(text.length < JSON_SPAN_MAX);
    if (error_at != NULL) *error_at = 0;
    if (text.length == 0) return NULL;
    const size_t capacity = text.length / JSON_BYTES_PER_TOKEN + JSON_TOKENS_MIN;
    struct parser parser = {
        .arena = arena,
        .at = text.data,
        .end = text.data + text.length,
        .tokens = arena_alloc_raw(arena, capacity * sizeof(struct json_token)),
        .capacity = capacity,
        .parent = JSON_NO_PARENT,
    };
    const bool parsed = parse_document(&parser);
    if (error_at != NULL) *error_at = (size_t)(parser.at - text.data);
    if (!parsed) return NULL;
    CHECK(parser.parent == JSON_NO_PARENT);
    CHECK(parser.tokens->span == parser.count);
    return arena_grow(arena, parser.tokens, parser.capacity * sizeof(struct json_token),
                      parser.count * sizeof(struct json_token));
}

static inline void skip_space(struct parser *parser)
{
    while (parser->at < parser->end) {
        const uint8_t byte = *parser->at;
        if (byte > ' ') return;
        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t') return;
        parser->at++;
    }
}

/* The next byte that is not white space, or 0, which no grammar rule expects, at the end. */
static inline uint8_t peek(struct parser *parser)
{
    skip_space(parser);
    return parser->at < parser->end ? *parser->at : 0;
}

static bool parse_document(struct parser *parser)
{
    do {
        if (parser->parent != JSON_NO_PARENT) {
            struct json_token *parent = &parser->tokens[parser->parent];
            parent->length++;
            if (parent->kind == JSON_OBJECT && !parse_key(parser)) return false;
        }
        if (!parse_value(parser)) return false;
        if (!close_containers(parser)) return false;
    } while (parser->parent != JSON_NO_PARENT);
    skip_space(parser);
    return parser->at == parser->end;
}

/* The slow path of add_token. */
static void grow_tokens(struct parser *parser)
{
    const size_t capacity = parser->capacity * 2;
    parser->tokens =
        arena_grow(parser->arena, parser->tokens, parser->capacity * sizeof(struct json_token),
                   capacity * sizeof(struct json_token));
    parser->capacity = capacity;
}

static inline struct json_token *add_token(struct parser *parser, enum json_kind kind)
{
    if (__builtin_expect(parser->count == parser->capacity, 0)) grow_tokens(parser);
    struct json_token *token = &parser->tokens[parser->count++];
    *token = (struct json_token){.text = parser->at, .span = 1, .kind = kind & 7};
    return token;
}

/* A container that is not empty stays open; the loop in parse_document goes on with its content. */
static bool open_container(struct parser *parser, enum json_kind kind, uint8_t closing)
{
    struct json_token *token = add_token(parser, kind);
    parser->at++;
    if (peek(parser) == closing) {
        parser->at++;
        return true;
    }
    token->span = parser->parent & JSON_SPAN_MAX;
    parser->parent = (uint32_t)(parser->count - 1);
    return true;
}

static bool parse_value(struct parser *parser)
{
    switch (peek(parser)) {
    case '{':
        return open_container(parser, JSON_OBJECT, '}');
    case '[':
        return open_container(parser, JSON_ARRAY, ']');
    case '"':
        return parse_string(parser);
    case 't':
        return parse_word(parser, JSON_TRUE, SLICE("true"));
    case 'f':
        return parse_word(parser, JSON_FALSE, SLICE("false"));
    case 'n':
        return parse_word(parser, JSON_NULL, SLICE("null"));
    default:
        return parse_number(parser);
    }
}

/*
 * After a value: closes what closes here, and stops before the next element of what stays open. A
 * container that was just opened has no value yet and is left alone.
 */
static bool close_containers(struct parser *parser)
{
    while (parser->parent != JSON_NO_PARENT && parser->parent + 1 != parser->count) {
        struct json_token *parent = &parser->tokens[parser->parent];
        const uint8_t next = peek(parser);
        if (next == ',') {
            parser->at++;
            return true;
        }
        if (next != (parent->kind == JSON_OBJECT ? '}' : ']')) return false;
        parser->at++;
        const uint32_t outer = parent->span;
        parent->span = (uint32_t)(parser->count - parser->parent) & JSON_SPAN_MAX;
        parser->parent = outer;
    }
    return true;
}

static bool parse_key(struct parser *parser)
{
    if (peek(parser) != '"' || !parse_string(parser)) return false;
    if (peek(parser) != ':') return false;
    parser->at++;
    return true;
}

static inline bool skip_byte(struct parser *parser, uint8_t byte)
{
    if (parser->at == parser->end || *parser->at != byte) return false;
    parser->at++;
    return true;
}

static bool parse_word(struct parser *parser, enum json_kind kind, struct slice word)
{
    add_token(parser, kind)->length = (uint32_t)word.length;
    for (size_t i = 0; i < word.length; i++) {
        if (!skip_byte(parser, word.data[i])) return false;
    }
    return true;
}

static inline bool is_digit(uint8_t byte)
{
    return (uint8_t)(byte - '0') <= 9;
}

/* Skips digits; false when there is none. */
static bool skip_digits(struct parser *parser)
{
    const uint8_t *from = parser->at;
    while (parser->at < parser->end && is_digit(*parser->at))
        parser->at++;
    return parser->at > from;
}

static bool parse_number(struct parser *parser)
{
    const uint8_t *from = parser->at;
    (void)skip_byte(parser, '-');
    if (!skip_byte(parser, '0') && !skip_digits(parser)) return false;
    if (skip_byte(parser, '.') && !skip_digits(parser)) return false;
    if (skip_byte(parser, 'e') || skip_byte(parser, 'E')) {
        if (!skip_byte(parser, '+')) (void)skip_byte(parser, '-');
        if (!skip_digits(parser)) return false;
    }
    struct json_token *token = add_token(parser, JSON_NUMBER);
    token->text = from;
    token->length = (uint32_t)(parser->at - from);
    return true;
}

/* ---- strings ----------------------------------------------------------------------------------
 */

static inline uint64_t load_word(const uint8_t *from)
{
    uint64_t word = 0;
    memcpy(&word, from, sizeof word);
    return le64toh(word);
}

/* Index of the lowest byte whose high bit is set in flags. */
static inline unsigned lowest_flag(uint64_t flags)
{
    return (unsigned)__builtin_ctzll(flags) / BITS_PER_BYTE;
}

/*
 * Flags bytes that end a run of plain ASCII: '"', '\', control characters and non-ASCII. A borrow
 * may raise wrong flags, but only above a true one.
 */
static inline uint64_t flag_special(uint64_t word)
{
    const uint64_t quotes = (word ^ EACH_BYTE('"')) - EACH_BYTE(1);
    const uint64_t backslashes = (word ^ EACH_BYTE('\\')) - EACH_BYTE(1);
    const uint64_t controls = word - EACH_BYTE(' ');
    return (quotes | backslashes | controls | word) & HIGH_BITS;
}

static inline bool is_special(uint8_t byte)
{
    return byte == '"' || byte == '\\' || byte < ' ' || byte >= 0x80;
}

static inline const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end)
{
    while ((size_t)(end - at) >= WORD_BYTES) {
        const uint64_t flags = flag_special(load_word(at));
        if (flags != 0) return at + lowest_flag(flags);
        at += WORD_BYTES;
    }
    while (at < end && !is_special(*at))
        at++;
    return at;
}

/* The value of a hexadecimal digit, or -1. */
static int hex_value(uint8_t digit)
{
    if (is_digit(digit)) return digit - '0';
    const uint8_t lower = digit | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The code unit of four hexadecimal digits, or -1. */
static int read_unit(const uint8_t *digits)
{
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        const int value = hex_value(digits[i]);
        if (value < 0) return -1;
        unit = unit << 4 | value;
    }
    return unit;
}

/* What the byte after a backslash stands for; 0 when it is 'u' or nothing. */
static uint8_t simple_escape(uint8_t byte)
{
    switch (byte) {
    case '"':
    case '\\':
    case '/':
        return byte;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* Length of the escape sequence at a backslash, or 0 when it is none. */
static size_t escape_length(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 2) return 0;
    if (simple_escape(at[1]) != 0) return 2;
    if (at[1] != 'u' || end - at < UTF16_ESCAPE_LENGTH || read_unit(at + 2) < 0) return 0;
    return UTF16_ESCAPE_LENGTH;
}

static bool parse_string(struct parser *parser)
{
    struct json_token *token = add_token(parser, JSON_STRING);
    const uint8_t *const start = parser->at + 1;
    const uint8_t *at = start;
    bool escaped = false;
    for (;;) {
        at = skip_plain(at, parser->end);
        parser->at = at;
        if (at == parser->end) return false;
        if (*at == '"') break;
        size_t length = 0;
        if (*at == '\\') {
            escaped = true;
            length = escape_length(at, parser->end);
        } else if (*at >= 0x80) {
            length = utf8_character_length(slice_of(at, (size_t)(parser->end - at)));
        }
        if (length == 0) return false;
        at += length;
    }
    token->text = start;
    token->length = (uint32_t)(at - start);
    token->escaped = escaped;
    parser->at = at + 1;
    return true;
}

/* Writes a character below U+110000, no surrogate, and returns its length. */
static size_t encode_utf8(uint32_t character, uint8_t to[UTF8_LENGTH_MAX])
{
    if (character < 0x80) {
        to[0] = (uint8_t)character;
        return 1;
    }
    if (character < 0x800) {
        to[0] = (uint8_t)(0xC0 | character >> 6);
        to[1] = (uint8_t)(0x80 | (character & 0x3F));
        return 2;
    }
    if (character < 0x10000) {
        to[0] = (uint8_t)(0xE0 | character >> 12);
        to[1] = (uint8_t)(0x80 | (character >> 6 & 0x3F));
        to[2] = (uint8_t)(0x80 | (character & 0x3F));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | character >> 18);
    to[1] = (uint8_t)(0x80 | (character >> 12 & 0x3F));
    to[2] = (uint8_t)(0x80 | (character >> 6 & 0x3F));
    to[3] = (uint8_t)(0x80 | (character & 0x3F));
    return 4;
}

/*
 * Writes what the escape sequence at *from stands for as UTF-8, moves *from behind it, and returns
 * the length written. A pair of surrogates is one character; a lone one is U+FFFD.
 */
static size_t unescape(const uint8_t **from, const uint8_t *end, uint8_t to[UTF8_LENGTH_MAX])
{
    const uint8_t *at = *from;
    *from = at + 2;
    to[0] = simple_escape(at[1]);
    if (to[0] != 0) return 1;

    uint32_t character = (uint32_t)read_unit(at + 2);
    *from = at + UTF16_ESCAPE_LENGTH;
    if (character >= 0xD800 && character <= 0xDFFF) {
        const bool high = character <= 0xDBFF;
        const uint8_t *next = *from;
        const bool pair =
            high && end - next >= UTF16_ESCAPE_LENGTH && next[0] == '\\' && next[1] == 'u';
        const uint32_t low = pair ? (uint32_t)read_unit(next + 2) : 0;
        if (low >= 0xDC00 && low <= 0xDFFF) {
            character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
            *from = next + UTF16_ESCAPE_LENGTH;
        } else {
            character = 0xFFFD;
        }
    }
    return encode_utf8(character, to);
}

struct slice json_string(const struct json_token *token, struct arena *arena)
{
    CHECK(token->kind == JSON_STRING);
    if (!token->escaped) return json_raw(token);
    const uint8_t *at = token->text;
    const uint8_t *const end = at + token->length;
    uint8_t *const start = arena_alloc_raw(arena, token->length); /* escapes only shrink */
    uint8_t *to = start;
    while (at < end) {
        const uint8_t *backslash = memchr(at, '\\', (size_t)(end - at));
        const size_t plain = (size_t)((backslash == NULL ? end : backslash) - at);
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (backslash == NULL) break;
        uint8_t character[UTF8_LENGTH_MAX];
        const size_t length = unescape(&at, end, character);
        memcpy(to, character, length);
        to += length;
    }
    CHECK((size_t)(to - start) <= token->length);
    return slice_of(start, (size_t)(to - start));
}

/* Compares an escaped string with a name without a place to unescape it to. */
static bool escaped_equals(const struct json_token *token, struct slice name)
{
    const uint8_t *at = token->text;
    const uint8_t *const end = at + token->length;
    size_t matched = 0;
    while (at < end) {
        uint8_t character[UTF8_LENGTH_MAX] = {*at};
        size_t length = 1;
        if (*at == '\\') {
            length = unescape(&at, end, character);
        } else {
            at++;
        }
        if (name.length - matched < length) return false;
        if (memcmp(name.data + matched, character, length) != 0) return false;
        matched += length;
    }
    return matched == name.length;
}

const struct json_token *json_member(const struct json_token *object, struct slice name)
{
    CHECK(object->kind == JSON_OBJECT);
    const struct json_token *found = NULL;
    const struct json_token *key = json_first(object);
    for (uint32_t i = 0; i < object->length; i++, key = json_next(key + 1)) {
        const bool equal =
            key->escaped ? escaped_equals(key, name) : slice_equal(json_raw(key), name);
        if (equal) found = key + 1;
    }
    return found;
}

bool json_int64(const struct json_token *token, int64_t *value)
{
    if (token->kind != JSON_NUMBER) return false;
    const bool negative = token->text[0] == '-';
    int64_t sum = 0;
    for (uint32_t i = negative; i < token->length; i++) {
        const uint8_t byte = token->text[i];
        if (!is_digit(byte)) return false;
        if (__builtin_mul_overflow(sum, 10, &sum)) return false;
        /* Summed on the negative side, which has one value more. */
        if (__builtin_sub_overflow(sum, byte - '0', &sum)) return false;
    }
    if (!negative && sum == INT64_MIN) return false;
    *value = negative ? sum : -sum;
    return true;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

/* Flags '"', '\\' and control characters; non-ASCII passes. See flag_special. */
static inline uint64_t flag_escaped(uint64_t word)
{
    const uint64_t quotes = (word ^ EACH_BYTE('"')) - EACH_BYTE(1);
    const uint64_t backslashes = (word ^ EACH_BYTE('\\')) - EACH_BYTE(1);
    const uint64_t controls = word - EACH_BYTE(' ');
    return (quotes | backslashes | controls) & ~word & HIGH_BITS;
}

/* Length of the longest prefix that needs no escape. */
static inline size_t plain_length(const uint8_t *from, size_t length)
{
    size_t at = 0;
    while (length - at >= WORD_BYTES) {
        const uint64_t flags = flag_escaped(load_word(from + at));
        if (flags != 0) return at + lowest_flag(flags);
        at += WORD_BYTES;
    }
    while (at < length && (from[at] >= 0x80 || !is_special(from[at])))
        at++;
    return at;
}

static void append_escape(struct buffer *buffer, uint8_t byte)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char letters[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', [' '] = 0};
    uint8_t *to = buffer_reserve(buffer, UTF16_ESCAPE_LENGTH);
    to[0] = '\\';
    if (byte >= ' ' || letters[byte] != 0) {
        to[1] = byte >= ' ' ? byte : (uint8_t)letters[byte];
        buffer->length += 2;
        return;
    }
    memcpy(to + 1, "u00", 3);
    to[4] = (uint8_t)hex[byte >> 4];
    to[5] = (uint8_t)hex[byte & 0x0F];
    buffer->length += UTF16_ESCAPE_LENGTH;
}

void json_append_string(struct buffer *buffer, struct slice text)
{
    buffer_reserve(buffer, text.length + 2);
    buffer_append_byte(buffer, '"');
    const uint8_t *at = text.data;
    size_t left = text.length;
    while (left > 0) {
        const size_t plain = plain_length(at, left);
        buffer_append(buffer, slice_of(at, plain));
        if (plain == left) break;
        append_escape(buffer, at[plain]);
        at += plain + 1;
        left -= plain + 1;
    }
    buffer_append_byte(buffer, '"');
}

void json_append_int(struct buffer *buffer, int64_t value)
{
    uint8_t digits[INT64_DIGITS];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (uint8_t)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) digits[--at] = '-';
    buffer_append(buffer, slice_of(digits + at, sizeof digits - at));
}

void json_append_seconds(struct buffer *buffer, int64_t time_ms)
{
    if (time_ms < 0) buffer_append_byte(buffer, '-');
    const uint64_t magnitude = time_ms < 0 ? 0 - (uint64_t)time_ms : (uint64_t)time_ms;
    json_append_int(buffer, (int64_t)(magnitude / MS_PER_SECOND));
    uint64_t fraction = magnitude % MS_PER_SECOND;
    if (fraction == 0) return;
    uint8_t digits[] = {'.', (uint8_t)('0' + fraction / 100), (uint8_t)('0' + fraction / 10 % 10),
                        (uint8_t)('0' + fraction % 10)};
    size_t length = sizeof digits;
    while (digits[length - 1] == '0')
        length--;
    buffer_append(buffer, slice_of(digits, length));
}

void json_append_halves(struct buffer *buffer, int64_t halves)
{
    CHECK(halves >= 0);
    json_append_int(buffer, halves / 2);
    buffer_append(buffer, halves % 2 == 0 ? SLICE(".0") : SLICE(".5"));
}
