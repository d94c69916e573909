/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress — how far long work has come: for the log, and for whoever describes what is worked on.
 *
 * Whoever does the work reports after each step; the board keeps what was reported, measures the
 * rate and writes the log: a line when work begins, one every PROGRESS_LOG_MS by the database's
 * clock, one at its end. How far work has come is kept in the store by the work itself, so that it
 * goes on counting after a restart; a rate is the present process's. Any thread.
 */
#ifndef STATOR_STORE_PROGRESS_H
#define STATOR_STORE_PROGRESS_H

#include "kv/kv.h"
#include "model/schema.h"

enum { PROGRESS_LOG_MS = 2000, PROGRESS_UNKNOWN = -1 };

enum progress_kind {
    PROGRESS_INDEX,        /* an index is filled */
    PROGRESS_EXPIRY_INDEX, /* so is an index of expiry times */
    PROGRESS_EXPIRED,      /* expired items are deleted; mentioned only if that takes long */
};

/* What is worked on: kind and ids tell it from other work, the names are for the log. */
struct progress_job {
    enum progress_kind kind;
    uint64_t table_id;
    uint32_t index_id;
    struct slice table;
    struct slice index; /* may be empty */
};

struct progress_count {
    int64_t done;
    int64_t total; /* PROGRESS_UNKNOWN, or at least done */
};

struct progress_step {
    struct progress_count count; /* with the newest */
    int64_t newest;
};

struct progress_rate {
    int64_t items_per_second; /* over the last seconds; PROGRESS_UNKNOWN at the beginning */
    int64_t seconds_left;     /* rounded up; PROGRESS_UNKNOWN without a rate or a total */
};

/*
 * How far the filling of an index (0: of expiry times) has come, as the store has it: rows up to
 * its position, of all rows of the table. Writes count too, so both are exact at every moment.
 */
enum kv_status progress_read(struct kv_txn *txn, const struct table *table, uint32_t index_id,
                             struct progress_count *count) WARN_UNUSED;

struct progress_board;

/* Where the board is NULL, nobody watches: reports are dropped. */
struct progress_board *progress_board_open(void);
void progress_board_close(struct progress_board *board);

/*
 * So much is done, of it the newest items in the step that ends here. The first report of a job
 * begins it, with what was done before the step.
 */
void progress_report(struct progress_board *board, const struct progress_job *job,
                     struct progress_step step, int64_t now_ms);

/* It is done, or (not is_finished) was given up; nothing when it was never reported. */
void progress_end(struct progress_board *board, const struct progress_job *job, bool is_finished,
                  int64_t now_ms);

/* Gives up jobs of this kind that were not reported since the last call: what they worked on is
 * gone, or wants no work any more. */
void progress_end_unreported(struct progress_board *board, enum progress_kind kind, int64_t now_ms);

/* The job's last report and its rate; the names are not needed. False: nobody works on it. */
bool progress_find(struct progress_board *board, const struct progress_job *job,
                   struct progress_count *count, struct progress_rate *rate);

#endif
