/* SPDX-License-Identifier: Apache-2.0 */
/* expressions_test — the rules of the parameters: what may come together, placeholders, order. */
#include "unit/expr/fixture.h"

enum {
    UPDATE = 1 << EXPRESSION_UPDATE,
    CONDITION = 1 << EXPRESSION_CONDITION,
    KEY_CONDITION = 1 << EXPRESSION_KEY_CONDITION,
    FILTER = 1 << EXPRESSION_FILTER,
    PROJECTION = 1 << EXPRESSION_PROJECTION,
};

/* A request's parameters, NULL where it has none. */
struct request {
    unsigned known;
    const char *update;
    const char *condition;
    const char *key_condition;
    const char *filter;
    const char *projection;
    const char *names;
    const char *values;
};

static enum error_code check(struct fixture *fixture, const struct request *request,
                             struct expression_set *set)
{
    const char *const texts[EXPRESSION_KINDS] = {
        [EXPRESSION_UPDATE] = request->update,
        [EXPRESSION_CONDITION] = request->condition,
        [EXPRESSION_KEY_CONDITION] = request->key_condition,
        [EXPRESSION_FILTER] = request->filter,
        [EXPRESSION_PROJECTION] = request->projection,
    };
    struct expression_input input = {
        .known = request->known,
        .names = fixture_json(fixture, request->names),
        .values = fixture_json(fixture, request->values),
    };
    for (size_t i = 0; i < EXPRESSION_KINDS; i++) {
        if (texts[i] == NULL) continue;
        struct buffer quoted = buffer_open(&fixture->arena, 0);
        json_append_string(&quoted, slice_of_string(texts[i]));
        input.text[i] = json_parse(&fixture->arena, buffer_slice(&quoted), NULL);
    }
    TRY(expressions_check(&fixture->call, &input));
    return expressions_parse(&fixture->call, &input, set);
}

static void right_requests_give_what_they_ask_for(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    struct expression_set set;
    const struct request update = {.known = UPDATE | CONDITION,
                                   .update = "SET #a = :v",
                                   .condition = "#b = :w",
                                   .names = "{'#a':'a','#b':'b'}",
                                   .values = "{':v':{'N':'1'},':w':{'S':''}}"};
    assert_int_equal(check(&fixture, &update, &set), OK);
    assert_non_null(set.update);
    assert_non_null(set.condition);
    assert_null(set.key_condition);
    const struct request query = {.known = KEY_CONDITION | FILTER | PROJECTION,
                                  .key_condition = "a = :v",
                                  .filter = "b = :v",
                                  .projection = "#p",
                                  .names = "{'#p':'p'}",
                                  .values = "{':v':{'N':'1'}}"};
    assert_int_equal(check(&fixture, &query, &set), OK);
    assert_non_null(set.key_condition);
    assert_non_null(set.filter);
    assert_non_null(set.projection);
    const struct request nothing = {.known = UPDATE | CONDITION};
    assert_int_equal(check(&fixture, &nothing, &set), OK);
    assert_null(set.update);
    fixture_close(&fixture);
}

struct message_case {
    struct request request;
    const char *message;
    bool bare; /* has no envelope in a call that has one */
};

static void assert_messages(const struct message_case *cases, size_t count, bool enveloped)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        fixture.call.enveloped = enveloped;
        struct expression_set set;
        const enum error_code code = check(&fixture, &cases[i].request, &set);
        ASSERT_CASE(code == ERROR_VALIDATION, cases[i].message);
        const char *envelope = enveloped && !cases[i].bare ? "1 validation error detected: " : "";
        ASSERT_SLICE(fixture.call.error.message,
                     arena_format(&fixture.arena, "%s%s", envelope, cases[i].message));
        fixture_close(&fixture);
    }
}

#define LONG_63  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG_255 LONG_63 LONG_63 LONG_63 LONG_63 "yyy"

