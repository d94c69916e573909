/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put_resource_policy — PutResourcePolicy: stores a policy and answers with its revision. The same
 * policy again changes nothing, however it is written.
 */
#include "ops/resource_policy.h"
#include "ops/respond.h"
#include "ops/table_input.h"

enum input { INPUT_RESOURCE_ARN, INPUT_POLICY, INPUT_EXPECTED, INPUT_CONFIRM, INPUT_COUNT };

static const struct field fields[] = {
    [INPUT_RESOURCE_ARN] = {"ResourceArn", &resource_policy_shape_arn, true},
    [INPUT_POLICY] = {"Policy", &shape_string, true},
    [INPUT_EXPECTED] = {"ExpectedRevisionId", &resource_policy_shape_revision, false},
    [INPUT_CONFIRM] = {"ConfirmRemoveSelfResourceAccess", &shape_boolean, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "PutResourcePolicyInput", .fields = fields};

struct put {
    struct resource_arn arn;
    struct slice text;
    int64_t revision_ms;
};

static enum error_code plan(struct request *request)
{
    struct put *put = arena_new(request->call.arena, struct put);
    request->plan = put;
    TRY(resource_arn_read(request, request->input[INPUT_RESOURCE_ARN], ARN_OF_POLICY, &put->arn));
    TRY(table_input_policy(request, request->input[INPUT_POLICY], &put->text));
    if (put->text.length > 0) return OK;
    return fail(&request->call, ERROR_VALIDATION,
                "One or more parameter values were invalid: Invalid policy document: This policy "
                "contains invalid Json");
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    struct put *put = request->plan;
    struct call *call = &request->call;
    struct table *table;
    struct policy *policy;
    TRY(resource_policy_read(request, txn, &put->arn, &table, &policy));
    TRY(resource_policy_expect(request, request->input[INPUT_EXPECTED], &put->arn, policy));
    put->revision_ms = policy->changed_ms;
    if (slice_equal(policy->text, put->text)) return OK;
    TRY(resource_policy_cool(request, &put->arn, policy));
    *policy = (struct policy){.text = put->text, .changed_ms = call->now_ms};
    put->revision_ms = policy->changed_ms;
    catalog_write(txn, call->arena, table);
    return OK;
}

static enum error_code render(struct request *request)
{
    const struct put *put = request->plan;
    respond_open(request);
    resource_policy_respond_revision(request, put->revision_ms);
    respond_close(request);
    return OK;
}

const struct op op_put_resource_policy = {
    .name = "PutResourcePolicy",
    .kind = OP_CATALOG,
    .input = &input_shape,
    .plan = plan,
    .run = run,
    .render = render,
};
