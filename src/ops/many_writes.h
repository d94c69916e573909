/* SPDX-License-Identifier: Apache-2.0 */
/* many_writes — what BatchWriteItem and TransactWriteItems share: the writes of several tables. */
#ifndef STATOR_OPS_MANY_WRITES_H
#define STATOR_OPS_MANY_WRITES_H

#include "ops/op.h"
#include "ops/respond.h"

struct many_writes {
    struct write *writes;
    struct slice *names; /* of each write's table, as the request names it */
    size_t count;
    size_t capacity;
};

struct many_writes many_writes_open(struct arena *arena, size_t capacity);

/* True when no two writes go to one item; those without a row_key are not looked at. */
bool many_writes_are_distinct(const struct many_writes *many, struct arena *arena);

/* "ItemCollectionMetrics":{"table":[{…},…],…} of tables with local indexes, if there are any. */
void many_writes_respond_metrics(struct request *request, const struct many_writes *many);

#endif
