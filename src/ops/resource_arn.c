/* SPDX-License-Identifier: Apache-2.0 */
/* resource_arn — arn:aws:dynamodb:region:account:table/name[/stream/label]. */
#include "ops/resource_arn.h"

#include "model/limits.h"

#define INVALID "One or more parameter values were invalid: "

enum { PART_ARN, PART_PARTITION, PART_SERVICE, PART_REGION, PART_ACCOUNT, PART_RESOURCE, PARTS };

static enum error_code refuse(struct request *request, const char *words, struct slice arn)
{
    return fail(&request->call, ERROR_VALIDATION, INVALID "%s: %.*s", words, SLICE_ARGS(arn));
}

/* Cuts at the first five colons; false when there are fewer. */
static bool split(struct slice arn, struct slice parts[PARTS])
{
    for (int i = 0; i < PART_RESOURCE; i++) {
        const uint8_t *colon = arn.length > 0 ? memchr(arn.data, ':', arn.length) : NULL;
        if (colon == NULL) return false;
        const size_t length = (size_t)(colon - arn.data);
        parts[i] = slice_of(arn.data, length);
        arn = slice_of(colon + 1, arn.length - length - 1);
    }
    parts[PART_RESOURCE] = arn;
    return true;
}

/* Takes text up to the first slash off; the slash goes too. */
static struct slice cut(struct slice *text)
{
    const uint8_t *slash = text->length > 0 ? memchr(text->data, '/', text->length) : NULL;
    const size_t length = slash == NULL ? text->length : (size_t)(slash - text->data);
    const struct slice head = slice_of(text->data, length);
    const size_t skipped = slash == NULL ? length : length + 1;
    *text = slice_of(text->data + skipped, text->length - skipped);
    return head;
}

static enum error_code invalid_table(struct request *request, struct slice arn)
{
    return fail(&request->call, ERROR_VALIDATION,
                "Invalid TableArn: Invalid ResourceArn provided as input %.*s", SLICE_ARGS(arn));
}

/* table/name, table/name/stream/label; what else there is has words of its own. */
static enum error_code read_resource(struct request *request, struct slice resource,
                                     enum resource_arn_kind kind, struct resource_arn *arn)
{
    if (!slice_equal(cut(&resource), SLICE("table")))
        return refuse(request, "Provided Arn is not a DynamoDB resource arn", arn->text);
    arn->table = cut(&resource);
    if (arn->table.length < LIMIT_TABLE_NAME_LENGTH_MIN) return invalid_table(request, arn->text);
    if (resource.length == 0) return OK;

    const struct slice part = cut(&resource);
    if (slice_equal(part, SLICE("index"))) {
        return refuse(request,
                      "Invalid resource arn provided, only table or stream is accepted. Provided "
                      "resource arn",
                      arn->text);
    }
    if (!slice_equal(part, SLICE("stream")) || resource.length == 0)
        return refuse(request, "Provided Arn is not a DynamoDB resource arn", arn->text);
    if (kind == ARN_OF_TAGS) return invalid_table(request, arn->text);
    arn->stream = resource;
    return OK;
}

/* The resource of somebody else, or somewhere else. */
static enum error_code check_owner(struct request *request, const struct slice parts[PARTS],
                                   enum resource_arn_kind kind, struct slice arn)
{
    const struct database *database = request->database;
    struct call *call = &request->call;
    if (!slice_equal(parts[PART_PARTITION], SLICE("aws")) ||
        !slice_equal(parts[PART_REGION], database->region)) {
        if (kind == ARN_OF_TAGS) return invalid_table(request, arn);
        return refuse(request, "Invalid resource Arn", arn);
    }
    if (slice_equal(parts[PART_ACCOUNT], database->account_id)) return OK;
    if (kind == ARN_OF_POLICY) {
        return fail(call, ERROR_VALIDATION,
                    "This action is only supported by accounts that match the resource "
                    "owner\xE2\x80\x99s account.");
    }
    return fail(call, ERROR_ACCESS_DENIED,
                "User: arn:aws:iam::%.*s:root is not authorized to perform: dynamodb:%s on "
                "resource: %.*s",
                SLICE_ARGS(database->account_id), request->op->name, SLICE_ARGS(arn));
}

enum error_code resource_arn_read(struct request *request, const struct json_token *token,
                                  enum resource_arn_kind kind, struct resource_arn *arn)
{
    struct slice parts[PARTS];
    *arn = (struct resource_arn){.text = input_string(request, token)};
    if (token == NULL) return fail(&request->call, ERROR_VALIDATION, "Invalid TableArn");
    if (!slice_has_prefix(arn->text, SLICE("arn:")))
        return refuse(request, "ARNs must start with 'arn:'", arn->text);
    if (!split(arn->text, parts) || !slice_equal(parts[PART_SERVICE], SLICE("dynamodb")))
        return refuse(request, "Provided Arn is not a DynamoDB resource arn", arn->text);
    TRY(check_owner(request, parts, kind, arn->text));
    return read_resource(request, parts[PART_RESOURCE], kind, arn);
}
