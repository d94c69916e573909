/* SPDX-License-Identifier: Apache-2.0 */
/* delete_resource_policy — DeleteResourcePolicy, also of none unless one is expected. */
#include "ops/resource_policy.h"
#include "ops/respond.h"

enum input { INPUT_RESOURCE_ARN, INPUT_EXPECTED, INPUT_COUNT };

static const struct field fields[] = {
    [INPUT_RESOURCE_ARN] = {"ResourceArn", &resource_policy_shape_arn, true},
    [INPUT_EXPECTED] = {"ExpectedRevisionId", &resource_policy_shape_revision, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "DeleteResourcePolicyInput", .fields = fields};

struct deletion {
    struct resource_arn arn;
    int64_t revision_ms; /* 0: there never was a policy */
};

static enum error_code plan(struct request *request)
{
    struct deletion *deletion = arena_new(request->call.arena, struct deletion);
    request->plan = deletion;
    return resource_arn_read(request, request->input[INPUT_RESOURCE_ARN], ARN_OF_POLICY,
                             &deletion->arn);
}

/* The answer names the revision that was deleted; repeated, that of the deletion. */
static enum error_code run(struct request *request, struct kv_txn *txn)
{
    struct deletion *deletion = request->plan;
    struct call *call = &request->call;
    struct table *table;
    struct policy *policy;
    TRY(resource_policy_read(request, txn, &deletion->arn, &table, &policy));
    TRY(resource_policy_expect(request, request->input[INPUT_EXPECTED], &deletion->arn, policy));
    deletion->revision_ms = policy->changed_ms;
    if (policy->text.length == 0) return OK;
    TRY(resource_policy_cool(request, &deletion->arn, policy));
    *policy = (struct policy){.changed_ms = call->now_ms};
    catalog_write(txn, call->arena, table);
    return OK;
}

static enum error_code render(struct request *request)
{
    const struct deletion *deletion = request->plan;
    respond_open(request);
    if (deletion->revision_ms != 0)
        resource_policy_respond_revision(request, deletion->revision_ms);
    respond_close(request);
    return OK;
}

const struct op op_delete_resource_policy = {
    .name = "DeleteResourcePolicy",
    .kind = OP_CATALOG,
    .input = &input_shape,
    .plan = plan,
    .run = run,
    .render = render,
};
