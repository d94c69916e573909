/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json — RFC 8259 text to a flat array of tokens, and text back out.
 *
 * json_parse checks the whole document in one pass (grammar, UTF-8, escapes; no depth limit and no
 * recursion) and leaves an array of tokens in document order. A container is followed by its
 * content: an array by its elements, an object by key, value, key, value. Nothing is copied: tokens
 * point into the text, which must stay alive. Duplicate keys are kept; json_member finds the last.
 */
#ifndef STATOR_BASE_JSON_H
#define STATOR_BASE_JSON_H

#include "base/buffer.h"

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_token {
    /* First byte: inside the quotes for a string, the bracket for a container. */
    const uint8_t *text;
    /* Bytes of text; for containers the count of elements or members. */
    uint32_t length;
    /* Tokens of this value, itself included: token + span is its next sibling. */
    uint32_t span : 28;
    uint32_t kind : 3;    /* enum json_kind */
    uint32_t escaped : 1; /* a string that has backslashes: read it through json_string */
};

_Static_assert(sizeof(struct json_token) == 16, "a 16 MB body must not cost much more than itself");

/*
 * Parses text, which must be one JSON value and white space. Returns the root token, in the arena,
 * or NULL when text is not JSON; then *error_at (when not NULL) is the offset of the first bad
 * byte. text may be at most 16 MB + a little (span has 28 bits). Lone surrogate escapes are
 * accepted and read as U+FFFD; a raw byte sequence that is not UTF-8 is an error.
 */
const struct json_token *json_parse(struct arena *arena, struct slice text, size_t *error_at);

/* The string's value: borrowed from the text, or unescaped into the arena where it has escapes. */
struct slice json_string(const struct json_token *token, struct arena *arena);

/* The value of the object's last member of this name, or NULL. */
const struct json_token *json_member(const struct json_token *object, struct slice name);

/* The raw text of a number, or of a string between its quotes (escapes and all). */
static inline struct slice json_raw(const struct json_token *token)
{
    return slice_of(token->text, token->length);
}

/* Iteration: for (t = json_first(c), i = 0; i < c->length; i++, t = json_next(t)).
 * Over an object, key and value alternate: key = t, value = key + 1, next key = json_next(value).
 * */
static inline const struct json_token *json_first(const struct json_token *container)
{
    return container + 1;
}

static inline const struct json_token *json_next(const struct json_token *token)
{
    return token + token->span;
}

/* Reads a JSON integer that fits; false when it has a fraction or exponent, or does not fit. */
bool json_int64(const struct json_token *token, int64_t *value);

/* Any JSON number without its fraction; of those that do not fit the nearest that does. */
int64_t json_whole(const struct json_token *token);

/*
 * Writes text as a JSON string with its quotes where there is room for both, and returns its end;
 * NULL when something in it must be escaped: then what was written is of no use.
 */
uint8_t *json_put_plain(uint8_t *to, struct slice text);

/* Appends text as a JSON string with its quotes; control characters, '"' and '\' are escaped. */
void json_append_string(struct buffer *buffer, struct slice text);

/* Appends a decimal integer. */
void json_append_int(struct buffer *buffer, int64_t value);

/* Appends an epoch time in milliseconds as seconds: 1363728080070 -> 1363728080.07 */
void json_append_seconds(struct buffer *buffer, int64_t time_ms);

/*
 * Appends a capacity figure, a whole number of half units, as the service prints a double: 1 ->
 * 0.5, 2 -> 1.0.
 */
void json_append_halves(struct buffer *buffer, int64_t halves);

#endif
