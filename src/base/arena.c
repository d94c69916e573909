/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena — a list of chunks and a pointer that moves through the newest.
 *
 * Every allocation is rounded up to ARENA_ALIGN; chunks begin and end on it, so comparing the size
 * asked for with the room left is enough. A request larger than an ordinary chunk gets a chunk of
 * its own, which becomes the newest; while it holds nothing else it is grown by realloc, so that a
 * big body or token array is not copied again and again.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(ARENA_POISONS)
#define ARENA_POISONS 1
#endif

enum {
    ARENA_ALIGN = _Alignof(max_align_t),
    ARENA_CHUNK_BYTES = 16 * 1024,
    ARENA_FORMAT_GUESS = 128, /* bytes tried first by arena_format */
#ifdef ARENA_POISONS
    ARENA_GAP = ARENA_ALIGN,
#else
    ARENA_GAP = 0,
#endif
};

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(from, length)   ASAN_POISON_MEMORY_REGION((from), (length))
#define UNPOISON(from, length) ASAN_UNPOISON_MEMORY_REGION((from), (length))
#else
#define POISON(from, length)   ((void)(from), (void)(length))
#define UNPOISON(from, length) ((void)(from), (void)(length))
#endif

struct arena_chunk {
    struct arena_chunk *older;
    size_t length; /* bytes of data */
    _Alignas(ARENA_ALIGN) uint8_t data[];
};

_Static_assert((ARENA_ALIGN & (ARENA_ALIGN - 1)) == 0, "rounding needs a power of two");
_Static_assert(ARENA_CHUNK_BYTES % ARENA_ALIGN == 0, "chunks end aligned");

static void *alloc_slow(struct arena *arena, size_t size);
static void add_chunk(struct arena *arena, size_t length);
static void drop_newest(struct arena *arena);
static bool grow_own_chunk(struct arena *arena, const void *old, size_t old_size, size_t new_size);

/* Room an allocation takes: an allocation of nothing still has an address of its own. */
static inline size_t footprint(size_t size)
{
    return ((size + (size == 0) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1)) + ARENA_GAP;
}

static inline size_t room(const struct arena *arena)
{
    return (size_t)(arena->end - arena->next);
}

void arena_open(struct arena *arena, size_t chunk_bytes)
{
    if (chunk_bytes == 0) chunk_bytes = ARENA_CHUNK_BYTES;
    *arena = (struct arena){
        .chunk_bytes = (chunk_bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1),
    };
}

void arena_close(struct arena *arena)
{
    while (arena->newest != NULL)
        drop_newest(arena);
    arena->next = NULL;
    arena->end = NULL;
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *kept = NULL;
    while (arena->newest != NULL) {
        struct arena_chunk *chunk = arena->newest;
        if (kept == NULL && chunk->length == arena->chunk_bytes) {
            kept = chunk;
            arena->newest = chunk->older;
        } else {
            drop_newest(arena);
        }
    }
    arena->newest = kept;
    arena->next = kept == NULL ? NULL : kept->data;
    arena->end = kept == NULL ? NULL : kept->data + kept->length;
    if (kept != NULL) {
        kept->older = NULL;
        POISON(kept->data, kept->length);
    }
}

size_t arena_bytes(const struct arena *arena)
{
    size_t bytes = 0;
    for (const struct arena_chunk *chunk = arena->newest; chunk != NULL; chunk = chunk->older)
        bytes += chunk->length;
    return bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *bytes = arena_alloc_raw(arena, size);
    memset(bytes, 0, size);
    return bytes;
}

void *arena_alloc_raw(struct arena *arena, size_t size)
{
    const size_t taken = footprint(size);
    if (__builtin_expect(taken > room(arena) || taken < size, 0)) return alloc_slow(arena, size);
    uint8_t *bytes = arena->next;
    arena->next += taken;
    UNPOISON(bytes, size);
    return bytes;
}

