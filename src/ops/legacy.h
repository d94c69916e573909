/* SPDX-License-Identifier: Apache-2.0 */
/*
 * legacy — what the parameters that expressions replaced have in common: their shapes, the rules
 * about giving them together, and AttributesToGet. Conditions (Expected, KeyConditions, filters)
 * are in legacy_condition.h, AttributeUpdates in legacy_update.h. All of them become the nodes of
 * expr/node.h; nothing after the plan knows how a request was worded.
 */
#ifndef STATOR_OPS_LEGACY_H
#define STATOR_OPS_LEGACY_H

#include "expr/node.h"
#include "ops/op.h"

/* Shapes for field tables. */
extern const struct shape legacy_expected;
extern const struct shape legacy_attribute_updates;
extern const struct shape legacy_conditions; /* KeyConditions, QueryFilter, ScanFilter */
extern const struct shape legacy_conditional_operator;
extern const struct shape legacy_attributes_to_get;

/* A member of a request by its name; lists of them end with one without a name. */
struct parameter {
    const char *name;
    const struct json_token *token; /* NULL: absent */
};

/*
 * Fails when both legacy and expression parameters are given, naming both in the order of the
 * lists. Envelope: see fail_enveloped.
 */
enum error_code legacy_check(struct call *call, const struct parameter *legacy,
                             const struct parameter *expressions) WARN_UNUSED;

/* ConditionalOperator joins the conditions of a filter or of Expected: there must be two. */
enum error_code legacy_check_operator(struct call *call, const struct json_token *joiner,
                                      const struct json_token *conditions) WARN_UNUSED;

/* An entry of a map of the request. */
struct legacy_entry {
    struct slice name;
    const struct json_token *value;
};

/* The entries of a map in the order of the request, of equal names the last; returns how many. */
size_t legacy_entries(struct arena *arena, const struct json_token *map,
                      struct legacy_entry **entries);

/*
 * Makes a projection of AttributesToGet: names of attributes, never paths. The token may be NULL:
 * then *projection stays as it is.
 */
enum error_code legacy_project(struct call *call, const struct json_token *attributes,
                               const struct projection **projection) WARN_UNUSED;

#endif
