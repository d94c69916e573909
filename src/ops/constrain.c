/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constrain — constraints of the service model: null, length, range, pattern, enum, in the order of
 * the field table, up to ten messages in one ValidationException; facts/errors.md section 3.
 */
#include <ctype.h>

#include "model/limits.h"
#include "ops/constrain.h"

enum {
    DEPTH_MAX = 8, /* constraints lie in the request's own structures, never in deep values */
    PRINTED_DEPTH_MAX = 32,    /* of a value in a message; deeper ones are printed as they came */
    PRINTED_BYTES_MAX = 16384, /* of all values in a message: a megabyte would help nobody */
};

struct checking {
    struct request *request;
    struct buffer messages;
    unsigned count;
    unsigned printed_depth;
    bool is_terse; /* the message at hand, see struct shape */
};

/* Where in the request a member stands; printed only when it is wrong. */
struct place {
    const struct place *up; /* NULL: a member of the request itself */
    const char *name;       /* a structure's member; NULL: an element of a list or map */
    struct slice key;       /* of a map's element; data NULL: of a list */
    uint32_t index;         /* of a list's element, from 1 */
};

static void check_member(struct checking *c, const struct shape *shape,
                         const struct json_token *token, const struct place *place, unsigned depth);

/* ---- printing -------------------------------------------------------------------------------- */

static void print_value(struct checking *c, struct buffer *out, const struct shape *shape,
                        const struct json_token *token);

static void print_list(struct checking *c, struct buffer *out, const struct shape *shape,
                       const struct json_token *token)
{
    buffer_append_byte(out, '[');
    const struct json_token *element = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, element = json_next(element)) {
        if (i > 0) BUFFER_TEXT(out, ", ");
        print_value(c, out, shape->element, element);
    }
    buffer_append_byte(out, ']');
}

static void print_map(struct checking *c, struct buffer *out, const struct shape *shape,
                      const struct json_token *token)
{
    buffer_append_byte(out, '{');
    const struct json_token *key = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, key = json_next(key + 1)) {
        if (i > 0) BUFFER_TEXT(out, ", ");
        buffer_append(out, json_string(key, c->request->call.arena));
        buffer_append_byte(out, '=');
        print_value(c, out, shape->element, key + 1);
    }
    buffer_append_byte(out, '}');
}

/* KeySchemaElement(attributeName=a, keyType=HASH); the members of an AttributeValue keep their
 * case. */
static void print_struct(struct checking *c, struct buffer *out, const struct shape *shape,
                         const struct json_token *token)
{
    const char *comma = "";
    buffer_append_format(out, "%s(", shape->name);
    for (const struct field *field = shape->fields; field->name != NULL; field++) {
        const struct json_token *member = input_member(token, field->name);
        if (member == NULL) continue;
        char first = shape->kind == SHAPE_VALUE ? field->name[0] : (char)tolower(field->name[0]);
        buffer_append_format(out, "%s%c%s=", comma, first, field->name + 1);
        print_value(c, out, field->shape, member);
        comma = ", ";
    }
    buffer_append_byte(out, ')');
}

/* A value as Java's toString prints it. */
static void print_value(struct checking *c, struct buffer *out, const struct shape *shape,
                        const struct json_token *token)
{
    bool is_container = token->kind == JSON_ARRAY || token->kind == JSON_OBJECT;
    if (out->length > PRINTED_BYTES_MAX) return;
    c->printed_depth++;
    if (token->kind == JSON_STRING) {
        buffer_append(out, json_string(token, c->request->call.arena));
    } else if (token->kind == JSON_NUMBER) {
        buffer_append_format(out, "%lld", (long long)json_whole(token));
    } else if (!is_container || c->printed_depth > PRINTED_DEPTH_MAX) {
        buffer_append(out, json_raw(token));
    } else if (shape->kind == SHAPE_LIST) {
        print_list(c, out, shape, token);
    } else if (shape->kind == SHAPE_MAP) {
        print_map(c, out, shape, token);
    } else {
        print_struct(c, out, shape, token);
    }
    c->printed_depth--;
}

/* The service prints member names with a small first letter, except where it is terse. */
static void print_place(struct buffer *out, const struct place *place, bool terse)
{
    if (place->up != NULL) print_place(out, place->up, terse);
    if (place->name != NULL) {
        char first = terse ? place->name[0] : (char)tolower(place->name[0]);
        buffer_append_format(out, "%s%c%s", place->up != NULL ? "." : "", first, place->name + 1);
    } else if (place->key.data != NULL) {
        buffer_append_format(out, ".%.*s.member", SLICE_ARGS(place->key));
    } else {
        buffer_append_format(out, ".%u.member", (unsigned)place->index);
    }
}

