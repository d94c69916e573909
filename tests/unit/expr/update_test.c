/* SPDX-License-Identifier: Apache-2.0 */
/* update_test — an item, updates, and the item that comes out or the message. */
#include "unit/expr/fixture.h"

static const char item_text[] =
    "{'pk':{'S':'k'},'n':{'N':'10'},'s':{'S':'x'},'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},"
    "{'M':{'a':{'N':'3'}}}]},'o':{'M':{'a':{'N':'1'},'c':{'N':'3'},'m':{'M':{}}}},"
    "'ss':{'SS':['a','b','c']},'ns':{'NS':['1','2']}}";

static const char values[] =
    "{':1':{'N':'1'},':5':{'N':'5'},':x':{'S':'new'},':l':{'L':[{'S':'p'},{'S':'q'}]},"
    "':bc':{'SS':['c','b']},':abc':{'SS':['a','b','c']},':d':{'SS':['0','b','d']},"
    "':n2':{'NS':['2.0']},':m':{'M':{'k':{'N':'7'}}},':bs':{'BS':['AQ==']},"
    "':max':{'N':'9.9E+125'},':tiny':{'N':'1E-130'},"
    "':long':{'N':'1.0000000000000000000000000000000000001'}}";

static struct expression_set parse(struct fixture *fixture, const char *text)
{
    struct expression_set set = {0};
    const enum error_code code = fixture_parse(
        fixture, &(struct fixture_input){EXPRESSION_UPDATE, text, NULL, values}, &set);
    if (code != OK) {
        const struct slice message = fixture->call.error.message;
        const struct slice bare = SLICE("Value provided in ");
        const struct slice enveloped = SLICE("1 validation error detected: Value provided in ");
        if (!slice_has_prefix(message, bare) && !slice_has_prefix(message, enveloped)) {
            fail_msg("%s: %.*s", text, SLICE_ARGS(message));
        }
        call_reset(&fixture->call);
    }
    return set;
}

#define REST_LISTS "'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'M':{'a':{'N':'3'}}}]}"
#define REST_MAP   "'o':{'M':{'a':{'N':'1'},'c':{'N':'3'},'m':{'M':{}}}}"
#define REST_SETS  "'ns':{'NS':['1','2']}"
#define SS         "'ss':{'SS':['a','b','c']}"

