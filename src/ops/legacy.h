/* SPDX-License-Identifier: Apache-2.0 */
/*
 * legacy — the parameters that expressions replaced: Expected, AttributeUpdates, KeyConditions and
 * their kind. Their shapes are checked; what they mean is not built, so they are refused, after the
 * rule against mixing them with expressions.
 */
#ifndef STATOR_OPS_LEGACY_H
#define STATOR_OPS_LEGACY_H

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
 * lists; then when a legacy one is given. Envelope: see fail_enveloped.
 */
enum error_code legacy_check(struct call *call, const struct parameter *legacy,
                             const struct parameter *expressions) WARN_UNUSED;

/* Refuses legacy parameters that the rule against mixing does not name. */
enum error_code legacy_refuse(struct call *call, const struct parameter *legacy) WARN_UNUSED;

#endif
