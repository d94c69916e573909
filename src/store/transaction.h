/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transaction — TransactWriteItems: all or nothing over many items, with a memory of its tokens.
 */
#ifndef STATOR_STORE_TRANSACTION_H
#define STATOR_STORE_TRANSACTION_H

#include "store/item.h"

struct transaction {
    /* the plan */
    struct write *writes;
    size_t count;
    struct slice token;  /* ClientRequestToken; empty: none */
    struct slice digest; /* identifies the request's content, for IdempotentParameterMismatch */
    /* What the plan found wrong, a reason per action; NULL: nothing. It cancels the transaction
     * unless the token is known: an index that was added since must not make a retry fail. */
    const struct cancellation_reason *reasons;

    /* the outcome */
    bool replayed; /* the token was known and nothing was written: costs are set as for reads */
};

/*
 * Runs all writes in order. When some fail: TRANSACTION_CANCELED with one reason per action, and
 * the body must decline. A known token with the same digest succeeds without writing; with another
 * digest it fails with IDEMPOTENT_MISMATCH.
 */
enum error_code transaction_write(struct call *call, const struct database *database,
                                  struct kv_txn *txn, struct transaction *transaction) WARN_UNUSED;

/*
 * True for the one kind of failure of an action that fails the request itself, without reasons: an
 * empty value for an attribute of a key, of the table or of an index.
 */
bool transaction_fails_whole(const struct error *error);

/* Fails with TRANSACTION_CANCELED: a reason per action, in order; the message lists their codes. */
enum error_code transaction_cancel(struct call *call, const struct cancellation_reason *reasons,
                                   size_t count) WARN_UNUSED;

#endif
