/* SPDX-License-Identifier: Apache-2.0 */
/* table_state — what the state of a recorded table allows: ResourceNotFound and ResourceInUse. */
#ifndef STATOR_OPS_TABLE_STATE_H
#define STATOR_OPS_TABLE_STATE_H

#include "ops/op.h"

#define TABLE_STATE_IN_USE "Attempt to change a resource which is still in use: "

/* The recorded description of a table that is there to be changed: ACTIVE or UPDATING. */
enum error_code table_state_read(struct request *request, struct kv_txn *txn, struct slice name,
                                 struct table **table) WARN_UNUSED;

/* Fails: the table is being updated, in no way that has words of its own. */
enum error_code table_state_updating(struct request *request, const struct table *table);

/* The first index that is being created or deleted, or NULL. */
const struct index *table_state_moving_index(const struct table *table);

/* True when an index is being created, updated or deleted. */
bool table_state_has_busy_index(const struct table *table, int64_t now_ms);

/* What UpdateTable is asked to change; each has its own wait. */
enum concern {
    CONCERN_UNITS, /* billing mode, provisioned throughput of the table */
    CONCERN_STREAM,
    CONCERN_CLASS,
    CONCERN_INDEXES, /* creating or deleting one */
    CONCERN_ON_DEMAND,
};

/* Fails while an earlier change stands in the way. */
enum error_code table_state_allows(struct request *request, const struct table *table,
                                   enum concern concern) WARN_UNUSED;

#endif
