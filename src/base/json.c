/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json — the reader is a loop over tokens with the stack inside the token array: while a container
 * is open, its span holds the index of the container around it, and its true span is written when
 * it closes. So depth costs nothing and hostile nesting is just many tokens.
 *
 * The place in the text is passed from function to function, and NULL is "refused": that keeps it
 * in a register. Runs of plain characters are scanned a block of 16 bytes at a time.
 */
#include "base/json.h"

#include "base/utf8.h"
#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    JSON_TOKENS_MIN = 16,
    JSON_BYTES_PER_TOKEN = 6, /* first guess, from {"name":{"S":"value"}} */
    JSON_SPAN_MAX = (1 << 28) - 1,
    JSON_NO_PARENT = JSON_SPAN_MAX,
    BLOCK_BYTES = 16,
    BITS_PER_BYTE = 8,
    UTF16_ESCAPE_LENGTH = 6, /* \uXXXX */
    UTF8_LENGTH_MAX = 4,
    MS_PER_SECOND = 1000,
    INT64_DIGITS = 20, /* with a sign */
};

struct parser {
    struct arena *arena;
    const uint8_t *end; /* of the text */
    struct json_token *tokens;
    struct json_token *next;   /* where the next token goes … */
    struct json_token *limit;  /* … when it is not here */
    uint32_t parent;           /* index of the innermost open container, or JSON_NO_PARENT */
    const uint8_t *refused_at; /* the first bad byte */
};

static const uint8_t *parse_document(struct parser *parser, const uint8_t *at);
static const uint8_t *parse_value(struct parser *parser, const uint8_t *at);
static const uint8_t *parse_key(struct parser *parser, const uint8_t *at);
static const uint8_t *parse_string(struct parser *parser, const uint8_t *at);
static const uint8_t *parse_number(struct parser *parser, const uint8_t *at);
static const uint8_t *close_containers(struct parser *parser, const uint8_t *at);

const struct json_token *json_parse(struct arena *arena, struct slice text, size_t *error_at)
{
    CHECK(text.length < JSON_SPAN_MAX);
    if (error_at != NULL) *error_at = 0;
    if (text.length == 0) return NULL;
    const size_t capacity = text.length / JSON_BYTES_PER_TOKEN + JSON_TOKENS_MIN;
    struct json_token *tokens = arena_alloc_raw(arena, capacity * sizeof *tokens);
    struct parser parser = {
        .arena = arena,
        .end = text.data + text.length,
        .tokens = tokens,
        .next = tokens,
        .limit = tokens + capacity,
        .parent = JSON_NO_PARENT,
    };
    if (parse_document(&parser, text.data) == NULL) {
        if (error_at != NULL) *error_at = (size_t)(parser.refused_at - text.data);
        return NULL;
    }
    const size_t count = (size_t)(parser.next - parser.tokens);
    CHECK(parser.parent == JSON_NO_PARENT);
    CHECK(parser.tokens->span == count);
    const size_t allocated = (size_t)(parser.limit - parser.tokens);
    return arena_grow(arena, parser.tokens, allocated * sizeof *tokens, count * sizeof *tokens);
}

/* Remembers where the text stops being JSON. */
static const uint8_t *refuse(struct parser *parser, const uint8_t *at)
{
    parser->refused_at = at;
    return NULL;
}

static inline const uint8_t *skip_space(const struct parser *parser, const uint8_t *at)
{
    const uint8_t *const end = parser->end;
    for (; at < end && *at <= ' '; at++) {
        if (*at != ' ' && *at != '\n' && *at != '\r' && *at != '\t') break;
    }
    return at;
}

/* The byte at a place, or 0, which no rule of the grammar expects, at the end. */
static inline uint8_t peek(const struct parser *parser, const uint8_t *at)
{
    return at < parser->end ? *at : 0;
}

static const uint8_t *parse_document(struct parser *parser, const uint8_t *at)
{
    do {
        if (parser->parent != JSON_NO_PARENT) {
            struct json_token *parent = &parser->tokens[parser->parent];
            parent->length++;
            if (parent->kind == JSON_OBJECT) at = parse_key(parser, at);
            if (at == NULL) return NULL;
        }
        at = parse_value(parser, at);
        if (at == NULL) return NULL;
        at = close_containers(parser, at);
        if (at == NULL) return NULL;
    } while (parser->parent != JSON_NO_PARENT);
    at = skip_space(parser, at);
    return at == parser->end ? at : refuse(parser, at);
}

/* The slow path of add_token: a call with its arguments, so that the fast path saves no register.
 */
