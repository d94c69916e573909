/* SPDX-License-Identifier: Apache-2.0 */
/* parse_condition_test — conditions and their trees, and what is said of wrong ones. */
#include "unit/expr/fixture.h"

static const char values[] =
    "{':n':{'N':'1'},':m':{'N':'2'},':s':{'S':'x'},':b':{'B':'eA=='},':t':{'BOOL':true},"
    "':z':{'NULL':true},':l':{'L':[]},':o':{'M':{}},':ss':{'SS':['a']},':type':{'S':'SS'}}";

/* Unused placeholders are no matter here. */
static enum error_code parse(struct fixture *fixture, const char *text, const struct node **node)
{
    struct expression_set set = {0};
    enum error_code code = fixture_parse(
        fixture,
        &(struct fixture_input){EXPRESSION_CONDITION, text, "{'#a':'a','#d':'with.dot'}", values},
        &set);
    if (code != OK && slice_has_prefix(fixture->call.error.message, SLICE("Value provided in "))) {
        call_reset(&fixture->call);
        code = OK;
    }
    *node = set.condition;
    return code;
}

static void conditions_become_trees(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *tree;
    } cases[] = {
        {"a = :n", "(= a {N:1})"},
        {"a=:n", "(= a {N:1})"},
        {":n <> a", "(<> {N:1} a)"},
        {"a < :n AND b <= :n AND c > :n", "(AND (< a {N:1}) (AND (<= b {N:1}) (> c {N:1})))"},
        {"a >= :n OR b = :n AND c = :n", "(OR (>= a {N:1}) (AND (= b {N:1}) (= c {N:1})))"},
        {"a = :n AND b = :n OR c = :n", "(OR (AND (= a {N:1}) (= b {N:1})) (= c {N:1}))"},
        {"(a = :n OR b = :n) AND c = :n", "(AND (OR (= a {N:1}) (= b {N:1})) (= c {N:1}))"},
        {"NOT a = :n AND b = :n", "(AND (NOT (= a {N:1})) (= b {N:1}))"},
        {"NOT (a = :n AND b = :n)", "(NOT (AND (= a {N:1}) (= b {N:1})))"},
        {"not NOT a = :n", "(NOT (NOT (= a {N:1})))"},
        {"a BETWEEN :n AND :m and b = :n", "(AND (BETWEEN a {N:1} {N:2}) (= b {N:1}))"},
        {":n between a and b", "(BETWEEN {N:1} a b)"},
        {"a IN (:n)", "(IN a {N:1})"},
        {"a in(:n,b , size(c))", "(IN a {N:1} b (size c))"},
        {"attribute_exists(a)", "(exists a)"},
        {"attribute_not_exists ( a.b[3].c )", "(not_exists a/b[3]/c)"},
        {"attribute_type(a, :type)", "(type a {S:SS})"},
        {"begins_with(a, :s) or begins_with(:b, b)",
         "(OR (begins_with a {S:x}) (begins_with {B:eA==} b))"},
        {"contains(a, :n)", "(contains a {N:1})"},
        {"size(a) > :n", "(> (size a) {N:1})"},
        {"(size (a)) > (:n)", "(> (size a) {N:1})"},
        {"size((a)) = b[0][1]", "(= (size a) b[0][1])"},
        {"size(:s) = size(:l)", "(= (size {S:x}) (size {L:[]}))"},
        {"((a) = :n)", "(= a {N:1})"},
        {"(((a) = (b)) AND (c = :n))", "(AND (= a b) (= c {N:1}))"},
        {"(attribute_exists(a))", "(exists a)"},
        {"(attribute_exists(a)) AND (a) IN (:n)", "(AND (exists a) (IN a {N:1}))"},
        {"(NOT (a = b))", "(NOT (= a b))"},
        {"#a = :n", "(= a {N:1})"},
        {"#d = :n AND x.#d.#a[0] = :n", "(AND (= with.dot {N:1}) (= x/with.dot/a[0] {N:1}))"},
        {"a = :t AND b = :z AND c = :l AND d = :o AND e = :ss",
         "(AND (= a {BOOL:true}) (AND (= b {NULL:true}) (AND (= c {L:[]}) (AND (= d {M:{}}) "
         "(= e {SS:[a]})))))"},
        {"a[4294967294] = :n", "(= a[4294967294] {N:1})"},
        {"a.b<c.d", "(< a/b c/d)"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        const struct node *node = NULL;
        if (parse(&fixture, cases[i].text, &node) != OK) {
            fail_msg("%s: %.*s", cases[i].text, SLICE_ARGS(fixture.call.error.message));
        }
        struct buffer out = buffer_open(&fixture.arena, 0);
        fixture_print_node(&out, node);
        assert_string_equal(fixture_string(&fixture, buffer_slice(&out)), cases[i].tree);
        fixture_close(&fixture);
    }
}

