/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delayed — a cursor that shows a range as it was a delay ago: the rows of a kv cursor, with those
 * put back that were written since (faults.h). Without faults it is the kv cursor.
 */
#ifndef STATOR_STORE_DELAYED_H
#define STATOR_STORE_DELAYED_H

#include "store/faults.h"

struct delayed {
    struct kv_cursor *cursor;
    struct past_row *rows; /* in the range's order */
    size_t count;
    size_t next;
    bool is_reverse;
    bool has_row; /* the cursor's row, which waits for its turn */
    bool is_over; /* the cursor has no more */
    struct slice key;
    struct slice value;
};

/* What is put back lives in the arena. Closed by delayed_close. */
enum kv_status delayed_open(struct kv_txn *txn, struct kv_range range, const struct past_view *view,
                            struct arena *arena, struct delayed *delayed) WARN_UNUSED;

/* As kv_cursor_next. */
enum kv_status delayed_next(struct delayed *delayed, struct slice *key,
                            struct slice *value) WARN_UNUSED;

void delayed_close(struct delayed *delayed);

#endif
