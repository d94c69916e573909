/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement — one PartiQL statement, parsed: everything that can be said without its table.
 *
 * Its condition and changes are nodes of expr/node.h, its literals and parameters are values; there
 * is no other tree. All lives in the arena of the call.
 */
#ifndef STATOR_PARTIQL_STATEMENT_H
#define STATOR_PARTIQL_STATEMENT_H

#include "expr/node.h"

enum statement_kind {
    STATEMENT_SELECT,
    STATEMENT_INSERT,
    STATEMENT_UPDATE,
    STATEMENT_DELETE,
    STATEMENT_EXISTS, /* EXISTS(SELECT …): a condition of a transaction of writes */
};

enum returning {
    RETURNING_NOTHING,
    RETURNING_ALL_OLD,
    RETURNING_ALL_NEW,
    RETURNING_MODIFIED_OLD,
    RETURNING_MODIFIED_NEW,
};

/* A column of a SELECT, and what it is called in the answer: a.b[0] is called b[0]. */
struct statement_column {
    struct path path;
    struct slice label;
};

struct statement_order {
    struct slice name;
    bool descending;
};

struct statement {
    enum statement_kind kind;
    struct slice table;                     /* a name or an ARN */
    struct slice index;                     /* data == NULL: none */
    const struct statement_column *columns; /* SELECT; none: all attributes */
    size_t column_count;
    const struct projection *projection; /* of the columns' paths; NULL: all attributes */
    const struct node *where;            /* NULL: none */
    const struct statement_order *orders;
    size_t order_count;
    struct slice item;           /* INSERT */
    const struct update *update; /* UPDATE */
    enum returning returning;
};

struct statement_input {
    struct slice text;
    const struct value *parameters;
    size_t parameter_count;
};

enum error_code statement_parse(struct call *call, const struct statement_input *input,
                                struct statement *statement) WARN_UNUSED;

/* SELECT and nothing else. */
static inline bool statement_reads(const struct statement *statement)
{
    return statement->kind == STATEMENT_SELECT;
}

/* An item as a SELECT shows it: its columns under their labels. */
struct slice statement_project(const struct statement *statement, struct slice item,
                               struct arena *arena);

#endif
