/* SPDX-License-Identifier: Apache-2.0 */
/* legacy — shapes of the parameters that expressions replaced, and their refusal. */
#include "ops/legacy.h"

#include "model/limits.h"

/* ---- shapes -------------------------------------------------------------------------------- */

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

/* ---- refusal ------------------------------------------------------------------------------- */

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
    if (!is_any_given(legacy)) return OK;
    if (is_any_given(expressions)) {
        return fail_enveloped(
            call,
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {%.*s} Expression parameters: {%.*s}",
            SLICE_ARGS(names_given(call->arena, legacy)),
            SLICE_ARGS(names_given(call->arena, expressions)));
    }
    return legacy_refuse(call, legacy);
}

enum error_code legacy_refuse(struct call *call, const struct parameter *legacy)
{
    if (!is_any_given(legacy)) return OK;
    return fail(call, ERROR_VALIDATION,
                "Legacy parameters are not supported yet, use expressions instead: {%.*s}",
                SLICE_ARGS(names_given(call->arena, legacy)));
}
