/* SPDX-License-Identifier: Apache-2.0 */
/* parse_update_test — update expressions, their actions, and what is said of wrong ones. */
#include "unit/expr/fixture.h"

static const char values[] =
    "{':n':{'N':'1'},':s':{'S':'x'},':b':{'B':'eA=='},':t':{'BOOL':true},':z':{'NULL':true},"
    "':l':{'L':[]},':o':{'M':{}},':ss':{'SS':['a']},':ns':{'NS':['1']}}";

static enum error_code parse(struct fixture *fixture, const char *text,
                             const struct update **update)
{
    struct expression_set set = {0};
    enum error_code code = fixture_parse(
        fixture,
        &(struct fixture_input){EXPRESSION_UPDATE, text, "{'#a':'a','#d':'with.dot'}", values},
        &set);
    if (code != OK && slice_has_prefix(fixture->call.error.message, SLICE("Value provided in "))) {
        call_reset(&fixture->call);
        code = OK;
    }
    *update = set.update;
    return code;
}

static const char *print(struct fixture *fixture, const struct update *update)
{
    static const char *const names[] = {"SET", "REMOVE", "ADD", "DELETE"};
    struct buffer out = buffer_open(&fixture->arena, 0);
    for (size_t i = 0; i < update->count; i++) {
        const struct action *action = &update->actions[i];
        buffer_append_format(&out, "%s%s ", i == 0 ? "" : "; ", names[action->kind]);
        fixture_print_path(&out, &action->path);
        if (action->operand == NULL) continue;
        BUFFER_TEXT(&out, " ");
        fixture_print_node(&out, action->operand);
    }
    assert_int_equal(update->touched->count, update->count);
    return fixture_string(fixture, buffer_slice(&out));
}

static void updates_become_actions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *actions;
    } cases[] = {
        {"SET a = :n", "SET a {N:1}"},
        {"set a=:n,b=:s", "SET a {N:1}; SET b {S:x}"},
        {"SET a.b[2].c = d", "SET a/b[2]/c d"},
        {"SET #a.#d = #d", "SET a/with.dot with.dot"},
        {"SET a = b + :n, c = :n - d", "SET a (+ b {N:1}); SET c (- {N:1} d)"},
        {"SET a = (b + :n)", "SET a (+ b {N:1})"},
        {"SET a = (b) + (:n)", "SET a (+ b {N:1})"},
        {"SET a = (b)", "SET a b"},
        {"SET a = if_not_exists(a, :n) + :n", "SET a (+ (if_not_exists a {N:1}) {N:1})"},
        {"SET a = if_not_exists(b.c, if_not_exists(d, :n))",
         "SET a (if_not_exists b/c (if_not_exists d {N:1}))"},
        {"SET a = list_append(if_not_exists(a, :l), :l)",
         "SET a (list_append (if_not_exists a {L:[]}) {L:[]})"},
        {"REMOVE a, b.c, d[1]", "REMOVE a; REMOVE b/c; REMOVE d[1]"},
        {"ADD a :n, b :ss", "ADD a {N:1}; ADD b {SS:[a]}"},
        {"DELETE a :ss, b.c :ns", "DELETE a {SS:[a]}; DELETE b/c {NS:[1]}"},
        {"DELETE d :ss ADD c :n REMOVE b SET a = :n",
         "DELETE d {SS:[a]}; ADD c {N:1}; REMOVE b; SET a {N:1}"},
        {"SET a = :t,b = :z,c = :o,e = :b",
         "SET a {BOOL:true}; SET b {NULL:true}; SET c {M:{}}; SET e {B:eA==}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        const struct update *update = NULL;
        if (parse(&fixture, cases[i].text, &update) != OK) {
            fail_msg("%s: %.*s", cases[i].text, SLICE_ARGS(fixture.call.error.message));
        }
        assert_string_equal(print(&fixture, update), cases[i].actions);
        fixture_close(&fixture);
    }
}

struct message_case {
    const char *text;
    const char *message; /* behind "Invalid UpdateExpression: " */
};

