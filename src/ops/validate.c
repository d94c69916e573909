/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate — types: is every member of the JSON type its shape asks for. Refusals are worded as the
 * service's (Java) deserialiser words them; facts/errors.md section 2.
 */
#include "ops/validate.h"

#include "base/base64.h"
#include "model/limits.h"

/* Deeper values are refused by model/value_json.c, whatever they hold: no need to follow them. */
enum { DEPTH_MAX = 4 * LIMIT_NESTING_LEVELS };

static enum error_code check_type(struct request *request, const struct shape *shape,
                                  const struct json_token *token, unsigned depth);

static enum error_code refuse(struct request *request, const char *message)
{
    return fail(&request->call, ERROR_SERIALIZATION, "%s", message);
}

static bool is_container(const struct json_token *token)
{
    return token->kind == JSON_ARRAY || token->kind == JSON_OBJECT;
}

static bool has_fraction(const struct json_token *token)
{
    for (uint32_t i = 0; i < token->length; i++) {
        if (token->text[i] == '.' || token->text[i] == 'e' || token->text[i] == 'E') return true;
    }
    return false;
}

static const char *token_word(const struct json_token *token)
{
    switch ((enum json_kind)token->kind) {
    case JSON_TRUE:
        return "TRUE_VALUE";
    case JSON_FALSE:
        return "FALSE_VALUE";
    case JSON_NUMBER:
        return has_fraction(token) ? "DECIMAL_VALUE" : "NUMBER_VALUE";
    default:
        return "STRING_VALUE";
    }
}

/* The Java class that the service's deserialiser fills for a shape. */
static struct slice java_class(struct request *request, const struct shape *shape)
{
    switch (shape->kind) {
    case SHAPE_STRING:
        return SLICE("java.lang.String");
    case SHAPE_BOOLEAN:
        return SLICE("java.lang.Boolean");
    case SHAPE_INTEGER:
        return SLICE("java.lang.Integer");
    case SHAPE_LONG:
        return SLICE("java.lang.Long");
    case SHAPE_DOUBLE:
        return SLICE("java.lang.Double");
    case SHAPE_BLOB:
        return SLICE("java.nio.ByteBuffer");
    case SHAPE_STRUCT:
    case SHAPE_VALUE:
        return arena_format(request->call.arena, "com.amazonaws.dynamodb.v20120810.%s",
                            shape->name);
    case SHAPE_LIST:
        return arena_format(request->call.arena, "java.util.List<%.*s>",
                            SLICE_ARGS(java_class(request, shape->element)));
    case SHAPE_MAP:
        return arena_format(request->call.arena, "java.util.Map<java.lang.String, %.*s>",
                            SLICE_ARGS(java_class(request, shape->element)));
    }
    CHECK(false);
}

/* A container where a scalar was expected, or a list where a structure or map was. */
static enum error_code refuse_container(struct request *request, const struct shape *shape,
                                        const struct json_token *token)
{
    if (token->kind == JSON_OBJECT)
        return refuse(request, "Start of structure or map found where not expected");
    struct slice class = java_class(request, shape);
    bool generic = shape->kind == SHAPE_MAP;
    return fail(&request->call, ERROR_SERIALIZATION, "Unrecognized collection type %s%.*s",
                generic ? "" : "class ", SLICE_ARGS(class));
}

static enum error_code refuse_scalar(struct request *request, const struct json_token *token,
                                     const char *type)
{
    return fail(&request->call, ERROR_SERIALIZATION, "%s cannot be converted to %s",
                token_word(token), type);
}

static bool is_boolean_word(struct slice text)
{
    static const char *const words[] = {"true", "false", "1", "0", "yes", "no"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text.length == strlen(words[i]) &&
            strncasecmp((const char *)text.data, words[i], text.length) == 0)
            return true;
    }
    return false;
}

static enum error_code check_boolean(struct request *request, const struct json_token *token)
{
    if (token->kind == JSON_TRUE || token->kind == JSON_FALSE) return OK;
    if (token->kind == JSON_NUMBER) return refuse_scalar(request, token, "Boolean");
    if (is_boolean_word(json_raw(token))) return OK;
    return refuse(request, "Unexpected token received from parser");
}

static enum error_code check_blob(struct request *request, const struct json_token *token)
{
    if (token->kind != JSON_STRING)
        return refuse(request, "only base-64-encoded strings are convertible to bytes");
    struct slice bytes;
    struct slice text = json_string(token, request->call.arena);
    switch (base64_decode(text, request->call.arena, &bytes)) {
    case BASE64_OK:
        return OK;
    case BASE64_BAD_LENGTH:
        return fail(&request->call, ERROR_SERIALIZATION,
                    "Base64 encoded length is expected a multiple of 4 bytes but found: %zu",
                    text.length);
    case BASE64_BAD_TAIL:
        return refuse(request, "Invalid last non-pad Base64 character dectected");
    case BASE64_BAD_CHARACTER:
        break;
    }
    return refuse(request, "only base-64-encoded strings are convertible to bytes");
}