static __attribute__((noinline)) void grow_and_add_token(struct parser *parser,
                                                         struct json_token token)
{
    const size_t count = (size_t)(parser->next - parser->tokens);
    const size_t size = count * sizeof *parser->tokens;
    parser->tokens = arena_grow(parser->arena, parser->tokens, size, 2 * size);
    parser->next = parser->tokens + count;
    parser->limit = parser->tokens + 2 * count;
    *parser->next++ = token;
}

static inline void add_token(struct parser *parser, struct json_token token)
{
    if (__builtin_expect(parser->next == parser->limit, 0)) {
        grow_and_add_token(parser, token);
    } else {
        *parser->next++ = token;
    }
}

/* A container that is not empty stays open; the loop in parse_document goes on with its content. */
static inline const uint8_t *open_container(struct parser *parser, const uint8_t *at,
                                            enum json_kind kind)
{
    const uint8_t *content = skip_space(parser, at + 1);
    if (peek(parser, content) == *at + 2) { /* in ASCII a bracket closes two above where it opens */
        add_token(parser, (struct json_token){.text = at, .span = 1, .kind = kind & 7});
        return content + 1;
    }
    const uint32_t around = parser->parent;
    parser->parent = (uint32_t)(parser->next - parser->tokens);
    add_token(parser,
              (struct json_token){.text = at, .span = around & JSON_SPAN_MAX, .kind = kind & 7});
    return content;
}

static const uint8_t *parse_word(struct parser *parser, const uint8_t *at, enum json_kind kind,
                                 struct slice word)
{
    add_token(parser, (struct json_token){at, (uint32_t)word.length, 1, kind & 7, 0});
    for (size_t i = 0; i < word.length; i++, at++) {
        if (peek(parser, at) != word.data[i]) return refuse(parser, at);
    }
    return at;
}

static const uint8_t *parse_value(struct parser *parser, const uint8_t *at)
{
    _Static_assert('[' + 2 == ']' && '{' + 2 == '}', "see open_container");
    at = skip_space(parser, at);
    switch (peek(parser, at)) {
    case '{':
        return open_container(parser, at, JSON_OBJECT);
    case '[':
        return open_container(parser, at, JSON_ARRAY);
    case '"':
        return parse_string(parser, at);
    case 't':
        return parse_word(parser, at, JSON_TRUE, SLICE("true"));
    case 'f':
        return parse_word(parser, at, JSON_FALSE, SLICE("false"));
    case 'n':
        return parse_word(parser, at, JSON_NULL, SLICE("null"));
    default:
        return parse_number(parser, at);
    }
}

/*
 * After a value: closes what closes here, and stops before the next element of what stays open. A
 * container that was just opened has no value yet and is left alone.
 */
static const uint8_t *close_containers(struct parser *parser, const uint8_t *at)
{
    const uint32_t count = (uint32_t)(parser->next - parser->tokens);
    while (parser->parent != JSON_NO_PARENT && parser->parent + 1 != count) {
        struct json_token *parent = &parser->tokens[parser->parent];
        at = skip_space(parser, at);
        const uint8_t next = peek(parser, at);
        if (next == ',') return at + 1;
        if (next != (parent->kind == JSON_OBJECT ? '}' : ']')) return refuse(parser, at);
        at++;
        const uint32_t around = parent->span;
        parent->span = (count - parser->parent) & JSON_SPAN_MAX;
        parser->parent = around;
    }
    return at;
}

static const uint8_t *parse_key(struct parser *parser, const uint8_t *at)
{
    at = skip_space(parser, at);
    if (peek(parser, at) != '"') return refuse(parser, at);
    at = parse_string(parser, at);
    if (at == NULL) return NULL;
    at = skip_space(parser, at);
    return peek(parser, at) == ':' ? at + 1 : refuse(parser, at);
}

static inline bool is_digit(uint8_t byte)
{
    return (uint8_t)(byte - '0') <= 9;
}

/* Skips digits; NULL when there is none. */
static const uint8_t *skip_digits(struct parser *parser, const uint8_t *at)
{
    if (!is_digit(peek(parser, at))) return refuse(parser, at);
    while (is_digit(peek(parser, at)))
        at++;
    return at;
}

