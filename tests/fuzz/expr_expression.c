/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_expression — any text is a condition, filter, key condition or projection, or is refused;
 * what was parsed can be evaluated on an item, and leaves valid items behind. The first byte
 * chooses.
 */
#include "expr/expressions.h"
#include "model/value_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const char names_text[] = "{\"#a\":\"a\",\"#d\":\"with.dot\",\"#l\":\"l\"}";
static const char values_text[] =
    "{\":n\":{\"N\":\"1\"},\":m\":{\"N\":\"2.5\"},\":s\":{\"S\":\"S\"},\":e\":{\"S\":\"\"},"
    "\":b\":{\"B\":\"AQ==\"},\":t\":{\"BOOL\":true},\":z\":{\"NULL\":true},"
    "\":l\":{\"L\":[{\"N\":\"1\"}]},\":o\":{\"M\":{\"k\":{\"S\":\"v\"}}},"
    "\":ss\":{\"SS\":[\"a\",\"b\"]},\":ns\":{\"NS\":[\"1\",\"2\"]}}";
static const char item_text[] =
    "{\"a\":{\"N\":\"1\"},\"b\":{\"S\":\"Sx\"},\"with.dot\":{\"B\":\"AQI=\"},"
    "\"l\":{\"L\":[{\"N\":\"1\"},{\"M\":{\"a\":{\"S\":\"x\"},\"b\":{\"L\":[{\"NULL\":true}]}}}]},"
    "\"o\":{\"M\":{\"a\":{\"BOOL\":true},\"b\":{\"SS\":[\"a\",\"c\"]}}},\"c\":{\"NS\":[\"2\"]}}";

static const struct json_token *parse_json(struct arena *arena, const char *text)
{
    const struct json_token *token = json_parse(arena, slice_of_string(text), NULL);
    CHECK(token != NULL);
    return token;
}

static const struct key_schema key = {
    .partition_count = 1,
    .sort_count = 2,
    .attributes = {{SLICE("a"), VALUE_NUMBER},
                   {SLICE("b"), VALUE_STRING},
                   {SLICE("with.dot"), VALUE_BINARY}},
};

static void use(struct call *call, const struct expression_set *set, struct slice item)
{
    const struct slice none = {0};
    const struct node *const conditions[] = {set->condition, set->filter, set->key_condition};
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        if (conditions[i] == NULL) continue;
        (void)condition_evaluate(conditions[i], item, call->arena);
        (void)condition_evaluate(conditions[i], none, call->arena);
    }
    if (set->projection != NULL) {
        const struct slice cut = projection_apply(set->projection, item, call->arena);
        CHECK(value_is_valid(cut));
        CHECK(cut.length <= item.length);
    }
    struct key_condition resolved;
    if (set->key_condition != NULL && key_condition_check(call, set->key_condition) == OK) {
        const enum error_code code =
            key_condition_resolve(call, set->key_condition, &key, &resolved);
        CHECK(code == OK || code == ERROR_VALIDATION);
    }
}

/* What is not a complaint about unused placeholders. */
static bool is_refused(const struct call *call)
{
    return !slice_has_prefix(call->error.message, SLICE("Value provided in "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const enum expression_kind kinds[] = {EXPRESSION_CONDITION, EXPRESSION_KEY_CONDITION,
                                                 EXPRESSION_FILTER, EXPRESSION_PROJECTION};
    if (length == 0) return 0;
    struct arena arena;
    arena_open(&arena, 0);
    struct call call = {.arena = &arena};
    const enum expression_kind kind = kinds[data[0] % (sizeof kinds / sizeof kinds[0])];
    /* A string token of the raw text; JSON would have unescaped it to this. */
    const struct json_token text = {
        .text = data + 1, .length = (uint32_t)(length - 1), .span = 1, .kind = JSON_STRING};
    struct expression_input input = {.known = 1U << kind};
    input.text[kind] = &text;
    input.names = parse_json(&arena, names_text);
    input.values = parse_json(&arena, values_text);
    struct slice item = {0};
    CHECK(item_from_json(&call, parse_json(&arena, item_text), &item) == OK);
    struct expression_set set = {0};
    CHECK(expressions_check(&call, &input) == OK);
    const enum error_code code = expressions_parse(&call, &input, &set);
    CHECK(code == OK || code == ERROR_VALIDATION);
    if (code == OK || !is_refused(&call)) {
        call_reset(&call);
        use(&call, &set, item);
    }
    arena_close(&arena);
    return 0;
}
