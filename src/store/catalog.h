/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog — which tables there are.
 *
 * The truth is in the store: one record per table name. Every process keeps an immutable snapshot
 * of all descriptions; a request pins one snapshot while it runs, so what it planned against
 * cannot change under it. A transaction that changes the catalog calls kv_touch_metadata; a write
 * body compares kv_metadata_version with its snapshot's version (catalog_check) and fails with
 * ERROR_STALE when they differ, and the dispatcher plans again on a newer snapshot. FoundationDB
 * needs nothing more than this.
 *
 * Status depends on time: a table recorded as CREATING until 12:00:00.5 is ACTIVE from then on
 * without anybody writing, and one recorded as DELETING is gone (its name is free).
 */
#ifndef STATOR_STORE_CATALOG_H
#define STATOR_STORE_CATALOG_H

#include "model/schema.h"
#include "store/database.h"

struct catalog_snapshot {
    uint64_t version;                  /* kv_metadata_version it was read at */
    const struct table *const *tables; /* sorted by name */
    size_t table_count;
};

/* Loads the catalog. The database's kv, clock and random are set; sets database->catalog. */
enum kv_status catalog_open(struct database *database) WARN_UNUSED;
void catalog_close(struct catalog *catalog);

/*
 * Pins the newest snapshot that is at least this version (0: any), waiting for it if need be. Where
 * the store cannot be read, or the version does not come in LIMIT_CATALOG_WAIT_MS (a transaction
 * that saw it was never committed), the newest there is: its plan turns out stale again.
 */
const struct catalog_snapshot *catalog_pin(struct catalog *catalog, uint64_t version_min);
void catalog_unpin(struct catalog *catalog, const struct catalog_snapshot *snapshot);

/* The table of this name that exists at this time, in whatever status; NULL when there is none. */
const struct table *catalog_find(const struct catalog_snapshot *snapshot, struct slice name,
                                 int64_t now_ms);

/*
 * True when a DELETING table's time has come: its name is free although the record is still there.
 */
bool table_is_gone(const struct table *table, int64_t now_ms);

/*
 * CREATING, UPDATING, DELETING or ACTIVE at this time. (catalog_find never returns a table that is
 * gone.)
 */
enum table_status table_status_at(const struct table *table, int64_t now_ms);

/* OK when the store's catalog is still the snapshot's; else ERROR_STALE. For write bodies. */
enum error_code catalog_check(struct kv_txn *txn, const struct catalog_snapshot *snapshot);

/*
 * Changing the catalog, inside an update body. catalog_read returns the recorded description (also
 * one that is gone or going: look at its status and time), or *table = NULL. catalog_write records
 * a description under its name (table->version is raised), catalog_erase removes the record and
 * leaves a note of the table's id for the background to delete the data by. All call
 * kv_touch_metadata.
 */
enum kv_status catalog_read(struct kv_txn *txn, struct arena *arena, struct slice name,
                            struct table **table) WARN_UNUSED;
void catalog_write(struct kv_txn *txn, struct arena *arena, struct table *table);
void catalog_erase(struct kv_txn *txn, const struct table *table);

/* A table id never used before. */
enum kv_status catalog_new_id(struct kv_txn *txn, uint64_t *id) WARN_UNUSED;

/* Reads the catalog again after a change has become durable; wakes those waiting in catalog_pin. */
enum kv_status catalog_refresh(struct catalog *catalog) WARN_UNUSED;

/* Exact counts, in constant time. */
struct table_size {
    int64_t items;
    int64_t bytes;
};

/* index NULL: the table itself. */
enum kv_status catalog_size(struct kv_txn *txn, const struct table *table,
                            const struct index *index, struct table_size *size) WARN_UNUSED;

/* The ARN of a table, and of its index when not NULL, in the arena. */
struct slice table_arn(struct arena *arena, const struct database *database, struct slice table,
                       const struct index *index);

#endif
