/* SPDX-License-Identifier: Apache-2.0 */
/* signature — the presence and form of SigV4 in a header or in the query. */
#include "ops/signature.h"

/* The value of "Key=…" among the comma- or space-separated parts of an Authorization header. */
static bool has_part(struct slice header, const char *key)
{
    size_t key_length = strlen(key);
    for (size_t i = 0; i + key_length < header.length; i++) {
        bool starts = i == 0 || header.data[i - 1] == ' ' || header.data[i - 1] == ',';
        if (starts && memcmp(header.data + i, key, key_length) == 0 &&
            header.data[i + key_length] == '=')
            return header.data[i + key_length + 1] != ',' || i + key_length + 1 < header.length;
    }
    return false;
}

static enum error_code check_header(struct call *call, const struct endpoint_request *request,
                                    struct slice header)
{
    static const char *const parts[] = {"Credential", "Signature", "SignedHeaders"};
    struct buffer message = buffer_open(call->arena, 0);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!has_part(header, parts[i]))
            buffer_append_format(&message, "Authorization header requires '%s' parameter. ",
                                 parts[i]);
    }
    if (request->header(request->context, "X-Amz-Date").data == NULL &&
        request->header(request->context, "Date").data == NULL) {
        BUFFER_TEXT(&message, "Authorization header requires existence of either a 'X-Amz-Date' or "
                              "a 'Date' header. ");
    }
    if (message.length == 0) return OK;
    return fail(call, ERROR_INCOMPLETE_SIGNATURE, "%.*sAuthorization=%.*s",
                SLICE_ARGS(buffer_slice(&message)), SLICE_ARGS(header));
}

static enum error_code check_query(struct call *call, const struct endpoint_request *request)
{
    static const char *const parts[] = {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature",
                                        "X-Amz-SignedHeaders", "X-Amz-Date"};
    struct buffer message = buffer_open(call->arena, 0);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (request->query(request->context, parts[i]).length == 0)
            buffer_append_format(&message, "AWS query-string parameters must include '%s'. ",
                                 parts[i]);
    }
    if (message.length == 0) return OK;
    return fail(call, ERROR_INCOMPLETE_SIGNATURE, "%.*sRe-examine the query-string parameters.",
                SLICE_ARGS(buffer_slice(&message)));
}

enum error_code signature_check(struct call *call, const struct endpoint_request *request)
{
    struct slice header = request->header(request->context, "Authorization");
    bool in_query = request->query(request->context, "X-Amz-Algorithm").data != NULL;
    if (header.data != NULL && in_query) {
        return fail(call, ERROR_INVALID_SIGNATURE,
                    "Found both 'X-Amz-Algorithm' as a query-string param and "
                    "'Authorization' as HTTP header.");
    }
    if (in_query) return check_query(call, request);
    if (!slice_has_prefix(header, SLICE("AWS4-")))
        return fail(call, ERROR_MISSING_AUTHENTICATION, "Request is missing Authentication Token");
    return check_header(call, request, header);
}