static const struct message_case wrong_parameters[] = {
    {{.known = CONDITION, .names = "{'#a':'a'}"},
     "ExpressionAttributeNames can only be specified when using expressions",
     false},
    {{.known = CONDITION, .values = "{':a':{'N':'1'}}"},
     "ExpressionAttributeValues can only be specified when using expressions: "
     "ConditionExpression is null",
     false},
    {{.known = UPDATE | CONDITION, .values = "{':a':{'N':'1'}}"},
     "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression "
     "and ConditionExpression are null",
     false},
    {{.known = FILTER | KEY_CONDITION | PROJECTION,
      .projection = "a",
      .values = "{':a':{'N':'1'}}"},
     "ExpressionAttributeValues can only be specified when using expressions: FilterExpression "
     "and KeyConditionExpression are null",
     false},
    {{.known = FILTER | PROJECTION, .projection = "a", .values = "{':a':{'N':'1'}}"},
     "ExpressionAttributeValues can only be specified when using expressions: FilterExpression "
     "is null",
     false},
    {{.known = CONDITION, .condition = "a = b", .names = "{}"},
     "ExpressionAttributeNames must not be empty",
     false},
    {{.known = CONDITION, .condition = "a = b", .values = "{}"},
     "ExpressionAttributeValues must not be empty",
     false},
    {{.known = CONDITION, .condition = "a = b", .names = "{'a':'a'}"},
     "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"",
     false},
    {{.known = CONDITION, .condition = "a = b", .names = "{'#':'a'}"},
     "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#\"",
     false},
    {{.known = CONDITION, .condition = "a = b", .names = "{'#a[1]':'a'}"},
     "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#a[1]\"",
     false},
    {{.known = CONDITION, .condition = "a = b", .names = "{'#a':''}"},
     "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a",
     false},
    {{.known = CONDITION, .condition = "a = b", .names = "{'#" LONG_255 "':'a'}"},
     "ExpressionAttributeNames contains invalid key: The expression attribute map contains a "
     "key that is too long; size of key: 256",
     false},
    {{.known = CONDITION, .condition = "a = b", .values = "{'a':{'N':'1'}}"},
     "ExpressionAttributeValues contains invalid key: Syntax error; key: \"a\"",
     false},
    {{.known = CONDITION, .condition = "a = b", .values = "{':':{'N':'1'}}"},
     "ExpressionAttributeValues contains invalid key: Syntax error; key: \":\"",
     false},
    {{.known = CONDITION, .condition = "a = b", .values = "{':" LONG_255 "':{'N':'1'}}"},
     "ExpressionAttributeValues contains invalid key: The expression attribute map contains a "
     "key that is too long;",
     false},
    {{.known = CONDITION, .condition = "a = b", .names = "{'#a':'a','#b':'b'}"},
     "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}",
     false},
    {{.known = CONDITION,
      .condition = "a = :v",
      .values = "{':w':{'N':'1'},':v':{'N':'1'},':a':{'N':'1'}}"},
     "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w, :a}",
     false},
    {{.known = CONDITION,
      .condition = "a = b",
      .names = "{'#a':'a'}",
      .values = "{':a':{'N':'1'}}"},
     "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}",
     false},
};

static void wrong_parameters_get_their_messages(void **state)
{
    (void)state;
    assert_messages(wrong_parameters, COUNT_OF(wrong_parameters), false);
    assert_messages(wrong_parameters, COUNT_OF(wrong_parameters), true);
}

static void wrong_values_say_which(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {{.known = CONDITION, .condition = "a = :v", .values = "{':v':{}}"},
         "ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must "
         "contain exactly one of the supported datatypes for key :v",
         false},
        {{.known = CONDITION, .condition = "a = :v", .values = "{':v':{'N':'x'}}"},
         "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a "
         "numeric value: x for key :v",
         false},
        {{.known = CONDITION, .condition = "a = :v", .values = "{':w':{'N':'1'},':v':{'SS':[]}}"},
         "ExpressionAttributeValues contains invalid value: One or more parameter values were "
         "invalid: An string set  may not be empty for key :v",
         false},
        {{.known = CONDITION, .condition = "a = :v", .values = "{':v':{'NS':['1','1.0']}}"},
         "ExpressionAttributeValues contains invalid value: Input collection contains duplicates "
         "for key :v",
         false},
        {{.known = CONDITION, .condition = "a = :v", .values = "{':v':{'NULL':false}}"},
         "One or more parameter values were invalid: Null attribute value types must have the "
         "value of true",
         false},
        /* before any expression is parsed */
        {{.known = CONDITION, .condition = "a =", .values = "{':v':{'N':'1E200'}}"},
         "ExpressionAttributeValues contains invalid value: Number overflow. Attempting to store a "
         "number with magnitude larger than supported range for key :v",
         false},
    };
    assert_messages(cases, COUNT_OF(cases), false);
    assert_messages(cases, COUNT_OF(cases), true);
}

