/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_bytes — the forms of value.h, read byte by byte. For the files of this room that walk whole
 * items for every row of a page: all others take values apart with value.h.
 */
#ifndef STATOR_MODEL_VALUE_BYTES_H
#define STATOR_MODEL_VALUE_BYTES_H

#include "model/value.h"

enum {
    VARINT_BITS = 7,
    VARINT_MORE = 0x80, /* another byte follows */
    VARINT_BYTES_MAX = 5,
    TYPE_BYTES = 1,
    U32_BYTES = 4,
    CONTAINER_HEAD_BYTES = TYPE_BYTES + 2 * U32_BYTES, /* type, body length, count */
};

static inline uint32_t value_bytes_u32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

/* The bytes behind a varint of any length. */
struct slice value_bytes_long_text(const uint8_t *from);

/* The bytes behind a varint: a name, a member, the data of a string. */
static inline struct slice value_bytes_text(const uint8_t *from)
{
    if (*from < VARINT_MORE) return slice_of(from + 1, *from);
    return value_bytes_long_text(from);
}

/* Where the value that begins at from ends. */
static inline const uint8_t *value_bytes_end(const uint8_t *from)
{
    struct slice text;
    switch ((enum value_type) * from) {
    case VALUE_STRING:
    case VALUE_BINARY:
        text = value_bytes_text(from + TYPE_BYTES);
        return text.data + text.length;
    case VALUE_NUMBER:
        return from + TYPE_BYTES + 1 + from[TYPE_BYTES];
    case VALUE_BOOLEAN:
        return from + TYPE_BYTES + 1;
    case VALUE_NULL:
        return from + TYPE_BYTES;
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_STRING_SET:
    case VALUE_NUMBER_SET:
    case VALUE_BINARY_SET:
        return from + TYPE_BYTES + U32_BYTES + value_bytes_u32(from + TYPE_BYTES);
    case VALUE_ABSENT:
    case VALUE_TYPES:
        break;
    }
    check_failed("a value begins with its type", __FILE__, __LINE__);
}

#endif
