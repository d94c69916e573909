/* SPDX-License-Identifier: Apache-2.0 */
/* placeholders — two small maps, searched by key. */
#include "expr/placeholders.h"

#include "expr/lex.h"
#include "model/limits.h"
#include "model/value_json.h"
#include <stdlib.h>

enum { SORT_BY_INSERTION_MAX = 16 };

/* ---- checks before decoding ------------------------------------------------------------------ */

static bool is_well_formed(struct slice key, uint8_t sign)
{
    if (key.length <= 1 || key.data[0] != sign) return false;
    for (size_t i = 1; i < key.length; i++) {
        if (!lex_is_word(key.data[i])) return false;
    }
    return true;
}

static enum error_code check_name_key(struct call *call, struct slice key)
{
    if (key.length > LIMIT_PLACEHOLDER_BYTES) {
        return fail_enveloped(call,
                              "ExpressionAttributeNames contains invalid key: The expression "
                              "attribute map contains a key that is too long; size of key: %zu",
                              key.length);
    }
    if (is_well_formed(key, '#')) return OK;
    return fail_enveloped(call,
                          "ExpressionAttributeNames contains invalid key: Syntax error; key: "
                          "\"%.*s\"",
                          SLICE_ARGS(key));
}

enum error_code placeholders_check_names(struct call *call, const struct json_token *names)
{
    if (names->length == 0)
        return fail_enveloped(call, "ExpressionAttributeNames must not be empty");
    size_t bytes = 0;
    const struct json_token *key = json_first(names);
    for (uint32_t i = 0; i < names->length; i++, key = json_next(key + 1)) {
        const struct slice text = json_string(key, call->arena);
        TRY(check_name_key(call, text));
        const struct slice name = json_string(key + 1, call->arena);
        if (name.length == 0) {
            return fail_enveloped(call,
                                  "ExpressionAttributeNames contains invalid value: Empty "
                                  "attribute name for key %.*s",
                                  SLICE_ARGS(text));
        }
        if (name.length > LIMIT_ATTRIBUTE_NAME_BYTES) {
            return fail_enveloped(call, "Attribute name is too large, must be less than %d bytes",
                                  LIMIT_ATTRIBUTE_NAME_BYTES + 1);
        }
        bytes += text.length + name.length;
    }
    if (bytes <= LIMIT_PLACEHOLDERS_BYTES) return OK;
    return fail_enveloped(call, "ExpressionAttributeNames exceeds max size");
}

static enum error_code check_value_key(struct call *call, struct slice key)
{
    if (key.length > LIMIT_PLACEHOLDER_BYTES) {
        return fail_enveloped(call, "ExpressionAttributeValues contains invalid key: The "
                                    "expression attribute map contains a key that is too long;");
    }
    if (is_well_formed(key, ':')) return OK;
    return fail_enveloped(call,
                          "ExpressionAttributeValues contains invalid key: Syntax error; key: "
                          "\"%.*s\"",
                          SLICE_ARGS(key));
}

enum error_code placeholders_check_values(struct call *call, const struct json_token *values)
{
    if (values->length == 0) {
        return fail_enveloped(call, "ExpressionAttributeValues must not be empty");
    }
    const struct json_token *key = json_first(values);
    for (uint32_t i = 0; i < values->length; i++, key = json_next(key + 1)) {
        TRY(check_value_key(call, json_string(key, call->arena)));
    }
    return OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    const struct placeholder *const *left = a;
    const struct placeholder *const *right = b;
    const int order = slice_compare((*left)->key, (*right)->key);
    if (order != 0) return order;
    return (*left > *right) - (*left < *right); /* the request's order */
}

