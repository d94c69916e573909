/* SPDX-License-Identifier: Apache-2.0 */
/* key_condition_test — key conditions against keys of one to eight attributes. */
#include "unit/expr/fixture.h"

static const char values[] =
    "{':s':{'S':'x'},':t':{'S':'y'},':n':{'N':'1'},':m':{'N':'2'},':b':{'B':'AQ=='},"
    "':empty':{'S':''},':eb':{'B':''},':l':{'L':[]}}";

static const struct key_schema hash_only = {
    .partition_count = 1,
    .attributes = {{SLICE("pk"), VALUE_STRING}},
};
static const struct key_schema hash_and_range = {
    .partition_count = 1,
    .sort_count = 1,
    .attributes = {{SLICE("pk"), VALUE_STRING}, {SLICE("sk"), VALUE_NUMBER}},
};
static const struct key_schema binary_range = {
    .partition_count = 1,
    .sort_count = 1,
    .attributes = {{SLICE("pk"), VALUE_STRING}, {SLICE("sk"), VALUE_BINARY}},
};
static const struct key_schema two_and_three = {
    .partition_count = 2,
    .sort_count = 3,
    .attributes = {{SLICE("p1"), VALUE_STRING},
                   {SLICE("p2"), VALUE_NUMBER},
                   {SLICE("s1"), VALUE_STRING},
                   {SLICE("s2"), VALUE_NUMBER},
                   {SLICE("s3"), VALUE_STRING}},
};

static enum error_code resolve(struct fixture *fixture, const char *text,
                               const struct key_schema *key, struct key_condition *out)
{
    struct expression_set set = {0};
    const enum error_code code = fixture_parse(
        fixture, &(struct fixture_input){EXPRESSION_KEY_CONDITION, text, NULL, values}, &set);
    if (code != OK) {
        if (!slice_has_prefix(fixture->call.error.message, SLICE("Value provided in "))) {
            return code;
        }
        call_reset(&fixture->call);
    }
    TRY(key_condition_check(&fixture->call, set.key_condition));
    return key_condition_resolve(&fixture->call, set.key_condition, key, out);
}

static const char *print(struct fixture *fixture, const struct key_schema *key,
                         const struct key_condition *condition)
{
    static const char *const operators[] = {
        [SORT_ANY] = "any",
        [SORT_LT] = "<",
        [SORT_LE] = "<=",
        [SORT_GT] = ">",
        [SORT_GE] = ">=",
        [SORT_BETWEEN] = "between",
        [SORT_BEGINS_WITH] = "begins",
    };
    struct buffer out = buffer_open(&fixture->arena, 0);
    for (unsigned i = 0; i < key->partition_count; i++)
        value_to_text(&out, condition->partition[i]);
    BUFFER_TEXT(&out, " |");
    for (unsigned i = 0; i < condition->sort_count; i++) {
        BUFFER_TEXT(&out, " ");
        value_to_text(&out, condition->sort[i]);
    }
    buffer_append_format(&out, " %s", operators[condition->op]);
    if (condition->op != SORT_ANY) {
        BUFFER_TEXT(&out, " ");
        value_to_text(&out, condition->low);
    }
    if (condition->op == SORT_BETWEEN) {
        BUFFER_TEXT(&out, " ");
        value_to_text(&out, condition->high);
    }
    return fixture_string(fixture, buffer_slice(&out));
}

static void key_conditions_become_equalities_and_a_range(void **state)
{
    (void)state;
    static const struct {
        const struct key_schema *key;
        const char *text;
        const char *result;
    } cases[] = {
        {&hash_only, "pk = :s", "{S:x} | any"},
        {&hash_only, ":s = pk", "{S:x} | any"},
        {&hash_only, "(pk = :s)", "{S:x} | any"},
        {&hash_and_range, "pk = :s", "{S:x} | any"},
        {&hash_and_range, "pk = :s AND sk = :n", "{S:x} | {N:1} any"},
        {&hash_and_range, "sk = :n AND pk = :s", "{S:x} | {N:1} any"},
        {&hash_and_range, "pk = :s AND sk < :n", "{S:x} | < {N:1}"},
        {&hash_and_range, "pk = :s AND sk <= :n", "{S:x} | <= {N:1}"},
        {&hash_and_range, "(pk = :s) AND (sk > :n)", "{S:x} | > {N:1}"},
        {&hash_and_range, "pk = :s AND :n <= sk", "{S:x} | >= {N:1}"},
        {&hash_and_range, "pk = :s AND :n > sk", "{S:x} | < {N:1}"},
        {&hash_and_range, "pk = :s AND :n < sk", "{S:x} | > {N:1}"},
        {&hash_and_range, "pk = :s AND :n >= sk", "{S:x} | <= {N:1}"},
        {&hash_and_range, "pk = :s AND sk BETWEEN :n AND :m", "{S:x} | between {N:1} {N:2}"},
        {&binary_range, "pk = :s AND begins_with(sk, :b)", "{S:x} | begins {B:AQ==}"},
        {&two_and_three, "p1 = :s AND p2 = :n", "{S:x}{N:1} | any"},
        {&two_and_three, "p2 = :n AND s1 = :t AND p1 = :s", "{S:x}{N:1} | {S:y} any"},
        {&two_and_three, "p1 = :s AND p2 = :n AND s1 = :t AND s2 > :m",
         "{S:x}{N:1} | {S:y} > {N:2}"},
        {&two_and_three, "p1 = :s AND p2 = :n AND s1 = :t AND s2 = :m AND begins_with(s3, :s)",
         "{S:x}{N:1} | {S:y} {N:2} begins {S:x}"},
        {&two_and_three, "p1 = :s AND p2 = :n AND s1 BETWEEN :s AND :t",
         "{S:x}{N:1} | between {S:x} {S:y}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        struct key_condition condition;
        if (resolve(&fixture, cases[i].text, cases[i].key, &condition) != OK) {
            fail_msg("%s: %.*s", cases[i].text, SLICE_ARGS(fixture.call.error.message));
        }
        assert_string_equal(print(&fixture, cases[i].key, &condition), cases[i].result);
        fixture_close(&fixture);
    }
}

struct message_case {
    const struct key_schema *key;
    const char *text;
    const char *message;
};

static void assert_messages(const struct message_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        struct key_condition condition;
        const enum error_code code = resolve(&fixture, cases[i].text, cases[i].key, &condition);
        ASSERT_CASE(code == ERROR_VALIDATION, cases[i].text);
        ASSERT_SLICE(fixture.call.error.message, slice_of_string(cases[i].message));
        fixture_close(&fixture);
    }
}

