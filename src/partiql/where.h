/* SPDX-License-Identifier: Apache-2.0 */
/* where — the condition of a WHERE clause, as nodes of expr/node.h. */
#ifndef STATOR_PARTIQL_WHERE_H
#define STATOR_PARTIQL_WHERE_H

#include "partiql/parser.h"

/*
 * Reads a condition up to the word that cannot continue it. A comparison of a value with a path is
 * turned around, so that paths stand on the left. AND and OR lean to the right.
 */
enum error_code where_parse(struct parser *parser, const struct node **condition) WARN_UNUSED;

#endif