static void sort_by_key(struct placeholder **sorted, size_t count)
{
    if (count > SORT_BY_INSERTION_MAX) {
        qsort(sorted, count, sizeof sorted[0], compare_keys);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct placeholder *const moving = sorted[i];
        size_t at = i;
        for (; at > 0 && compare_keys(&sorted[at - 1], &moving) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = moving;
    }
}

/* Fills sorted. Of a key that the JSON text repeats, the last counts and the others do not exist.
 */
static void index_keys(struct arena *arena, struct placeholders *placeholders)
{
    const size_t count = placeholders->count;
    placeholders->sorted = arena_array(arena, struct placeholder *, count);
    for (size_t i = 0; i < count; i++)
        placeholders->sorted[i] = &placeholders->entries[i];
    sort_by_key(placeholders->sorted, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct placeholder *const entry = placeholders->sorted[i];
        if (i + 1 < count && slice_equal(entry->key, placeholders->sorted[i + 1]->key)) {
            entry->used = true; /* so that nobody misses it */
        } else {
            placeholders->sorted[kept++] = entry;
        }
    }
    placeholders->sorted_count = kept;
}

void placeholders_read_names(struct call *call, const struct json_token *names,
                             struct placeholders *out)
{
    *out = (struct placeholders){0};
    if (names == NULL) return;
    out->count = names->length;
    out->entries = arena_array(call->arena, struct placeholder, out->count);
    const struct json_token *key = json_first(names);
    for (size_t i = 0; i < out->count; i++, key = json_next(key + 1)) {
        out->entries[i].key = json_string(key, call->arena);
        out->entries[i].name = json_string(key + 1, call->arena);
    }
    index_keys(call->arena, out);
}

/*
 * Turns what value_from_json said into what is said of expression values. Two messages stand alone:
 * that of the nesting and that of a NULL that is not true.
 */
static enum error_code wrap_failure(struct call *call, struct slice key)
{
    const struct slice message = call->error.message;
    const enum error_code code = call->error.code;
    call_reset(call);
    if (slice_has_prefix(message, SLICE("Nesting Levels "))) {
        return fail(call, code, "%.*s", SLICE_ARGS(message));
    }
    const struct slice null_message = SLICE("One or more parameter values were invalid: Null ");
    if (slice_has_prefix(message, null_message)) {
        return fail_enveloped(call, "%.*s", SLICE_ARGS(message));
    }
    return fail_enveloped(call,
                          "ExpressionAttributeValues contains invalid value: %.*s for key %.*s",
                          SLICE_ARGS(message), SLICE_ARGS(key));
}

/* Decodes one value; its message carries no envelope, because it is wrapped first. */
static enum error_code read_value(struct call *call, const struct json_token *token,
                                  struct slice key, struct buffer *encoded)
{
    const bool enveloped = call->enveloped;
    call->enveloped = false;
    const enum error_code code = value_from_json(call, token, 1, encoded);
    call->enveloped = enveloped;
    return code == OK ? OK : wrap_failure(call, key);
}

enum error_code placeholders_read_values(struct call *call, const struct json_token *values,
                                         struct placeholders *out)
{
    *out = (struct placeholders){0};
    if (values == NULL) return OK;
    out->count = values->length;
    out->entries = arena_array(call->arena, struct placeholder, out->count);
    const struct json_token *key = json_first(values);
    size_t bytes = 0;
    for (size_t i = 0; i < out->count; i++, key = json_next(key + 1)) {
        struct placeholder *entry = &out->entries[i];
        entry->key = json_string(key, call->arena);
        struct buffer encoded = buffer_open(call->arena, 0);
        TRY(read_value(call, key + 1, entry->key, &encoded));
        entry->value = value_read(buffer_slice(&encoded));
        bytes += entry->key.length + value_size(entry->value);
    }
    if (bytes > LIMIT_PLACEHOLDERS_BYTES) {
        return fail_enveloped(call, "ExpressionAttributeValues exceeds max size");
    }
    index_keys(call->arena, out);
    return OK;
}

/* ---- use ------------------------------------------------------------------------------------- */

struct placeholder *placeholders_find(const struct placeholders *placeholders, struct slice key)
{
    size_t low = 0;
    size_t high = placeholders->sorted_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        struct placeholder *const entry = placeholders->sorted[middle];
        const int order = slice_compare(key, entry->key);
        if (order == 0) {
            entry->used = true;
            return entry;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

enum error_code placeholders_check_used(struct call *call, const struct placeholders *placeholders,
                                        const char *map)
{
    struct buffer keys = buffer_open(call->arena, 0);
    for (size_t i = 0; i < placeholders->count; i++) {
        const struct placeholder *entry = &placeholders->entries[i];
        if (entry->used) continue;
        if (keys.length > 0) BUFFER_TEXT(&keys, ", ");
        buffer_append(&keys, entry->key);
    }
    if (keys.length == 0) return OK;
    return fail_enveloped(call, "Value provided in %s unused in expressions: keys: {%.*s}", map,
                          SLICE_ARGS(buffer_slice(&keys)));
}
