/* SPDX-License-Identifier: Apache-2.0 */
/* table_input — the parts of a table's description as requests have them. */
#include "ops/table_input.h"

#include <stdlib.h>
#include <strings.h>

#include "ops/policy_document.h"

#define INVALID "One or more parameter values were invalid: "

enum {
    HEX_BITS = 4,
};

/* Service: ProvisionedThroughput beyond this is refused before any quota is looked at. */
static const int64_t units_max = 1000000000000;

enum error_code table_input_unbuilt(struct request *request, const struct json_token *token,
                                    const char *name)
{
    if (token == NULL) return OK;
    if (token->kind == JSON_ARRAY && token->length == 0) return OK;
    return fail(&request->call, ERROR_VALIDATION, INVALID "%s is not supported by this server",
                name);
}

/* ---- capacity -------------------------------------------------------------------------------- */

enum billing_mode table_input_billing(struct request *request, const struct json_token *token,
                                      enum billing_mode absent)
{
    if (token == NULL) return absent;
    return slice_equal(input_string(request, token), SLICE("PROVISIONED"))
               ? BILLING_PROVISIONED
               : BILLING_PAY_PER_REQUEST;
}

static enum error_code check_units(struct request *request, int64_t units, const char *member,
                                   struct slice index)
{
    if (units <= units_max) return OK;
    return fail(&request->call, ERROR_VALIDATION, "Given value %lld for %s is out of bounds%s%.*s",
                (long long)units, member, index.length > 0 ? " for index " : "", SLICE_ARGS(index));
}

enum error_code table_input_throughput(struct request *request, const struct json_token *token,
                                       struct slice index, struct throughput *throughput)
{
    *throughput = (struct throughput){
        .read_units = input_integer(input_member(token, "ReadCapacityUnits"), 0),
        .write_units = input_integer(input_member(token, "WriteCapacityUnits"), 0),
    };
    TRY(check_units(request, throughput->read_units, "ReadCapacityUnits", index));
    return check_units(request, throughput->write_units, "WriteCapacityUnits", index);
}

struct unit_pair table_input_on_demand(const struct json_token *token)
{
    return (struct unit_pair){
        .read = input_integer(input_member(token, "MaxReadRequestUnits"), UNITS_UNSET),
        .write = input_integer(input_member(token, "MaxWriteRequestUnits"), UNITS_UNSET),
    };
}

struct unit_pair table_input_warm(const struct json_token *token)
{
    return (struct unit_pair){
        .read = input_integer(input_member(token, "ReadUnitsPerSecond"), UNITS_UNSET),
        .write = input_integer(input_member(token, "WriteUnitsPerSecond"), UNITS_UNSET),
    };
}

/* ---- indexes --------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static enum error_code read_included(struct request *request, const struct json_token *list,
                                     struct index *index)
{
    struct call *call = &request->call;
    index->included = arena_array(call->arena, struct slice, list->length);
    index->included_count = list->length;
    const struct json_token *name = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, name = json_next(name)) {
        index->included[i] = input_string(request, name);
        for (uint32_t j = 0; j < i; j++) {
            if (!slice_equal(index->included[i], index->included[j])) continue;
            return fail(call, ERROR_VALIDATION,
                        INVALID "Duplicate element in NonKeyAttributes: %.*s",
                        SLICE_ARGS(index->included[i]));
        }
    }
    qsort(index->included, index->included_count, sizeof *index->included, compare_names);
    return OK;
}

enum error_code table_input_projection(struct request *request, const struct json_token *token,
                                       struct index *index)
{
    struct call *call = &request->call;
    const struct json_token *type = input_member(token, "ProjectionType");
    const struct json_token *included = input_member(token, "NonKeyAttributes");
    if (type == NULL) return fail(call, ERROR_VALIDATION, INVALID "Unknown ProjectionType: null");
    const struct slice word = input_string(request, type);
    index->projection = slice_equal(word, SLICE("ALL"))       ? PROJECT_ALL
                        : slice_equal(word, SLICE("INCLUDE")) ? PROJECT_INCLUDE
                                                              : PROJECT_KEYS_ONLY;
    if (index->projection != PROJECT_INCLUDE && included != NULL) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "ProjectionType is %.*s, but NonKeyAttributes is specified",
                    SLICE_ARGS(word));
    }
    if (index->projection != PROJECT_INCLUDE) return OK;
    if (included == NULL) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
    }
    return read_included(request, included, index);
}

enum error_code table_input_check_included(struct request *request, const struct table *table)
{
    size_t count = 0;
    for (size_t i = 0; i < table->index_count; i++)
        count += table->indexes[i].included_count;
    if (count <= LIMIT_PROJECTED_ATTRIBUTES) return OK;
    return fail(&request->call, ERROR_VALIDATION,
                INVALID "Number of NonKeyAttributes of all indexes exceeds per-table limit of %d",
                LIMIT_PROJECTED_ATTRIBUTES);
}

/* ---- streams and class ----------------------------------------------------------------------- */

