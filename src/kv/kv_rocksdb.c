/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_rocksdb — the engine on RocksDB: opening, reading, cursors. Only the files that begin with its
 * name know RocksDB.
 *
 * Views run on the calling thread, on a snapshot taken at their first read. Updates run on the
 * committer's thread, in groups (kv_rocksdb_group). The committer is the only writer, so an update
 * needs no snapshot: nothing changes under it.
 *
 * RocksDB shows a batch only after it is in the log and the log is synced, so what failed to be
 * written is never read.
 *
 * The engine's own keys begin with 0xFF: "format", and those of kv_group.
 */
#include "kv/kv_rocksdb.h"

#include "base/log.h"
#include "kv/kv_directory.h"
#include "kv/kv_rocksdb_flush.h"
#include "kv/kv_rocksdb_group.h"
#include "kv/kv_rocksdb_manifest.h"
#include "kv/kv_rocksdb_options.h"
#include "kv/kv_wal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_AHEAD_ROWS = 1000, /* a cursor that expects as many reads ahead */
    READ_AHEAD_BYTES = 256 * 1024,
};

struct rocks_cursor {
    struct kv_cursor cursor;
    struct kv_rocksdb *rocks;
    rocksdb_iterator_t *iterator; /* over the stored rows, bounded by the range */
    rocksdb_readoptions_t *read_options;
    struct slice begin; /* in bytes */
    struct slice end;
    bool is_reverse;
    bool is_started;
    /* Of an update: the uncommitted rows, merged with the stored ones. */
    const struct kv_overlay *overlay;
    const struct kv_overlay_node *node; /* the next; NULL past the last */
    bool is_row_stored;                 /* where the current row came from: */
    bool is_row_pending; /* these must move on first; both when one hides the other */
    uint8_t bytes[];     /* begin and end */
};

static enum kv_open_status prepare(struct kv_rocksdb *rocks, const char *path, struct arena *arena,
                                   struct kv_wal_report *report);
static enum kv_open_status check_logs(struct kv_rocksdb *rocks, const char *path,
                                      struct arena *arena, struct kv_wal_report *report);
static enum kv_open_status open_database(struct kv_rocksdb *rocks, const char *path, char **error);
static enum kv_open_status open_contents(struct kv_rocksdb *rocks, struct slice *problem);
static bool is_needed(struct kv_rocksdb *rocks, uint64_t log_number);
static void parts_close(struct kv_rocksdb *rocks);
static enum kv_status status_of(struct kv_rocksdb *rocks, char *error);

/* ---- opening and closing --------------------------------------------------------------------- */

static enum kv_open_status rocks_open(const struct kv_options *options, struct kv **kv,
                                      struct arena *arena, struct slice *detail)
{
    const char *path = options->in_memory ? "/memory" : options->path;
    struct kv_rocksdb *rocks = calloc(1, sizeof *rocks);
    CHECK(rocks != NULL);
    rocks->kv.engine = &kv_rocksdb;
    rocks->durability = options->durability;
    rocks->in_memory = options->in_memory;
    rocks->lock = -1;
    atomic_flag_clear(&rocks->is_probing);
    if (options->in_memory) rocks->env = rocksdb_create_mem_env();
    rocks->options = kv_rocksdb_options_create(options);
    if (rocks->env != NULL) rocksdb_options_set_env(rocks->options, rocks->env);

    char *error = NULL;
    struct kv_wal_report report = {0};
    enum kv_open_status status = KV_OPEN_OK;
    if (!options->in_memory) status = prepare(rocks, path, arena, &report);
    if (status == KV_OPEN_OK) status = open_database(rocks, path, &error);
    if (error != NULL && report.damaged == 0) report.problem = slice_of_string(error);
    if (status == KV_OPEN_OK && report.damaged != 0 && is_needed(rocks, report.damaged))
        status = KV_OPEN_CORRUPT;
    uint64_t found = 0;
    if (status == KV_OPEN_OK) {
        found = rocksdb_get_latest_sequence_number(rocks->db);
        status = open_contents(rocks, &report.problem);
    }
    if (status == KV_OPEN_OK) {
        const struct kv_rocksdb_log_place place = {
            .directory = rocks->lock,
            .is_synced = rocks->durability == KV_SYNC,
            .found = found,
            .last = report.damaged == 0 ? report.last : 0,
        };
        kv_rocksdb_log_open(&rocks->log, rocks->db, place);
        if (!options->in_memory && kv_rocksdb_group_is_writing(rocks) &&
            kv_rocksdb_flush_opened(rocks->db, path, KV_ROCKSDB_FORMAT_KEY))
            rocks->log.last = 0;
        *kv = &rocks->kv;
    } else {
        *detail = arena_copy(arena, report.problem);
        parts_close(rocks);
    }
    rocksdb_free(error);
    return status;
}

