/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys — what a WHERE clause says about a key: the partitions it names, and a range of sort keys in
 * each. A clause that names partitions in all its alternatives is read by queries, any other by a
 * scan.
 *
 * The clause is multiplied out over every OR and IN that names a key attribute; each alternative is
 * a branch. Whatever a branch says beyond its key is a filter.
 */
#ifndef STATOR_PARTIQL_KEYS_H
#define STATOR_PARTIQL_KEYS_H

#include "expr/node.h"

/* Bounds of one sort attribute; low and high are there when their type is. */
struct keys_interval {
    struct value low;
    struct value high;
    bool low_open;
    bool high_open;
    bool is_prefix; /* begins_with(low) and nothing else */
};

struct keys_branch {
    struct value partition[LIMIT_INDEX_KEY_ATTRIBUTES];
    struct keys_interval sort[LIMIT_INDEX_KEY_ATTRIBUTES];
    bool torn; /* one partition attribute equals two values */
    const struct node **filters;
    size_t filter_count;
};

struct keys {
    const struct key_schema *schema;
    struct keys_branch *branches;
    size_t count;
    bool keyed; /* every branch names its partition */
};

/*
 * Fails with VALIDATION when a key is compared with a value that is none, when branches overlap or
 * are too many. where may be NULL.
 */
enum error_code keys_split(struct call *call, const struct node *where,
                           const struct key_schema *schema, struct keys *keys) WARN_UNUSED;

/* Puts the branches of keyed ones in order. */
void keys_sort(struct keys *keys, bool partitions_descending, bool sort_descending);

bool keys_same_partition(const struct keys *keys, const struct keys_branch *a,
                         const struct keys_branch *b);

/* True when the branch names one row: its whole key. */
bool keys_is_point(const struct keys *keys, const struct keys_branch *branch);

/* The condition to query with. Returns false when it selects more than the branch says. */
bool keys_condition(const struct keys *keys, const struct keys_branch *branch,
                    struct key_condition *condition);

/* True when a condition equals a key attribute with a value, from the top-level AND of a clause. */
bool keys_is_equality(const struct node *condition, struct slice name);

#endif
