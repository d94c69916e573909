/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_group — the effects of the transactions that will be committed together, for engines that run
 * updates one after the other on one thread and commit them in groups.
 *
 * Writes go into the overlay at once, where later bodies of the group see them. Counters, appends
 * and range deletes wait until their body is accepted: counters and appends then become ordinary
 * writes in the overlay (one put for a counter, however often the group added to it), and a range
 * delete ends the group, because bodies after it must not see the range and may write into it
 * again.
 */
#ifndef STATOR_KV_KV_GROUP_H
#define STATOR_KV_KV_GROUP_H

#include "kv/kv.h"
#include "kv/kv_overlay.h"

enum {
    KV_GROUP_WORKS_MAX = 1024,            /* about 10 ms of bodies: bounds the wait of the last */
    KV_GROUP_BYTES_MAX = 8 * 1024 * 1024, /* about as long to write */
};

/* Keys of the engine's own, kept in the store; their values are kv_group_encode's. */
#define KV_GROUP_STAMP_KEY    SLICE("\377stamp")    /* the stamp of the newest append */
#define KV_GROUP_METADATA_KEY SLICE("\377metadata") /* the metadata version */

struct kv_group_deferred; /* a counter's add, an append or a range, until its body is accepted */

struct kv_group {
    struct arena arena; /* holds everything below; reset by kv_group_clear */
    struct kv_overlay overlay;
    uint64_t stamp;            /* given to the newest append */
    uint64_t metadata_version; /* as the next body sees it */
    bool is_metadata_touched;  /* by an accepted body of this group */
    bool is_closed;            /* no further body may join */
    size_t work_count;
    struct kv_group_deferred *ranges; /* to delete after everything else, newest first */
    struct {                          /* the running body's, newest first */
        struct kv_group_deferred *adds;
        struct kv_group_deferred *appends;
        struct kv_group_deferred *ranges;
        uint32_t append_count;
        bool is_metadata_touched;
    } body;
};

struct kv_group_deferred {
    struct kv_group_deferred *older;
    struct slice key;   /* counter's key, append's prefix, range's begin */
    struct slice value; /* append's value, range's end */
    int64_t delta;
    uint32_t index; /* append's, within its body */
};

/* Reads a counter's committed value, 0 when there is none. */
typedef enum kv_status kv_group_reader(void *engine, struct slice key, int64_t *value);

/* stamp and metadata_version are what the store holds. */
void kv_group_open(struct kv_group *group, uint64_t stamp, uint64_t metadata_version);
void kv_group_close(struct kv_group *group);

/* Forgets the transactions, after their commit. */
void kv_group_clear(struct kv_group *group);

/* Around each body: begin, then accept (it returned KV_OK) or decline (it did not). */
void kv_group_begin(struct kv_group *group);
void kv_group_decline(struct kv_group *group);

/* When a counter cannot be read, its status is returned and the body has been declined. */
enum kv_status kv_group_accept(struct kv_group *group, kv_group_reader *reader,
                               void *engine) WARN_UNUSED;

/* Whether another body may join. */
bool kv_group_is_full(const struct kv_group *group);

void kv_group_add(struct kv_group *group, struct slice key, int64_t delta);
void kv_group_append(struct kv_group *group, struct slice prefix, struct slice value);
void kv_group_delete_range(struct kv_group *group, struct slice begin, struct slice end);
void kv_group_touch_metadata(struct kv_group *group);

/* A 64-bit number as the engine stores it: KV_COUNTER_BYTES, little endian. */
void kv_group_encode(uint64_t number, uint8_t *bytes);
uint64_t kv_group_decode(const uint8_t *bytes);

#endif