/* What comes before RocksDB may touch the directory. */
static enum kv_open_status prepare(struct kv_rocksdb *rocks, const char *path, struct arena *arena,
                                   struct kv_wal_report *report)
{
    enum kv_open_status status = kv_directory_make(path);
    if (status == KV_OPEN_OK) status = kv_directory_lock(path, &rocks->lock);
    if (status != KV_OPEN_OK) {
        report->problem = arena_copy(arena, slice_of_string(strerror(errno)));
        return status;
    }
    if (!kv_directory_is_complete(path)) {
        report->problem = SLICE("its file CURRENT is missing");
        return KV_OPEN_CORRUPT;
    }
    return check_logs(rocks, path, arena, report);
}

/*
 * The second check knows which logs are needed: it looks past the gaps and the damage of others, to
 * cut and sync what is left.
 */
static enum kv_open_status check_logs(struct kv_rocksdb *rocks, const char *path,
                                      struct arena *arena, struct kv_wal_report *report)
{
    enum kv_open_status status = kv_wal_check(path, 0, arena, report);
    if (status != KV_OPEN_OK || (report->gap == 0 && report->damaged == 0)) return status;
    char *error = NULL;
    const uint64_t oldest = kv_rocksdb_manifest_oldest_log(rocks->options, path, &error);
    status = kv_wal_check(path, oldest, arena, report);
    rocksdb_free(error); /* whatever it was, opening the database will meet it again */
    return status;
}

/* A log whose contents are all in tables by now may be as damaged as it likes. */
static bool is_needed(struct kv_rocksdb *rocks, uint64_t log_number)
{
    return kv_rocksdb_manifest_oldest(rocks->db) <= log_number;
}

static void rocks_close(struct kv *kv)
{
    struct kv_rocksdb *rocks = (struct kv_rocksdb *)kv;
    kv_committer_close(rocks->committer);
    rocks->committer = NULL;
    kv_rocksdb_log_close(&rocks->log);
    if (!rocks->in_memory && atomic_load(&rocks->log.health) == KV_HEALTHY)
        kv_rocksdb_flush_closing(rocks->db);
    parts_close(rocks);
}

/* Also of a store that was only partly opened. */
static void parts_close(struct kv_rocksdb *rocks)
{
    CHECK(rocks->committer == NULL);
    if (rocks->batch != NULL) {
        rocksdb_writebatch_destroy(rocks->batch);
        kv_group_close(&rocks->group);
    }
    if (rocks->write_options != NULL) rocksdb_writeoptions_destroy(rocks->write_options);
    if (rocks->latest != NULL) rocksdb_readoptions_destroy(rocks->latest);
    if (rocks->db != NULL) rocksdb_close(rocks->db);
    rocksdb_options_destroy(rocks->options);
    if (rocks->env != NULL) rocksdb_env_destroy(rocks->env);
    if (rocks->lock >= 0) close(rocks->lock);
    free(rocks);
}

static enum kv_open_status open_database(struct kv_rocksdb *rocks, const char *path, char **error)
{
    rocks->db = rocksdb_open(rocks->options, path, error);
    if (*error != NULL && strstr(*error, "is not linked with the binary") != NULL) {
        rocksdb_free(*error);
        *error = NULL;
        rocksdb_options_set_compression(rocks->options, rocksdb_no_compression);
        rocks->db = rocksdb_open(rocks->options, path, error);
    }
    if (*error != NULL) return kv_rocksdb_options_failure(*error);

    rocks->latest = rocksdb_readoptions_create();
    rocks->write_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(rocks->write_options,
                                  !rocks->in_memory && rocks->durability == KV_SYNC);
    rocksdb_writeoptions_disable_WAL(rocks->write_options, rocks->in_memory);
    return KV_OPEN_OK;
}

/* Writes or checks the format version; on success everything else is ready too. */
static enum kv_open_status check_format(struct kv_rocksdb *rocks, struct slice *problem)
{
    uint64_t format = 0;
    if (kv_rocksdb_read_number(rocks, rocks->latest, KV_ROCKSDB_FORMAT_KEY, &format) != KV_OK)
        return KV_OPEN_CORRUPT;
    if (format > KV_ROCKSDB_FORMAT) return KV_OPEN_NEWER;
    if (format > 0) return KV_OPEN_OK;

