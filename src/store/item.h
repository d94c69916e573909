/* SPDX-License-Identifier: Apache-2.0 */
/*
 * item — one item, read or written with everything that belongs to it.
 *
 * Every write of every operation is a struct write: PutItem, UpdateItem, DeleteItem, members of
 * batches and transactions, later PartiQL and TTL. item_write runs it inside a transaction: old
 * item, condition, new item, size, index entries, counters, item collection. The rules are here,
 * once.
 */
#ifndef STATOR_STORE_ITEM_H
#define STATOR_STORE_ITEM_H

#include "capacity/units.h"
#include "expr/node.h"
#include "store/catalog.h"
#include "store/faults.h"

enum write_kind { WRITE_PUT, WRITE_UPDATE, WRITE_DELETE, WRITE_CHECK };

struct write {
    /* the plan */
    enum write_kind kind;
    const struct table *table;
    struct slice key;  /* encoded item of the key attributes; for PUT it may be the item itself */
    struct slice item; /* PUT: the encoded item, keys and index keys checked (item_check) */
    const struct node *condition; /* NULL: none */
    const struct update *update;  /* UPDATE: NULL when there is nothing to change but existence */
    bool return_old_on_failure;   /* ReturnValuesOnConditionCheckFailure = ALL_OLD */
    bool in_transaction;          /* another size rule; see facts/limits.md 1 */
    bool must_be_new;             /* PUT: PartiQL's INSERT, which replaces nothing */
    bool flat_size;               /* UPDATE: PartiQL's, of which only the outcome is measured */
    bool unopposed;               /* never refused for a conflict: a member of a batch (faults.h) */
    bool expired;                 /* DELETE: by time to live; its stream record says so */

    /* the outcome: set by item_write, in the arena of its call */
    struct slice row_key;
    struct slice old_item; /* empty: there was none */
    struct slice new_item; /* empty: there is none now */
    struct write_cost cost;
    int64_t collection_bytes; /* tables with local indexes: of this item's collection, afterwards */
};

/*
 * Fails with CONDITION_FAILED (with the item when asked), DUPLICATE_ITEM, VALIDATION,
 * COLLECTION_SIZE, INTERNAL. A failure leaves nothing in the transaction; after INTERNAL the body
 * must decline. The cost is set also when a condition fails, since a failed write is charged.
 */
enum error_code item_write(struct call *call, const struct database *database, struct kv_txn *txn,
                           struct write *write) WARN_UNUSED;

/* Reads an item by the attributes of its key; an empty slice when there is none. */
enum error_code item_read(struct call *call, struct kv_txn *txn, const struct table *table,
                          struct slice key, struct slice *item) WARN_UNUSED;

/* The same for a read that need not be consistent: the item as the view sees it. */
enum error_code item_read_eventually(struct call *call, struct kv_txn *txn,
                                     const struct past_view *view, struct slice key,
                                     struct slice *item) WARN_UNUSED;

/* How a key or item that does not fit the schema is worded. */
enum key_role {
    KEY_OF_READ, /* Key of GetItem, UpdateItem, DeleteItem, BatchGetItem, batch puts: one message */
    KEY_OF_PUT,  /* Item of PutItem: the missing or mistyped attribute is named */
};

/*
 * Checks Key: exactly the key attributes, right types, not empty, not too long; facts/errors.md 5.
 */
enum error_code key_check(struct call *call, const struct table *table,
                          struct slice key) WARN_UNUSED;

/* Checks an item to be put: its key, then every index key present in it. */
enum error_code item_check(struct call *call, const struct table *table, struct slice item,
                           enum key_role role) WARN_UNUSED;

/* An item as it is stored: a format byte in front. */
struct slice item_stored(struct arena *arena, struct slice item);

/* What an index's entry holds of an item; the item itself when it projects ALL. */
struct slice item_project(struct arena *arena, const struct index *index, struct slice item);

/* The attributes of the table's key (and of the index's when not NULL) taken out of an item, as an
 * item: for LastEvaluatedKey, ItemCollectionKey, stream records. */
struct slice item_key(struct arena *arena, const struct table *table, const struct index *index,
                      struct slice item);

#endif
