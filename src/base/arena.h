/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena — memory that lives exactly as long as one request (or one catalog version, …).
 *
 * Nothing allocated here is ever freed by hand; a function that takes a struct arena * says "what I
 * return lives as long as the arena". An arena is used by one thread at a time.
 *
 * Under AddressSanitizer every allocation is followed by a poisoned gap, so an overrun inside the
 * arena is reported just like an overrun of malloc'd memory. When malloc fails, check_failed stops
 * the process: there is no half-answered request.
 */
#ifndef STATOR_BASE_ARENA_H
#define STATOR_BASE_ARENA_H

#include "base/check.h"
#include "base/slice.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *newest; /* the chunk allocated from; chunks are linked newest first */
    uint8_t *next;              /* first free byte of the newest chunk */
    uint8_t *end;               /* one past its last byte */
    size_t chunk_bytes;         /* size of ordinary chunks */
};

struct arena_mark {
    struct arena_chunk *chunk;
    uint8_t *next;
};

/* Makes an empty arena; the first chunk is allocated on first use. chunk_bytes 0: the default. */
void arena_open(struct arena *arena, size_t chunk_bytes);

/* Frees every chunk. The arena may be opened again. */
void arena_close(struct arena *arena);

/* Forgets all allocations but keeps one ordinary chunk for reuse. */
void arena_reset(struct arena *arena);

/* size bytes aligned for any type, zeroed. Never NULL, also for size 0. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));

/* As arena_alloc, but the bytes are not initialised: for buffers filled at once. */
void *arena_alloc_raw(struct arena *arena, size_t size) __attribute__((returns_nonnull));

/*
 * Grows the newest allocation in place when it can, else copies. old may be NULL when old_size is
 * 0. The new bytes are not initialised.
 */
void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size)
    __attribute__((returns_nonnull));

struct slice arena_copy(struct arena *arena, struct slice bytes);

/* printf into the arena; the result is also NUL-terminated (its length does not count the NUL). */
struct slice arena_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/* What it takes of the process's memory, in bytes: all of its chunks. */
size_t arena_bytes(const struct arena *arena);

/* A NUL-terminated copy. */
char *arena_string(struct arena *arena, struct slice text);

/* A place to return to: before a step that may run again … */
struct arena_mark arena_mark(const struct arena *arena);

/* … and the return: everything allocated since the mark is forgotten. */
void arena_rewind(struct arena *arena, struct arena_mark mark);

#define arena_new(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc((arena), (count) * sizeof(type)))

#endif
