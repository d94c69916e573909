/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64 — four characters at a time through one table; what is wrong with a text is found out only
 * after the fast loop has refused it.
 */
#include "base/base64.h"

enum {
    GROUP_CHARACTERS = 4, /* that carry … */
    GROUP_BYTES = 3,
    CHARACTER_BITS = 6,
    CHARACTER_MASK = (1 << CHARACTER_BITS) - 1,
    NOT_A_CHARACTER = 0x80, /* a bit that no value of the alphabet has */
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of every byte. Written as value + 1, so that what is not listed reads as 0. */
#define V(character, value) [character] = (value) + 1
static const uint8_t values_plus_one[256] = {
    V('A', 0),  V('B', 1),  V('C', 2),  V('D', 3),  V('E', 4),  V('F', 5),  V('G', 6),  V('H', 7),
    V('I', 8),  V('J', 9),  V('K', 10), V('L', 11), V('M', 12), V('N', 13), V('O', 14), V('P', 15),
    V('Q', 16), V('R', 17), V('S', 18), V('T', 19), V('U', 20), V('V', 21), V('W', 22), V('X', 23),
    V('Y', 24), V('Z', 25), V('a', 26), V('b', 27), V('c', 28), V('d', 29), V('e', 30), V('f', 31),
    V('g', 32), V('h', 33), V('i', 34), V('j', 35), V('k', 36), V('l', 37), V('m', 38), V('n', 39),
    V('o', 40), V('p', 41), V('q', 42), V('r', 43), V('s', 44), V('t', 45), V('u', 46), V('v', 47),
    V('w', 48), V('x', 49), V('y', 50), V('z', 51), V('0', 52), V('1', 53), V('2', 54), V('3', 55),
    V('4', 56), V('5', 57), V('6', 58), V('7', 59), V('8', 60), V('9', 61), V('+', 62), V('/', 63),
};
#undef V

static bool decode_groups(const uint8_t *from, size_t groups, uint8_t *to);
static bool decode_tail(const uint8_t *group, size_t characters, uint8_t *to);
static enum base64_status diagnose(struct slice text);

/* Wraps to 0xFF, which has NOT_A_CHARACTER, for bytes that are not of the alphabet. */
static inline uint32_t value_of(uint8_t character)
{
    return (uint8_t)(values_plus_one[character] - 1);
}

enum base64_status base64_decode(struct slice text, struct arena *arena, struct slice *bytes)
{
    *bytes = (struct slice){0};
    if (text.length == 0) return BASE64_OK;
    if (text.length % GROUP_CHARACTERS != 0) return diagnose(text);

    size_t padding = text.data[text.length - 1] == '=';
    if (padding == 1 && text.data[text.length - 2] == '=') padding = 2;
    const size_t groups = text.length / GROUP_CHARACTERS - (padding > 0);
    const size_t length = text.length / GROUP_CHARACTERS * GROUP_BYTES - padding;
    uint8_t *data = arena_alloc_raw(arena, length);
    if (!decode_groups(text.data, groups, data)) return diagnose(text);
    if (padding > 0) {
        const uint8_t *tail = text.data + groups * GROUP_CHARACTERS;
        uint8_t *end = data + groups * GROUP_BYTES;
        if (!decode_tail(tail, GROUP_CHARACTERS - padding, end)) return diagnose(text);
    }
    *bytes = slice_of(data, length);
    return BASE64_OK;
}

static bool decode_groups(const uint8_t *from, size_t groups, uint8_t *to)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < groups; i++, from += GROUP_CHARACTERS, to += GROUP_BYTES) {
        const uint32_t a = value_of(from[0]);
        const uint32_t b = value_of(from[1]);
        const uint32_t c = value_of(from[2]);
        const uint32_t d = value_of(from[3]);
        const uint32_t bits = a << 18 | b << 12 | c << 6 | d;
        seen |= a | b | c | d;
        to[0] = (uint8_t)(bits >> 16);
        to[1] = (uint8_t)(bits >> 8);
        to[2] = (uint8_t)bits;
    }
    return (seen & NOT_A_CHARACTER) == 0;
}

/* Two or three characters that hold one or two bytes; the bits left over must be 0. */
static bool decode_tail(const uint8_t *group, size_t characters, uint8_t *to)
{
    const uint32_t a = value_of(group[0]);
    const uint32_t b = value_of(group[1]);
    const uint32_t c = characters == 3 ? value_of(group[2]) : 0;
    if (((a | b | c) & NOT_A_CHARACTER) != 0) return false;
    to[0] = (uint8_t)(a << 2 | b >> 4);
    if (characters == 2) return (b & 0x0F) == 0;
    to[1] = (uint8_t)(b << 4 | c >> 2);
    return (c & 0x03) == 0;
}

/* Says why a text was refused. Characters are judged before the length, as the service does. */
static enum base64_status diagnose(struct slice text)
{
    size_t content = text.length;
    while (content > 0 && text.length - content < 2 && text.data[content - 1] == '=')
        content--;
    for (size_t i = 0; i < content; i++) {
        if (values_plus_one[text.data[i]] == 0) return BASE64_BAD_CHARACTER;
    }
    if (text.length % GROUP_CHARACTERS != 0) return BASE64_BAD_LENGTH;
    return BASE64_BAD_TAIL;
}

void base64_append(struct buffer *buffer, struct slice bytes)
{
    if (bytes.length == 0) return;
    const size_t groups = (bytes.length + GROUP_BYTES - 1) / GROUP_BYTES;
    const uint8_t *from = bytes.data;
    size_t left = bytes.length;
    uint8_t *to = buffer_reserve(buffer, groups * GROUP_CHARACTERS);
    for (; left >= GROUP_BYTES; left -= GROUP_BYTES, from += GROUP_BYTES, to += GROUP_CHARACTERS) {
        const uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        to[0] = (uint8_t)alphabet[bits >> 18];
        to[1] = (uint8_t)alphabet[bits >> 12 & CHARACTER_MASK];
        to[2] = (uint8_t)alphabet[bits >> 6 & CHARACTER_MASK];
        to[3] = (uint8_t)alphabet[bits & CHARACTER_MASK];
    }
    if (left > 0) {
        const uint32_t second = left == 2 ? from[1] : 0;
        const uint32_t bits = (uint32_t)from[0] << 16 | second << 8;
        to[0] = (uint8_t)alphabet[bits >> 18];
        to[1] = (uint8_t)alphabet[bits >> 12 & CHARACTER_MASK];
        to[2] = left == 2 ? (uint8_t)alphabet[bits >> 6 & CHARACTER_MASK] : '=';
        to[3] = '=';
    }
    buffer->length += groups * GROUP_CHARACTERS;
}
