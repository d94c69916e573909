/* SPDX-License-Identifier: Apache-2.0 */
/* input — members of a checked request, and the table they name. */
#include <strings.h>

#include "model/limits.h"
#include "ops/op.h"
#include "store/faults.h"

const struct json_token *input_member(const struct json_token *token, const char *name)
{
    if (token == NULL || token->kind != JSON_OBJECT) return NULL;
    const struct json_token *member = json_member(token, slice_of_string(name));
    return member == NULL || member->kind == JSON_NULL ? NULL : member;
}

struct slice input_string(struct request *request, const struct json_token *token)
{
    return token == NULL ? (struct slice){0} : json_string(token, request->call.arena);
}

bool input_boolean(const struct json_token *token, bool absent)
{
    if (token == NULL) return absent;
    if (token->kind != JSON_STRING) return token->kind == JSON_TRUE;
    struct slice word = json_raw(token);
    return strncasecmp((const char *)word.data, "true", word.length) == 0 ||
           slice_equal(word, SLICE("1")) ||
           strncasecmp((const char *)word.data, "yes", word.length) == 0;
}

int64_t input_integer(const struct json_token *token, int64_t absent)
{
    return token != NULL ? json_whole(token) : absent;
}

/* ---- tables ---------------------------------------------------------------------------------- */

enum { ARN_PARTS = 6 }; /* arn:aws:dynamodb:region:account:table/name */

/* Cuts an ARN at its first five colons. */
static bool split_arn(struct slice arn, struct slice parts[ARN_PARTS])
{
    for (int i = 0; i < ARN_PARTS - 1; i++) {
        const uint8_t *colon = arn.length > 0 ? memchr(arn.data, ':', arn.length) : NULL;
        if (colon == NULL) return false;
        size_t length = (size_t)(colon - arn.data);
        parts[i] = slice_of(arn.data, length);
        arn = slice_of(colon + 1, arn.length - length - 1);
    }
    parts[ARN_PARTS - 1] = arn;
    return true;
}

static enum error_code parse_table_arn(struct request *request, struct slice arn,
                                       struct slice *name)
{
    enum { PARTITION = 1, SERVICE, REGION, ACCOUNT, RESOURCE };
    struct slice parts[ARN_PARTS];
    struct call *call = &request->call;
    if (!split_arn(arn, parts) || !slice_equal(parts[SERVICE], SLICE("dynamodb"))) {
        return fail(call, ERROR_VALIDATION,
                    "Valid ARN format is arn:aws:dynamodb:<region>:<account>:table/<table name>, "
                    "got '%.*s'",
                    SLICE_ARGS(arn));
    }
    if (!slice_equal(parts[PARTITION], SLICE("aws")))
        return fail(call, ERROR_VALIDATION, "Invalid AWS partition in '%.*s'", SLICE_ARGS(arn));
    if (!slice_equal(parts[REGION], request->database->region))
        return fail(call, ERROR_VALIDATION, "Invalid AWS region in '%.*s'", SLICE_ARGS(arn));
    if (!slice_has_prefix(parts[RESOURCE], SLICE("table/")))
        return fail(call, ERROR_VALIDATION, "Invalid resource type in '%.*s'", SLICE_ARGS(arn));
    *name = slice_of(parts[RESOURCE].data + SLICE("table/").length,
                     parts[RESOURCE].length - SLICE("table/").length);
    if (slice_equal(parts[ACCOUNT], request->database->account_id)) return OK;
    /* No policy of another account lets us in: the service answers so whether or not the table
     * exists. */
    return fail(call, ERROR_ACCESS_DENIED,
                "User: arn:aws:iam::%.*s:root is not authorized to perform: dynamodb:%s on "
                "resource: %.*s because "
                "no resource-based policy allows the dynamodb:%s action",
                SLICE_ARGS(request->database->account_id), request->op->name, SLICE_ARGS(arn),
                request->op->name);
}

enum error_code request_table_name(struct request *request, const struct json_token *token,
                                   struct slice *name)
{
    *name = input_string(request, token);
    if (!slice_has_prefix(*name, SLICE("arn:"))) return OK;
    return parse_table_arn(request, *name, name);
}

enum error_code request_table(struct request *request, const struct json_token *token,
                              const struct table **table)
{
    return request_table_named(request, input_string(request, token), table);
}

enum error_code request_table_named(struct request *request, struct slice name,
                                    const struct table **table)
{
    int64_t now_ms = request->call.now_ms;
    if (slice_has_prefix(name, SLICE("arn:"))) TRY(parse_table_arn(request, name, &name));
    *table = catalog_find(request->catalog, name, now_ms);
    if (*table != NULL) {
        enum table_status status = table_status_at(*table, now_ms);
        if (status == TABLE_ACTIVE || status == TABLE_UPDATING)
            return faults_throttle(&request->call, request->database, *table);
    }
    return fail(&request->call, ERROR_RESOURCE_NOT_FOUND, "Requested resource not found");
}
