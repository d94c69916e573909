/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_json — any bytes are JSON or are refused; what is JSON has tokens that add up, and its
 * strings survive being written and read again.
 */
#include "base/json.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void check_string(struct arena *arena, const struct json_token *token)
{
    const struct slice value = json_string(token, arena);
    CHECK(utf8_is_valid(value));
    struct buffer out = buffer_open(arena, 0);
    json_append_string(&out, value);
    const struct json_token *again = json_parse(arena, buffer_slice(&out), NULL);
    CHECK(again != NULL);
    CHECK(slice_equal(json_string(again, arena), value));
}

/* An object's last member of a name is the one that json_member finds. */
static void check_object(struct arena *arena, const struct json_token *object)
{
    const struct json_token *key = json_first(object);
    for (uint32_t i = 0; i < object->length; i++, key = json_next(key + 1)) {
        CHECK(key->kind == JSON_STRING);
        const struct json_token *found = json_member(object, json_string(key, arena));
        CHECK(found != NULL);
        CHECK(found >= key + 1);
    }
    CHECK(key == json_next(object));
}

static void check_array(const struct json_token *array)
{
    const struct json_token *element = json_first(array);
    for (uint32_t i = 0; i < array->length; i++)
        element = json_next(element);
    CHECK(element == json_next(array));
}

static void check_tokens(struct arena *arena, const struct json_token *root)
{
    int64_t integer = 0;
    for (const struct json_token *token = root; token < json_next(root); token++) {
        CHECK(json_next(token) <= json_next(root));
        if (token->kind == JSON_STRING) check_string(arena, token);
        if (token->kind == JSON_OBJECT) check_object(arena, token);
        if (token->kind == JSON_ARRAY) check_array(token);
        (void)json_int64(token, &integer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct arena arena;
    arena_open(&arena, 0);
    size_t error_at = 0;
    const struct json_token *root = json_parse(&arena, slice_of(data, length), &error_at);
    CHECK(error_at <= length);
    if (root != NULL) check_tokens(&arena, root);
    arena_close(&arena);
    return 0;
}
