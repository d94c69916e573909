/* SPDX-License-Identifier: Apache-2.0 */
/*
 * java_set — a HashSet iterates over its buckets, and in a bucket over its names as they came. A
 * bucket is the low bits of a name's hash; there is a power of two of them, one per three quarters
 * of a name at least.
 */
#include "ops/java_set.h"

enum { GROWING_BUCKETS = 16 }; /* java.util.HashMap's initial capacity */

/* String.hashCode over UTF-16, spread as HashMap spreads it. The text is valid UTF-8. */
static uint32_t hash_of(struct slice text)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < text.length;) {
        const uint8_t lead = text.data[i++];
        uint32_t point = lead < 0x80   ? lead
                         : lead < 0xE0 ? lead & 0x1FU
                         : lead < 0xF0 ? lead & 0x0FU
                                       : lead & 7U;
        for (; i < text.length && (text.data[i] & 0xC0) == 0x80; i++)
            point = point << 6 | (text.data[i] & 0x3FU);
        if (point >= 0x10000) {
            hash = 31 * hash + (0xD800 + ((point - 0x10000) >> 10));
            point = 0xDC00 + ((point - 0x10000) & 0x3FF);
        }
        hash = 31 * hash + point;
    }
    return hash ^ hash >> 16;
}

static size_t bucket_count(size_t names, enum java_set_kind kind)
{
    size_t buckets = kind == JAVA_SET_GROWING ? GROWING_BUCKETS : 1;
    while (4 * names > 3 * buckets)
        buckets *= 2;
    return buckets;
}

void java_set_append(struct buffer *out, const struct slice *names, size_t count,
                     enum java_set_kind kind)
{
    const size_t buckets = bucket_count(count, kind);
    size_t printed = 0;
    buffer_append_byte(out, '[');
    for (size_t bucket = 0; bucket < buckets; bucket++) {
        for (size_t i = 0; i < count; i++) {
            if ((hash_of(names[i]) & (buckets - 1)) != bucket) continue;
            if (printed++ > 0) BUFFER_TEXT(out, ", ");
            buffer_append(out, names[i]);
        }
    }
    CHECK(printed == count);
    buffer_append_byte(out, ']');
}