struct message_case {
    const char *text;
    const char *message; /* behind "Invalid ConditionExpression: " */
};

static void assert_messages(const struct message_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        const struct node *node = NULL;
        const enum error_code code = parse(&fixture, cases[i].text, &node);
        if (code != ERROR_VALIDATION) fail_msg("%s: %d", cases[i].text, (int)code);
        const struct slice expected =
            arena_format(&fixture.arena, "Invalid ConditionExpression: %s", cases[i].message);
        assert_string_equal(fixture_string(&fixture, fixture.call.error.message),
                            fixture_string(&fixture, expected));
        fixture_close(&fixture);
    }
}

static void syntax_errors_show_the_token_between_its_neighbours(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"", "The expression can not be empty;"},
        {"ADD #v :i", "Syntax error; token: \"ADD\", near: \"ADD #v\""},
        {"a", "Syntax error; token: \"<EOF>\", near: \"a\""},
        {"a = ", "Syntax error; token: \"<EOF>\", near: \"=\""},
        {"a = = :n", "Syntax error; token: \"=\", near: \"= = :n\""},
        {"a  ==  :n", "Syntax error; token: \"=\", near: \"==  :n\""},
        {"a b", "Syntax error; token: \"b\", near: \"a b\""},
        {"#a attribute_not_exists :n",
         "Syntax error; token: \"attribute_not_exists\", near: \"#a attribute_not_exists :n\""},
        {"attribute_exists(a) AND NOT #a", "Syntax error; token: \"<EOF>\", near: \"#a\""},
        {"_version = :n", "Syntax error; token: \"_\", near: \"_version\""},
        {"a = :n AND _b = :n", "Syntax error; token: \"_\", near: \"AND _b\""},
        {"begins_with(a, G_M#)", "Syntax error; token: \"#\", near: \"G_M#)\""},
        {"a IN ()", "Syntax error; token: \")\", near: \"()\""},
        {"a IN :n", "Syntax error; token: \":n\", near: \"IN :n\""},
        {"GI-1-PK = :n", "Syntax error; token: \"-\", near: \"GI-1\""},
        {"a = 12", "Syntax error; token: \"12\", near: \"= 12\""},
        {"a = 'x y' AND b = :n", "Syntax error; token: \"'x y'\", near: \"= 'x y' AND\""},
        {"(a = :n", "Syntax error; token: \"<EOF>\", near: \":n\""},
        {"a = :n)", "Syntax error; token: \")\", near: \":n)\""},
        {"(a = :n) = :n", "Syntax error; token: \"=\", near: \") = :n\""},
        {"(a)", "Syntax error; token: \"<EOF>\", near: \")\""},
        {"(a AND b = :n)", "Syntax error; token: \"AND\", near: \"a AND b\""},
        {"(NOT a)", "Syntax error; token: \")\", near: \"a)\""},
        {"(a = :n AND b)", "Syntax error; token: \")\", near: \"b)\""},
        {"a BETWEEN :n", "Syntax error; token: \"<EOF>\", near: \":n\""},
        {"a BETWEEN :n OR :m", "Syntax error; token: \"OR\", near: \":n OR :m\""},
        {"a.b. = :n", "Syntax error; token: \"=\", near: \". = :n\""},
        {"a.and = :n", "Syntax error; token: \"and\", near: \".and =\""},
        {"a[b] = :n", "Syntax error; token: \"b\", near: \"[b]\""},
        {"a[-1] = :n", "Syntax error; token: \"-\", near: \"[-1\""},
        {"a[01] = :n", "Syntax error; token: \"1\", near: \"01]\""},
        {"a[0 = :n", "Syntax error; token: \"=\", near: \"0 = :n\""},
        {"(a).b = :n", "Syntax error; token: \".\", near: \").b\""},
        {"#f(a)", "Syntax error; token: \"(\", near: \"#f(a\""},
        {"size( ) = :n", "Syntax error; token: \")\", near: \"( ) =\""},
        {"a = b + c", "Syntax error; token: \"+\", near: \"b + c\""},
        {"((name = :n) AND ((a = :n", "Syntax error; token: \"<EOF>\", near: \":n\""},
        {"\xC3\xA9 = :n", "Syntax error; token: \"\xC3\xA9\", near: \"\xC3\xA9 =\""},
    };
    assert_messages(cases, COUNT_OF(cases));
}