    rocksdb_iterator_t *iterator = rocksdb_create_iterator(rocks->db, rocks->latest);
    rocksdb_iter_seek_to_first(iterator);
    const bool is_empty = !rocksdb_iter_valid(iterator);
    char *error = NULL;
    rocksdb_iter_get_error(iterator, &error);
    rocksdb_iter_destroy(iterator);
    if (error != NULL)
        return status_of(rocks, error) == KV_CORRUPT ? KV_OPEN_CORRUPT : KV_OPEN_FAILED;
    if (!is_empty) {
        *problem = SLICE("a RocksDB database of another program");
        return KV_OPEN_FAILED;
    }
    uint8_t bytes[KV_COUNTER_BYTES];
    kv_group_encode(KV_ROCKSDB_FORMAT, bytes);
    rocksdb_put(rocks->db, rocks->write_options, (const char *)KV_ROCKSDB_FORMAT_KEY.data,
                KV_ROCKSDB_FORMAT_KEY.length, (const char *)bytes, sizeof bytes, &error);
    return status_of(rocks, error) == KV_OK ? KV_OPEN_OK : KV_OPEN_UNWRITABLE;
}

static enum kv_open_status open_contents(struct kv_rocksdb *rocks, struct slice *problem)
{
    const enum kv_open_status status = check_format(rocks, problem);
    if (status != KV_OPEN_OK) return status;

