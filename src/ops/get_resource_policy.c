/* SPDX-License-Identifier: Apache-2.0 */
/* get_resource_policy — GetResourcePolicy: the policy of a table or a stream, and its revision. */
#include "ops/resource_policy.h"
#include "ops/respond.h"

enum input { INPUT_RESOURCE_ARN, INPUT_COUNT };

static const struct field fields[] = {
    [INPUT_RESOURCE_ARN] = {"ResourceArn", &resource_policy_shape_arn, true},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "GetResourcePolicyInput", .fields = fields};

static enum error_code plan(struct request *request)
{
    struct call *call = &request->call;
    struct resource_arn arn;
    const struct policy *policy;
    TRY(resource_arn_read(request, request->input[INPUT_RESOURCE_ARN], ARN_OF_POLICY, &arn));
    const struct table *table = catalog_find(request->catalog, arn.table, call->now_ms);
    TRY(resource_policy_find(request, table, &arn, &policy));
    if (policy->text.length == 0) {
        return fail(call, ERROR_POLICY_NOT_FOUND,
                    "Resource-based policy not found for the provided ResourceArn: %.*s",
                    SLICE_ARGS(arn.text));
    }
    respond_open(request);
    respond_member(request, "Policy");
    json_append_string(&request->response, policy->text);
    resource_policy_respond_revision(request, policy->changed_ms);
    respond_close(request);
    return OK;
}

const struct op op_get_resource_policy = {
    .name = "GetResourcePolicy",
    .kind = OP_LOCAL,
    .input = &input_shape,
    .plan = plan,
};