static void assert_messages(const struct message_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        const struct update *update = NULL;
        ASSERT_CASE(parse(&fixture, cases[i].text, &update) == ERROR_VALIDATION, cases[i].text);
        const struct slice expected =
            arena_format(&fixture.arena, "Invalid UpdateExpression: %s", cases[i].message);
        ASSERT_SLICE(fixture.call.error.message, expected);
        fixture_close(&fixture);
    }
}

static void syntax_errors_show_the_token_between_its_neighbours(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"", "The expression can not be empty;"},
        {"INVALID SYNTAX HERE", "Syntax error; token: \"INVALID\", near: \"INVALID SYNTAX\""},
        {"ADD hits : incr", "Syntax error; token: \":\", near: \"hits : incr\""},
        {"SET", "Syntax error; token: \"<EOF>\", near: \"SET\""},
        {"SET a", "Syntax error; token: \"<EOF>\", near: \"a\""},
        {"SET a =", "Syntax error; token: \"<EOF>\", near: \"=\""},
        {"SET a = :n,", "Syntax error; token: \"<EOF>\", near: \",\""},
        {"SET a = :n, SET b = :n", "Syntax error; token: \"SET\", near: \", SET b\""},
        {"set _something = :n", "Syntax error; token: \"_\", near: \"set _something\""},
        {"SET a = list_append(a, 0)", "Syntax error; token: \"0\", near: \", 0)\""},
        {"SET #a, #b = :n", "Syntax error; token: \",\", near: \"#a, #b\""},
        {"SET a = :n, #, b = :n", "Syntax error; token: \"#\", near: \", #,\""},
        {"SET a = a + :n + :n", "Syntax error; token: \"+\", near: \":n + :n\""},
        {"SET a = (a + :n) + :n", "Syntax error; token: \"+\", near: \") + :n\""},
        {"SET a = list_append(a + b, c)", "Syntax error; token: \"+\", near: \"a + b\""},
        {"SET a = :n b = :n", "Syntax error; token: \"b\", near: \":n b =\""},
        {"SET and = :n", "Syntax error; token: \"and\", near: \"SET and =\""},
        {"REMOVE a = :n", "Syntax error; token: \"=\", near: \"a = :n\""},
        {"ADD a b", "Syntax error; token: \"b\", near: \"a b\""},
        {"ADD a = :n", "Syntax error; token: \"=\", near: \"a = :n\""},
        {"DELETE a (:ss)", "Syntax error; token: \"(\", near: \"a (:ss\""},
        {"SET a[0 = :n", "Syntax error; token: \"=\", near: \"0 = :n\""},
        {"SET (a) = :n", "Syntax error; token: \"(\", near: \"SET (a\""},
        {"SET a = a = b", "Syntax error; token: \"=\", near: \"a = b\""},
    };
    assert_messages(cases, COUNT_OF(cases));
}

static void sections_names_and_functions_are_checked(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"SET year = :n", "Attribute name is a reserved keyword; reserved keyword: year"},
        {"REMOVE a.Year", "Attribute name is a reserved keyword; reserved keyword: Year"},
        {"SET a = name", "Attribute name is a reserved keyword; reserved keyword: name"},
        {"SET a = foo(b)", "Invalid function name; function: foo"},
        {"SET a = size(b)", "Invalid function name; function: size"},
        {"SET a = :n SET b = :n",
         "The \"SET\" section can only be used once in an update expression;"},
        {"REMOVE a ADD b :n remove c",
         "The \"REMOVE\" section can only be used once in an update expression;"},
        {"SET a = :u",
         "An expression attribute value used in expression is not defined; attribute value: :u"},
        {"SET a = :u, #u = :n",
         "An expression attribute name used in the document path is not defined; attribute name: "
         "#u"},
        {"SET a = ((:n))", "The expression has redundant parentheses;"},
        {"SET a = ((b + :n))", "The expression has redundant parentheses;"},
    };
    assert_messages(cases, COUNT_OF(cases));
}

