/* SPDX-License-Identifier: Apache-2.0 */
/* legacy — shapes of the parameters that expressions replaced, their rules, AttributesToGet. */
#include "ops/legacy.h"

#include "model/limits.h"
#include <stdlib.h>

/* ---- shapes ---------------------------------------------------------------------------------- */

static const struct shape comparison_operator = {
    .kind = SHAPE_STRING,
    .values = "[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, "
              "CONTAINS]",
};
static const struct shape attribute_action = {
    .kind = SHAPE_STRING,
    .values = "[ADD, PUT, DELETE]",
};
static const struct shape value_list = {.kind = SHAPE_LIST, .element = &shape_value};

static const struct field expected_fields[] = {
    {"AttributeValueList", &value_list, false},
    {"ComparisonOperator", &comparison_operator, false},
    {"Exists", &shape_boolean, false},
    {"Value", &shape_value, false},
    {NULL, NULL, false},
};
static const struct shape expected_value = {
    .kind = SHAPE_STRUCT,
    .name = "ExpectedAttributeValue",
    .fields = expected_fields,
};

static const struct field update_fields[] = {
    {"Action", &attribute_action, false},
    {"Value", &shape_value, false},
    {NULL, NULL, false},
};
static const struct shape attribute_update = {
    .kind = SHAPE_STRUCT,
    .name = "AttributeValueUpdate",
    .fields = update_fields,
};

static const struct field condition_fields[] = {
    {"AttributeValueList", &value_list, false},
    {"ComparisonOperator", &comparison_operator, true},
    {NULL, NULL, false},
};
static const struct shape condition = {
    .kind = SHAPE_STRUCT,
    .name = "Condition",
    .fields = condition_fields,
};

const struct shape legacy_expected = {
    .kind = SHAPE_MAP,
    .element = &expected_value,
    .has_key_limits = true,
    .key_max = LIMIT_ATTRIBUTE_NAME_BYTES,
};
const struct shape legacy_attribute_updates = {
    .kind = SHAPE_MAP,
    .element = &attribute_update,
    .has_key_limits = true,
    .key_max = LIMIT_ATTRIBUTE_NAME_BYTES,
};
const struct shape legacy_conditions = {
    .kind = SHAPE_MAP,
    .element = &condition,
    .has_key_limits = true,
    .key_max = LIMIT_ATTRIBUTE_NAME_BYTES,
};
const struct shape legacy_conditional_operator = {.kind = SHAPE_STRING, .values = "[OR, AND]"};
const struct shape legacy_attributes_to_get = {
    .kind = SHAPE_LIST,
    .element = &shape_string,
    .has_min = true,
    .min = 1,
};

/* ---- rules ----------------------------------------------------------------------------------- */

/* The names of those given, joined by commas. */
static struct slice names_given(struct arena *arena, const struct parameter *parameters)
{
    struct buffer names = buffer_open(arena, 0);
    for (; parameters->name != NULL; parameters++) {
        if (parameters->token == NULL) continue;
        if (names.length > 0) BUFFER_TEXT(&names, ", ");
        buffer_append(&names, slice_of_string(parameters->name));
    }
    return buffer_slice(&names);
}

static bool is_any_given(const struct parameter *parameters)
{
    for (; parameters->name != NULL; parameters++) {
        if (parameters->token != NULL) return true;
    }
    return false;
}

enum error_code legacy_check(struct call *call, const struct parameter *legacy,
                             const struct parameter *expressions)
{
    if (!is_any_given(legacy) || !is_any_given(expressions)) return OK;
    return fail_enveloped(
        call,
        "Can not use both expression and non-expression parameters in the same request: "
        "Non-expression parameters: {%.*s} Expression parameters: {%.*s}",
        SLICE_ARGS(names_given(call->arena, legacy)),
        SLICE_ARGS(names_given(call->arena, expressions)));
}

enum error_code legacy_check_operator(struct call *call, const struct json_token *joiner,
                                      const struct json_token *conditions)
{
    if (joiner == NULL) return OK;
    if (conditions == NULL || conditions->length == 0) {
        return fail_enveloped(call,
                              "ConditionalOperator cannot be used without Filter or Expected");
    }
    if (conditions->length > 1) return OK;
    return fail_enveloped(call, "ConditionalOperator can only be used when Filter or Expected has "
                                "two or more elements");
}

/* ---- entries --------------------------------------------------------------------------------- */

/* By name, equal names in the order of the request: the order of the array itself. */
static int compare_entries(const void *a, const void *b)
{
    const struct legacy_entry *left = *(struct legacy_entry *const *)a;
    const struct legacy_entry *right = *(struct legacy_entry *const *)b;
    const int order = slice_compare(left->name, right->name);
    return order != 0 ? order : (left > right) - (left < right);
}

static struct legacy_entry **sort_entries(struct arena *arena, struct legacy_entry *entries,
                                          size_t count)
{
    struct legacy_entry **sorted = arena_array(arena, struct legacy_entry *, count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &entries[i];
    if (count > 1) qsort(sorted, count, sizeof *sorted, compare_entries);
    return sorted;
}

size_t legacy_entries(struct arena *arena, const struct json_token *map,
                      struct legacy_entry **entries)
{
    struct legacy_entry *list = arena_array(arena, struct legacy_entry, map->length);
    const struct json_token *key = json_first(map);
    for (uint32_t i = 0; i < map->length; i++, key = json_next(key + 1))
        list[i] = (struct legacy_entry){json_string(key, arena), key + 1};

    struct legacy_entry **sorted = sort_entries(arena, list, map->length);
    for (uint32_t i = 1; i < map->length; i++) {
        if (slice_equal(sorted[i - 1]->name, sorted[i]->name)) sorted[i - 1]->value = NULL;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < map->length; i++) {
        if (list[i].value != NULL) list[count++] = list[i];
    }
    *entries = list;
    return count;
}

/* ---- AttributesToGet ------------------------------------------------------------------------- */

/* The first name that was there before, or NULL. */
static const struct legacy_entry *find_repeated(struct arena *arena, struct legacy_entry *entries,
                                                size_t count)
{
    struct legacy_entry **sorted = sort_entries(arena, entries, count);
    const struct legacy_entry *repeated = NULL;
    for (size_t i = 1; i < count; i++) {
        if (!slice_equal(sorted[i - 1]->name, sorted[i]->name)) continue;
        if (repeated == NULL || sorted[i] < repeated) repeated = sorted[i];
    }
    return repeated;
}

enum error_code legacy_project(struct call *call, const struct json_token *attributes,
                               const struct projection **projection)
{
    if (attributes == NULL) return OK;
    const size_t count = attributes->length;
    struct legacy_entry *entries = arena_array(call->arena, struct legacy_entry, count);
    struct path_step *steps = arena_array(call->arena, struct path_step, count);
    struct path *paths = arena_array(call->arena, struct path, count);
    const struct json_token *name = json_first(attributes);
    for (size_t i = 0; i < count; i++, name = json_next(name)) {
        entries[i] = (struct legacy_entry){json_string(name, call->arena), name};
        steps[i] = (struct path_step){.name = entries[i].name};
        paths[i] = (struct path){&steps[i], 1};
    }
    const struct legacy_entry *repeated = find_repeated(call->arena, entries, count);
    if (repeated != NULL) {
        return fail(call, ERROR_VALIDATION,
                    "One or more parameter values were invalid: Duplicate value in attribute name: "
                    "%.*s",
                    SLICE_ARGS(repeated->name));
    }
    *projection = projection_new(call->arena, paths, count);
    return OK;
}