static const struct {
    const char *text;
    const char *result;
} updates[] = {
    {"SET a = :x", "{'a':{'S':'new'}," REST_LISTS ",'n':{'N':'10'}," REST_SETS "," REST_MAP
                   ",'pk':{'S':'k'},'s':{'S':'x'}," SS "}"},
    {"SET zz = :x, n = :5", "{" REST_LISTS ",'n':{'N':'5'}," REST_SETS "," REST_MAP
                            ",'pk':{'S':'k'},'s':{'S':'x'}," SS ",'zz':{'S':'new'}}"},
    /* every operand is read from the old item */
    {"SET n = s, s = n", "{" REST_LISTS ",'n':{'S':'x'}," REST_SETS "," REST_MAP
                         ",'pk':{'S':'k'},'s':{'N':'10'}," SS "}"},
    {"SET n = n + :5 REMOVE l, o, ss, ns, s", "{'n':{'N':'15'},'pk':{'S':'k'}}"},
    {"SET n = :5 - n REMOVE l, o, ss, ns, s", "{'n':{'N':'-5'},'pk':{'S':'k'}}"},
    {"SET c = if_not_exists(c, :1) + :1 REMOVE l, o, ss, ns, s, n",
     "{'c':{'N':'2'},'pk':{'S':'k'}}"},
    {"SET n = if_not_exists(n, nowhere) REMOVE l, o, ss, ns, s", "{'n':{'N':'10'},'pk':{'S':'k'}}"},
    /* nested paths */
    {"SET o.b = :x, o.m.z = o.a REMOVE o.c, l, ns, ss, s, n",
     "{'o':{'M':{'a':{'N':'1'},'b':{'S':'new'},'m':{'M':{'z':{'N':'1'}}}}},'pk':{'S':'k'}}"},
    {"REMOVE o.x, o.m.x, l, ns, ss, s, n", "{" REST_MAP ",'pk':{'S':'k'}}"},
    {"SET o.m = :m REMOVE o.a, o.c, l, ns, ss, s, n",
     "{'o':{'M':{'m':{'M':{'k':{'N':'7'}}}}},'pk':{'S':'k'}}"},
    /* lists */
    {"SET l[1] = :x REMOVE o, ns, ss, s, n",
     "{'l':{'L':[{'N':'0'},{'S':'new'},{'N':'2'},{'M':{'a':{'N':'3'}}}]},'pk':{'S':'k'}}"},
    {"SET l[50] = :x, l[7] = :1 REMOVE o, ns, ss, s, n",
     "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'M':{'a':{'N':'3'}}},{'N':'1'},{'S':'new'}]},"
     "'pk':{'S':'k'}}"},
    {"REMOVE l[2], l[0], l[9], o, ns, ss, s, n",
     "{'l':{'L':[{'N':'1'},{'M':{'a':{'N':'3'}}}]},'pk':{'S':'k'}}"},
    {"SET l[9] = :x, l[3].b = :1 REMOVE l[0], l[1], l[2], o, ns, ss, s, n",
     "{'l':{'L':[{'M':{'a':{'N':'3'},'b':{'N':'1'}}},{'S':'new'}]},'pk':{'S':'k'}}"},
    {"REMOVE l[0], l[1], l[2], l[3], o, ns, ss, s, n", "{'l':{'L':[]},'pk':{'S':'k'}}"},
    {"SET l = list_append(l, :l) REMOVE l2, o, ns, ss, s, n",
     "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'M':{'a':{'N':'3'}}},{'S':'p'},{'S':'q'}]},"
     "'pk':{'S':'k'}}"},
    {"SET k = list_append(:l, if_not_exists(k, :l)) REMOVE l, o, ns, ss, s, n",
     "{'k':{'L':[{'S':'p'},{'S':'q'},{'S':'p'},{'S':'q'}]},'pk':{'S':'k'}}"},
    {"SET x = l[3].a + l[1] REMOVE l, o, ns, ss, s, n", "{'pk':{'S':'k'},'x':{'N':'4'}}"},
    {"REMOVE l[3].a, o, ns, ss, s, n",
     "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'M':{}}]},'pk':{'S':'k'}}"},
    /* ADD */
    {"ADD n :5, fresh :1 REMOVE l, o, ss, ns, s",
     "{'fresh':{'N':'1'},'n':{'N':'15'},'pk':{'S':'k'}}"},
    {"ADD o.a :5, o.novel :1 REMOVE l, o.c, o.m, ss, ns, s, n",
     "{'o':{'M':{'a':{'N':'6'},'novel':{'N':'1'}}},'pk':{'S':'k'}}"},
    {"ADD ss :d, fresh :bs REMOVE l, o, ns, s, n",
     "{'fresh':{'BS':['AQ==']},'pk':{'S':'k'},'ss':{'SS':['0','a','b','c','d']}}"},
    {"ADD l[1] :5, l[9] :1 REMOVE o, ns, ss, s, n",
     "{'l':{'L':[{'N':'0'},{'N':'6'},{'N':'2'},{'M':{'a':{'N':'3'}}},{'N':'1'}]},"
     "'pk':{'S':'k'}}"},
    /* DELETE */
    {"DELETE ss :bc, ns :n2 REMOVE l, o, s, n",
     "{'ns':{'NS':['1']},'pk':{'S':'k'},'ss':{'SS':['a']}}"},
    {"DELETE ss :abc REMOVE l, o, ns, s, n", "{'pk':{'S':'k'}}"},
    {"DELETE ss :d, absent :d, o.absent :d REMOVE l, ns, s, n",
     "{" REST_MAP ",'pk':{'S':'k'},'ss':{'SS':['a','c']}}"},
    {"REMOVE absent", "{" REST_LISTS ",'n':{'N':'10'}," REST_SETS "," REST_MAP
                      ",'pk':{'S':'k'},'s':{'S':'x'}," SS "}"},
};

static void updates_make_new_items(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(updates); i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        const struct slice item = fixture_item(&fixture, item_text);
        const struct slice key = fixture_item(&fixture, "{'pk':{'S':'k'}}");
        const struct expression_set set = parse(&fixture, updates[i].text);
        struct slice result = {0};
        if (update_apply(&fixture.call, set.update, item, key, &result) != OK) {
            fail_msg("%s: %.*s", updates[i].text, SLICE_ARGS(fixture.call.error.message));
        }
        assert_string_equal(fixture_print_item(&fixture, result), updates[i].result);
        fixture_close(&fixture);
    }
}

static void a_new_item_starts_from_its_key(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice key = fixture_item(&fixture, "{'pk':{'S':'k'},'sk':{'N':'1'}}");
    const struct expression_set set =
        parse(&fixture, "SET q = :x, a = if_not_exists(a, :5) ADD z :1 REMOVE r DELETE t :bc");
    struct slice result = {0};
    assert_int_equal(update_apply(&fixture.call, set.update, (struct slice){0}, key, &result), OK);
    assert_string_equal(
        fixture_print_item(&fixture, result),
        "{'a':{'N':'5'},'pk':{'S':'k'},'q':{'S':'new'},'sk':{'N':'1'},'z':{'N':'1'}}");
    fixture_close(&fixture);
}

