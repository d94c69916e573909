/* SPDX-License-Identifier: Apache-2.0 */
/*
 * next_token — a token is bound to its statement by a digest, not hidden: like LastEvaluatedKey it
 * shows the key it stands for. What comes back is checked like any other input.
 */
#include "partiql/next_token.h"

#include <openssl/evp.h>

#include "base/base64.h"
#include "model/limits.h"

enum {
    FORMAT = 1,
    DIGEST_BYTES = 16, /* of SHA-256: enough to tell statements apart */
};

struct head {
    uint8_t format;
    uint8_t range;
    uint8_t digest[DIGEST_BYTES];
};

_Static_assert(sizeof(struct head) == 2 + DIGEST_BYTES, "the head has no padding");
_Static_assert(LIMIT_STATEMENT_READS <= UINT8_MAX, "a range's number fits its byte");

static void add(EVP_MD_CTX *context, struct slice part)
{
    const uint64_t length = part.length;
    CHECK(EVP_DigestUpdate(context, &length, sizeof length) == 1);
    CHECK(EVP_DigestUpdate(context, part.data, part.length) == 1);
}

static void digest(const struct statement_input *input, uint8_t out[DIGEST_BYTES])
{
    uint8_t whole[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(context != NULL);
    CHECK(EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    add(context, input->text);
    for (size_t i = 0; i < input->parameter_count; i++)
        add(context, input->parameters[i].encoded);
    CHECK(EVP_DigestFinal_ex(context, whole, NULL) == 1);
    EVP_MD_CTX_free(context);
    memcpy(out, whole, DIGEST_BYTES);
}

struct slice next_token_write(struct arena *arena, const struct statement_input *input,
                              const struct next_token *token)
{
    struct head head = {.format = FORMAT, .range = (uint8_t)token->range};
    digest(input, head.digest);
    struct buffer bytes = buffer_open(arena, sizeof head + token->key.length);
    buffer_append(&bytes, slice_of(&head, sizeof head));
    buffer_append(&bytes, token->key);
    struct buffer text = buffer_open(arena, 2 * bytes.length);
    base64_append(&text, buffer_slice(&bytes));
    return buffer_slice(&text);
}

enum error_code next_token_read(struct call *call, const struct statement_input *input,
                                struct slice text, struct next_token *token)
{
    struct slice bytes;
    struct head head;
    const bool decoded = base64_decode(text, call->arena, &bytes) == BASE64_OK;
    if (!decoded || bytes.length <= sizeof head)
        return fail(call, ERROR_VALIDATION, "Invalid NextToken");
    memcpy(&head, bytes.data, sizeof head);
    token->key = slice_of(bytes.data + sizeof head, bytes.length - sizeof head);
    token->range = head.range;
    if (head.format != FORMAT || !value_is_valid(token->key) ||
        value_read(token->key).type != VALUE_MAP)
        return fail(call, ERROR_VALIDATION, "Invalid NextToken");
    uint8_t wanted[DIGEST_BYTES];
    digest(input, wanted);
    if (memcmp(wanted, head.digest, DIGEST_BYTES) == 0) return OK;
    return fail(call, ERROR_VALIDATION, "NextToken does not match request");
}
