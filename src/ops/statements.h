/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statements — what ExecuteStatement, BatchExecuteStatement and ExecuteTransaction share: a
 * statement from its members to a plan.
 */
#ifndef STATOR_OPS_STATEMENTS_H
#define STATOR_OPS_STATEMENTS_H

#include "ops/op.h"
#include "partiql/statement.h"
#include "partiql/write_plan.h"

extern const struct shape statements_shape_text;
extern const struct shape statements_shape_parameters;

/* A statement on its way. */
struct prepared {
    struct statement_input input;
    struct statement statement;
    const struct table *table;
    struct write write; /* all but SELECT */
    struct slice key;   /* SELECT in a batch or a transaction: of the one item it reads */
};

/* Decodes the parameters and parses the statement; the tokens are its members, or NULL. */
enum error_code statements_parse(struct request *request, const struct json_token *text,
                                 const struct json_token *parameters,
                                 struct prepared *prepared) WARN_UNUSED;

/* Finds the statement's table. */
enum error_code statements_bind(struct request *request, struct prepared *prepared) WARN_UNUSED;

/* Plans and checks the write of a bound statement. */
enum error_code statements_plan_write(struct request *request,
                                      struct prepared *prepared) WARN_UNUSED;

/* Fails as a fault of the WHERE clause is told outside transactions. */
enum error_code statements_fail(struct call *call, enum write_plan_fault fault,
                                struct slice fault_key);

/*
 * The key attributes that an item or a key has are of their types. PartiQL has words of its own for
 * this, but not in a transaction.
 */
enum error_code statements_check_key(struct call *call, const struct table *table,
                                     struct slice item) WARN_UNUSED;

/* Checks key or item, and the paths of an update, of a write that is planned. */
enum error_code statements_check_write(struct call *call, struct prepared *prepared) WARN_UNUSED;

/* Records the call's failure and forgets it, so that the next member can go on. */
struct error statements_take_error(struct call *call);

/* What a Code says of an error: BatchStatementErrorCodeEnum and cancellation reasons. */
const char *statements_error_code(enum error_code code);

#endif