static void redundant_parentheses_are_refused(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"((a = :n))", "The expression has redundant parentheses;"},
        {"((a)) = :n", "The expression has redundant parentheses;"},
        {"a = ((:n))", "The expression has redundant parentheses;"},
        {"((attribute_exists(a)))", "The expression has redundant parentheses;"},
        {"size(((a))) = :n", "The expression has redundant parentheses;"},
        {"(a = :n) AND ((b = :n OR c = :n))", "The expression has redundant parentheses;"},
        {"NOT ((a = :n))", "The expression has redundant parentheses;"},
        {"a IN (((:n)))", "The expression has redundant parentheses;"},
    };
    assert_messages(cases, COUNT_OF(cases));
}

static void names_functions_and_placeholders_are_checked(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"name = :n", "Attribute name is a reserved keyword; reserved keyword: name"},
        {"a.Path = :n", "Attribute name is a reserved keyword; reserved keyword: Path"},
        {"size(Status) = :n", "Attribute name is a reserved keyword; reserved keyword: Status"},
        {"size = :n", "Attribute name is a reserved keyword; reserved keyword: size"},
        {"a[4294967295] = :n", "List index is not within the allowable range; index: [4294967295]"},
        {"a = b[18446744073709551616]",
         "List index is not within the allowable range; index: [18446744073709551616]"},
        {"foo(a)", "Invalid function name; function: foo"},
        {"foo(bar(a))", "Invalid function name; function: bar"},
        {"Attribute_Exists(a)", "Invalid function name; function: Attribute_Exists"},
        {"if_not_exists(a, :n) = :n", "Invalid function name; function: if_not_exists"},
        {"size(a)",
         "The function is not allowed to be used this way in an expression; function: size"},
        {"NOT size(a)",
         "The function is not allowed to be used this way in an expression; function: size"},
        {"a = :n OR (size(a))",
         "The function is not allowed to be used this way in an expression; function: size"},
        {"attribute_exists(a) = :t",
         "The function is not allowed to be used this way in an expression; function: "
         "attribute_exists"},
        {"a IN (contains(a, :n))",
         "The function is not allowed to be used this way in an expression; function: contains"},
        {"begins_with(a, b, contains(a, :n))",
         "The function is not allowed to be used this way in an expression; function: contains"},
        {"a = :u",
         "An expression attribute value used in expression is not defined; attribute value: :u"},
        {"#u = :u",
         "An expression attribute name used in the document path is not defined; attribute name: "
         "#u"},
        {":u = #u",
         "An expression attribute value used in expression is not defined; attribute value: :u"},
    };
    assert_messages(cases, COUNT_OF(cases));
}