enum stream_view table_input_view(struct request *request, const struct json_token *stream)
{
    const struct json_token *type = input_member(stream, "StreamViewType");
    if (type == NULL) return STREAM_OFF;
    const struct slice word = input_string(request, type);
    if (slice_equal(word, SLICE("KEYS_ONLY"))) return STREAM_KEYS_ONLY;
    if (slice_equal(word, SLICE("NEW_IMAGE"))) return STREAM_NEW_IMAGE;
    if (slice_equal(word, SLICE("OLD_IMAGE"))) return STREAM_OLD_IMAGE;
    return STREAM_NEW_AND_OLD;
}

enum error_code table_input_class(struct request *request, const struct json_token *token,
                                  enum table_class *class)
{
    *class = CLASS_UNSET;
    if (token == NULL) return OK;
    const struct slice word = input_string(request, token);
    if (slice_equal(word, SLICE("STANDARD")))
        *class = CLASS_STANDARD;
    else if (slice_equal(word, SLICE("STANDARD_INFREQUENT_ACCESS")))
        *class = CLASS_INFREQUENT_ACCESS;
    if (*class != CLASS_UNSET) return OK;
    return fail(&request->call, ERROR_VALIDATION,
                "Invalid table-class parameter provided. Please try again with a valid table-class "
                "value: [STANDARD, STANDARD_INFREQUENT_ACCESS].");
}

/* ---- encryption ------------------------------------------------------------------------------ */

/*
 * There is no key service here to ask which key an alias stands for. The same alias of the same
 * account and region always stands for the same key, of which nothing but the name exists.
 */
static struct slice alias_key_id(struct request *request, struct slice alias)
{
    static const char digits[] = "0123456789abcdef";
    static const char form[] = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
    const struct slice name = arena_format(
        request->call.arena, "%.*s/%.*s/%.*s", SLICE_ARGS(request->database->account_id),
        SLICE_ARGS(request->database->region), SLICE_ARGS(alias));
    uint64_t hash = 0xCBF29CE484222325U; /* FNV-1a */
    for (size_t i = 0; i < name.length; i++)
        hash = (hash ^ name.data[i]) * 0x100000001B3U;

    char *id = arena_string(request->call.arena, slice_of_string(form));
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] != 'x') continue;
        hash = (hash ^ i) * 0x100000001B3U;
        id[i] = digits[hash >> (64 - HEX_BITS)];
    }
    return slice_of_string(id);
}

static struct slice key_arn(struct request *request, struct slice id)
{
    if (id.length == 0) id = SLICE("alias/aws/dynamodb");
    if (slice_has_prefix(id, SLICE("arn:"))) return id;
    if (slice_has_prefix(id, SLICE("alias/"))) id = alias_key_id(request, id);
    return arena_format(request->call.arena, "arn:aws:kms:%.*s:%.*s:key/%.*s",
                        SLICE_ARGS(request->database->region),
                        SLICE_ARGS(request->database->account_id), SLICE_ARGS(id));
}

