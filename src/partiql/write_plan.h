/* SPDX-License-Identifier: Apache-2.0 */
/* write_plan — an INSERT, UPDATE, DELETE or EXISTS as a write of store/item.h. */
#ifndef STATOR_PARTIQL_WRITE_PLAN_H
#define STATOR_PARTIQL_WRITE_PLAN_H

#include "partiql/statement.h"
#include "store/item.h"

/* What keeps a clause from naming one item. */
enum write_plan_fault {
    WRITE_PLAN_FITS,
    WRITE_PLAN_KEY_MISSING, /* no equality on some key attribute */
    WRITE_PLAN_KEY_TWICE,   /* two values for one: fault_key */
    WRITE_PLAN_KEY_ALONE,   /* EXISTS without a condition besides */
};

/*
 * Fills in the plan of a write of this table: kind, key or item, condition, update. The condition
 * is what the clause says besides the key; an UPDATE wants its item to be there, a DELETE accepts
 * that it is not. Key and item are not checked against the schema.
 */
enum write_plan_fault write_plan_make(struct call *call, const struct statement *statement,
                                      const struct table *table, struct write *write,
                                      struct slice *fault_key);

/*
 * The key that a SELECT names, of one item and nothing besides: for batches and transactions, which
 * read by keys only. KEY_MISSING when the clause is no such key.
 */
enum write_plan_fault write_plan_read_key(struct call *call, const struct statement *statement,
                                          const struct table *table, struct slice *key);

/* What RETURNING asks for of a write that was carried out; empty: nothing. */
struct slice write_plan_returned(const struct statement *statement, const struct write *write,
                                 struct arena *arena);

#endif
