/* SPDX-License-Identifier: Apache-2.0 */
/* tagging — what TagResource, UntagResource and ListTagsOfResource share. */
#ifndef STATOR_OPS_TAGGING_H
#define STATOR_OPS_TAGGING_H

#include "ops/resource_arn.h"

/* ResourceArn: its absence and its length are worded by rules of their own. */
extern const struct shape tagging_shape_arn;

/* The table of the ARN, to be changed. Fails when it is not there, being created or deleted. */
enum error_code tagging_read_table(struct request *request, struct kv_txn *txn,
                                   const struct resource_arn *arn,
                                   struct table **table) WARN_UNUSED;

/* Fails: no table has this ARN. */
enum error_code tagging_not_found(struct request *request, const struct resource_arn *arn);

#endif
