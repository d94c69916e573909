/* SPDX-License-Identifier: Apache-2.0 */
/* change — the SET and REMOVE clauses of an UPDATE, as actions of expr/node.h. */
#ifndef STATOR_PARTIQL_CHANGE_H
#define STATOR_PARTIQL_CHANGE_H

#include "partiql/parser.h"

/* Reads all clauses, one at least, up to the word that begins none. */
enum error_code change_parse(struct parser *parser, const struct update **update) WARN_UNUSED;

#endif
