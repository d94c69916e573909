/* SPDX-License-Identifier: Apache-2.0 */
/*
 * legacy_condition — Expected, QueryFilter, ScanFilter and KeyConditions as conditions. Each is a
 * map from an attribute's name to an operator and its values.
 *
 * In all of them the map may be NULL, and a map without entries says nothing: then *condition stays
 * as it is. joiner is ConditionalOperator, NULL for AND.
 */
#ifndef STATOR_OPS_LEGACY_CONDITION_H
#define STATOR_OPS_LEGACY_CONDITION_H

#include "ops/legacy.h"

enum error_code legacy_condition_expected(struct call *call, const struct json_token *expected,
                                          const struct json_token *joiner,
                                          const struct node **condition) WARN_UNUSED;

/* QueryFilter or ScanFilter. */
enum error_code legacy_condition_filter(struct call *call, const struct json_token *filter,
                                        const struct json_token *joiner,
                                        const struct node **condition) WARN_UNUSED;

/* KeyConditions: one or two, for key_condition_resolve, which refuses what no key can do. */
enum error_code legacy_condition_keys(struct call *call, const struct json_token *conditions,
                                      const struct node **condition) WARN_UNUSED;

#endif