static void operands_are_checked(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"attribute_exists(a, b)",
         "Incorrect number of operands for operator or function; operator or function: "
         "attribute_exists, number of operands: 2"},
        {"contains(a, b, c, d)",
         "Incorrect number of operands for operator or function; operator or function: contains, "
         "number of operands: 4"},
        {"attribute_exists(:n)",
         "Operator or function requires a document path; operator or function: attribute_exists"},
        {"attribute_not_exists(size(a))",
         "Operator or function requires a document path; operator or function: "
         "attribute_not_exists"},
        {"begins_with(a, :n)",
         "Incorrect operand type for operator or function; operator or function: begins_with, "
         "operand type: N"},
        {"begins_with(size(a), :s)",
         "Incorrect operand type for operator or function; operator or function: begins_with, "
         "operand type: N"},
        {"attribute_type(a, :n)",
         "Incorrect operand type for operator or function; operator or function: attribute_type, "
         "operand type: N"},
        {"attribute_type(a, b)",
         "Incorrect operand type for operator or function; operator or function: attribute_type, "
         "operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"},
        {"attribute_type(a, :s)",
         "Invalid attribute type name found; type: x, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
        {"size(:n) = :n",
         "Incorrect operand type for operator or function; operator or function: size, operand "
         "type: N"},
        {"size(size(a)) = :n",
         "Incorrect operand type for operator or function; operator or function: size, operand "
         "type: N"},
        {"size(:z) = :n",
         "Incorrect operand type for operator or function; operator or function: size, operand "
         "type: NULL"},
        {"a < :t",
         "Incorrect operand type for operator or function; operator or function: <, operand type: "
         "BOOL"},
        {":ss >= a",
         "Incorrect operand type for operator or function; operator or function: >=, operand "
         "type: SS"},
        {"a BETWEEN :l AND b",
         "Incorrect operand type for operator or function; operator or function: BETWEEN, operand "
         "type: L"},
        {"a BETWEEN :s AND :n",
         "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
         "operand: AttributeValue: {S:x}, upper bound operand: AttributeValue: {N:1}"},
        {"a BETWEEN :m AND :n",
         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
         "lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"},
        {"a = a",
         "The first operand must be distinct from the remaining operands for this operator or "
         "function; operator: =, first operand: [a]"},
        {"contains(x.#a[1], x.a[1])",
         "The first operand must be distinct from the remaining operands for this operator or "
         "function; operator: contains, first operand: [x, a, [1]]"},
    };
    assert_messages(cases, COUNT_OF(cases));
}

static void of_several_errors_the_kind_decides(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"name = :u AND foo(a) AND ((a = :n))", "The expression has redundant parentheses;"},
        {"name = :u AND size(a) AND foo(a)", "Invalid function name; function: foo"},
        {"name = :u AND size(a)",
         "The function is not allowed to be used this way in an expression; function: size"},
        {"a = :u AND name = :n", "Attribute name is a reserved keyword; reserved keyword: name"},
        /* Of the others, the first condition with any … */
        {"a = a AND b = :u",
         "The first operand must be distinct from the remaining operands for this operator or "
         "function; operator: =, first operand: [a]"},
        /* … and within it the order names and values, counts, distinctness, types. */
        {"contains(#u, b, c)",
         "An expression attribute name used in the document path is not defined; attribute name: "
         "#u"},
        {"begins_with(a, :n) AND begins_with(a, a)",
         "Incorrect operand type for operator or function; operator or function: begins_with, "
         "operand type: N"},
        {"name = a b", "Syntax error; token: \"b\", near: \"a b\""},
    };
    assert_messages(cases, COUNT_OF(cases));
}

