/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_overlay — a skip list whose nodes are never unlinked: taking a write back restores the node's
 * former state, which for a new node is "nothing". That makes a rollback cost what the body wrote,
 * not what the group wrote (RocksDB's WriteBatchWithIndex rebuilds its whole index), and keeps
 * every cursor's position valid.
 */
#include "kv/kv_overlay.h"

struct kv_overlay_undo {
    struct kv_overlay_undo *older;
    struct kv_overlay_node *node;
    struct slice value;
    enum kv_overlay_state state;
};

/* For each level, the last node before a key; NULL stands for the list's head. */
struct path {
    struct kv_overlay_node *before[KV_OVERLAY_HEIGHT_MAX];
};

enum {
    RANDOM_SEED = 0x5eed,
    /* Marsaglia's xorshift with the triple (13, 7, 17). */
    SHIFT_A = 13,
    SHIFT_B = 7,
    SHIFT_C = 17,
    LEVEL_BITS = 2, /* random bits spent on a level: a chance of a quarter for the next */
    LEVEL_MASK = (1 << LEVEL_BITS) - 1,
};

static void write(struct kv_overlay *overlay, struct slice key, struct slice value,
                  enum kv_overlay_state state);
static struct kv_overlay_node *find_path(const struct kv_overlay *overlay, struct slice key,
                                         struct path *path);
static struct kv_overlay_node *insert(struct kv_overlay *overlay, struct slice key,
                                      struct path *path);
static int random_height(struct kv_overlay *overlay);

/* The node after this one on a level; NULL is the head. */
static inline struct kv_overlay_node *after(const struct kv_overlay *overlay,
                                            const struct kv_overlay_node *node, int level)
{
    return node == NULL ? overlay->first[level] : node->next[level];
}

void kv_overlay_clear(struct kv_overlay *overlay, struct arena *arena)
{
    *overlay = (struct kv_overlay){.arena = arena, .height = 1, .random = RANDOM_SEED};
}

void kv_overlay_begin(struct kv_overlay *overlay)
{
    overlay->undo = NULL;
}

void kv_overlay_rollback(struct kv_overlay *overlay)
{
    for (const struct kv_overlay_undo *undo = overlay->undo; undo != NULL; undo = undo->older) {
        undo->node->value = undo->value;
        undo->node->state = undo->state;
    }
    overlay->undo = NULL;
}

enum kv_overlay_state kv_overlay_find(const struct kv_overlay *overlay, struct slice key,
                                      struct slice *value)
{
    const struct kv_overlay_node *node = kv_overlay_seek(overlay, key);
    if (node == NULL || !slice_equal(node->key, key)) return KV_OVERLAY_NOTHING;
    if (node->state == KV_OVERLAY_VALUE) *value = node->value;
    return node->state;
}

void kv_overlay_put(struct kv_overlay *overlay, struct slice key, struct slice value)
{
    write(overlay, key, arena_copy(overlay->arena, value), KV_OVERLAY_VALUE);
}

void kv_overlay_delete(struct kv_overlay *overlay, struct slice key)
{
    write(overlay, key, (struct slice){NULL, 0}, KV_OVERLAY_DELETED);
}

struct kv_overlay_node *kv_overlay_seek(const struct kv_overlay *overlay, struct slice key)
{
    struct path path;
    return find_path(overlay, key, &path);
}

struct kv_overlay_node *kv_overlay_seek_before(const struct kv_overlay *overlay, struct slice key)
{
    struct path path;
    find_path(overlay, key, &path);
    return path.before[0];
}

static void write(struct kv_overlay *overlay, struct slice key, struct slice value,
                  enum kv_overlay_state state)
{
    struct path path;
    struct kv_overlay_node *node = find_path(overlay, key, &path);
    if (node == NULL || !slice_equal(node->key, key)) node = insert(overlay, key, &path);

    struct kv_overlay_undo *undo = arena_alloc_raw(overlay->arena, sizeof *undo);
    *undo = (struct kv_overlay_undo){overlay->undo, node, node->value, node->state};
    overlay->undo = undo;
    node->value = value;
    node->state = state;
    overlay->bytes += key.length + value.length;
}

/* The first node at or after key, and the way there. Levels not in use are filled with the head. */
static struct kv_overlay_node *find_path(const struct kv_overlay *overlay, struct slice key,
                                         struct path *path)
{
    struct kv_overlay_node *node = NULL;
    struct kv_overlay_node *next = NULL;
    for (int level = overlay->height - 1; level >= 0; level--) {
        /* A node compared one level above need not be compared again. */
        const struct kv_overlay_node *known = next;
        next = after(overlay, node, level);
        while (next != NULL && next != known && slice_compare(next->key, key) < 0) {
            node = next;
            next = after(overlay, node, level);
        }
        path->before[level] = node;
    }
    return next;
}

static struct kv_overlay_node *insert(struct kv_overlay *overlay, struct slice key,
                                      struct path *path)
{
    const int height = random_height(overlay);
    while (overlay->height < height)
        path->before[overlay->height++] = NULL;

    struct kv_overlay_node *node = arena_alloc_raw(
        overlay->arena, sizeof *node + (size_t)height * sizeof(struct kv_overlay_node *));
    *node = (struct kv_overlay_node){.key = arena_copy(overlay->arena, key),
                                     .previous = path->before[0]};
    for (int level = 0; level < height; level++) {
        struct kv_overlay_node *before = path->before[level];
        node->next[level] = after(overlay, before, level);
        if (before == NULL) {
            overlay->first[level] = node;
        } else {
            before->next[level] = node;
        }
    }
    if (node->next[0] != NULL) node->next[0]->previous = node;
    overlay->count++;
    return node;
}

/* One level, and one more with a chance of a quarter each. The keys are not chosen against it. */
static int random_height(struct kv_overlay *overlay)
{
    overlay->random ^= overlay->random << SHIFT_A;
    overlay->random ^= overlay->random >> SHIFT_B;
    overlay->random ^= overlay->random << SHIFT_C;
    int height = 1;
    for (uint64_t bits = overlay->random; (bits & LEVEL_MASK) == 0; bits >>= LEVEL_BITS) {
        if (height == KV_OVERLAY_HEIGHT_MAX) break;
        height++;
    }
    return height;
}