enum error_code table_input_encryption(struct request *request, const struct json_token *token,
                                       struct encryption *encryption)
{
    struct call *call = &request->call;
    const struct json_token *enabled = input_member(token, "Enabled");
    const struct json_token *type = input_member(token, "SSEType");
    const struct json_token *key = input_member(token, "KMSMasterKeyId");
    *encryption = (struct encryption){.enabled = input_boolean(enabled, type != NULL)};
    if (enabled != NULL && !encryption->enabled) {
        if (type == NULL && key == NULL) return OK;
        return fail(call, ERROR_VALIDATION, INVALID "%s can not be specified if Enabled is false",
                    type != NULL ? "SSEType" : "KMSMasterKeyId");
    }
    if (type != NULL && slice_equal(input_string(request, type), SLICE("AES256")))
        return fail(call, ERROR_VALIDATION, INVALID "SSEType AES256 is not supported");
    if (key != NULL && type == NULL) {
        return fail(call, ERROR_VALIDATION,
                    INVALID "SSEType KMS is required if KMSMasterKeyId is specified");
    }
    if (!encryption->enabled) return OK;
    const struct slice id = input_string(request, key);
    encryption->key_is_arn = slice_has_prefix(id, SLICE("arn:"));
    encryption->key_arn = key_arn(request, id);
    return OK;
}

/* ---- tags and policy ------------------------------------------------------------------------- */

/* Letters, digits, spaces and + - = . _ : / @; letters beyond ASCII are left to the client. */
static bool is_tag_text(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        const uint8_t byte = text.data[i];
        const bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                              (byte >= 'A' && byte <= 'Z') || byte >= 0x80;
        if (!is_plain && (byte == '\0' || strchr(" +-=._:/@", byte) == NULL)) return false;
    }
    return true;
}

static size_t count_characters(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++)
        count += (text.data[i] & 0xC0) != 0x80;
    return count;
}

enum error_code table_input_check_tag_key(struct call *call, struct slice key)
{
    const struct slice reserved = SLICE("aws:");
    const size_t length = count_characters(key);
    if (length < 1 || length > LIMIT_TAG_KEY_LENGTH || !is_tag_text(key)) {
        return fail(call, ERROR_VALIDATION, "The Tag Key provided is invalid, Key: %.*s",
                    SLICE_ARGS(key));
    }
    if (key.length >= reserved.length &&
        strncasecmp((const char *)key.data, (const char *)reserved.data, reserved.length) == 0) {
        return fail(call, ERROR_VALIDATION, "Tag Key cannot be prefixed with aws:, Key: %.*s",
                    SLICE_ARGS(key));
    }
    return OK;
}

static enum error_code check_tag(struct call *call, const struct tag *tag)
{
    TRY(table_input_check_tag_key(call, tag->key));
    if (count_characters(tag->value) > LIMIT_TAG_VALUE_LENGTH || !is_tag_text(tag->value)) {
        return fail(call, ERROR_VALIDATION, "The Tag Value provided is invalid, Value: %.*s",
                    SLICE_ARGS(tag->value));
    }
    return OK;
}

enum error_code table_input_tags(struct request *request, const struct json_token *token,
                                 struct table *table)
{
    if (token == NULL) return OK;
    struct call *call = &request->call;
    if (token->length > LIMIT_TAGS) {
        return fail(call, ERROR_VALIDATION,
                    "Number of Tags exceed the current limit for the provided ResourceArn");
    }
    table->tags = arena_array(call->arena, struct tag, token->length);
    const struct json_token *element = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, element = json_next(element)) {
        const struct tag tag = {
            .key = input_string(request, input_member(element, "Key")),
            .value = input_string(request, input_member(element, "Value")),
        };
        TRY(check_tag(call, &tag));
        for (size_t j = 0; j < table->tag_count; j++) {
            if (!slice_equal(table->tags[j].key, tag.key)) continue;
            return fail(call, ERROR_VALIDATION,
                        "Duplicate Tag Keys provided as input: Duplicate Tag Key found %.*s",
                        SLICE_ARGS(tag.key));
        }
        table->tags[table->tag_count++] = tag;
    }
    return OK;
}

enum error_code table_input_policy(struct request *request, const struct json_token *token,
                                   struct slice *policy)
{
    struct call *call = &request->call;
    const struct slice text = input_string(request, token);
    *policy = (struct slice){0};
    if (text.length == 0) return OK;
    if (text.length > LIMIT_POLICY_BYTES) {
        return fail(call, ERROR_VALIDATION, INVALID "Maximum policy size of %d bytes exceeded",
                    LIMIT_POLICY_BYTES);
    }
    return policy_document_read(call, text, policy);
}
