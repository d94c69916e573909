/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_rocksdb_group — runs the bodies of a group one after the other, collects their effects
 * (kv_group), writes them as one batch with one sync, and then calls everybody's done function.
 */
#include "kv/kv_rocksdb_group.h"

enum {
    BATCH_KEPT_BYTES = 1024 * 1024, /* a batch that has held more is not kept for the next group */
};

static enum kv_status run_body(struct kv_rocksdb *rocks, const struct kv_work *work);
static enum kv_status write_group(struct kv_rocksdb *rocks);
static void fill_batch(struct kv_rocksdb *rocks);
static void clear_batch(struct kv_rocksdb *rocks);
static void note_failed(struct kv_rocksdb *rocks, char *error);
static void finish(struct kv_work *works, const struct kv_work *rest, enum kv_status failed);

/*
 * The committer's group. Those who declined wait for the commit too: they may have read what others
 * of the group wrote, and nobody may act on that before it is durable.
 */
struct kv_work *kv_rocksdb_group_run(void *context, struct kv_work *works)
{
    struct kv_rocksdb *rocks = context;
    struct kv_work *rest = works;
    enum kv_status failed = KV_UNAVAILABLE;
    kv_rocksdb_count_nothing();
    if (!kv_rocksdb_group_is_writing(rocks)) {
        rest = NULL;
    } else {
        for (; rest != NULL && !kv_group_is_full(&rocks->group); rest = rest->next)
            rest->status = run_body(rocks, rest);
        failed = write_group(rocks);
        kv_group_clear(&rocks->group);
    }
    finish(works, rest, failed);
    return rest;
}

/* Tells all from works up to rest; failed, if not KV_OK, is everybody's outcome. */
static void finish(struct kv_work *works, const struct kv_work *rest, enum kv_status failed)
{
    while (works != rest) {
        struct kv_work *next = works->next; /* done may free the work */
        works->done(works->context, failed == KV_OK ? works->status : failed);
        works = next;
    }
}

bool kv_rocksdb_group_is_writing(struct kv_rocksdb *rocks)
{
    uint8_t format[KV_COUNTER_BYTES];
    kv_group_encode(KV_ROCKSDB_FORMAT, format);
    return kv_rocksdb_log_is_ready(&rocks->log, KV_ROCKSDB_FORMAT_KEY,
                                   slice_of(format, sizeof format));
}

static enum kv_status read_counter(void *engine, struct slice key, int64_t *value)
{
    struct kv_rocksdb *rocks = engine;
    uint64_t number = 0;
    const enum kv_status status = kv_rocksdb_read_number(rocks, rocks->latest, key, &number);
    *value = (int64_t)number;
    return status;
}

static enum kv_status run_body(struct kv_rocksdb *rocks, const struct kv_work *work)
{
    struct kv_rocksdb_txn txn = {
        .txn.engine = &kv_rocksdb, .txn.is_writable = true, .rocks = rocks};
    kv_group_begin(&rocks->group);
    const enum kv_status status = kv_engine_run(&txn.txn, work);
    if (status == KV_OK) return kv_group_accept(&rocks->group, read_counter, rocks);
    kv_group_decline(&rocks->group);
    return status;
}

/*
 * Writes the group, durably. The metadata version is announced as changing before the data can be
 * seen and as changed before anybody is told, so that no view takes new data for old or old for
 * new.
 */
static enum kv_status write_group(struct kv_rocksdb *rocks)
{
    fill_batch(rocks);
    if (rocksdb_writebatch_count(rocks->batch) == 0) {
        clear_batch(rocks);
        return KV_OK;
    }
    const bool is_touched = rocks->group.is_metadata_touched;
    if (is_touched) atomic_fetch_or(&rocks->metadata_word, KV_ROCKSDB_METADATA_BUSY);

    char *error = NULL;
    size_t bytes = 0;
    rocksdb_writebatch_data(rocks->batch, &bytes);
    rocksdb_write(rocks->db, rocks->write_options, rocks->batch, &error);
    clear_batch(rocks);
    if (error != NULL) {
        note_failed(rocks, error);
        return KV_UNAVAILABLE;
    }
    if (is_touched) atomic_store(&rocks->metadata_word, rocks->group.metadata_version * 2);
    kv_rocksdb_log_written(&rocks->log, bytes);
    return KV_OK;
}

static void fill_batch(struct kv_rocksdb *rocks)
{
    kv_rocksdb_log_mark(&rocks->log, rocks->batch);
    const struct kv_overlay_node *node = rocks->group.overlay.first[0];
    for (; node != NULL; node = node->next[0]) {
        const char *key = (const char *)node->key.data;
        if (node->state == KV_OVERLAY_VALUE) {
            rocksdb_writebatch_put(rocks->batch, key, node->key.length,
                                   (const char *)node->value.data, node->value.length);
        } else if (node->state == KV_OVERLAY_DELETED) {
            rocksdb_writebatch_delete(rocks->batch, key, node->key.length);
        }
    }
    const struct kv_group_deferred *range = rocks->group.ranges;
    for (; range != NULL; range = range->older) {
        rocksdb_writebatch_delete_range(rocks->batch, (const char *)range->key.data,
                                        range->key.length, (const char *)range->value.data,
                                        range->value.length);
    }
}

static void clear_batch(struct kv_rocksdb *rocks)
{
    size_t bytes = 0;
    rocksdb_writebatch_data(rocks->batch, &bytes);
    if (bytes <= BATCH_KEPT_BYTES) {
        rocksdb_writebatch_clear(rocks->batch);
    } else {
        rocksdb_writebatch_destroy(rocks->batch);
        rocks->batch = rocksdb_writebatch_create();
    }
}

/*
 * Frees error. The metadata word stays busy: whether the write can be seen is for every snapshot to
 * tell. The group's version goes back to what the store shows.
 */
static void note_failed(struct kv_rocksdb *rocks, char *error)
{
    kv_rocksdb_log_failed(&rocks->log, error);
    uint64_t version = 0;
    if (kv_rocksdb_read_number(rocks, rocks->latest, KV_GROUP_METADATA_KEY, &version) == KV_OK) {
        rocks->group.metadata_version = version;
    } else {
        atomic_store(&rocks->log.health, KV_FAILED);
    }
}

static enum kv_status probe_body(struct kv_txn *txn, void *context)
{
    (void)txn;
    (void)context;
    return KV_OK;
}

static void probe_done(void *context, enum kv_status status)
{
    struct kv_rocksdb *rocks = context;
    (void)status;
    atomic_flag_clear(&rocks->is_probing);
}

/*
 * Who asks for a full disk's health may be one that sends no writes before it is better: so asking
 * makes it try.
 */
enum kv_health kv_rocksdb_group_health(struct kv *kv)
{
    struct kv_rocksdb *rocks = (struct kv_rocksdb *)kv;
    const enum kv_health health = (enum kv_health)atomic_load(&rocks->log.health);
    if (health == KV_FULL && !atomic_flag_test_and_set(&rocks->is_probing)) {
        rocks->probe = (struct kv_work){.body = probe_body, .done = probe_done, .context = rocks};
        kv_committer_push(rocks->committer, &rocks->probe);
    }
    return health;
}
