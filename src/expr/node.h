/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node — what conditions, filters, updates and projections are made of, whoever parsed them:
 * expressions, legacy parameters and PartiQL all lower into these nodes; there is one evaluator.
 *
 * Nodes live in the arena of the request that made them and are constant once made.
 */
#ifndef STATOR_EXPR_NODE_H
#define STATOR_EXPR_NODE_H

#include "model/error.h"
#include "model/schema.h"
#include "model/value.h"

struct path_step {
    struct slice name; /* a map member; data == NULL: a list element */
    uint32_t index;
};

/* A document path: the first step is always a name, the top-level attribute. */
struct path {
    const struct path_step *steps;
    size_t count;
};

enum node_kind {
    /* operands */
    NODE_PATH,
    NODE_VALUE,
    NODE_SIZE, /* size(path): left */
    /* operands of update actions only */
    NODE_PLUS, /* left + right */
    NODE_MINUS,
    NODE_IF_NOT_EXISTS, /* left: path, right: operand */
    NODE_LIST_APPEND,   /* left, right */
    /* conditions */
    NODE_EQ,
    NODE_NE,
    NODE_LT,
    NODE_LE,
    NODE_GT,
    NODE_GE,
    NODE_BETWEEN, /* children: operand, low, high */
    NODE_IN,      /* children: operand, candidates … */
    NODE_AND,
    NODE_OR,
    NODE_NOT, /* left */
    NODE_ATTRIBUTE_EXISTS,
    NODE_ATTRIBUTE_NOT_EXISTS,
    NODE_ATTRIBUTE_TYPE, /* left: operand, right: value of type S */
    NODE_BEGINS_WITH,
    NODE_CONTAINS,
    /* legacy parameters only */
    NODE_NOT_CONTAINS,
};

struct node {
    enum node_kind kind;
    const struct node *left;
    const struct node *right;
    const struct node *const *children; /* BETWEEN, IN */
    size_t child_count;
    struct path path;   /* PATH */
    struct value value; /* VALUE */
};

/* The value at a path, type VALUE_ABSENT when there is none. */
struct value path_find(const struct path *path, struct slice item);

/* Prints a path as messages do: [a, b, [3]]. */
struct slice path_print(struct arena *arena, const struct path *path);

/* Overlap: one begins the other. Conflict: one wants a map where the other wants a list. */
enum path_relation { PATHS_APART, PATHS_OVERLAP, PATHS_CONFLICT };
enum path_relation path_relate(const struct path *a, const struct path *b);

/* ---- conditions ------------------------------------------------------------------------------ */

/*
 * True or false, never an error: a comparison whose operand is absent or of another type is false,
 * except that <> is true.
 * item may be an empty slice: no item. scratch holds temporaries and may be the call's arena.
 * A condition that stands where an operand is wanted is the value TRUE or FALSE (PartiQL only).
 */
bool condition_evaluate(const struct node *condition, struct slice item, struct arena *scratch);

/* ---- projections ----------------------------------------------------------------------------- */

struct projection {
    const struct path *paths;
    size_t count;
    const void *tree; /* expr/projection.c: the paths merged, made once by projection_new */
};

const struct projection *projection_new(struct arena *arena, const struct path *paths,
                                        size_t count);

/* The item's attributes and parts that the paths name; list elements close up in index order. */
struct slice projection_apply(const struct projection *projection, struct slice item,
                              struct arena *arena);

/* ---- updates --------------------------------------------------------------------------------- */

enum action_kind { ACTION_SET, ACTION_REMOVE, ACTION_ADD, ACTION_DELETE };

struct action {
    enum action_kind kind;
    struct path path;
    const struct node *operand; /* SET: any operand; ADD, DELETE: a NODE_VALUE; REMOVE: NULL */
};

/* Clauses in any order; actions of one kind keep their order. */
struct update {
    const struct action *actions;
    size_t count;
    const struct projection *touched; /* all paths, for UPDATED_OLD and UPDATED_NEW */
    bool legacy;                      /* from AttributeUpdates: see update_apply */
};

/*
 * Applies an update to the old item (an empty slice: there is none, start from key, which is an
 * item of the key attributes). Every operand is evaluated on the old item. Fails with VALIDATION
 * and the runtime texts of facts/errors.md section 6; the new item's size is not checked here.
 *
 * An update that only takes away makes no item where there is none: *new_item is empty then. A
 * legacy update words a wrong type differently.
 */
enum error_code update_apply(struct call *call, const struct update *update, struct slice old_item,
                             struct slice key, struct slice *new_item) WARN_UNUSED;

/* The bytes that UpdateItem's size check adds to the item without its key (facts/limits.md 1). */
size_t update_overhead(const struct update *update);

/* ---- key conditions -------------------------------------------------------------------------- */

enum sort_operator {
    SORT_ANY, /* no condition on the sort attribute at position sort_count */
    SORT_LT,
    SORT_LE,
    SORT_GT,
    SORT_GE,
    SORT_BETWEEN, /* low and high, both inclusive */
    SORT_BEGINS_WITH,
};

/* A key condition understood: equality on all partition attributes, then on leading sort
 * attributes, then at most one other operator on the next sort attribute. */
struct key_condition {
    struct value partition[LIMIT_INDEX_KEY_ATTRIBUTES];
    struct value sort[LIMIT_INDEX_KEY_ATTRIBUTES]; /* the leading equalities */
    unsigned sort_count;
    enum sort_operator op;
    struct value low;
    struct value high;
};

/*
 * Understands the nodes of a KeyConditionExpression against the key of a table or index; fails with
 * the texts of facts/errors.md: missed key schema element, not supported, type does not match, …
 * The checks that need no schema (key_condition_check) have passed.
 */
enum error_code key_condition_resolve(struct call *call, const struct node *expression,
                                      const struct key_schema *key,
                                      struct key_condition *out) WARN_UNUSED;

/* Fails when a partition key, or a sort key, is longer than any row's. */
enum error_code key_condition_check_length(struct call *call, bool is_partition,
                                           size_t length) WARN_UNUSED;

/* The checks of a KeyConditionExpression's form that need no schema. */
enum error_code key_condition_check(struct call *call, const struct node *expression) WARN_UNUSED;

#endif
