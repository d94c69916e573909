/* SPDX-License-Identifier: Apache-2.0 */
/*
 * literal — values as PartiQL writes them: 'text', 1.5, TRUE, NULL, [list], {'name': value},
 * <<set>>, and ? for a parameter.
 */
#ifndef STATOR_PARTIQL_LITERAL_H
#define STATOR_PARTIQL_LITERAL_H

#include "partiql/parser.h"

/* True where a literal begins, signs and ? included. */
bool literal_begins(const struct parser *parser);

/* Reads the literal that begins at the current word. */
enum error_code literal_parse(struct parser *parser, struct value *value) WARN_UNUSED;

/* Reads the item of an INSERT: a tuple whose top-level values may be parameters. */
enum error_code literal_parse_item(struct parser *parser, struct slice *item) WARN_UNUSED;

#endif
