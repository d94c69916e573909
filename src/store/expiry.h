/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expiry — time to live: when an item expires, and the thread that deletes what has expired.
 *
 * A table with time to live has an index of its items by expiry time (layout.h, 'e'), written with
 * each item (item.c). What has expired is found by that index, so it costs the expired, not the
 * table, and is deleted as any item is, in small transactions. Enabling time to live on a table
 * that has items fills the index in the background, with a saved position, as a backfill does.
 */
#ifndef STATOR_STORE_EXPIRY_H
#define STATOR_STORE_EXPIRY_H

#include "store/catalog.h"

struct expiry;

/* Starts the thread. The catalog is open. NULL when the system has no more threads. */
struct expiry *expiry_open(struct database *database) WARN_UNUSED;

/* The catalog has changed, or the clock was moved. Any thread. */
void expiry_wake(struct expiry *expiry);

/* Finishes the running step and stops. */
void expiry_close(struct expiry *expiry);

/*
 * True when the item has an expiry time: its table's attribute is a number of seconds that fits;
 * a fraction counts to the millisecond. Whether the time is too long ago is for the reader of the
 * index, since it depends on when he looks.
 */
bool expiry_of_item(const struct table *table, struct slice item, int64_t *expiry_ms);

/* Turns time to live on or off in a description, at this time; also in the store. */
void expiry_enable(struct table *table, struct slice attribute, int64_t now_ms, int64_t delay_ms);
void expiry_disable(struct kv_txn *txn, struct arena *arena, struct table *table, int64_t now_ms,
                    int64_t delay_ms);

enum ttl_status { TTL_DISABLED, TTL_ENABLING, TTL_ENABLED, TTL_DISABLING };

enum ttl_status expiry_status_at(const struct ttl *ttl, int64_t now_ms);

#endif