    uint64_t stamp = 0;
    uint64_t version = 0;
    if (kv_rocksdb_read_number(rocks, rocks->latest, KV_GROUP_STAMP_KEY, &stamp) != KV_OK ||
        kv_rocksdb_read_number(rocks, rocks->latest, KV_GROUP_METADATA_KEY, &version) != KV_OK) {
        return KV_OPEN_CORRUPT;
    }
    atomic_store(&rocks->metadata_word, version * 2);
    kv_group_open(&rocks->group, stamp, version);
    rocks->batch = rocksdb_writebatch_create();
    rocks->committer = kv_committer_open(kv_rocksdb_group_run, rocks);
    if (rocks->committer != NULL) return KV_OPEN_OK;
    *problem = SLICE("no thread can be started");
    return KV_OPEN_FAILED;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Frees error. Trouble met once is met at every read of the place: it is logged once a second. */
static enum kv_status status_of(struct kv_rocksdb *rocks, char *error)
{
    if (error == NULL) return KV_OK;
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    if (atomic_exchange(&rocks->logged, (int64_t)now.tv_sec) != (int64_t)now.tv_sec)
        log_error("storage: %s", error);
    const bool is_corrupt = strncmp(error, "Corruption: ", strlen("Corruption: ")) == 0;
    rocksdb_free(error);
    return is_corrupt ? KV_CORRUPT : KV_UNAVAILABLE;
}

/* The stored value at key, to be destroyed; NULL if not KV_OK. */
static enum kv_status get_pinned(struct kv_rocksdb *rocks,
                                 const rocksdb_readoptions_t *read_options, struct slice key,
                                 rocksdb_pinnableslice_t **pinned)
{
    char *error = NULL;
    *pinned =
        rocksdb_get_pinned(rocks->db, read_options, (const char *)key.data, key.length, &error);
    if (error != NULL) return status_of(rocks, error);
    return *pinned == NULL ? KV_NOT_FOUND : KV_OK;
}

static struct slice pinned_value(const rocksdb_pinnableslice_t *pinned)
{
    size_t length = 0;
    const char *data = rocksdb_pinnableslice_value(pinned, &length);
    return slice_of(data, length);
}

enum kv_status kv_rocksdb_read_number(struct kv_rocksdb *rocks,
                                      const rocksdb_readoptions_t *read_options, struct slice key,
                                      uint64_t *number)
{
    rocksdb_pinnableslice_t *pinned = NULL;
    enum kv_status status = get_pinned(rocks, read_options, key, &pinned);
    *number = 0;
    if (status == KV_NOT_FOUND) return KV_OK;
    if (status != KV_OK) return status;
    const struct slice value = pinned_value(pinned);
    if (value.length == KV_COUNTER_BYTES) {
        *number = kv_group_decode(value.data);
    } else {
        status = KV_CORRUPT;
    }
    rocksdb_pinnableslice_destroy(pinned);
    return status;
}

/* What a transaction reads with. Its first call takes a view's snapshot. */
static const rocksdb_readoptions_t *read_options_of(struct kv_rocksdb_txn *txn)
{
    struct kv_rocksdb *rocks = txn->rocks;
    if (txn->txn.is_writable || txn->txn.single_read) return rocks->latest;
    if (txn->snapshot == NULL) {
        txn->word_before = atomic_load(&rocks->metadata_word);
        txn->snapshot = rocksdb_create_snapshot(rocks->db);
        txn->word_after = atomic_load(&rocks->metadata_word);
        txn->read_options = rocksdb_readoptions_create();
        rocksdb_readoptions_set_snapshot(txn->read_options, txn->snapshot);
    }
    return txn->read_options;
}

static enum kv_overlay_state find_pending(struct kv_rocksdb_txn *txn, struct slice key,
                                          struct slice *value)
{
    if (!txn->txn.is_writable) return KV_OVERLAY_NOTHING;
    return kv_overlay_find(&txn->rocks->group.overlay, key, value);
}

static enum kv_status rocks_get(struct kv_txn *base, struct slice key, struct arena *arena,
                                struct slice *value)
{
    struct kv_rocksdb_txn *txn = (struct kv_rocksdb_txn *)base;
    struct slice pending;
    const enum kv_overlay_state state = find_pending(txn, key, &pending);
    if (state == KV_OVERLAY_DELETED) return KV_NOT_FOUND;
    if (state == KV_OVERLAY_VALUE) {
        *value = arena_copy(arena, pending);
        return KV_OK;
    }
    rocksdb_pinnableslice_t *pinned = NULL;
    const enum kv_status status = get_pinned(txn->rocks, read_options_of(txn), key, &pinned);
    if (status != KV_OK) return status;
    *value = arena_copy(arena, pinned_value(pinned));
    rocksdb_pinnableslice_destroy(pinned);
    return KV_OK;
}

static enum kv_status rocks_get_counter(struct kv_txn *base, struct slice key, int64_t *value)
{
    struct kv_rocksdb_txn *txn = (struct kv_rocksdb_txn *)base;
    uint64_t number = 0;
    enum kv_status status = KV_OK;
    struct slice pending;
    switch (find_pending(txn, key, &pending)) {
    case KV_OVERLAY_DELETED:
        break;
    case KV_OVERLAY_VALUE:
        if (pending.length != KV_COUNTER_BYTES) return KV_CORRUPT;
        number = kv_group_decode(pending.data);
        break;
    case KV_OVERLAY_NOTHING:
        status = kv_rocksdb_read_number(txn->rocks, read_options_of(txn), key, &number);
    }
    *value = (int64_t)number;
    return status;
}

static enum kv_status rocks_metadata_version(struct kv_txn *base, uint64_t *version)
{
    struct kv_rocksdb_txn *txn = (struct kv_rocksdb_txn *)base;
    if (base->is_writable) {
        *version = txn->rocks->group.metadata_version;
        return KV_OK;
    }
    txn->is_version_asked = true;
    if (!base->single_read) {
        const rocksdb_readoptions_t *read_options = read_options_of(txn);
        if (txn->word_before != txn->word_after ||
            (txn->word_before & KV_ROCKSDB_METADATA_BUSY) != 0)
            return kv_rocksdb_read_number(txn->rocks, read_options, KV_GROUP_METADATA_KEY, version);
    }
    *version = txn->word_before / 2;
    return KV_OK;
}

/*
 * Runs a single_read view on the newest state, without a snapshot. false when the metadata version
 * changed meanwhile, so that version and data may not belong together: run it on a snapshot.
 */
static bool view_newest(struct kv_rocksdb *rocks, const struct kv_work *work,
                        enum kv_status *status)
{
    struct kv_rocksdb_txn txn = {.txn.engine = &kv_rocksdb, .rocks = rocks};
    txn.word_before = atomic_load(&rocks->metadata_word);
    if ((txn.word_before & KV_ROCKSDB_METADATA_BUSY) != 0) return false;
    *status = kv_engine_run(&txn.txn, work);
    return !txn.is_version_asked || atomic_load(&rocks->metadata_word) == txn.word_before;
}

static enum kv_status view_snapshot(struct kv_rocksdb *rocks, const struct kv_work *work)
{
    struct kv_work with_snapshot = *work;
    with_snapshot.single_read = false;
    struct kv_rocksdb_txn txn = {.txn.engine = &kv_rocksdb, .rocks = rocks};
    const enum kv_status status = kv_engine_run(&txn.txn, &with_snapshot);
    if (txn.snapshot != NULL) {
        rocksdb_readoptions_destroy(txn.read_options);
        rocksdb_release_snapshot(rocks->db, txn.snapshot);
    }
    return status;
}

static void rocks_view(struct kv *kv, struct kv_work *work)
{
    struct kv_rocksdb *rocks = (struct kv_rocksdb *)kv;
    enum kv_status status = KV_OK;
    kv_rocksdb_count_nothing();
    if (!work->single_read || !view_newest(rocks, work, &status))
        status = view_snapshot(rocks, work);
    work->done(work->context, status);
}

/* ---- cursors --------------------------------------------------------------------------------- */

static struct slice copy_bytes(uint8_t *to, struct slice from)
{
    if (from.length > 0) memcpy(to, from.data, from.length);
    return slice_of(to, from.length);
}

static enum kv_status rocks_cursor_open(struct kv_txn *base, struct kv_range range,
                                        struct kv_cursor **result)
{
    struct kv_rocksdb_txn *txn = (struct kv_rocksdb_txn *)base;
    struct rocks_cursor *cursor = malloc(sizeof *cursor + range.begin.length + range.end.length);
    CHECK(cursor != NULL);
    *cursor = (struct rocks_cursor){.cursor.engine = &kv_rocksdb, .rocks = txn->rocks};
    cursor->is_reverse = range.reverse;
    cursor->begin = copy_bytes(cursor->bytes, range.begin);
    cursor->end = copy_bytes(cursor->bytes + range.begin.length, range.end);

