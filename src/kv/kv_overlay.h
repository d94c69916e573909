/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_overlay — writes not yet committed: a sorted map from key to new value or deletion, kept in an
 * arena, from which the writes of the body that ran last can be taken back.
 *
 * An engine that collects several transactions into one commit lays it over the stored data. Nodes
 * and the bytes they point to stay where they are until the overlay is cleared, so a position in it
 * survives writes. Used by one thread.
 */
#ifndef STATOR_KV_KV_OVERLAY_H
#define STATOR_KV_KV_OVERLAY_H

#include "base/arena.h"

enum kv_overlay_state {
    KV_OVERLAY_NOTHING, /* nothing written here, or taken back: look below */
    KV_OVERLAY_VALUE,
    KV_OVERLAY_DELETED,
};

enum { KV_OVERLAY_HEIGHT_MAX = 12 }; /* a quarter each: fit for 4^12 keys */

struct kv_overlay_node {
    struct slice key;
    struct slice value;
    enum kv_overlay_state state;
    struct kv_overlay_node *previous; /* NULL before the first */
    struct kv_overlay_node *next[];   /* one link per level; NULL after the last */
};

struct kv_overlay_undo;

struct kv_overlay {
    struct arena *arena;
    struct kv_overlay_undo *undo; /* of the current body, newest first */
    struct kv_overlay_node *first[KV_OVERLAY_HEIGHT_MAX];
    int height;      /* levels in use */
    uint64_t random; /* for the heights of nodes */
    size_t count;    /* nodes */
    size_t bytes;    /* of keys and values written since it was cleared, also those taken back */
};

/* Makes an empty overlay; what it will hold lives in arena. */
void kv_overlay_clear(struct kv_overlay *overlay, struct arena *arena);

/* A body begins: what follows can be taken back. */
void kv_overlay_begin(struct kv_overlay *overlay);

/* Takes back every write since kv_overlay_begin. */
void kv_overlay_rollback(struct kv_overlay *overlay);

/* What was written at key; value is set when that is a value, and borrowed until the clear. */
enum kv_overlay_state kv_overlay_find(const struct kv_overlay *overlay, struct slice key,
                                      struct slice *value);

void kv_overlay_put(struct kv_overlay *overlay, struct slice key, struct slice value);
void kv_overlay_delete(struct kv_overlay *overlay, struct slice key);

/* The first node at or after key, and the last node before it; NULL if there is none. */
struct kv_overlay_node *kv_overlay_seek(const struct kv_overlay *overlay, struct slice key);
struct kv_overlay_node *kv_overlay_seek_before(const struct kv_overlay *overlay, struct slice key);

#endif