/* Records one violation; token NULL prints a bare null. */
static void violate(struct checking *c, const struct shape *shape, const struct json_token *token,
                    const struct place *place, struct slice constraint)
{
    if (c->count >= LIMIT_VALIDATION_ERRORS) return;
    struct buffer *out = &c->messages;
    if (c->count++ > 0) BUFFER_TEXT(out, "; ");
    if (token == NULL) {
        BUFFER_TEXT(out, "Value null at '");
    } else if (c->is_terse) {
        BUFFER_TEXT(out, "Value at '");
    } else {
        BUFFER_TEXT(out, "Value '");
        print_value(c, out, shape, token);
        BUFFER_TEXT(out, "' at '");
    }
    print_place(out, place, c->is_terse);
    BUFFER_TEXT(out, "' failed to satisfy constraint: ");
    buffer_append(out, constraint);
}

/* ---- single constraints ---------------------------------------------------------------------- */

/* Length as Java counts it, in UTF-16 units. */
static int64_t string_length(struct slice text)
{
    int64_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        if ((text.data[i] & 0xC0) != 0x80) length += text.data[i] >= 0xF0 ? 2 : 1;
    }
    return length;
}

static bool matches_name_pattern(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        if (!isalnum(byte) && byte != '_' && byte != '.' && byte != '-') return false;
    }
    return text.length > 0;
}

static void check_bounds(struct checking *c, const struct shape *shape,
                         const struct json_token *token, const struct place *place, int64_t measure)
{
    struct arena *arena = c->request->call.arena;
    bool is_number =
        shape->kind == SHAPE_INTEGER || shape->kind == SHAPE_LONG || shape->kind == SHAPE_DOUBLE;
    const char *what = is_number ? "value" : "length";
    if (shape->has_min && measure < shape->min) {
        c->is_terse = shape->is_terse_min;
        violate(c, shape, token, place,
                arena_format(arena, "Member must have %s greater than or equal to %lld", what,
                             (long long)shape->min));
    }
    if (shape->has_max && measure > shape->max) {
        c->is_terse = shape->is_terse_max;
        violate(c, shape, token, place,
                arena_format(arena, "Member must have %s less than or equal to %lld", what,
                             (long long)shape->max));
    }
    c->is_terse = false;
}

/* values is "[A, B, C]". */
static bool is_of_enum(const char *values, struct slice text)
{
    const char *at = values + 1;
    while (*at != '\0') {
        size_t length = strcspn(at, ",]");
        if (slice_equal(text, slice_of(at, length))) return true;
        at += length + strspn(at + length, ",] ");
    }
    return false;
}

static const struct slice name_constraint = {
    (const uint8_t *)"Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", 63};

static bool is_arn(struct slice text)
{
    return slice_has_prefix(text, SLICE("arn:"));
}

static void check_table_name(struct checking *c, const struct shape *shape,
                             const struct json_token *token, const struct place *place,
                             struct slice text)
{
    if (text.length > 0 && !is_arn(text) && !matches_name_pattern(text))
        violate(c, shape, token, place, name_constraint);
    struct shape bounds = *shape;
    if (!is_arn(text)) bounds.max = LIMIT_TABLE_NAME_LENGTH;
    check_bounds(c, &bounds, token, place, string_length(text));
}

static void check_string(struct checking *c, const struct shape *shape,
                         const struct json_token *token, const struct place *place)
{
    struct slice text = json_string(token, c->request->call.arena);
    if (shape->table_arn) {
        check_table_name(c, shape, token, place, text);
        return;
    }
    if (shape->name_pattern && !matches_name_pattern(text))
        violate(c, shape, token, place, name_constraint);
    check_bounds(c, shape, token, place, string_length(text));
    if (shape->values != NULL && !is_of_enum(shape->values, text)) {
        violate(c, shape, token, place,
                arena_format(c->request->call.arena, "Member must satisfy enum value set: %s",
                             shape->values));
    }
}

static void check_number(struct checking *c, const struct shape *shape,
                         const struct json_token *token, const struct place *place)
{
    check_bounds(c, shape, token, place, json_whole(token));
}

/* ---- structures ------------------------------------------------------------------------------ */

/* An element of a list or map; one that is null is refused, as a required member would be. */
static void check_element(struct checking *c, const struct shape *shape,
                          const struct json_token *token, const struct place *place, unsigned depth)
{
    /* The service has its own words about attribute values: model/value_json. */
    if (token->kind == JSON_NULL && shape->kind != SHAPE_VALUE) {
        violate(c, shape, NULL, place, SLICE("Member must not be null"));
    } else {
        check_member(c, shape, token, place, depth);
    }
}

static void check_list(struct checking *c, const struct shape *shape,
                       const struct json_token *token, const struct place *place, unsigned depth)
{
    const struct json_token *element = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, element = json_next(element)) {
        struct place at = {.up = place, .index = i + 1};
        check_element(c, shape->element, element, &at, depth + 1);
    }
}

static void check_map_keys(struct checking *c, const struct shape *shape,
                           const struct json_token *token, const struct place *place)
{
    const struct json_token *key = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, key = json_next(key + 1)) {
        int64_t length = string_length(json_string(key, c->request->call.arena));
        if (length >= 1 && length <= shape->key_max) continue;
        violate(c, shape, token, place,
                arena_format(c->request->call.arena,
                             "Map keys must satisfy constraint: [Member must have length less than "
                             "or equal to %lld, "
                             "Member must have length greater than or equal to 1]",
                             (long long)shape->key_max));
        return;
    }
}