static void what_cannot_be_applied_gets_its_message(void **state)
{
    (void)state;
    static const char invalid_path[] =
        "The document path provided in the update expression is invalid for update";
    static const char absent[] =
        "The provided expression refers to an attribute that does not exist in the item";
    static const char incorrect[] =
        "An operand in the update expression has an incorrect data type";
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"SET absent.b = :1", invalid_path},
        {"SET o.absent.b = :1", invalid_path},
        {"SET s.b = :1", invalid_path},
        {"SET o[0] = :1", invalid_path},
        {"SET l.a = :1", invalid_path},
        {"SET l[9].a = :1", invalid_path},
        {"SET l[0].a = :1", invalid_path},
        {"REMOVE absent.b", invalid_path},
        {"REMOVE s[0]", invalid_path},
        {"ADD absent.b :1", invalid_path},
        {"DELETE o.absent.b :bc", invalid_path},
        {"SET a = absent", absent},
        {"SET a = o.absent", absent},
        {"SET a = l[4]", absent},
        {"SET a = absent + :1", absent},
        {"SET a = list_append(absent, :l)", absent},
        {"SET a = if_not_exists(absent, absent2)", absent},
        /* operands are looked at before paths */
        {"SET absent.b = :1, a = absent", absent},
        {"SET n = n + s", incorrect},
        {"SET n = s - n", incorrect},
        {"SET a = list_append(l, s)", incorrect},
        {"SET a = list_append(n, :l)", incorrect},
        {"SET a = if_not_exists(s, :1) + :1", incorrect},
        {"ADD s :1", incorrect},
        {"ADD n :bc", incorrect},
        {"ADD ss :n2", incorrect},
        {"DELETE ss :n2", incorrect},
        {"DELETE n :bc", incorrect},
        {"SET a = :max + :max",
         "Number overflow. Attempting to store a number with magnitude larger than supported "
         "range"},
        {"SET a = n + :long", "Attempting to store more than 38 significant digits in a Number"},
        {"ADD n :long", "Attempting to store more than 38 significant digits in a Number"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        fixture.call.enveloped = true; /* and yet these come without the envelope */
        const struct slice item = fixture_item(&fixture, item_text);
        const struct expression_set set = parse(&fixture, cases[i].text);
        struct slice result = {0};
        const enum error_code code = update_apply(&fixture.call, set.update, item, item, &result);
        ASSERT_CASE(code == ERROR_VALIDATION, cases[i].text);
        assert_string_equal(fixture_string(&fixture, fixture.call.error.message), cases[i].message);
        fixture_close(&fixture);
    }
}

static void a_new_item_has_nothing_to_read(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice key = fixture_item(&fixture, "{'pk':{'S':'k'}}");
    struct slice result = {0};
    const struct expression_set set = parse(&fixture, "SET n = n + :1");
    assert_int_equal(update_apply(&fixture.call, set.update, (struct slice){0}, key, &result),
                     ERROR_VALIDATION);
    assert_string_equal(
        fixture_string(&fixture, fixture.call.error.message),
        "The provided expression refers to an attribute that does not exist in the item");
    fixture_close(&fixture);
}

/* count opening parts, then count closing ones. */
static const char *nested(struct fixture *fixture, size_t count)
{
    struct buffer text = buffer_open(&fixture->arena, 0);
    BUFFER_TEXT(&text, "{'pk':{'S':'k'},'a':");
    for (size_t i = 0; i < count; i++)
        BUFFER_TEXT(&text, "{'M':{'a':");
    BUFFER_TEXT(&text, "{'N':'1'}");
    for (size_t i = 0; i < count; i++)
        BUFFER_TEXT(&text, "}}");
    BUFFER_TEXT(&text, "}");
    return fixture_string(fixture, buffer_slice(&text));
}

static void nesting_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice item = fixture_item(&fixture, nested(&fixture, LIMIT_NESTING_LEVELS - 2));
    struct buffer path = buffer_open(&fixture.arena, 0);
    BUFFER_TEXT(&path, "SET a");
    for (size_t i = 0; i < LIMIT_NESTING_LEVELS - 2; i++)
        BUFFER_TEXT(&path, ".a");
    BUFFER_TEXT(&path, " = ");
    const size_t length = path.length;
    struct slice result = {0};

    BUFFER_TEXT(&path, ":m"); /* a map at level 31 with a scalar at 32 */
    struct expression_set set = parse(&fixture, fixture_string(&fixture, buffer_slice(&path)));
    assert_int_equal(update_apply(&fixture.call, set.update, item, item, &result), OK);
    assert_true(value_is_valid(result));

    path.length = length;
    BUFFER_TEXT(&path, "a"); /* 30 levels below 31 */
    set = parse(&fixture, fixture_string(&fixture, buffer_slice(&path)));
    assert_int_equal(update_apply(&fixture.call, set.update, item, item, &result),
                     ERROR_VALIDATION);
    assert_string_equal(fixture_string(&fixture, fixture.call.error.message),
                        "Nesting Levels have exceeded supported limits");
    fixture_close(&fixture);
}

