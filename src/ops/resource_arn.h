/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resource_arn — the ResourceArn of tag and policy operations, taken apart and refused in the
 * service's words.
 */
#ifndef STATOR_OPS_RESOURCE_ARN_H
#define STATOR_OPS_RESOURCE_ARN_H

#include "ops/op.h"

struct resource_arn {
    struct slice text;
    struct slice table;  /* name */
    struct slice stream; /* label; empty: the ARN is the table's */
};

/* Operations on tags and on policies word their refusals differently. */
enum resource_arn_kind { ARN_OF_TAGS, ARN_OF_POLICY };

enum error_code resource_arn_read(struct request *request, const struct json_token *token,
                                  enum resource_arn_kind kind,
                                  struct resource_arn *arn) WARN_UNUSED;

#endif
