/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page — one page of Query or Scan: walk a range, filter, stop at Limit or 1 MB.
 */
#ifndef STATOR_STORE_PAGE_H
#define STATOR_STORE_PAGE_H

#include "expr/node.h"
#include "store/catalog.h"

/* Called for every item that passes the filter, in order. The item is borrowed until it returns. */
typedef enum error_code page_row(void *context, struct slice item);

struct page {
    /* the plan */
    const struct table *table;
    const struct index *index; /* NULL: the table */
    struct kv_range range;     /* from layout_query_range or layout_scan_range, already resumed */
    size_t limit;              /* items evaluated at most; 0: no limit */
    const struct node *filter; /* NULL: none */
    bool fetch;                /* rows are index entries, and the whole item is wanted */
    bool filter_row;           /* with fetch: the filter sees the entry, not the whole item */
    size_t bytes_before;       /* read by earlier pages of the same request: 1 MB is for all */
    bool consistent;           /* for the cost, and for reads of the past */
    const struct database *database; /* for reads of the past (faults.h); NULL: none */
    page_row *row;                   /* NULL: only count */
    void *context;

    /* the outcome */
    size_t count;        /* rows that passed the filter */
    size_t scanned;      /* rows evaluated */
    size_t bytes;        /* size of the rows evaluated, as DynamoDB counts it */
    int64_t fetch_units; /* half units of the base items fetched, each rounded by itself */
    struct slice last; /* an item with the key attributes of LastEvaluatedKey; empty: at the end */
};

enum error_code page_read(struct call *call, struct kv_txn *txn, struct page *page) WARN_UNUSED;

#endif