static const uint8_t *parse_number(struct parser *parser, const uint8_t *at)
{
    const uint8_t *const from = at;
    if (peek(parser, at) == '-') at++;
    at = peek(parser, at) == '0' ? at + 1 : skip_digits(parser, at);
    if (at != NULL && peek(parser, at) == '.') at = skip_digits(parser, at + 1);
    if (at != NULL && (peek(parser, at) == 'e' || peek(parser, at) == 'E')) {
        at++;
        if (peek(parser, at) == '+' || peek(parser, at) == '-') at++;
        at = skip_digits(parser, at);
    }
    if (at == NULL) return NULL;
    add_token(parser, (struct json_token){from, (uint32_t)(at - from), 1, JSON_NUMBER, 0});
    return at;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* Sixteen bytes at once, and what comparing them gives: 0 or -1 for each. */
typedef uint8_t block __attribute__((vector_size(BLOCK_BYTES)));
typedef int8_t block_mask __attribute__((vector_size(BLOCK_BYTES)));
typedef uint64_t block_halves __attribute__((vector_size(BLOCK_BYTES)));

#define EIGHT_SPACES UINT64_C(0x2020202020202020)

static inline block load_block(const uint8_t *from)
{
    block bytes;
    memcpy(&bytes, from, sizeof bytes);
    return bytes;
}

/* '"', '\' and control characters: what must be escaped. */
static inline block_mask find_escaped(block bytes)
{
    return (bytes == '"') | (bytes == '\\') | (bytes < ' ');
}

/* '"', '\', control characters and non-ASCII (which is negative): what ends a run of plain ASCII.
 */
static inline block_mask find_special(block bytes)
{
    return (bytes == '"') | (bytes == '\\') | ((block_mask)bytes < ' ');
}

/* Index of the first byte that was found, or BLOCK_BYTES. */
static inline size_t first_found(block_mask found)
{
#ifdef __SSE2__
    return (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8((__m128i)found) | 1U << BLOCK_BYTES);
#else
    uint64_t halves[2];
    memcpy(halves, &found, sizeof found);
    if (halves[0] != 0) return (size_t)__builtin_ctzll(le64toh(halves[0])) / BITS_PER_BYTE;
    if (halves[1] == 0) return BLOCK_BYTES;
    return BLOCK_BYTES / 2 + (size_t)__builtin_ctzll(le64toh(halves[1])) / BITS_PER_BYTE;
#endif
}

static inline bool is_special(uint8_t byte)
{
    return byte == '"' || byte == '\\' || byte < ' ' || byte >= 0x80;
}

static inline const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end)
{
    while ((size_t)(end - at) >= BLOCK_BYTES) {
        const size_t found = first_found(find_special(load_block(at)));
        if (found < BLOCK_BYTES) return at + found;
        at += BLOCK_BYTES; /* known before the result, so the next block need not wait for it */
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

/* Length of what is not plain at a place inside a string: an escape, a character; 0 when it is bad.
 */
static size_t special_length(const uint8_t *at, const uint8_t *end)
{
    if (*at == '\\') return escape_length(at, end);
    return *at < 0x80 ? 0 : utf8_character_length(slice_of(at, (size_t)(end - at)));
}

static inline const uint8_t *end_string(struct parser *parser, struct slice content, bool escaped)
{
    add_token(parser, (struct json_token){content.data, (uint32_t)content.length, 1, JSON_STRING,
                                          escaped & 1});
    return content.data + content.length + 1;
}

/* The rest of a string with escapes or characters beyond ASCII, or the refusal of what is none. */
static __attribute__((noinline)) const uint8_t *
parse_special(struct parser *parser, const uint8_t *start, const uint8_t *at)
{
    bool escaped = false;
    while (peek(parser, at) != '"') {
        if (at == parser->end) return refuse(parser, at);
        if (*at == '\\') escaped = true;
        const size_t length = special_length(at, parser->end);
        if (length == 0) return refuse(parser, at);
        at += length;
        if (at < parser->end && !is_special(*at)) at = skip_plain(at, parser->end);
    }
    return end_string(parser, slice_of(start, (size_t)(at - start)), escaped);
}

static inline const uint8_t *parse_string(struct parser *parser, const uint8_t *at)
{
    const uint8_t *const start = at + 1;
    at = skip_plain(start, parser->end);
    if (peek(parser, at) != '"') return parse_special(parser, start, at);
    return end_string(parser, slice_of(start, (size_t)(at - start)), false);
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

static bool is_exponent_sign(uint8_t byte)
{
    return byte == 'e' || byte == 'E';
}

/* By how many places the exponent moves the point of a number; [from, end) begins behind its
 * mantissa. Beyond what an int holds it does not matter by how many. */
static int64_t exponent_of(const uint8_t *from, const uint8_t *end)
{
    if (from == end) return 0;
    const bool negative = from[1] == '-';
    int64_t places = 0;
    for (const uint8_t *at = from + 1; at < end && places < INT32_MAX; at++) {
        if (is_digit(*at)) places = places * 10 + (*at - '0');
    }
    return negative ? -places : places;
}

int64_t json_whole(const struct json_token *token)
{
    CHECK(token->kind == JSON_NUMBER);
    const uint8_t *const end = token->text + token->length;
    const bool negative = token->text[0] == '-';
    const uint8_t *at = token->text + (negative ? 1 : 0);
    const uint8_t *point = at;
    while (point < end && is_digit(*point))
        point++;
    const uint8_t *mantissa_end = point;
    while (mantissa_end < end && !is_exponent_sign(*mantissa_end))
        mantissa_end++;

    int64_t sum = 0;
    for (int64_t places = (point - at) + exponent_of(mantissa_end, end); places > 0; places--) {
        if (at == point && at < mantissa_end) at++;
        if (at >= mantissa_end && sum == 0) break; /* zeros without end */
        const int64_t digit = at < mantissa_end ? *at++ - '0' : 0;
        /* Summed on the negative side, which has one value more. */
        const bool is_beyond =
            __builtin_mul_overflow(sum, 10, &sum) || __builtin_sub_overflow(sum, digit, &sum);
        if (is_beyond) return negative ? INT64_MIN : INT64_MAX;
    }
    if (negative) return sum;
    return sum == INT64_MIN ? INT64_MAX : -sum;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void append_escaped(struct buffer *buffer, struct slice text);

/* Length of the longest prefix that needs no escape. */
static size_t plain_length(const uint8_t *from, size_t length)
{
    size_t at = 0;
    while (length - at >= BLOCK_BYTES) {
        const size_t found = first_found(find_escaped(load_block(from + at)));
        if (found < BLOCK_BYTES) return at + found;
        at += BLOCK_BYTES;
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

static inline block_mask copy_block(uint8_t *to, const uint8_t *from)
{
    const block bytes = load_block(from);
    memcpy(to, &bytes, sizeof bytes);
    return find_escaped(bytes);
}

/*
 * As copy_block for fewer bytes: their first half and their last, which may overlap. Down to four
 * bytes; what the block has more is spaces.
 */
static inline block_mask copy_half_block(uint8_t *to, struct slice text)
{
    block_halves halves = {EIGHT_SPACES, EIGHT_SPACES};
    if (text.length >= sizeof(uint64_t)) {
        const size_t last = text.length - sizeof(uint64_t);
        uint64_t eight[2];
        memcpy(&eight[0], text.data, sizeof eight[0]);
        memcpy(&eight[1], text.data + last, sizeof eight[1]);
        memcpy(to, &eight[0], sizeof eight[0]);
        memcpy(to + last, &eight[1], sizeof eight[1]);
        halves = (block_halves){eight[0], eight[1]};
    } else {
        const size_t last = text.length - sizeof(uint32_t);
        uint32_t four[2];
        memcpy(&four[0], text.data, sizeof four[0]);
        memcpy(&four[1], text.data + last, sizeof four[1]);
        memcpy(to, &four[0], sizeof four[0]);
        memcpy(to + last, &four[1], sizeof four[1]);
        halves[0] = four[0] | (uint64_t)four[1] << (BITS_PER_BYTE * sizeof four[0]);
    }
    return find_escaped((block)halves);
}

/* As copy_half_block for up to three bytes. */
static inline bool copy_few(uint8_t *to, struct slice text)
{
    bool is_plain = true;
    for (size_t i = 0; i < text.length; i++) {
        const uint8_t byte = text.data[i];
        to[i] = byte;
        is_plain = is_plain && byte >= ' ' && byte != '"' && byte != '\\';
    }
    return is_plain;
}

/*
 * Copies text while it looks for what needs an escape; true when there was nothing. What it copied
 * before it found something is of no use.
 */
static inline bool copy_plain(uint8_t *to, struct slice text)
{
    block_mask found = {0};
    if (text.length < sizeof(uint32_t)) return copy_few(to, text);
    if (text.length < BLOCK_BYTES) {
        found = copy_half_block(to, text);
    } else {
        const size_t last = text.length - BLOCK_BYTES; /* this block may overlap the one before */
        for (size_t at = 0; at < last; at += BLOCK_BYTES) {
            found |= copy_block(to + at, text.data + at);
        }
        found |= copy_block(to + last, text.data + last);
    }
    return first_found(found) == BLOCK_BYTES;
}

uint8_t *json_put_plain(uint8_t *to, struct slice text)
{
    to[0] = '"';
    if (!copy_plain(to + 1, text)) return NULL;
    to[text.length + 1] = '"';
    return to + text.length + 2;
}

void json_append_string(struct buffer *buffer, struct slice text)
{
    uint8_t *start = buffer_reserve(buffer, text.length + 2);
    if (json_put_plain(start, text) != NULL) {
        buffer->length += text.length + 2;
        return;
    }
    buffer->length++; /* the opening quote */
    append_escaped(buffer, text);
}

/* The slow path of json_append_string: the text and the closing quote, after the opening one. */
static void append_escaped(struct buffer *buffer, struct slice text)
{
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