/* Makes a chunk that holds the allocation, and takes it from there. */
static void *alloc_slow(struct arena *arena, size_t size)
{
    CHECK(size < SIZE_MAX / 2);
    const size_t taken = footprint(size);
    add_chunk(arena, taken > arena->chunk_bytes ? taken : arena->chunk_bytes);
    CHECK(taken <= room(arena));
    return arena_alloc_raw(arena, size);
}

static void add_chunk(struct arena *arena, size_t length)
{
    struct arena_chunk *chunk = malloc(sizeof *chunk + length);
    CHECK(chunk != NULL);
    chunk->older = arena->newest;
    chunk->length = length;
    POISON(chunk->data, length);
    arena->newest = chunk;
    arena->next = chunk->data;
    arena->end = chunk->data + length;
}

/* The caller sets next and end. */
static void drop_newest(struct arena *arena)
{
    struct arena_chunk *chunk = arena->newest;
    arena->newest = chunk->older;
    UNPOISON(chunk->data, chunk->length);
    free(chunk);
}

void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size)
{
    CHECK(new_size < SIZE_MAX / 2);
    if (old == NULL) {
        CHECK(old_size == 0);
        return arena_alloc_raw(arena, new_size);
    }
    const bool newest = (uint8_t *)old + footprint(old_size) == arena->next;
    if (newest && footprint(new_size) <= (size_t)(arena->end - (uint8_t *)old)) {
        arena->next = (uint8_t *)old + footprint(new_size);
        POISON(old, (size_t)(arena->end - (uint8_t *)old));
        UNPOISON(old, new_size);
        return old;
    }
    if (newest && grow_own_chunk(arena, old, old_size, new_size)) return arena->newest->data;
    if (new_size <= old_size) return old;
    void *bytes = arena_alloc_raw(arena, new_size);
    memcpy(bytes, old, old_size);
    return bytes;
}

/* Grows the newest chunk when it is not an ordinary one and old is all it holds. */
static bool grow_own_chunk(struct arena *arena, const void *old, size_t old_size, size_t new_size)
{
    struct arena_chunk *chunk = arena->newest;
    if (chunk->length <= arena->chunk_bytes || old != chunk->data) return false;
    CHECK(old_size < new_size);
    const size_t length = footprint(new_size);
    UNPOISON(chunk->data, chunk->length);
    chunk = realloc(chunk, sizeof *chunk + length);
    CHECK(chunk != NULL);
    chunk->length = length;
    POISON(chunk->data + new_size, length - new_size);
    arena->newest = chunk;
    arena->next = chunk->data + length;
    arena->end = arena->next;
    return true;
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    if (bytes.length == 0) return (struct slice){0};
    void *copy = arena_alloc_raw(arena, bytes.length);
    memcpy(copy, bytes.data, bytes.length);
    return slice_of(copy, bytes.length);
}

struct slice arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    char *text = arena_alloc_raw(arena, ARENA_FORMAT_GUESS);
    const int length = vsnprintf(text, ARENA_FORMAT_GUESS, format, arguments);
    CHECK(length >= 0);
    text = arena_grow(arena, text, ARENA_FORMAT_GUESS, (size_t)length + 1);
    if (length >= ARENA_FORMAT_GUESS) {
        const int written = vsnprintf(text, (size_t)length + 1, format, again);
        CHECK(written == length);
    }
    va_end(again);
    va_end(arguments);
    return slice_of(text, (size_t)length);
}

char *arena_string(struct arena *arena, struct slice text)
{
    char *string = arena_alloc_raw(arena, text.length + 1);
    if (text.length > 0) memcpy(string, text.data, text.length);
    string[text.length] = '\0';
    return string;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){arena->newest, arena->next};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    if (mark.chunk == NULL) { /* marked while empty */
        arena_reset(arena);
        return;
    }
    while (arena->newest != mark.chunk) {
        CHECK(arena->newest != NULL);
        drop_newest(arena);
    }
    arena->next = mark.next;
    arena->end = mark.chunk->data + mark.chunk->length;
    POISON(arena->next, room(arena));
}
