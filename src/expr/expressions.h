/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expressions — all expressions of one request: their parameters checked, parsed, and every
 * placeholder accounted for, in the service's order and with its messages.
 */
#ifndef STATOR_EXPR_EXPRESSIONS_H
#define STATOR_EXPR_EXPRESSIONS_H

#include "base/json.h"
#include "expr/node.h"

/* In the order in which the service parses them. */
enum expression_kind {
    EXPRESSION_UPDATE,
    EXPRESSION_CONDITION,
    EXPRESSION_KEY_CONDITION,
    EXPRESSION_FILTER,
    EXPRESSION_PROJECTION,
    EXPRESSION_KINDS,
};

struct expression_input {
    /* String tokens, NULL where the request has none. */
    const struct json_token *text[EXPRESSION_KINDS];
    /* Which kinds this operation knows at all: bit 1 << kind. For "… can only be specified when
     * using expressions: FilterExpression and KeyConditionExpression are null". */
    unsigned known;
    const struct json_token *names;  /* ExpressionAttributeNames, or NULL */
    const struct json_token *values; /* ExpressionAttributeValues, or NULL */
    bool may_idle; /* names and values without any expression are let pass: in transactions */
};

struct expression_set {
    const struct update *update;
    const struct node *condition;
    const struct node *key_condition;
    const struct node *filter;
    const struct projection *projection;
};

/*
 * The parameter rules that come before anything else: names or values without an expression, empty
 * maps, malformed placeholder keys. Values are not decoded yet (see facts/errors.md section 6 and 8
 * for what comes between).
 */
enum error_code expressions_check(struct call *call,
                                  const struct expression_input *input) WARN_UNUSED;

/*
 * Decodes the values, parses all expressions and reports unused placeholders. Everything made lives
 * in the call's arena. expressions_check has passed.
 */
enum error_code expressions_parse(struct call *call, const struct expression_input *input,
                                  struct expression_set *set) WARN_UNUSED;

#endif
