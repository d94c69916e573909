/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partiql_statement — any text is a statement or is refused. A statement's condition, changes and
 * columns can be applied to an item and leave valid items behind; its clause can be planned against
 * keys; and as a request it is answered with 200 or 400, also in a batch and in a transaction.
 */
#include "base/utf8.h"
#include "model/value_json.h"
#include "ops/dispatch.h"
#include "partiql/keys.h"
#include "partiql/statement.h"
#include "stator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

enum { PARAMETERS_MAX = 4, STATEMENT_MAX = 8192 };

static const char table_text[] =
    "{\"TableName\":\"tab\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
    "{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},{\"AttributeName\":\"s\","
    "\"AttributeType\":\"N\"},{\"AttributeName\":\"g\",\"AttributeType\":\"B\"}],"
    "\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\","
    "\"KeyType\":\"RANGE\"}],"
    "\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\",\"KeySchema\":[{\"AttributeName\":\"p\","
    "\"KeyType\":\"HASH\"},{\"AttributeName\":\"g\",\"KeyType\":\"RANGE\"}],\"Projection\":{"
    "\"ProjectionType\":\"KEYS_ONLY\"}}],"
    "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":\"g\","
    "\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\",\"KeyType\":\"RANGE\"}],"
    "\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}}]}";
static const char insert_text[] =
    "{\"Statement\":\"INSERT INTO tab VALUE {'p':'a','s':1,'n':5,'l':[1,{'x':<<'a','b'>>}],"
    "'m':{'k':1},'t':true,'z':null}\"}";
static const char item_text[] =
    "{\"p\":{\"S\":\"a\"},\"s\":{\"N\":\"1\"},\"n\":{\"N\":\"5\"},\"l\":{\"L\":[{\"N\":\"1\"},"
    "{\"M\":{\"x\":{\"SS\":[\"a\",\"b\"]}}}]},\"m\":{\"M\":{\"k\":{\"N\":\"1\"}}},\"t\":{\"BOOL\":"
    "true},\"z\":{\"NULL\":true}}";

static struct slice read_item(struct call *call)
{
    struct slice item = {0};
    const struct json_token *token = json_parse(call->arena, slice_of_string(item_text), NULL);
    CHECK(token != NULL);
    CHECK(item_from_json(call, token, &item) == OK);
    return item;
}

/* As many parameters as the text has question marks, or some of them in strings. */
static size_t make_parameters(struct arena *arena, struct slice text,
                              struct value values[PARAMETERS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < text.length && count < PARAMETERS_MAX; i++) {
        if (text.data[i] != '?') continue;
        const struct number number = number_from_int64((int64_t)count);
        values[count] = count % 2 == 0 ? value_scalar(arena, VALUE_STRING, SLICE("a"))
                                       : value_scalar(arena, VALUE_NUMBER, number_slice(&number));
        count++;
    }
    return count;
}

static void split_keys(struct call *call, const struct node *where)
{
    const struct key_schema schema = {
        .partition_count = 1,
        .sort_count = 1,
        .attributes = {{SLICE("p"), VALUE_STRING}, {SLICE("s"), VALUE_NUMBER}},
    };
    struct keys keys;
    if (keys_split(call, where, &schema, &keys) == OK && keys.keyed) {
        keys_sort(&keys, false, true);
        for (size_t i = 0; i < keys.count; i++) {
            struct key_condition condition;
            (void)keys_condition(&keys, &keys.branches[i], &condition);
        }
    }
    call_reset(call);
}

static void apply(struct call *call, const struct statement *statement)
{
    const struct slice item = read_item(call);
    if (statement->where != NULL) {
        (void)condition_evaluate(statement->where, item, call->arena);
        (void)condition_evaluate(statement->where, (struct slice){0}, call->arena);
        split_keys(call, statement->where);
    }
    CHECK(value_is_valid(statement_project(statement, item, call->arena)));
    if (statement->kind == STATEMENT_INSERT) CHECK(value_is_valid(statement->item));
    if (statement->update == NULL) return;
    struct slice changed = {0};
    const enum error_code code = update_apply(call, statement->update, item, item, &changed);
    CHECK(code == OK || code == ERROR_VALIDATION);
    if (code == OK) CHECK(value_is_valid(changed));
    call_reset(call);
}

/* ---- requests -------------------------------------------------------------------------------- */

static struct stator *open_database(void)
{
    struct stator *db = NULL;
    CHECK(stator_open(&(struct stator_options){.in_memory = true}, &db, NULL, 0) == STATOR_OK);
    return db;
}

static int run(struct stator *db, const char *operation, struct slice body)
{
    struct stator_response response;
    const int status = stator_call(db, operation, (const char *)body.data, body.length, &response);
    stator_response_free(&response);
    return status;
}

/* {"Statement":…,"Parameters":[…]}, between what comes before and after. */
static struct slice make_body(struct arena *arena, const struct statement_input *input,
                              const char *before, const char *after)
{
    struct buffer body = buffer_open(arena, 0);
    buffer_append(&body, slice_of_string(before));
    BUFFER_TEXT(&body, "{\"Statement\":");
    json_append_string(&body, input->text);
    for (size_t i = 0; i < input->parameter_count; i++) {
        buffer_append(&body, i == 0 ? SLICE(",\"Parameters\":[") : SLICE(","));
        value_to_json(&body, input->parameters[i]);
    }
    if (input->parameter_count > 0) BUFFER_TEXT(&body, "]");
    BUFFER_TEXT(&body, "}");
    buffer_append(&body, slice_of_string(after));
    return buffer_slice(&body);
}

static void request(struct arena *arena, const struct statement_input *input)
{
    static struct stator *db;
    static const struct {
        const char *operation;
        const char *before;
        const char *after;
    } requests[] = {
        {"ExecuteStatement", "", ""},
        {"BatchExecuteStatement", "{\"Statements\":[", "]}"},
        {"ExecuteTransaction", "{\"TransactStatements\":[", "]}"},
    };
    if (db == NULL) {
        db = open_database();
        CHECK(run(db, "CreateTable", slice_of_string(table_text)) == 200);
    }
    (void)run(db, "ExecuteStatement", slice_of_string(insert_text));
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const struct slice body = make_body(arena, input, requests[i].before, requests[i].after);
        const int status = run(db, requests[i].operation, body);
        CHECK(status == 200 || status == 400);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    /* JSON strings are UTF-8. */
    if (length > STATEMENT_MAX || !utf8_is_valid(slice_of(data, length))) return 0;
    struct arena arena;
    arena_open(&arena, 0);
    struct call call = {.arena = &arena};
    struct value values[PARAMETERS_MAX];
    struct statement_input input = {.text = slice_of(data, length), .parameters = values};
    input.parameter_count = make_parameters(&arena, input.text, values);
    struct statement statement;
    const enum error_code code = statement_parse(&call, &input, &statement);
    CHECK(code == OK || code == ERROR_VALIDATION);
    call_reset(&call);
    if (code == OK) {
        apply(&call, &statement);
        request(&arena, &input);
    }
    arena_close(&arena);
    return 0;
}
