/* SPDX-License-Identifier: Apache-2.0 */
/* table_output — a table's description as responses show it (TableDescription). */
#ifndef STATOR_OPS_TABLE_OUTPUT_H
#define STATOR_OPS_TABLE_OUTPUT_H

#include "ops/op.h"
#include "store/progress.h"

/* Which members a response has: each operation leaves some out. */
enum table_look {
    LOOK_DESCRIBED, /* DescribeTable, UpdateTable: all */
    LOOK_CREATED,   /* CreateTable: what the service settles a moment later is missing */
    LOOK_DELETED,   /* DeleteTable: no keys, no indexes */
};

/* How far an index that is being filled has come. */
struct index_progress {
    bool is_known; /* it is being filled */
    struct progress_count count;
    struct progress_rate rate;
};

struct table_view {
    const struct table *table;
    enum table_look look;
    enum table_status status;
    int64_t now_ms;
    struct table_size size;
    const struct table_size *index_sizes;  /* one per index; unused by LOOK_DELETED */
    const struct index_progress *progress; /* one per index; NULL: not to be shown */
    bool shows_warm;                       /* LOOK_CREATED: it was asked for */
    bool warm_is_updating;                 /* UpdateTable has just raised the table's */
    uint64_t warm_indexes; /* bit per index: its warm throughput has just been raised */
    bool encryption_is_updating;
};

/* Reads all counts a view shows. */
enum kv_status table_output_read_sizes(struct request *request, struct kv_txn *txn,
                                       struct table_view *view) WARN_UNUSED;

/* Reads how far its indexes have come, of a view that shows it. */
enum error_code table_output_read_progress(struct request *request, struct kv_txn *txn,
                                           struct table_view *view) WARN_UNUSED;

/* {"ItemsDone":…} */
void table_output_write_progress(struct buffer *out, struct progress_count count,
                                 struct progress_rate rate);

/* The whole response: {"<member>":{…}}. */
void table_output_write(struct request *request, const char *member, const struct table_view *view);

#endif