static void values_nested_too_deep_stand_alone(void **state)
{
    (void)state;
    char values[1024];
    size_t length = (size_t)snprintf(values, sizeof values, "{':v':");
    for (unsigned i = 0; i < LIMIT_NESTING_LEVELS + 1; i++) {
        length += (size_t)snprintf(values + length, sizeof values - length, "{'L':[");
    }
    for (unsigned i = 0; i < LIMIT_NESTING_LEVELS + 1; i++) {
        length += (size_t)snprintf(values + length, sizeof values - length, "]}");
    }
    snprintf(values + length, sizeof values - length, "}");
    const struct message_case cases[] = {
        {{.known = CONDITION, .condition = "a = :v", .values = values},
         "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
         "beyond supported limit",
         true},
    };
    assert_messages(cases, COUNT_OF(cases), false);
    assert_messages(cases, COUNT_OF(cases), true);
}

static void expressions_are_parsed_in_the_order_of_the_service(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {{.known = UPDATE | CONDITION, .update = "SET", .condition = "a"},
         "Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \"SET\"",
         false},
        {{.known = KEY_CONDITION | FILTER | PROJECTION,
          .key_condition = "a",
          .filter = "b",
          .projection = "c,"},
         "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"a\"",
         false},
        {{.known = KEY_CONDITION | FILTER | PROJECTION,
          .key_condition = "a = b",
          .filter = "b",
          .projection = "c,"},
         "Invalid FilterExpression: Syntax error; token: \"<EOF>\", near: \"b\"",
         false},
        {{.known = FILTER | PROJECTION, .projection = "c,", .names = "{'#a':'a'}"},
         "Invalid ProjectionExpression: Syntax error; token: \"<EOF>\", near: \",\"",
         false},
    };
    assert_messages(cases, COUNT_OF(cases), false);
}

static void of_a_repeated_placeholder_the_last_counts(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    struct expression_set set;
    const struct request request = {.known = CONDITION,
                                    .condition = "#a = :v",
                                    .names = "{'#a':'x','#a':'y'}",
                                    .values = "{':v':{'N':'1'},':v':{'N':'2'}}"};
    assert_int_equal(check(&fixture, &request, &set), OK);
    ASSERT_SLICE(set.condition->left->path.steps[0].name, SLICE("y"));
    const struct number two = number_from_int64(2);
    ASSERT_SLICE(set.condition->right->value.data, number_slice(&two));
    fixture_close(&fixture);
}

/* Enough placeholders that they are sorted another way. */
static void many_placeholders_are_found(void **state)
{
    (void)state;
    enum { MANY = 200 };
    struct fixture fixture;
    fixture_open(&fixture);
    struct buffer names = buffer_open(&fixture.arena, 0);
    struct buffer projection = buffer_open(&fixture.arena, 0);
    for (unsigned i = 0; i < MANY; i++) {
        buffer_append_format(&names, "%s'#n%u':'a%u'", i == 0 ? "{" : ",", i * 31 % MANY, i);
        buffer_append_format(&projection, "%s#n%u", i == 0 ? "" : ",", i);
    }
    BUFFER_TEXT(&names, "}");
    const struct request request = {
        .known = PROJECTION,
        .projection = fixture_string(&fixture, buffer_slice(&projection)),
        .names = fixture_string(&fixture, buffer_slice(&names)),
    };
    struct expression_set set;
    assert_int_equal(check(&fixture, &request, &set), OK);
    assert_int_equal(set.projection->count, MANY);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_requests_give_what_they_ask_for),
        cmocka_unit_test(wrong_parameters_get_their_messages),
        cmocka_unit_test(wrong_values_say_which),
        cmocka_unit_test(values_nested_too_deep_stand_alone),
        cmocka_unit_test(expressions_are_parsed_in_the_order_of_the_service),
        cmocka_unit_test(of_a_repeated_placeholder_the_last_counts),
        cmocka_unit_test(many_placeholders_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