static void the_form_is_checked_without_a_schema(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {&hash_only, "", "Invalid KeyConditionExpression: The expression can not be empty;"},
        {&hash_only, "((pk = :s))",
         "Invalid KeyConditionExpression: The expression has redundant parentheses;"},
        {&hash_only, "pk = :s OR sk = :n", "Invalid operator used in KeyConditionExpression: OR"},
        {&hash_only, "NOT pk = :s", "Invalid operator used in KeyConditionExpression: NOT"},
        {&hash_only, "pk IN (:s)", "Invalid operator used in KeyConditionExpression: IN"},
        {&hash_only, "pk <> :s", "Invalid operator used in KeyConditionExpression: <>"},
        {&hash_only, "pk = :s AND contains(sk, :s)",
         "Invalid operator used in KeyConditionExpression: contains"},
        {&hash_only, "attribute_exists(pk)",
         "Invalid operator used in KeyConditionExpression: attribute_exists"},
        {&hash_only, "attribute_not_exists(pk)",
         "Invalid operator used in KeyConditionExpression: attribute_not_exists"},
        {&hash_only, "size(pk) = :n", "KeyConditionExpressions cannot contain nested operations"},
        {&hash_only, ":s BETWEEN pk AND sk",
         "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key "
         "attribute as its first operand"},
        {&hash_only, "begins_with(:s, pk)",
         "Invalid condition in KeyConditionExpression: begins_with operator must have the key "
         "attribute as its first operand"},
        {&hash_only, "pk = sk",
         "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
         "condition"},
        {&hash_only, "pk BETWEEN :s AND sk",
         "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
         "condition"},
        {&hash_only, ":s = :t",
         "Invalid condition in KeyConditionExpression: No key attribute specified"},
        {&hash_only, "pk.a = :s",
         "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested "
         "attributes"},
        {&hash_only, "pk = :s AND pk = :t",
         "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition "
         "per key"},
    };
    assert_messages(cases, COUNT_OF(cases));
}

static void the_key_decides_the_rest(void **state)
{
    (void)state;
    static const char mismatch[] = "One or more parameter values were invalid: Condition parameter "
                                   "type does not match schema type";
    static const char unsupported[] = "Query key condition not supported";
    static const struct message_case cases[] = {
        {&hash_only, "sk = :n", "Query condition missed key schema element: pk"},
        {&hash_only, "pk = :s AND sk = :n", unsupported},
        {&hash_only, "pk > :s", unsupported},
        {&hash_only, "begins_with(pk, :s)", unsupported},
        {&hash_only, "pk = :n", mismatch},
        {&hash_only, "pk > :n", mismatch},
        {&hash_only, "pk = :l", mismatch},
        {&hash_only, "pk = :empty",
         "One or more parameter values are not valid. The AttributeValue for a key attribute "
         "cannot contain an empty string value. Key: pk"},
        {&hash_and_range, "sk = :n", "Query condition missed key schema element: pk"},
        {&hash_and_range, "pk = :s AND extra = :n",
         "Query condition missed key schema element: sk"},
        {&hash_and_range, "pk < :s AND sk = :n", unsupported},
        {&hash_and_range, "pk = :s AND sk = :s", mismatch},
        {&hash_and_range, "pk = :s AND begins_with(sk, :s)", mismatch},
        {&hash_and_range, "pk = :s AND sk = :n AND extra = :n", unsupported},
        {&binary_range, "pk = :s AND sk = :eb",
         "One or more parameter values are not valid. The AttributeValue for a key attribute "
         "cannot contain an empty binary value. Key: sk"},
        {&two_and_three, "p1 = :s", "Query condition missed key schema element: p2"},
        {&two_and_three, "p1 = :s AND p2 > :n", unsupported},
        {&two_and_three, "p1 = :s AND p2 = :n AND s2 = :n", unsupported},
        {&two_and_three, "p1 = :s AND p2 = :n AND s1 > :s AND s2 = :n", unsupported},
        {&two_and_three, "p1 = :s AND p2 = :n AND s1 = :s AND s3 = :s", unsupported},
        {&two_and_three, "p1 = :s AND p2 = :n AND s1 = :n", mismatch},
        {&two_and_three,
         "p1 = :s AND p2 = :n AND s1 = :s AND s2 = :n AND s3 = :s AND a = :n AND b = :n AND c = :n "
         "AND d = :n",
         unsupported},
    };
    assert_messages(cases, COUNT_OF(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_conditions_become_equalities_and_a_range),
        cmocka_unit_test(the_form_is_checked_without_a_schema),
        cmocka_unit_test(the_key_decides_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
