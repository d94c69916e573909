/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults — what the service does now and then and this server never does, switched on per table for
 * tests: refusals by chance, members of batches left out, reads of the past.
 *
 * Reads of the past are made by looking back, not by being late. For a table whose reads are
 * delayed, every write notes what each row it touches held before (rows of the table and of its
 * indexes). A delayed read reads the store as it is and puts back, for each row that was written
 * within the delay, what the first such write found. So a row shows exactly what it held the delay
 * ago by the server's clock, whatever the clock does: while it is frozen nothing arrives.
 *
 * A note is taken before its write is committed, and what it found may be a write of the same
 * group, as little committed. Writes therefore store how many notes there were by then, and a view
 * disregards the notes beyond what it reads there: it does not see their writes either. Notes of
 * writes that declined do no harm: what they found is what is still there.
 *
 * A database has faults only when it was opened for administration; everybody else pays one look
 * at a pointer. All functions may be called from any thread. Notes are kept in memory; when there
 * are too many, the oldest are forgotten, and reads are less late.
 */
#ifndef STATOR_STORE_FAULTS_H
#define STATOR_STORE_FAULTS_H

#include "model/schema.h"
#include "store/database.h"

enum { FAULTS_RATE_ONE = 1000000 }; /* a rate of 1: always */

struct fault_settings {
    int64_t index_delay_ms;   /* reads of global indexes */
    int64_t read_delay_ms;    /* every other read that is not strongly consistent */
    int64_t conflict_rate;    /* of writes, and of reads in transactions: TransactionConflict */
    int64_t throttle_rate;    /* of requests */
    int64_t unprocessed_rate; /* of members of batches; the first is always processed */
};

struct faults;

struct faults *faults_open(void);
void faults_close(struct faults *faults);

/* Repeats chance from here. */
void faults_seed(struct faults *faults, uint64_t seed);

/* Replaces the settings of a table of this name, whether or not there is one. */
void faults_set(struct faults *faults, struct slice table, const struct fault_settings *settings);

/* The settings one by one; false past the last. The name is copied into the arena. */
bool faults_get(struct faults *faults, size_t at, struct arena *arena, struct slice *table,
                struct fault_settings *settings);

/* ---- refusals -------------------------------------------------------------------------------- */

/* Now and then fails with THROUGHPUT_EXCEEDED or, on demand, THROTTLING. */
enum error_code faults_throttle(struct call *call, const struct database *database,
                                const struct table *table) WARN_UNUSED;

/* Now and then fails with TRANSACTION_CONFLICT. */
enum error_code faults_conflict(struct call *call, const struct database *database,
                                const struct table *table) WARN_UNUSED;

/* Whether a batch leaves a member out; place is that of the member in its request, from 0. */
bool faults_leave_out(const struct database *database, const struct table *table, size_t place);

/* ---- reads of the past ----------------------------------------------------------------------- */

/* A row that was written within the delay, as it was before. */
struct past_row {
    struct slice key;
    struct slice value; /* stored bytes; empty: there was no such row */
};

/* Notes what a row of the table or its indexes holds before it is written at now_ms. */
void faults_note(struct faults *faults, const struct table *table, const struct past_row *row,
                 int64_t now_ms);

/* Makes the notes so far count for those who see this transaction. After the notes of each write.
 */
enum kv_status faults_mark(struct faults *faults, struct kv_txn *txn,
                           struct arena *arena) WARN_UNUSED;

/* A read that need not be consistent. */
struct past_view {
    struct faults *faults; /* the database's; NULL: the read sees what there is */
    const struct table *table;
    bool of_global_index;
    int64_t now_ms;
    uint64_t note_count; /* notes that count; set by faults_look */
};

/* Reads from the view's transaction how many notes count for it. Before asking for the past. */
enum kv_status faults_look(struct past_view *view, struct kv_txn *txn,
                           struct arena *arena) WARN_UNUSED;

/* True when the row was written within the delay; *value is what it held then, in the arena. */
bool faults_past_value(const struct past_view *view, struct slice key, struct arena *arena,
                       struct slice *value);

/* The rows of a range that were written within the delay, in the range's order, in the arena. */
size_t faults_past_rows(const struct past_view *view, struct kv_range range, struct arena *arena,
                        struct past_row **rows);

#endif
