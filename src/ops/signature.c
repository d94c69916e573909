/* SPDX-License-Identifier: Apache-2.0 */
/* signature — the presence and form of SigV4 in a header or in the query. */
#include "ops/signature.h"

static const char *const header_parts[] = {"Credential", "Signature", "SignedHeaders"};

enum { HEADER_PARTS = sizeof header_parts / sizeof header_parts[0] };

/* Does text end in the key, at its beginning or behind a comma or a space? */
static bool ends_in_key(struct slice text, const char *key)
{
    const size_t length = strlen(key);
    if (text.length < length) return false;
    const size_t at = text.length - length;
    const bool starts = at == 0 || text.data[at - 1] == ' ' || text.data[at - 1] == ',';
    return starts && memcmp(text.data + at, key, length) == 0;
}

/* Which parts the header has, a bit each: what stands before its equals signs. */
static unsigned find_parts(struct slice header)
{
    unsigned found = 0;
    const uint8_t *const end = header.data + header.length;
    const uint8_t *equals = memchr(header.data, '=', header.length);
    while (equals != NULL) {
        const struct slice before = slice_of(header.data, (size_t)(equals - header.data));
        for (unsigned i = 0; i < HEADER_PARTS; i++)
            found |= (unsigned)ends_in_key(before, header_parts[i]) << i;
        equals = memchr(equals + 1, '=', (size_t)(end - equals - 1));
    }
    return found;
}

static enum error_code check_header(struct call *call, const struct endpoint_request *request,
                                    struct slice header)
{
    struct buffer message = buffer_open(call->arena, 0);
    const unsigned found = header.length == 0 ? 0 : find_parts(header);
    for (unsigned i = 0; i < HEADER_PARTS; i++) {
        if ((found >> i & 1) == 0)
            buffer_append_format(&message, "Authorization header requires '%s' parameter. ",
                                 header_parts[i]);
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
