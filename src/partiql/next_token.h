/* SPDX-License-Identifier: Apache-2.0 */
/*
 * next_token — where a SELECT goes on: base64 of a version byte, the digest of the statement and
 * its parameters, the range, and the key of the last row.
 */
#ifndef STATOR_PARTIQL_NEXT_TOKEN_H
#define STATOR_PARTIQL_NEXT_TOKEN_H

#include "partiql/statement.h"

struct next_token {
    size_t range;     /* of the read plan */
    struct slice key; /* of the row that the page ended at */
};

/* The token's text, in the arena. */
struct slice next_token_write(struct arena *arena, const struct statement_input *input,
                              const struct next_token *token);

/* Fails with "Invalid NextToken", or when it is of another statement or other parameters. */
enum error_code next_token_read(struct call *call, const struct statement_input *input,
                                struct slice text, struct next_token *token) WARN_UNUSED;

#endif
