/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_value — any bytes are a canonical value or are refused; a value is written as JSON that
 * reads back to the same bytes. Any JSON is an item or is refused; an item is canonical.
 */
#include "model/value_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Names may be empty or deep in bytes that no request can make; those need not come back. */
static bool could_be_requested(struct value value)
{
    if (value.type != VALUE_LIST && value.type != VALUE_MAP) return true;
    struct value_walk walk = {0};
    struct slice name = SLICE("-");
    struct value element;
    while (value_next(value, &walk, &name, &element)) {
        if (name.length == 0 || !could_be_requested(element)) return false;
    }
    return true;
}

static struct slice read_back(struct arena *arena, struct slice encoded)
{
    struct buffer text = buffer_open(arena, 0);
    value_to_json(&text, value_read(encoded));
    const struct json_token *token = json_parse(arena, buffer_slice(&text), NULL);
    CHECK(token != NULL);
    struct call call = {.arena = arena};
    struct buffer out = buffer_open(arena, 0);
    CHECK(value_from_json(&call, token, 0, &out) == OK);
    return buffer_slice(&out);
}

static void check_bytes(struct arena *arena, struct slice bytes)
{
    if (!value_is_valid(bytes)) return;
    const struct value value = value_read(bytes);
    struct buffer text = buffer_open(arena, 0);
    value_to_text(&text, value);
    (void)value_size(value);
    (void)value_depth(value);
    if (could_be_requested(value)) CHECK(slice_equal(read_back(arena, bytes), bytes));
}

static void check_json(struct arena *arena, struct slice text)
{
    const struct json_token *token = json_parse(arena, text, NULL);
    if (token == NULL) return;
    struct call call = {.arena = arena};
    struct slice item;
    if (item_from_json(&call, token, &item) != OK) {
        CHECK(call.error.code == ERROR_VALIDATION);
        CHECK(call.error.message.length > 0);
        return;
    }
    CHECK(value_is_valid(item));
    CHECK(slice_equal(read_back(arena, item), item));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct arena arena;
    arena_open(&arena, 0);
    check_bytes(&arena, slice_of(data, length));
    check_json(&arena, slice_of(data, length));
    arena_close(&arena);
    return 0;
}
