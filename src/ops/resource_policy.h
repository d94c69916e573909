/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resource_policy — what Get-, Put- and DeleteResourcePolicy share: a table has a policy, and its
 * latest stream has one of its own.
 */
#ifndef STATOR_OPS_RESOURCE_POLICY_H
#define STATOR_OPS_RESOURCE_POLICY_H

#include "ops/resource_arn.h"

extern const struct shape resource_policy_shape_arn;
extern const struct shape resource_policy_shape_revision;

/* The policy of the ARN in a table's description. Fails when there is no such table or stream. */
enum error_code resource_policy_find(struct request *request, const struct table *table,
                                     const struct resource_arn *arn,
                                     const struct policy **policy) WARN_UNUSED;

/* The same for a change, in the recorded description. */
enum error_code resource_policy_read(struct request *request, struct kv_txn *txn,
                                     const struct resource_arn *arn, struct table **table,
                                     struct policy **policy) WARN_UNUSED;

/* Fails when ExpectedRevisionId (NULL: not given) is not the policy's. */
enum error_code resource_policy_expect(struct request *request, const struct json_token *expected,
                                       const struct resource_arn *arn,
                                       const struct policy *policy) WARN_UNUSED;

/* Fails when the last change was a moment ago. */
enum error_code resource_policy_cool(struct request *request, const struct resource_arn *arn,
                                     const struct policy *policy) WARN_UNUSED;

/* "RevisionId":"1763712000123" */
void resource_policy_respond_revision(struct request *request, int64_t changed_ms);

#endif