    if (!base->single_read && !base->is_writable) read_options_of(txn);
    rocksdb_readoptions_t *read_options = rocksdb_readoptions_create();
    if (txn->snapshot != NULL) rocksdb_readoptions_set_snapshot(read_options, txn->snapshot);
    if (range.begin.length > 0)
        rocksdb_readoptions_set_iterate_lower_bound(read_options, (const char *)cursor->begin.data,
                                                    cursor->begin.length);
    rocksdb_readoptions_set_iterate_upper_bound(read_options, (const char *)cursor->end.data,
                                                cursor->end.length);
    if (range.expected >= READ_AHEAD_ROWS)
        rocksdb_readoptions_set_readahead_size(read_options, READ_AHEAD_BYTES);
    cursor->read_options = read_options;
    cursor->iterator = rocksdb_create_iterator(txn->rocks->db, read_options);
    if (base->is_writable) cursor->overlay = &txn->rocks->group.overlay;
    *result = &cursor->cursor;
    return KV_OK;
}

static void rocks_cursor_close(struct kv_cursor *base)
{
    struct rocks_cursor *cursor = (struct rocks_cursor *)base;
    rocksdb_iter_destroy(cursor->iterator);
    rocksdb_readoptions_destroy(cursor->read_options);
    free(cursor);
}

/* The node itself, or the next in the cursor's direction, that says something about its key. */
static const struct kv_overlay_node *skip_nothing(const struct rocks_cursor *cursor,
                                                  const struct kv_overlay_node *node)
{
    while (node != NULL && node->state == KV_OVERLAY_NOTHING)
        node = cursor->is_reverse ? node->previous : node->next[0];
    if (node == NULL) return NULL;
    const bool is_outside = cursor->is_reverse ? slice_compare(node->key, cursor->begin) < 0
                                               : slice_compare(node->key, cursor->end) >= 0;
    return is_outside ? NULL : node;
}

static void cursor_start(struct rocks_cursor *cursor)
{
    cursor->is_started = true;
    const struct kv_overlay_node *node = NULL;
    if (cursor->is_reverse) {
        rocksdb_iter_seek_to_last(cursor->iterator);
        if (cursor->overlay != NULL) node = kv_overlay_seek_before(cursor->overlay, cursor->end);
    } else {
        rocksdb_iter_seek_to_first(cursor->iterator);
        if (cursor->overlay != NULL) node = kv_overlay_seek(cursor->overlay, cursor->begin);
    }
    cursor->node = skip_nothing(cursor, node);
}

/* Leaves the current row behind. */
static void cursor_advance(struct rocks_cursor *cursor)
{
    if (!cursor->is_started) {
        cursor_start(cursor);
        return;
    }
    if (cursor->is_row_stored) {
        if (cursor->is_reverse) {
            rocksdb_iter_prev(cursor->iterator);
        } else {
            rocksdb_iter_next(cursor->iterator);
        }
    }
    if (cursor->is_row_pending) {
        const struct kv_overlay_node *node = cursor->node;
        cursor->node = skip_nothing(cursor, cursor->is_reverse ? node->previous : node->next[0]);
    }
}

/* Decides which of the two sources has the next row; a pending row hides the stored one. */
static void cursor_choose(struct rocks_cursor *cursor, struct slice stored)
{
    cursor->is_row_stored = stored.data != NULL;
    cursor->is_row_pending = cursor->node != NULL;
    if (!cursor->is_row_stored || !cursor->is_row_pending) return;
    int order = slice_compare(stored, cursor->node->key);
    if (cursor->is_reverse) order = -order;
    cursor->is_row_stored = order <= 0;
    cursor->is_row_pending = order >= 0;
}

static enum kv_status rocks_cursor_next(struct kv_cursor *base, struct slice *key,
                                        struct slice *value)
{
    struct rocks_cursor *cursor = (struct rocks_cursor *)base;
    do {
        cursor_advance(cursor);
        struct slice stored = {NULL, 0};
        if (rocksdb_iter_valid(cursor->iterator)) {
            stored.data = (const uint8_t *)rocksdb_iter_key(cursor->iterator, &stored.length);
        } else {
            char *error = NULL;
            rocksdb_iter_get_error(cursor->iterator, &error);
            if (error != NULL) return status_of(cursor->rocks, error);
        }
        cursor_choose(cursor, stored);
        if (cursor->is_row_pending) {
            *key = cursor->node->key;
            *value = cursor->node->value;
        } else if (cursor->is_row_stored) {
            *key = stored;
            value->data = (const uint8_t *)rocksdb_iter_value(cursor->iterator, &value->length);
        } else {
            return KV_NOT_FOUND;
        }
    } while (cursor->is_row_pending && cursor->node->state == KV_OVERLAY_DELETED);
    return KV_OK;
}

/* ---- updates --------------------------------------------------------------------------------- */

static struct kv_group *group_of(struct kv_txn *txn)
{
    return &((struct kv_rocksdb_txn *)txn)->rocks->group;
}

static void rocks_update(struct kv *kv, struct kv_work *work)
{
    kv_committer_push(((struct kv_rocksdb *)kv)->committer, work);
}

static void rocks_cork(struct kv *kv)
{
    kv_committer_cork(((struct kv_rocksdb *)kv)->committer);
}

static void rocks_uncork(struct kv *kv)
{
    kv_committer_uncork(((struct kv_rocksdb *)kv)->committer);
}

static void rocks_put(struct kv_txn *txn, struct slice key, struct slice value)
{
    kv_overlay_put(&group_of(txn)->overlay, key, value);
}

static void rocks_remove(struct kv_txn *txn, struct slice key)
{
    kv_overlay_delete(&group_of(txn)->overlay, key);
}

static void rocks_remove_range(struct kv_txn *txn, struct slice begin, struct slice end)
{
    kv_group_delete_range(group_of(txn), begin, end);
}

static void rocks_add(struct kv_txn *txn, struct slice key, int64_t delta)
{
    kv_group_add(group_of(txn), key, delta);
}

static void rocks_append(struct kv_txn *txn, struct slice prefix, struct slice value)
{
    kv_group_append(group_of(txn), prefix, value);
}

static void rocks_touch_metadata(struct kv_txn *txn)
{
    kv_group_touch_metadata(group_of(txn));
}

const struct kv_engine kv_rocksdb = {
    .name = "rocksdb",
    .open = rocks_open,
    .close = rocks_close,
    .health = kv_rocksdb_group_health,
    .view = rocks_view,
    .update = rocks_update,
    .cork = rocks_cork,
    .uncork = rocks_uncork,
    .get = rocks_get,
    .get_counter = rocks_get_counter,
    .metadata_version = rocks_metadata_version,
    .put = rocks_put,
    .remove = rocks_remove,
    .remove_range = rocks_remove_range,
    .add = rocks_add,
    .append = rocks_append,
    .touch_metadata = rocks_touch_metadata,
    .cursor_open = rocks_cursor_open,
    .cursor_next = rocks_cursor_next,
    .cursor_close = rocks_cursor_close,
};
