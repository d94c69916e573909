/* SPDX-License-Identifier: Apache-2.0 */
/* legacy_update — AttributeUpdates: a map from an attribute's name to an action and its value. */
#ifndef STATOR_OPS_LEGACY_UPDATE_H
#define STATOR_OPS_LEGACY_UPDATE_H

#include "ops/legacy.h"

/*
 * Makes an update of AttributeUpdates. The token may be NULL, and a map without entries changes
 * nothing: then *update stays as it is.
 */
enum error_code legacy_update_read(struct call *call, const struct json_token *updates,
                                   const struct update **update) WARN_UNUSED;

/* AttributeUpdates' values for key attributes of indexes have the types of those. The update may be
 * NULL, or of an expression, whose values are looked at when it is applied. */
enum error_code legacy_update_check(struct call *call, const struct table *table,
                                    const struct update *update) WARN_UNUSED;

#endif
