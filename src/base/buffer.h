/* SPDX-License-Identifier: Apache-2.0 */
/* buffer — bytes that grow at the end, in an arena. Response bodies and encoded items are built
 * so. */
#ifndef STATOR_BASE_BUFFER_H
#define STATOR_BASE_BUFFER_H

#include "base/arena.h"

struct buffer {
    struct arena *arena;
    uint8_t *data;
    size_t length;
    size_t capacity;
};

/* An empty buffer that grows in arena; capacity is a first guess and may be 0. */
struct buffer buffer_open(struct arena *arena, size_t capacity);

/* Slow path of buffer_reserve: makes room for extra more bytes. */
void buffer_grow(struct buffer *buffer, size_t extra);

/* Makes room for extra more bytes and returns where they go; length is not changed. */
static inline uint8_t *buffer_reserve(struct buffer *buffer, size_t extra)
{
    if (__builtin_expect(buffer->capacity - buffer->length < extra, 0)) buffer_grow(buffer, extra);
    return buffer->data + buffer->length;
}

static inline void buffer_append(struct buffer *buffer, struct slice bytes)
{
    if (bytes.length == 0) return;
    memcpy(buffer_reserve(buffer, bytes.length), bytes.data, bytes.length);
    buffer->length += bytes.length;
}

static inline void buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
    *buffer_reserve(buffer, 1) = byte;
    buffer->length++;
}

/* Appends a string literal. */
#define BUFFER_TEXT(buffer, literal) buffer_append((buffer), SLICE(literal))

void buffer_append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return slice_of(buffer->data, buffer->length);
}

#endif
