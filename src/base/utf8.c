/* SPDX-License-Identifier: Apache-2.0 */
/* utf8 — the table of well-formed byte sequences (Unicode, section 3.9, table 3-7) as code. */
#include "base/utf8.h"

static size_t sequence_length(const uint8_t *text, size_t room);

bool utf8_is_valid(struct slice text)
{
    return utf8_valid_length(text) == text.length;
}

size_t utf8_valid_length(struct slice text)
{
    size_t at = 0;
    while (at < text.length) {
        uint64_t eight = 0;
        while (text.length - at >= sizeof eight) {
            memcpy(&eight, text.data + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) != 0) break;
            at += sizeof eight;
        }
        while (at < text.length && text.data[at] < 0x80)
            at++;
        if (at == text.length) break;
        const size_t length = sequence_length(text.data + at, text.length - at);
        if (length == 0) break;
        at += length;
    }
    return at;
}

size_t utf8_character_length(struct slice text)
{
    if (text.length == 0) return 0;
    return text.data[0] < 0x80 ? 1 : sequence_length(text.data, text.length);
}

static inline bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Length of the well-formed sequence of two to four bytes that text begins with, or 0. */
static size_t sequence_length(const uint8_t *text, size_t room)
{
    const uint8_t first = text[0];
    if (first < 0xC2 || first > 0xF4) return 0; /* a continuation, an overlong form, too large */
    if (first < 0xE0) return room >= 2 && is_continuation(text[1]) ? 2 : 0;
    if (first < 0xF0) {
        if (room < 3 || !is_continuation(text[1]) || !is_continuation(text[2])) return 0;
        if (first == 0xE0 && text[1] < 0xA0) return 0; /* overlong */
        if (first == 0xED && text[1] > 0x9F) return 0; /* a surrogate */
        return 3;
    }
    if (room < 4 || !is_continuation(text[1]) || !is_continuation(text[2])) return 0;
    if (!is_continuation(text[3])) return 0;
    if (first == 0xF0 && text[1] < 0x90) return 0; /* overlong */
    if (first == 0xF4 && text[1] > 0x8F) return 0; /* above U+10FFFF */
    return 4;
}