static void paths_may_not_meet(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"SET a = :n, a = :n",
         "Two document paths overlap with each other; must remove or rewrite one of these paths; "
         "path one: [a], path two: [a]"},
        {"SET a.b = :n REMOVE a",
         "Two document paths overlap with each other; must remove or rewrite one of these paths; "
         "path one: [a, b], path two: [a]"},
        {"REMOVE x SET a = :n, #a.b[0].c = :n",
         "Two document paths overlap with each other; must remove or rewrite one of these paths; "
         "path one: [a], path two: [a, b, [0], c]"},
        {"SET a[3].c = :n REMOVE a.c[3]",
         "Two document paths conflict with each other; must remove or rewrite one of these paths; "
         "path one: [a, [3], c], path two: [a, c, [3]]"},
        {"SET a[0] = :n, a.b = :n, c = :n, c = :n",
         "Two document paths overlap with each other; must remove or rewrite one of these paths; "
         "path one: [c], path two: [c]"},
    };
    assert_messages(cases, COUNT_OF(cases));
}

static void operands_are_checked(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"ADD a :s",
         "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
         "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"ADD a :b",
         "Incorrect operand type for operator or function; operator: ADD, operand type: BINARY, "
         "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"ADD a :t",
         "Incorrect operand type for operator or function; operator: ADD, operand type: BOOLEAN, "
         "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"ADD a :z",
         "Incorrect operand type for operator or function; operator: ADD, operand type: NULL, "
         "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"ADD a :l",
         "Incorrect operand type for operator or function; operator: ADD, operand type: LIST, "
         "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"ADD a :o",
         "Incorrect operand type for operator or function; operator: ADD, operand type: MAP, "
         "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"DELETE a :n",
         "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, "
         "typeSet: ALLOWED_FOR_DELETE_OPERAND"},
        {"SET a = a + :s",
         "Incorrect operand type for operator or function; operator or function: +, operand type: "
         "S"},
        {"SET a = :l - a",
         "Incorrect operand type for operator or function; operator or function: -, operand type: "
         "L"},
        {"SET a = list_append(a, :n)",
         "Incorrect operand type for operator or function; operator or function: list_append, "
         "operand type: N"},
        {"SET a = list_append(a)",
         "Incorrect number of operands for operator or function; operator or function: "
         "list_append, number of operands: 1"},
        {"SET a = if_not_exists(a, b, c)",
         "Incorrect number of operands for operator or function; operator or function: "
         "if_not_exists, number of operands: 3"},
        {"SET a = if_not_exists(:n, b)",
         "Operator or function requires a document path; operator or function: if_not_exists"},
    };
    assert_messages(cases, COUNT_OF(cases));
}

static void of_several_errors_the_kind_decides(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"SET name = foo(:u), #u = :n", "Attribute name is a reserved keyword; reserved keyword: "
                                        "name"},
        {"SET b = foo(:u), #u = :n REMOVE c REMOVE d", "Invalid function name; function: foo"},
        {"SET b = :u, #u = :n REMOVE c REMOVE d",
         "The \"REMOVE\" section can only be used once in an update expression;"},
        {"SET b = :u, #u = :n",
         "An expression attribute name used in the document path is not defined; attribute name: "
         "#u"},
        {"SET b = :u, b = :n",
         "An expression attribute value used in expression is not defined; attribute value: :u"},
        {"SET a[0] = :n, a.b = :n ADD c :s, c :s",
         "Two document paths overlap with each other; must remove or rewrite one of these paths; "
         "path one: [c], path two: [c]"},
        {"SET a[0] = :n, a.b = :n ADD c :s",
         "Two document paths conflict with each other; must remove or rewrite one of these paths; "
         "path one: [a, [0]], path two: [a, b]"},
        {"SET a = list_append(a) ADD c :s",
         "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
         "typeSet: ALLOWED_FOR_ADD_OPERAND"},
    };
    assert_messages(cases, COUNT_OF(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_become_actions),
        cmocka_unit_test(syntax_errors_show_the_token_between_its_neighbours),
        cmocka_unit_test(sections_names_and_functions_are_checked),
        cmocka_unit_test(paths_may_not_meet),
        cmocka_unit_test(operands_are_checked),
        cmocka_unit_test(of_several_errors_the_kind_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
