/* SPDX-License-Identifier: Apache-2.0 */
/* statement — what statements mean, and what is refused in which words. */
#include "fixture.h"

#define MALFORMED "Statement wasn't well formed, can't be processed: "

static void conditions_are_true_of_the_right_items(void **state)
{
    (void)state;
    static const char item_text[] =
        "{'n':{'N':'5'},'s':{'S':'hello'},'t':{'BOOL':true},'f':{'BOOL':false},'z':{'NULL':true},"
        "'l':{'L':[{'N':'1'}]},'m':{'M':{'x':{'N':'1'}}}}";
    static const struct {
        const char *where;
        bool truth;
    } cases[] = {
        {"n = 5", true},
        {"5 = n", true},
        {"4 < n AND 6 > n", true},
        {"6 < n", false},
        {"n = 5 OR n = 6 AND n = 7", true},
        {"(n = 5 OR n = 6) AND n = 7", false},
        {"NOT n = 5 OR n = 5", true},
        {"NOT (n = 5 OR n = 5.0)", false},
        {"NOT NOT n = 5", true},
        {"gone <> 1", true},
        {"NOT gone = 1", true},
        {"gone < 1", false},
        {"n BETWEEN 5 AND 5 AND n = 5", true},
        {"n NOT BETWEEN 1 AND 4", true},
        {"n IN [1, 5]", true},
        {"n NOT IN (1, 5)", false},
        {"n IN <<5>>", true},
        {"l[0] = m.x", true},
        {"\"m\".\"x\" = 1", true},
        {"size(s) = 5", true},
        {"5 <= size(s)", true},
        {"gone IS MISSING", true},
        {"gone IS NOT NULL", true},
        {"z IS NULL", true},
        {"n IS STRING", false},
        {"attribute_exists(m.x) = t", true},
        {"attribute_exists(m.x) = f", false},
        {"attribute_exists(m.x) = attribute_exists(n)", true},
        {"(n = 5) <> (n = 6)", true},
        {"attribute_exists(n) IN [false, 1]", false},
        {"attribute_exists(n) IN [TRUE]", true},
        {"begins_with(s, 'he') and Contains(s, 'l')", true},
    };
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice item = fixture_item(&fixture, item_text);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct slice text =
            arena_format(&fixture.arena, "SELECT * FROM T WHERE %s", cases[i].where);
        const struct statement statement = fixture_statement(&fixture, (const char *)text.data);
        const bool truth = condition_evaluate(statement.where, item, &fixture.arena);
        ASSERT_CASE(truth == cases[i].truth, cases[i].where);
    }
    fixture_close(&fixture);
}

static void updates_do_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *changes;
        const char *item;
    } cases[] = {
        {"SET a = 1", "{'a':{'N':'1'},'k':{'S':'k'},'l':{'L':[{'N':'1'}]},'n':{'N':'5'}}"},
        {"SET n = n - 2 + 10 REMOVE l", "{'k':{'S':'k'},'n':{'N':'13'}}"},
        {"SET n = n - (2 + 10) REMOVE l", "{'k':{'S':'k'},'n':{'N':'-7'}}"},
        {"SET l = list_append([0], l), n = 1",
         "{'k':{'S':'k'},'l':{'L':[{'N':'0'},{'N':'1'}]},'n':{'N':'1'}}"},
        {"REMOVE l, n SET s = set_add(s, <<1, 2>>)", "{'k':{'S':'k'},'s':{'NS':['1','2']}}"},
        {"REMOVE l[0] REMOVE n", "{'k':{'S':'k'},'l':{'L':[]}}"},
    };
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice old =
        fixture_item(&fixture, "{'k':{'S':'k'},'n':{'N':'5'},'l':{'L':[{'N':'1'}]}}");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct slice text =
            arena_format(&fixture.arena, "UPDATE T %s WHERE k = 'k'", cases[i].changes);
        const struct statement statement = fixture_statement(&fixture, (const char *)text.data);
        struct slice item;
        assert_int_equal(update_apply(&fixture.call, statement.update, old, old, &item), OK);
        ASSERT_CASE(strcmp(fixture_print(&fixture, item), cases[i].item) == 0, cases[i].changes);
    }
    fixture_close(&fixture);
}

static void columns_are_called_by_their_last_name(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct statement statement =
        fixture_statement(&fixture, "SELECT a.b, c[0].d[1][0], e, \"x.y\", z FROM T");
    const struct slice item = fixture_item(
        &fixture,
        "{'a':{'M':{'b':{'N':'1'}}},'c':{'L':[{'M':{'d':{'L':[{'N':'2'},{'L':[{'N':'3'}]}]"
        "}}}]},'e':{'N':'4'},'x.y':{'N':'5'}}");
    assert_string_equal(
        fixture_print(&fixture, statement_project(&statement, item, &fixture.arena)),
        "{'b':{'N':'1'},'d[1][0]':{'N':'3'},'e':{'N':'4'},'x.y':{'N':'5'}}");
    fixture_close(&fixture);
}

