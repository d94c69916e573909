/* SPDX-License-Identifier: Apache-2.0 */
/* transact_digest — feeds each part of an action, with its length, to SHA-256. */
#include "ops/transact_digest.h"

#include <openssl/evp.h>

#include "model/value_json.h"

struct transact_digest {
    struct arena *arena;
    EVP_MD_CTX *context;
};

_Static_assert(TRANSACT_DIGEST_BYTES <= EVP_MAX_MD_SIZE, "SHA-256 fits");

struct transact_digest *transact_digest_open(struct arena *arena)
{
    struct transact_digest *digest = arena_new(arena, struct transact_digest);
    digest->arena = arena;
    digest->context = EVP_MD_CTX_new();
    CHECK(digest->context != NULL);
    CHECK(EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1);
    return digest;
}

/* The length goes first, so that no two lists of parts run together into the same bytes. */
static void add(struct transact_digest *digest, struct slice part)
{
    uint64_t length = part.length;
    CHECK(EVP_DigestUpdate(digest->context, &length, sizeof length) == 1);
    CHECK(EVP_DigestUpdate(digest->context, part.data, part.length) == 1);
}

void transact_digest_add_bytes(struct transact_digest *digest, struct slice bytes)
{
    add(digest, bytes);
}

/* A map of strings to strings as an item, so that the order of its members is gone. */
static struct slice names_item(struct request *request, const struct json_token *names)
{
    struct arena *arena = request->call.arena;
    struct attribute *attributes = arena_array(arena, struct attribute, names->length);
    size_t count = 0;
    const struct json_token *name = json_first(names);
    for (uint32_t i = 0; i < names->length; i++, name = json_next(name + 1)) {
        struct slice key = input_string(request, name);
        /* Of a name given twice the last counts, as everywhere. */
        if (json_member(names, key) != name + 1) continue;
        struct slice text = input_string(request, name + 1);
        attributes[count].name = key;
        attributes[count++].value = value_scalar(arena, VALUE_STRING, text).encoded;
    }
    return item_build(arena, attributes, count);
}

enum error_code transact_digest_add(struct transact_digest *digest, struct request *request,
                                    const struct write_input *input, const struct write *write)
{
    struct slice values = {0};
    if (input->values != NULL) TRY(item_from_json(&request->call, input->values, &values));
    uint8_t kind = (uint8_t)write->kind;
    uint8_t returned = write->return_old_on_failure;
    add(digest, slice_of(&kind, sizeof kind));
    add(digest, slice_of(&write->table->id, sizeof write->table->id));
    add(digest, write->key);
    add(digest, input_string(request, input->update));
    add(digest, input_string(request, input->condition));
    add(digest, input->names == NULL ? (struct slice){0} : names_item(request, input->names));
    add(digest, values);
    add(digest, slice_of(&returned, sizeof returned));
    return OK;
}

struct slice transact_digest_finish(struct transact_digest *digest)
{
    uint8_t *bytes = arena_alloc(digest->arena, EVP_MAX_MD_SIZE);
    unsigned length = 0;
    CHECK(EVP_DigestFinal_ex(digest->context, bytes, &length) == 1);
    CHECK(length == TRANSACT_DIGEST_BYTES);
    EVP_MD_CTX_free(digest->context);
    digest->context = NULL;
    return slice_of(bytes, length);
}