/* first, and then count times rest. */
static const char *repeat(struct fixture *fixture, const char *first, const char *rest,
                          size_t count)
{
    struct buffer text = buffer_open(&fixture->arena, 0);
    buffer_append(&text, slice_of_string(first));
    for (size_t i = 0; i < count; i++)
        buffer_append(&text, slice_of_string(rest));
    return fixture_string(fixture, buffer_slice(&text));
}

static void assert_message(struct fixture *fixture, const char *text, const char *message)
{
    const struct node *node = NULL;
    const enum error_code code = parse(fixture, text, &node);
    if (message == NULL) {
        if (code != OK) fail_msg("%.*s", SLICE_ARGS(fixture->call.error.message));
    } else {
        assert_int_equal(code, ERROR_VALIDATION);
        assert_string_equal(fixture_string(fixture, fixture->call.error.message), message);
    }
    call_reset(&fixture->call);
}

static void sizes_and_counts_have_limits(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const char *too_many =
        "Invalid ConditionExpression: The expression contains too many operators; operator count: "
        "301";
    assert_message(&fixture, repeat(&fixture, "NOT a=b", " OR a=b", 149), NULL);
    assert_message(&fixture, repeat(&fixture, "a=b", " OR a=b", 150), too_many);
    assert_message(&fixture, repeat(&fixture, "NOT a=b", " OR a=b", 150), too_many);
    assert_message(&fixture, repeat(&fixture, "a in(:n", ",:n", 99),
                   "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \":n\"");
    const char *full = repeat(&fixture, "a IN (:n", ", :n", 99);
    assert_message(&fixture, repeat(&fixture, full, ")", 1), NULL);
    full = repeat(&fixture, "a IN (:n", ", :n", 100);
    assert_message(&fixture, repeat(&fixture, full, ")", 1),
                   "Invalid ConditionExpression: The IN operator is provided with too many "
                   "operands; number of operands: 101");
    assert_message(&fixture, repeat(&fixture, "a = :n", " ", 4090), NULL);
    assert_message(&fixture, repeat(&fixture, "a = :n", " ", 4091),
                   "Invalid ConditionExpression: Expression size has exceeded the maximum allowed "
                   "size; expression size: 4097");
    fixture_close(&fixture);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const char *redundant =
        "Invalid ConditionExpression: The expression has redundant parentheses;";
    assert_message(&fixture, repeat(&fixture, "", "(", 4096), redundant);
    assert_message(&fixture, repeat(&fixture, "a = ", "(", 4000), redundant);
    assert_message(&fixture, repeat(&fixture, "", "NOT ", 1024),
                   "Invalid ConditionExpression: The expression contains too many operators; "
                   "operator count: 301");
    assert_message(&fixture, repeat(&fixture, "", "f(", 2048),
                   "Invalid ConditionExpression: The expression contains too many operators; "
                   "operator count: 301");
    /* As deep as 300 operators lead. */
    const char *deep = repeat(&fixture, "(", "NOT (", 299);
    deep = repeat(&fixture, deep, "(a)=b", 1);
    assert_message(&fixture, repeat(&fixture, deep, ")", 300), NULL);
    fixture_close(&fixture);
}

static void the_envelope_is_for_calls_that_have_it(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    fixture.call.enveloped = true;
    assert_message(&fixture, "a",
                   "1 validation error detected: Invalid ConditionExpression: Syntax error; token: "
                   "\"<EOF>\", near: \"a\"");
    assert_message(&fixture, "((a = :n))",
                   "1 validation error detected: Invalid ConditionExpression: The expression has "
                   "redundant parentheses;");
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_become_trees),
        cmocka_unit_test(syntax_errors_show_the_token_between_its_neighbours),
        cmocka_unit_test(redundant_parentheses_are_refused),
        cmocka_unit_test(names_functions_and_placeholders_are_checked),
        cmocka_unit_test(operands_are_checked),
        cmocka_unit_test(of_several_errors_the_kind_decides),
        cmocka_unit_test(sizes_and_counts_have_limits),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(the_envelope_is_for_calls_that_have_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
