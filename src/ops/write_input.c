/* SPDX-License-Identifier: Apache-2.0 */
/* write_input — makes the plan of one write from its members. */
#include "ops/write_input.h"

#include "expr/expressions.h"
#include "model/value_json.h"
#include "ops/legacy_condition.h"
#include "ops/legacy_update.h"
#include "ops/paths.h"
#include "store/layout.h"

static enum error_code decode_subject(struct call *call, const struct write_input *input,
                                      struct write *write)
{
    TRY(item_from_json(call, input->subject, &write->key));
    if (input->kind == WRITE_PUT) write->item = write->key;
    return OK;
}

static struct expression_input expressions_of(const struct write_input *input)
{
    struct expression_input expressions = {
        .text = {[EXPRESSION_UPDATE] = input->update, [EXPRESSION_CONDITION] = input->condition},
        .known = 1U << EXPRESSION_CONDITION,
        .names = input->names,
        .values = input->values,
        .may_idle = input->in_transaction,
    };
    if (input->kind == WRITE_UPDATE) expressions.known |= 1U << EXPRESSION_UPDATE;
    return expressions;
}

static enum error_code check_parameters(struct call *call, const struct write_input *input,
                                        const struct expression_input *expressions)
{
    const struct parameter legacy[] = {
        {"AttributeUpdates", input->attribute_updates},
        {"Expected", input->expected},
        {"ConditionalOperator", input->conditional_operator},
        {NULL, NULL},
    };
    const struct parameter given[] = {
        {"UpdateExpression", input->update},
        {"ConditionExpression", input->condition},
        {NULL, NULL},
    };
    TRY(legacy_check(call, legacy, given));
    TRY(legacy_check_operator(call, input->conditional_operator, input->expected));
    return expressions_check(call, expressions);
}

static bool has_expressions(const struct write_input *input)
{
    return input->update != NULL || input->condition != NULL || input->names != NULL ||
           input->values != NULL;
}

enum error_code write_input_compile(struct request *request, const struct write_input *input,
                                    struct write *write)
{
    struct call *call = &request->call;
    struct slice returned = input_string(request, input->return_on_failure);
    struct expression_input expressions = expressions_of(input);
    *write = (struct write){
        .kind = input->kind,
        .return_old_on_failure = slice_equal_string(returned, "ALL_OLD"),
    };
    /* An item's values come before the parameters, a key's after them (facts/errors.md 8). */
    if (input->kind == WRITE_PUT) TRY(decode_subject(call, input, write));
    TRY(check_parameters(call, input, &expressions));
    if (input->kind != WRITE_PUT) TRY(decode_subject(call, input, write));
    if (!has_expressions(input)) return OK;

    struct expression_set set = {0};
    TRY(expressions_parse(call, &expressions, &set));
    write->update = set.update;
    write->condition = set.condition;
    return OK;
}

enum error_code write_input_lower(struct call *call, const struct write_input *input,
                                  struct write *write)
{
    TRY(legacy_update_read(call, input->attribute_updates, &write->update));
    return legacy_condition_expected(call, input->expected, input->conditional_operator,
                                     &write->condition);
}

enum error_code write_input_measure(struct call *call, const struct write *write)
{
    if (write->kind != WRITE_PUT || item_size(write->item) <= LIMIT_ITEM_BYTES) return OK;
    return fail(call, ERROR_VALIDATION, "Item size has exceeded the maximum allowed size");
}

enum error_code write_input_bind(struct request *request, const struct write_input *input,
                                 struct write *write)
{
    return request_table(request, input->table_name, &write->table);
}

enum error_code write_input_check(struct call *call, struct write *write, enum key_role role)
{
    if (write->kind == WRITE_PUT) {
        TRY(item_check(call, write->table, write->item, role));
    } else {
        TRY(key_check(call, write->table, write->key));
        TRY(paths_check_update(call, write->table, write->update));
        TRY(legacy_update_check(call, write->table, write->update));
    }
    write->row_key = layout_item_key(call->arena, write->table, write->key);
    return OK;
}