static void statements_are_refused_in_the_services_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", MALFORMED "Expected data manipulation"},
        {"FROM T", MALFORMED "Expected data manipulation"},
        {"SELECT * FROM T;;", MALFORMED "Unexpected token after expression"},
        {"SELECT * FROM T WHERE a", MALFORMED "Expected a condition"},
        {"SELECT * FROM T WHERE NOT a", MALFORMED "Expected a condition"},
        {"SELECT * FROM T WHERE (a = 1", MALFORMED "Expected )"},
        {"SELECT * FROM T WHERE a NOT 1", MALFORMED "Expected BETWEEN or IN"},
        {"SELECT *, a FROM T", "Other attributes should not be present in the projection when '*' "
                               "is used."},
        {"SELECT a, * FROM T", "Other attributes should not be present in the projection when '*' "
                               "is used."},
        {"SELECT size(a) FROM T", "Unexpected path component at 1:8:4"},
        {"SELECT * FROM T, U", "Only select from a single table or index is supported."},
        {"SELECT * FROM T WHERE a = a",
         "The first operand must be distinct from the remaining operands for this operator or "
         "function; operator: =, first operand: [a]"},
        {"SELECT * FROM T WHERE a LIKE 'x'",
         "Unsupported operator in Condition Expression. Operator: LIKE"},
        {"SELECT * FROM T WHERE foo(a)", "Unrecognized function: foo"},
        {"SELECT * FROM T WHERE contains(a)",
         "Incorrect number of operands for operator or function; operator or function: contains, "
         "number of operands: 1"},
        {"SELECT * FROM T WHERE attribute_exists('a')",
         "Operator or function requires a document path; operator or function: attribute_exists"},
        {"SELECT * FROM T WHERE a BETWEEN 2 AND 1",
         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
         "lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"},
        {"SELECT * FROM T WHERE a = MISSING", "MISSING must be compared using IS operator"},
        {"SELECT * FROM T WHERE a IS DATE",
         "Unsupported data type for IS operator: DATE. Supported data types are [MISSING, NULL, "
         "BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST]"},
        {"SELECT * FROM T WHERE l[2147483648] = 1",
         "List index is not within the allowable range; index: [2147483648] at 1:25:10"},
        {"UPDATE T WHERE a = 1", MALFORMED "Expected SET or REMOVE"},
        {"UPDATE T SET a = 1, a.b = 2 WHERE k = 1",
         "Two document paths overlap with each other; must remove or rewrite one of these paths; "
         "path one: [a], path two: [a, b]"},
        {"UPDATE T SET a = 2 * 3 WHERE k = 1",
         "Unsupported operator in Update Expression. Operator: *"},
        {"UPDATE T SET a = list_append(b, 3) WHERE k = 1",
         "Incorrect operand type for operator or function; operator or function: list_append, "
         "operand type: N"},
        {"INSERT INTO T VALUE {'a': 1, 'a': 2}", MALFORMED "Duplicate key in struct: a"},
        {"INSERT INTO T VALUES {'a': 1}", MALFORMED "Expected VALUE"},
        {"INSERT INTO T VALUE {'a' 1}", MALFORMED "Expected :"},
        {"DELETE FROM T WHERE a = 1 RETURNING SOME OLD *", MALFORMED "Expected ALL"},
    };
    struct fixture fixture;
    fixture_open(&fixture);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct statement statement;
        assert_int_equal(fixture_parse(&fixture, cases[i].text, &statement), ERROR_VALIDATION);
        if (!slice_equal_string(fixture.call.error.message, cases[i].message)) {
            fail_msg("%s: \"%.*s\", expected \"%s\"", cases[i].text,
                     SLICE_ARGS(fixture.call.error.message), cases[i].message);
        }
        call_reset(&fixture.call);
    }
    fixture_close(&fixture);
}

static void parameters_are_counted(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct value values[] = {value_scalar(&fixture.arena, VALUE_STRING, SLICE("x")),
                                   value_scalar(&fixture.arena, VALUE_STRING, SLICE("y"))};
    struct statement_input input = {.text = SLICE("SELECT * FROM T WHERE a = ? OR a = '?'"),
                                    .parameters = values};
    for (size_t i = 0; i <= COUNT_OF(values); i++) {
        struct statement statement;
        input.parameter_count = i;
        const enum error_code code = statement_parse(&fixture.call, &input, &statement);
        assert_int_equal(code, i == 1 ? OK : ERROR_VALIDATION);
        if (code != OK) {
            ASSERT_SLICE(fixture.call.error.message,
                         SLICE("Number of parameters in request and statement don't match."));
        }
        call_reset(&fixture.call);
    }
    fixture_close(&fixture);
}

/* Text repeated, between a beginning and an end. */
static const char *repeat(struct fixture *fixture, const char *begin, const char *text,
                          const char *end)
{
    enum { TIMES = 2000 };
    struct buffer out = buffer_open(&fixture->arena, 0);
    buffer_append(&out, slice_of_string(begin));
    for (int i = 0; i < TIMES; i++)
        buffer_append(&out, slice_of_string(text));
    buffer_append(&out, slice_of_string(end));
    return arena_string(&fixture->arena, buffer_slice(&out));
}

static void deep_statements_are_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const char *const texts[] = {
        repeat(&fixture, "SELECT * FROM T WHERE ", "(", "a = 1"),
        repeat(&fixture, "SELECT * FROM T WHERE ", "NOT ", "a = 1"),
        repeat(&fixture, "SELECT * FROM T WHERE ", "size(", "a"),
        repeat(&fixture, "SELECT * FROM T WHERE a = 1", " AND b = 2", ""),
        repeat(&fixture, "INSERT INTO T VALUE {'a': ", "[", ""),
        repeat(&fixture, "INSERT INTO T VALUE {'a': ", "{'b': ", ""),
        repeat(&fixture, "UPDATE T SET a = ", "(", "1"),
        repeat(&fixture, "UPDATE T SET a = ", "list_append(b, ", "1"),
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct statement statement;
        assert_int_equal(fixture_parse(&fixture, texts[i], &statement), ERROR_VALIDATION);
        call_reset(&fixture.call);
    }
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_true_of_the_right_items),
        cmocka_unit_test(updates_do_what_they_say),
        cmocka_unit_test(columns_are_called_by_their_last_name),
        cmocka_unit_test(statements_are_refused_in_the_services_words),
        cmocka_unit_test(parameters_are_counted),
        cmocka_unit_test(deep_statements_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
