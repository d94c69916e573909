/* SPDX-License-Identifier: Apache-2.0 */
/* statements — from the members of a request to planned PartiQL statements. */
#include "ops/statements.h"

#include "model/limits.h"
#include "model/value_json.h"
#include "ops/paths.h"
#include "store/layout.h"

const struct shape statements_shape_text = {
    .kind = SHAPE_STRING,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_STATEMENT_LENGTH,
};

const struct shape statements_shape_parameters = {
    .kind = SHAPE_LIST,
    .element = &shape_value,
    .has_min = true,
    .min = 1,
};

/* ---- parsing --------------------------------------------------------------------------------- */

static enum error_code decode_parameters(struct call *call, const struct json_token *token,
                                         struct statement_input *input)
{
    if (token == NULL) return OK;
    struct value *values = arena_array(call->arena, struct value, token->length);
    const struct json_token *element = json_first(token);
    for (size_t i = 0; i < token->length; i++, element = json_next(element)) {
        struct buffer encoded = buffer_open(call->arena, 0);
        TRY(value_from_json(call, element, 1, &encoded));
        values[i] = value_read(buffer_slice(&encoded));
    }
    input->parameters = values;
    input->parameter_count = token->length;
    return OK;
}

enum error_code statements_parse(struct request *request, const struct json_token *text,
                                 const struct json_token *parameters, struct prepared *prepared)
{
    struct call *call = &request->call;
    prepared->input.text = input_string(request, text);
    TRY(decode_parameters(call, parameters, &prepared->input));
    return statement_parse(call, &prepared->input, &prepared->statement);
}

enum error_code statements_bind(struct request *request, struct prepared *prepared)
{
    return request_table_named(request, prepared->statement.table, &prepared->table);
}

/* ---- writes ---------------------------------------------------------------------------------- */

enum error_code statements_fail(struct call *call, enum write_plan_fault fault,
                                struct slice fault_key)
{
    switch (fault) {
    case WRITE_PLAN_FITS:
        return OK;
    case WRITE_PLAN_KEY_TWICE:
        return fail(call, ERROR_VALIDATION,
                    "Multiple conditions on same key %.*s. Only single item Update/Insert/Delete "
                    "are supported",
                    SLICE_ARGS(fault_key));
    case WRITE_PLAN_KEY_ALONE:
        return fail(call, ERROR_VALIDATION,
                    "EXISTS() must contain a single item read with additional condition");
    case WRITE_PLAN_KEY_MISSING:
        break;
    }
    return fail(call, ERROR_VALIDATION,
                "Where clause does not contain a mandatory equality on all key attributes");
}

enum error_code statements_check_key(struct call *call, const struct table *table,
                                     struct slice item)
{
    for (unsigned i = 0; i < key_schema_count(&table->key); i++) {
        const struct key_attribute *attribute = &table->key.attributes[i];
        const enum value_type type = item_attribute(item, attribute->name).type;
        if (type == VALUE_ABSENT || type == attribute->type) continue;
        return fail(call, ERROR_VALIDATION,
                    "Key attribute's data type should match its data type in table's schema: Key "
                    "%.*s",
                    SLICE_ARGS(attribute->name));
    }
    return OK;
}

enum error_code statements_check_write(struct call *call, struct prepared *prepared)
{
    struct write *write = &prepared->write;
    if (!write->in_transaction) {
        const bool is_put = write->kind == WRITE_PUT;
        TRY(statements_check_key(call, write->table, is_put ? write->item : write->key));
    }
    if (write->kind == WRITE_PUT) {
        TRY(item_check(call, write->table, write->item, KEY_OF_PUT));
        if (item_size(write->item) > LIMIT_ITEM_BYTES)
            return fail(call, ERROR_VALIDATION, "Item size has exceeded the maximum allowed size");
    } else {
        TRY(key_check(call, write->table, write->key));
        TRY(paths_check_update(call, write->table, write->update));
        TRY(paths_check_filter(call, write->table, write->condition));
    }
    write->row_key = layout_item_key(call->arena, write->table, write->key);
    return OK;
}

enum error_code statements_plan_write(struct request *request, struct prepared *prepared)
{
    struct call *call = &request->call;
    struct slice fault_key = {0};
    const enum write_plan_fault fault =
        write_plan_make(call, &prepared->statement, prepared->table, &prepared->write, &fault_key);
    TRY(statements_fail(call, fault, fault_key));
    return statements_check_write(call, prepared);
}

/* ---- errors of members ----------------------------------------------------------------------- */

struct error statements_take_error(struct call *call)
{
    struct error error = call->error;
    call_reset(call);
    return error;
}

const char *statements_error_code(enum error_code code)
{
    switch (code) {
    case ERROR_VALIDATION:
        return "ValidationError";
    case ERROR_CONDITION_FAILED:
        return "ConditionalCheckFailed";
    case ERROR_DUPLICATE_ITEM:
        return "DuplicateItem";
    case ERROR_RESOURCE_NOT_FOUND:
        return "ResourceNotFound";
    case ERROR_COLLECTION_SIZE:
        return "ItemCollectionSizeLimitExceeded";
    case ERROR_ACCESS_DENIED:
        return "AccessDenied";
    case ERROR_THROUGHPUT_EXCEEDED:
        return "ProvisionedThroughputExceeded";
    case ERROR_THROTTLING:
        return "ThrottlingError";
    case ERROR_REQUEST_LIMIT:
        return "RequestLimitExceeded";
    case ERROR_TRANSACTION_CONFLICT:
        return "TransactionConflict";
    default:
        return "InternalServerError";
    }
}