static void touched_parts_are_projected_from_old_and_new(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice item = fixture_item(&fixture, item_text);
    const struct expression_set set =
        parse(&fixture, "SET n = n + :1, o.b = :x REMOVE o.a, l[0] ADD fresh :1 DELETE ss :abc");
    struct slice result = {0};
    assert_int_equal(update_apply(&fixture.call, set.update, item, item, &result), OK);
    const struct projection *touched = set.update->touched;
    assert_string_equal(
        fixture_print_item(&fixture, projection_apply(touched, item, &fixture.arena)),
        "{'l':{'L':[{'N':'0'}]},'n':{'N':'10'},'o':{'M':{'a':{'N':'1'}}},'ss':{'SS':['a','b','c']}"
        "}");
    assert_string_equal(
        fixture_print_item(&fixture, projection_apply(touched, result, &fixture.arena)),
        "{'fresh':{'N':'1'},'l':{'L':[{'N':'1'}]},'n':{'N':'11'},'o':{'M':{'b':{'S':'new'}}}}");
    fixture_close(&fixture);
}

static void each_action_weighs_what_the_service_adds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
    } cases[] = {
        {"SET a = :1", 3 + 19},
        {"SET a = :1, b = :1 ADD c :1", 3 + 3 * 19},
        {"REMOVE a, b DELETE c :bc", 3 + 3 * 2},
        {"SET l[0] = :1", 3 + 19 + 1},
        {"SET a = a + :1", 3 + 19 + 50},
        {"SET l[0].a = n - :1 REMOVE b", 3 + 19 + 1 + 50 + 2},
        {"SET a = if_not_exists(a, :1)", 3 + 19},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        const struct expression_set set = parse(&fixture, cases[i].text);
        assert_int_equal(update_overhead(set.update), cases[i].bytes);
        fixture_close(&fixture);
    }
}

/* No expression says so, but AttributeUpdates do. */
static void adding_a_list_appends_it(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice item = fixture_item(&fixture, "{'l':{'L':[{'N':'0'}]},'pk':{'S':'k'}}");
    const struct path_step steps[] = {{.name = SLICE("l")}};
    const struct node operand = {.kind = NODE_VALUE, .value = item_attribute(item, SLICE("l"))};
    const struct action action = {ACTION_ADD, {steps, 1}, &operand};
    const struct update update = {.actions = &action, .count = 1};
    struct slice result = {0};
    assert_int_equal(update_apply(&fixture.call, &update, item, item, &result), OK);
    assert_string_equal(fixture_print_item(&fixture, result),
                        "{'l':{'L':[{'N':'0'},{'N':'0'}]},'pk':{'S':'k'}}");
    fixture_close(&fixture);
}

/* Many attributes: the sort is another one then. */
static void hundreds_of_actions_are_applied_together(void **state)
{
    (void)state;
    enum { ACTIONS = 400 };
    struct fixture fixture;
    fixture_open(&fixture);
    const struct slice key = fixture_item(&fixture, "{'pk':{'S':'k'}}");
    struct buffer text = buffer_open(&fixture.arena, 0);
    BUFFER_TEXT(&text, "SET ");
    for (unsigned i = 0; i < ACTIONS; i++) {
        buffer_append_format(&text, "%sa%u=:1", i == 0 ? "" : ",", i * 7919 % ACTIONS);
    }
    struct expression_set set = parse(&fixture, fixture_string(&fixture, buffer_slice(&text)));
    struct slice result = {0};
    assert_int_equal(update_apply(&fixture.call, set.update, (struct slice){0}, key, &result), OK);
    assert_true(value_is_valid(result));
    assert_int_equal(value_read(result).count, ACTIONS + 1);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_make_new_items),
        cmocka_unit_test(a_new_item_starts_from_its_key),
        cmocka_unit_test(what_cannot_be_applied_gets_its_message),
        cmocka_unit_test(a_new_item_has_nothing_to_read),
        cmocka_unit_test(nesting_beyond_the_limit_is_refused),
        cmocka_unit_test(touched_parts_are_projected_from_old_and_new),
        cmocka_unit_test(each_action_weighs_what_the_service_adds),
        cmocka_unit_test(adding_a_list_appends_it),
        cmocka_unit_test(hundreds_of_actions_are_applied_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