/* Lists inside a map are bounded by a constraint on the map's values. */
static void check_map_values(struct checking *c, const struct shape *shape,
                             const struct json_token *token, const struct place *place)
{
    const struct shape *element = shape->element;
    if (element->kind != SHAPE_LIST || !element->has_max) return;
    const struct json_token *key = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, key = json_next(key + 1)) {
        const struct json_token *value = key + 1;
        if (value->kind == JSON_NULL) continue;
        if (value->length >= element->min && value->length <= element->max) continue;
        violate(c, shape, token, place,
                arena_format(c->request->call.arena,
                             "Map value must satisfy constraint: [Member must have length less "
                             "than or equal to %lld, "
                             "Member must have length greater than or equal to %lld]",
                             (long long)element->max, (long long)element->min));
        return;
    }
}

static void check_map(struct checking *c, const struct shape *shape, const struct json_token *token,
                      const struct place *place, unsigned depth)
{
    if (shape->has_key_limits) check_map_keys(c, shape, token, place);
    check_map_values(c, shape, token, place);
    if (shape->element->kind == SHAPE_VALUE) return;
    const struct json_token *key = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, key = json_next(key + 1)) {
        struct place at = {.up = place, .key = json_string(key, c->request->call.arena)};
        if (shape->element->kind == SHAPE_LIST && key[1].kind == JSON_ARRAY) {
            check_list(c, shape->element, key + 1, &at, depth + 1);
        } else {
            check_element(c, shape->element, key + 1, &at, depth + 1);
        }
    }
}

static void check_fields(struct checking *c, const struct shape *shape,
                         const struct json_token *token, const struct place *place, unsigned depth)
{
    for (const struct field *field = shape->fields; field->name != NULL; field++) {
        const struct json_token *member = input_member(token, field->name);
        if (member == NULL && !field->required) continue;
        struct place at = {.up = place, .name = field->name};
        if (member == NULL) {
            violate(c, field->shape, NULL, &at, SLICE("Member must not be null"));
        } else {
            check_member(c, field->shape, member, &at, depth + 1);
        }
    }
}

static void check_member(struct checking *c, const struct shape *shape,
                         const struct json_token *token, const struct place *place, unsigned depth)
{
    if (depth > DEPTH_MAX || token->kind == JSON_NULL) return;
    switch (shape->kind) {
    case SHAPE_STRING:
        check_string(c, shape, token, place);
        break;
    case SHAPE_INTEGER:
    case SHAPE_LONG:
    case SHAPE_DOUBLE:
        check_number(c, shape, token, place);
        break;
    case SHAPE_LIST:
        check_bounds(c, shape, token, place, token->length);
        check_list(c, shape, token, place, depth);
        break;
    case SHAPE_MAP:
        check_bounds(c, shape, token, place, token->length);
        check_map(c, shape, token, place, depth);
        break;
    case SHAPE_STRUCT:
        check_fields(c, shape, token, place, depth);
        break;
    case SHAPE_BOOLEAN:
    case SHAPE_BLOB:
    case SHAPE_VALUE:
        break;
    }
}

/* ---- the request ----------------------------------------------------------------------------- */

static enum error_code report(struct checking *c)
{
    if (c->count == 0) return OK;
    return fail(&c->request->call, ERROR_VALIDATION, "%u validation error%s detected: %.*s",
                c->count, c->count == 1 ? "" : "s", SLICE_ARGS(buffer_slice(&c->messages)));
}

/* Top-level members come from the input array, filled by validate_types. */
static void check_input(struct checking *c, const struct field *fields, size_t at)
{
    const struct json_token *member = c->request->input[at];
    if (member == NULL && !fields[at].required) return;
    struct place place = {.name = fields[at].name};
    if (member == NULL) {
        violate(c, fields[at].shape, NULL, &place, SLICE("Member must not be null"));
    } else {
        check_member(c, fields[at].shape, member, &place, 0);
    }
}

enum error_code constrain_request(struct request *request)
{
    struct checking c = {.request = request, .messages = buffer_open(request->call.arena, 0)};
    const struct field *fields = request->op->input->fields;

    /* A table name that breaks its rules is reported alone, before everything else. */
    for (size_t i = 0; fields[i].name != NULL; i++) {
        if (fields[i].shape->parameter && request->input[i] == NULL) {
            return fail(&request->call, ERROR_VALIDATION,
                        "The parameter '%s' is required but was not present in the request",
                        fields[i].name);
        }
        if (fields[i].shape->table_arn && request->input[i] != NULL) check_input(&c, fields, i);
    }
    TRY(report(&c));
    for (size_t i = 0; fields[i].name != NULL; i++) {
        if (fields[i].shape->table_arn && request->input[i] != NULL) continue;
        check_input(&c, fields, i);
        if (c.count > 0 && request->op->first_violation_only && c.request->call.enveloped) break;
    }
    return report(&c);
}
