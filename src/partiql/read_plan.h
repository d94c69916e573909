/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_plan — a SELECT as reads of the store: one item, queries of the partitions it names, or a
 * scan; and a page of its rows.
 */
#ifndef STATOR_PARTIQL_READ_PLAN_H
#define STATOR_PARTIQL_READ_PLAN_H

#include "partiql/statement.h"
#include "store/item.h"
#include "store/page.h"

struct read_plan {
    /* the plan */
    const struct database *database; /* set by the caller; for reads of the past (faults.h) */
    const struct statement *statement;
    const struct table *table;
    const struct index *index; /* NULL: the table */
    bool consistent;
    struct slice key;        /* the whole key of the table is named: one item is read */
    struct kv_range *ranges; /* else these, in order */
    size_t range_count;
    const struct node *filter; /* NULL: the reads select exactly what the clause does */
    bool fetch;                /* columns that a local index lacks are read from the table */
    size_t limit;              /* rows evaluated at most; 0: no limit */
    size_t first;              /* the range to begin with */

    /* the outcome */
    size_t last_range;
    struct slice last;   /* the key of the row the page ended at; empty: at the end */
    int64_t units;       /* half units of the table, or of the index */
    int64_t fetch_units; /* half units of the table, when rows were fetched */
};

/*
 * Understands the clause against the table, into a plan that is zero but for its database;
 * fails with the texts of facts/errors.md 8, PartiQL.
 */
enum error_code read_plan_make(struct call *call, const struct statement *statement,
                               const struct table *table, bool consistent,
                               struct read_plan *plan) WARN_UNUSED;

/* Begins behind the row with this key; false when no page of this plan could have ended there. */
bool read_plan_resume(struct call *call, struct read_plan *plan, size_t range, struct slice key);

/* Reads a page: calls row for every item, projected. */
enum error_code read_plan_run(struct call *call, struct kv_txn *txn, struct read_plan *plan,
                              page_row *row, void *context) WARN_UNUSED;

#endif
