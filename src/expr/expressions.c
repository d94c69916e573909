/* SPDX-License-Identifier: Apache-2.0 */
/* expressions — the expressions of a request, in the order in which the service looks at them. */
#include "expr/expressions.h"

#include "expr/parse.h"
#include "expr/placeholders.h"

static const char *const parameters[EXPRESSION_KINDS] = {
    [EXPRESSION_UPDATE] = "UpdateExpression",
    [EXPRESSION_CONDITION] = "ConditionExpression",
    [EXPRESSION_KEY_CONDITION] = "KeyConditionExpression",
    [EXPRESSION_FILTER] = "FilterExpression",
    [EXPRESSION_PROJECTION] = "ProjectionExpression",
};

/* ---- parameters ------------------------------------------------------------------------------ */

/* Values without an expression that could use one: the message lists those the operation has. */
static enum error_code fail_unused_values(struct call *call, unsigned known)
{
    static const enum expression_kind listed[] = {EXPRESSION_UPDATE, EXPRESSION_CONDITION,
                                                  EXPRESSION_FILTER, EXPRESSION_KEY_CONDITION};
    struct buffer list = buffer_open(call->arena, 0);
    unsigned count = 0;
    for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++) {
        if ((known & 1U << listed[i]) == 0) continue;
        if (count++ > 0) BUFFER_TEXT(&list, " and ");
        buffer_append(&list, slice_of_string(parameters[listed[i]]));
    }
    return fail_enveloped(call,
                          "ExpressionAttributeValues can only be specified when using expressions: "
                          "%.*s %s null",
                          SLICE_ARGS(buffer_slice(&list)), count > 1 ? "are" : "is");
}

/* Which expressions the request has: bit 1 << kind. */
static unsigned given_of(const struct expression_input *input)
{
    unsigned given = 0;
    for (enum expression_kind kind = 0; kind < EXPRESSION_KINDS; kind++) {
        if (input->text[kind] != NULL) given |= 1U << kind;
    }
    return given;
}

/* Names and values have an expression that could use them. */
static enum error_code check_idle(struct call *call, const struct expression_input *input)
{
    const unsigned without_values = 1U << EXPRESSION_PROJECTION;
    const unsigned given = given_of(input);
    if (input->names != NULL && given == 0) {
        return fail_enveloped(
            call, "ExpressionAttributeNames can only be specified when using expressions");
    }
    if (input->values == NULL || (given & ~without_values) != 0) return OK;
    if ((input->known & ~without_values) == 0) return OK;
    return fail_unused_values(call, input->known);
}

enum error_code expressions_check(struct call *call, const struct expression_input *input)
{
    if (!input->may_idle) TRY(check_idle(call, input));
    if (input->names != NULL) TRY(placeholders_check_names(call, input->names));
    if (input->values != NULL) TRY(placeholders_check_values(call, input->values));
    return OK;
}

/* ---- parsing --------------------------------------------------------------------------------- */

static enum error_code parse_one(struct call *call, enum expression_kind kind,
                                 const struct parse_source *source, struct expression_set *set)
{
    switch (kind) {
    case EXPRESSION_UPDATE:
        return parse_update(call, source, &set->update);
    case EXPRESSION_CONDITION:
        return parse_condition(call, source, &set->condition);
    case EXPRESSION_KEY_CONDITION:
        return parse_condition(call, source, &set->key_condition);
    case EXPRESSION_FILTER:
        return parse_condition(call, source, &set->filter);
    case EXPRESSION_PROJECTION:
        return parse_projection(call, source, &set->projection);
    case EXPRESSION_KINDS:
        break;
    }
    check_failed("the kind of an expression", __FILE__, __LINE__);
}

enum error_code expressions_parse(struct call *call, const struct expression_input *input,
                                  struct expression_set *set)
{
    *set = (struct expression_set){0};
    struct placeholders names;
    struct placeholders values;
    placeholders_read_names(call, input->names, &names);
    TRY(placeholders_read_values(call, input->values, &values));
    for (enum expression_kind kind = 0; kind < EXPRESSION_KINDS; kind++) {
        if (input->text[kind] == NULL) continue;
        const struct parse_source source = {
            .parameter = parameters[kind],
            .text = json_string(input->text[kind], call->arena),
            .names = &names,
            .values = &values,
        };
        TRY(parse_one(call, kind, &source, set));
    }
    if (input->may_idle && given_of(input) == 0) return OK;
    TRY(placeholders_check_used(call, &names, "ExpressionAttributeNames"));
    return placeholders_check_used(call, &values, "ExpressionAttributeValues");
}
