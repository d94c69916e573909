/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_update — any text is an update expression or is refused; what was parsed can be applied to
 * an item and to none, and leaves valid items behind.
 */
#include "expr/expressions.h"
#include "model/value_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const char names_text[] = "{\"#a\":\"a\",\"#d\":\"with.dot\",\"#l\":\"l\"}";
static const char values_text[] =
    "{\":n\":{\"N\":\"1\"},\":m\":{\"N\":\"9.9E+125\"},\":s\":{\"S\":\"S\"},"
    "\":l\":{\"L\":[{\"N\":\"1\"},{\"L\":[]}]},\":o\":{\"M\":{\"k\":{\"S\":\"v\"}}},"
    "\":ss\":{\"SS\":[\"a\",\"b\"]},\":ns\":{\"NS\":[\"1\",\"2\"]},\":bs\":{\"BS\":[\"AQ==\"]}}";
static const char item_text[] =
    "{\"pk\":{\"S\":\"k\"},\"a\":{\"N\":\"1\"},\"b\":{\"S\":\"x\"},\"with.dot\":{\"N\":\"-2\"},"
    "\"l\":{\"L\":[{\"N\":\"1\"},{\"M\":{\"a\":{\"S\":\"x\"},\"b\":{\"L\":[{\"NULL\":true}]}}}]},"
    "\"o\":{\"M\":{\"a\":{\"N\":\"5\"},\"b\":{\"SS\":[\"a\",\"c\"]}}},\"c\":{\"NS\":[\"2\"]}}";
static const char key_text[] = "{\"pk\":{\"S\":\"k\"}}";

static const struct json_token *parse_json(struct arena *arena, const char *text)
{
    const struct json_token *token = json_parse(arena, slice_of_string(text), NULL);
    CHECK(token != NULL);
    return token;
}

static struct slice read_item(struct call *call, const char *text)
{
    struct slice item = {0};
    CHECK(item_from_json(call, parse_json(call->arena, text), &item) == OK);
    return item;
}

static void apply(struct call *call, const struct update *update, struct slice old_item,
                  struct slice key)
{
    struct slice new_item = {0};
    const enum error_code code = update_apply(call, update, old_item, key, &new_item);
    CHECK(code == OK || code == ERROR_VALIDATION);
    const bool is_none = old_item.length == 0 && new_item.length == 0; /* it only took away */
    if (code == OK) {
        CHECK(is_none || value_is_valid(new_item));
        CHECK(value_is_valid(projection_apply(update->touched, new_item, call->arena)));
    }
    CHECK(value_is_valid(projection_apply(update->touched, old_item, call->arena)));
    CHECK(update_overhead(update) > update->count);
    call_reset(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct arena arena;
    arena_open(&arena, 0);
    struct call call = {.arena = &arena};
    const struct json_token text = {
        .text = data, .length = (uint32_t)length, .span = 1, .kind = JSON_STRING};
    struct expression_input input = {.known = 1U << EXPRESSION_UPDATE};
    input.text[EXPRESSION_UPDATE] = &text;
    input.names = parse_json(&arena, names_text);
    input.values = parse_json(&arena, values_text);
    struct expression_set set = {0};
    CHECK(expressions_check(&call, &input) == OK);
    const enum error_code code = expressions_parse(&call, &input, &set);
    CHECK(code == OK || code == ERROR_VALIDATION);
    const bool unused = code != OK && slice_has_prefix(call.error.message, SLICE("Value provided"));
    call_reset(&call);
    if (code == OK || unused) {
        const struct slice key = read_item(&call, key_text);
        apply(&call, set.update, read_item(&call, item_text), key);
        apply(&call, set.update, (struct slice){0}, key);
    }
    arena_close(&arena);
    return 0;
}
