/* SPDX-License-Identifier: Apache-2.0 */
/* kv_group — what a group of transactions will write, and what is put off until a body's end. */
#include "kv/kv_group.h"

#include "kv/kv_engine.h"

#include <endian.h>

enum { ADDS_LOOKED_AT = 4 }; /* two for a table, two for an index */

/* A stamp: the accepted transaction's number, FoundationDB's batch order (0 here), the index. */
struct stamp {
    uint64_t number;
    uint16_t batch;
    uint16_t index;
} __attribute__((packed));

_Static_assert(sizeof(struct stamp) == KV_STAMP_BYTES, "a stamp is KV_STAMP_BYTES");
_Static_assert(KV_APPENDS_MAX == UINT16_MAX + 1, "an append's index fits the stamp");

static struct kv_group_deferred *defer(struct kv_group *group, struct kv_group_deferred **newest);
static enum kv_status write_counters(struct kv_group *group, kv_group_reader *reader, void *engine);
static void write_appends(struct kv_group *group);
static void write_metadata_version(struct kv_group *group);
static void take_ranges(struct kv_group *group);
static void put_number(struct kv_group *group, struct slice key, uint64_t number);

void kv_group_open(struct kv_group *group, uint64_t stamp, uint64_t metadata_version)
{
    *group = (struct kv_group){.stamp = stamp, .metadata_version = metadata_version};
    arena_open(&group->arena, 0);
    kv_overlay_clear(&group->overlay, &group->arena);
}

void kv_group_close(struct kv_group *group)
{
    arena_close(&group->arena);
}

void kv_group_clear(struct kv_group *group)
{
    arena_reset(&group->arena);
    kv_overlay_clear(&group->overlay, &group->arena);
    group->ranges = NULL;
    group->work_count = 0;
    group->is_closed = false;
    group->is_metadata_touched = false;
}

void kv_group_begin(struct kv_group *group)
{
    CHECK(!kv_group_is_full(group));
    group->work_count++;
    kv_overlay_begin(&group->overlay);
    memset(&group->body, 0, sizeof group->body);
}

void kv_group_decline(struct kv_group *group)
{
    kv_overlay_rollback(&group->overlay);
}

enum kv_status kv_group_accept(struct kv_group *group, kv_group_reader *reader, void *engine)
{
    const enum kv_status status = write_counters(group, reader, engine);
    if (status != KV_OK) {
        kv_group_decline(group);
        return status;
    }
    write_appends(group);
    write_metadata_version(group);
    take_ranges(group);
    return KV_OK;
}

bool kv_group_is_full(const struct kv_group *group)
{
    return group->is_closed || group->work_count >= KV_GROUP_WORKS_MAX ||
           group->overlay.bytes >= KV_GROUP_BYTES_MAX;
}

/*
 * A body that writes many items of a table adds to the same few counters over and over: those are
 * found among its newest adds. A counter that is not costs an add more, and counts all the same.
 */
static struct kv_group_deferred *find_add(struct kv_group *group, struct slice key)
{
    struct kv_group_deferred *add = group->body.adds;
    for (int i = 0; i < ADDS_LOOKED_AT && add != NULL; i++, add = add->older)
        if (slice_equal(add->key, key)) return add;
    return NULL;
}

void kv_group_add(struct kv_group *group, struct slice key, int64_t delta)
{
    struct kv_group_deferred *add = find_add(group, key);
    if (add != NULL) { /* wraps around, as adding one after the other would */
        add->delta = (int64_t)((uint64_t)add->delta + (uint64_t)delta);
        return;
    }
    add = defer(group, &group->body.adds);
    add->key = arena_copy(&group->arena, key);
    add->delta = delta;
}

void kv_group_append(struct kv_group *group, struct slice prefix, struct slice value)
{
    CHECK(group->body.append_count < KV_APPENDS_MAX);
    struct kv_group_deferred *append = defer(group, &group->body.appends);
    append->key = arena_copy(&group->arena, prefix);
    append->value = arena_copy(&group->arena, value);
    append->index = group->body.append_count++;
}

void kv_group_delete_range(struct kv_group *group, struct slice begin, struct slice end)
{
    struct kv_group_deferred *range = defer(group, &group->body.ranges);
    range->key = arena_copy(&group->arena, begin);
    range->value = arena_copy(&group->arena, end);
}

void kv_group_touch_metadata(struct kv_group *group)
{
    group->body.is_metadata_touched = true;
}

void kv_group_encode(uint64_t number, uint8_t *bytes)
{
    const uint64_t little = htole64(number);
    memcpy(bytes, &little, sizeof little);
}

uint64_t kv_group_decode(const uint8_t *bytes)
{
    uint64_t little;
    memcpy(&little, bytes, sizeof little);
    return le64toh(little);
}

static struct kv_group_deferred *defer(struct kv_group *group, struct kv_group_deferred **newest)
{
    struct kv_group_deferred *deferred = arena_new(&group->arena, struct kv_group_deferred);
    deferred->older = *newest;
    *newest = deferred;
    return deferred;
}

/* The newest value is in the overlay when an earlier body of the group wrote it, else in the store.
 */
static enum kv_status write_counters(struct kv_group *group, kv_group_reader *reader, void *engine)
{
    for (const struct kv_group_deferred *add = group->body.adds; add != NULL; add = add->older) {
        struct slice written;
        int64_t value = 0;
        switch (kv_overlay_find(&group->overlay, add->key, &written)) {
        case KV_OVERLAY_VALUE:
            if (written.length != KV_COUNTER_BYTES) return KV_CORRUPT;
            value = (int64_t)kv_group_decode(written.data);
            break;
        case KV_OVERLAY_DELETED:
            break;
        case KV_OVERLAY_NOTHING: {
            const enum kv_status status = reader(engine, add->key, &value);
            if (status != KV_OK) return status;
        }
        }
        put_number(group, add->key, (uint64_t)value + (uint64_t)add->delta);
    }
    return KV_OK;
}

/*
 * Only an accepted body takes a number. The newest one is written with the appends themselves, so
 * that it is known again after reopening.
 */
static void write_appends(struct kv_group *group)
{
    if (group->body.appends == NULL) return;
    group->stamp++;
    const struct kv_group_deferred *append = group->body.appends;
    for (; append != NULL; append = append->older) {
        const struct stamp stamp = {htobe64(group->stamp), 0, htobe16((uint16_t)append->index)};
        uint8_t key[KV_KEY_BYTES_MAX];
        memcpy(key, append->key.data, append->key.length);
        memcpy(key + append->key.length, &stamp, sizeof stamp);
        const struct slice stamped = slice_of(key, append->key.length + sizeof stamp);
        kv_overlay_put(&group->overlay, stamped, append->value);
    }
    put_number(group, KV_GROUP_STAMP_KEY, group->stamp);
}

static void write_metadata_version(struct kv_group *group)
{
    if (!group->body.is_metadata_touched) return;
    group->is_metadata_touched = true;
    group->metadata_version++;
    put_number(group, KV_GROUP_METADATA_KEY, group->metadata_version);
}

static void take_ranges(struct kv_group *group)
{
    if (group->body.ranges == NULL) return;
    CHECK(group->ranges == NULL);
    group->ranges = group->body.ranges;
    group->is_closed = true;
}

static void put_number(struct kv_group *group, struct slice key, uint64_t number)
{
    uint8_t bytes[KV_COUNTER_BYTES];
    kv_group_encode(number, bytes);
    kv_overlay_put(&group->overlay, key, slice_of(bytes, sizeof bytes));
}
