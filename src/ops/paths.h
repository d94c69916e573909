/* SPDX-License-Identifier: Apache-2.0 */
/* paths — what the document paths of expressions may say about keys and indexes. */
#ifndef STATOR_OPS_PATHS_H
#define STATOR_OPS_PATHS_H

#include "expr/node.h"

/*
 * Key attributes of the table and its indexes are scalars: a path that reaches into one is refused.
 * The expression may be NULL.
 */
enum error_code paths_check_projection(struct call *call, const struct table *table,
                                       const struct projection *projection) WARN_UNUSED;
enum error_code paths_check_filter(struct call *call, const struct table *table,
                                   const struct node *filter) WARN_UNUSED;

/* The same, after: an update may not touch an attribute of the table's key at all. */
enum error_code paths_check_update(struct call *call, const struct table *table,
                                   const struct update *update) WARN_UNUSED;

/* A filter of Query may not name an attribute of the key that is queried. what is the filter's name
 * in the message. */
enum error_code paths_check_filter_keys(struct call *call, const struct key_schema *key,
                                        const struct node *filter, const char *what) WARN_UNUSED;

/*
 * The top-level attributes named that entries of the index do not hold, each once, as messages
 * print them: "a, b". Empty when the index holds them all.
 */
struct slice paths_unprojected(struct arena *arena, const struct index *index,
                               const struct projection *projection);
struct slice paths_unprojected_by_filter(struct arena *arena, const struct index *index,
                                         const struct node *filter);

#endif