static enum error_code check_scalar(struct request *request, const struct shape *shape,
                                    const struct json_token *token)
{
    if (is_container(token)) return refuse_container(request, shape, token);
    switch (shape->kind) {
    case SHAPE_STRING:
        return token->kind == JSON_STRING ? OK : refuse_scalar(request, token, "String");
    case SHAPE_BOOLEAN:
        return check_boolean(request, token);
    case SHAPE_INTEGER:
        return token->kind == JSON_NUMBER ? OK : refuse_scalar(request, token, "Integer");
    case SHAPE_LONG:
        return token->kind == JSON_NUMBER ? OK : refuse_scalar(request, token, "Long");
    case SHAPE_DOUBLE:
        return token->kind == JSON_NUMBER ? OK : refuse_scalar(request, token, "Double");
    default:
        return check_blob(request, token);
    }
}

/* A list or map inside a list or map: the service trips over its own generic type. */
static enum error_code refuse_nested_generic(struct request *request)
{
    return refuse(
        request,
        "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to "
        "class java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and "
        "java.lang.Class are in module java.base of loader 'bootstrap')");
}

static enum error_code check_element(struct request *request, const struct shape *element,
                                     const struct json_token *token, unsigned depth)
{
    bool generic = element->kind == SHAPE_LIST || element->kind == SHAPE_MAP;
    if (generic && !is_container(token) && token->kind != JSON_NULL)
        return refuse_nested_generic(request);
    return check_type(request, element, token, depth + 1);
}

static enum error_code check_list(struct request *request, const struct shape *shape,
                                  const struct json_token *token, unsigned depth)
{
    if (!is_container(token)) return refuse(request, "Unexpected field type");
    if (token->kind == JSON_OBJECT)
        return refuse(request, "Start of structure or map found where not expected");
    const struct json_token *element = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, element = json_next(element))
        TRY(check_element(request, shape->element, element, depth));
    return OK;
}

static enum error_code check_map(struct request *request, const struct shape *shape,
                                 const struct json_token *token, unsigned depth)
{
    if (!is_container(token)) return refuse(request, "Unexpected field type");
    if (token->kind == JSON_ARRAY) return refuse_container(request, shape, token);
    const struct json_token *key = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, key = json_next(key + 1))
        TRY(check_element(request, shape->element, key + 1, depth));
    return OK;
}

static const struct field *find_field(const struct shape *shape, const struct json_token *key)
{
    for (const struct field *field = shape->fields; field->name != NULL; field++) {
        if (slice_equal_string(json_raw(key), field->name)) return field;
    }
    return NULL;
}

static enum error_code check_struct(struct request *request, const struct shape *shape,
                                    const struct json_token *token, unsigned depth)
{
    if (!is_container(token))
        return refuse(request, shape->kind == SHAPE_VALUE ? "Unexpected value type in payload"
                                                          : "Unexpected field type");
    if (token->kind == JSON_ARRAY) return refuse_container(request, shape, token);
    const struct json_token *key = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, key = json_next(key + 1)) {
        const struct field *field = find_field(shape, key);
        if (field != NULL) TRY(check_type(request, field->shape, key + 1, depth + 1));
    }
    return OK;
}

static enum error_code check_type(struct request *request, const struct shape *shape,
                                  const struct json_token *token, unsigned depth)
{
    if (token->kind == JSON_NULL || depth > DEPTH_MAX) return OK;
    switch (shape->kind) {
    case SHAPE_LIST:
        return check_list(request, shape, token, depth);
    case SHAPE_MAP:
        return check_map(request, shape, token, depth);
    case SHAPE_STRUCT:
    case SHAPE_VALUE:
        return check_struct(request, shape, token, depth);
    default:
        return check_scalar(request, shape, token);
    }
}

enum error_code validate_types(struct request *request)
{
    const struct shape *shape = request->op->input;
    size_t count = 0;
    while (shape->fields[count].name != NULL)
        count++;
    request->input = arena_array(request->call.arena, const struct json_token *, count + 1);

    if (request->root->kind != JSON_OBJECT)
        return fail(&request->call, ERROR_SERIALIZATION, "%s", "");
    const struct json_token *key = json_first(request->root);
    for (uint32_t i = 0; i < request->root->length; i++, key = json_next(key + 1)) {
        const struct field *field = find_field(shape, key);
        if (field == NULL) continue;
        const struct json_token *value = key + 1;
        TRY(check_type(request, field->shape, value, 0));
        request->input[field - shape->fields] = value->kind == JSON_NULL ? NULL : value;
    }
    return OK;
}
