/* SPDX-License-Identifier: Apache-2.0 */
/* buffer — the growing part of buffer.h: capacity doubles, so appending is O(1) per byte. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    BUFFER_CAPACITY_MIN = 128,
    BUFFER_FORMAT_GUESS = 64, /* bytes tried first by buffer_append_format */
};

struct buffer buffer_open(struct arena *arena, size_t capacity)
{
    uint8_t *data = capacity == 0 ? NULL : arena_alloc_raw(arena, capacity);
    return (struct buffer){arena, data, 0, capacity};
}

void buffer_grow(struct buffer *buffer, size_t extra)
{
    CHECK(extra < SIZE_MAX / 2 - buffer->length);
    size_t capacity = buffer->capacity * 2;
    if (capacity < buffer->length + extra) capacity = buffer->length + extra;
    if (capacity < BUFFER_CAPACITY_MIN) capacity = BUFFER_CAPACITY_MIN;
    buffer->data = arena_grow(buffer->arena, buffer->data, buffer->capacity, capacity);
    buffer->capacity = capacity;
    CHECK(buffer->capacity - buffer->length >= extra);
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    buffer_reserve(buffer, BUFFER_FORMAT_GUESS);
    size_t room = buffer->capacity - buffer->length;
    const int length = vsnprintf((char *)buffer->data + buffer->length, room, format, arguments);
    CHECK(length >= 0);
    if ((size_t)length >= room) { /* vsnprintf wants a byte for its NUL as well */
        char *place = (char *)buffer_reserve(buffer, (size_t)length + 1);
        const int written = vsnprintf(place, (size_t)length + 1, format, again);
        CHECK(written == length);
    }
    buffer->length += (size_t)length;
    va_end(again);
    va_end(arguments);
}
