/* SPDX-License-Identifier: Apache-2.0 */
/* resource_policy — finding policies, their revisions, and the pause between two changes. */
#include "ops/resource_policy.h"

#include "ops/respond.h"
#include "ops/table_state.h"
#include "ops/timestamp.h"

#define NOT_FOUND "Resource-based policy not found for the provided ResourceArn: "

const struct shape resource_policy_shape_arn = {
    .kind = SHAPE_STRING,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_RESOURCE_ARN_LENGTH,
};
const struct shape resource_policy_shape_revision = {
    .kind = SHAPE_STRING,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_POLICY_REVISION_LENGTH,
};

static enum error_code no_table(struct request *request, const struct resource_arn *arn)
{
    return fail(&request->call, ERROR_RESOURCE_NOT_FOUND,
                "Requested resource not found: Table: %.*s not found", SLICE_ARGS(arn->table));
}

enum error_code resource_policy_find(struct request *request, const struct table *table,
                                     const struct resource_arn *arn, const struct policy **policy)
{
    const int64_t now_ms = request->call.now_ms;
    if (table == NULL || table_is_gone(table, now_ms) ||
        table_status_at(table, now_ms) == TABLE_CREATING)
        return no_table(request, arn);
    *policy = arn->stream.length > 0 ? &table->stream_policy : &table->policy;
    if (arn->stream.length == 0 || slice_equal(arn->stream, table->stream_label)) return OK;
    return fail(&request->call, ERROR_RESOURCE_NOT_FOUND,
                "Requested resource not found: Stream: %.*s not found for Table: %.*s",
                SLICE_ARGS(arn->stream), SLICE_ARGS(arn->table));
}

enum error_code resource_policy_read(struct request *request, struct kv_txn *txn,
                                     const struct resource_arn *arn, struct table **table,
                                     struct policy **policy)
{
    struct call *call = &request->call;
    const struct policy *found;
    TRY(database_status(call, catalog_read(txn, call->arena, arn->table, table)));
    TRY(resource_policy_find(request, *table, arn, &found));
    *policy = arn->stream.length > 0 ? &(*table)->stream_policy : &(*table)->policy;
    CHECK(*policy == found);
    if (table_status_at(*table, call->now_ms) != TABLE_DELETING) return OK;
    return fail(call, ERROR_RESOURCE_IN_USE, TABLE_STATE_IN_USE "Table is being deleted: %.*s",
                SLICE_ARGS(arn->table));
}

enum error_code resource_policy_expect(struct request *request, const struct json_token *expected,
                                       const struct resource_arn *arn, const struct policy *policy)
{
    struct call *call = &request->call;
    if (expected == NULL) return OK;
    const struct slice wanted = input_string(request, expected);
    const bool has_policy = policy->text.length > 0;
    const struct slice revision = arena_format(call->arena, "%lld", (long long)policy->changed_ms);
    if (slice_equal(wanted, SLICE("NO_POLICY"))) {
        if (!has_policy) return OK;
        return fail(call, ERROR_POLICY_NOT_FOUND,
                    NOT_FOUND "Requested policy update expecting none to be present for table "
                              "%.*s, but a policy exists with revision id %.*s.",
                    SLICE_ARGS(arn->table), SLICE_ARGS(revision));
    }
    if (!has_policy) {
        return fail(call, ERROR_POLICY_NOT_FOUND,
                    NOT_FOUND "Requested update for policy with revision id %.*s, but table %.*s "
                              "has no associated policy.",
                    SLICE_ARGS(wanted), SLICE_ARGS(arn->table));
    }
    if (slice_equal(wanted, revision)) return OK;
    return fail(call, ERROR_POLICY_NOT_FOUND,
                NOT_FOUND "Requested update for policy with revision id %.*s, but the policy "
                          "associated to target table %.*s has revision id %.*s.",
                SLICE_ARGS(wanted), SLICE_ARGS(arn->table), SLICE_ARGS(revision));
}

enum error_code resource_policy_cool(struct request *request, const struct resource_arn *arn,
                                     const struct policy *policy)
{
    struct call *call = &request->call;
    const int64_t until_ms = policy->changed_ms + LIMIT_CHANGE_COOLDOWN_MS;
    if (policy->changed_ms == 0 || call->now_ms >= until_ms) return OK;
    const bool is_stream = arn->stream.length > 0;
    return fail(call, ERROR_THROTTLING,
                "Resource-based policy for %s %.*s modified within the previous %d milliseconds. "
                "Please try again after %.*sZ.",
                is_stream ? "stream" : "table", SLICE_ARGS(is_stream ? arn->stream : arn->table),
                LIMIT_CHANGE_COOLDOWN_MS, SLICE_ARGS(timestamp_format(call->arena, until_ms)));
}

void resource_policy_respond_revision(struct request *request, int64_t changed_ms)
{
    respond_member(request, "RevisionId");
    json_append_string(&request->response,
                       arena_format(request->call.arena, "%lld", (long long)changed_ms));
}
