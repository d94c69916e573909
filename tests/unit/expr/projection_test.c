/* SPDX-License-Identifier: Apache-2.0 */
/* projection_test — projection expressions, and what they cut out of items. */
#include "unit/expr/fixture.h"

static void the_named_parts_remain(void **state)
{
    (void)state;
    static const char item[] =
        "{'a':{'N':'1'},'b':{'M':{'c':{'S':'x'},'d':{'L':[{'N':'0'},{'N':'1'},"
        "{'M':{'e':{'N':'2'},'f':{'N':'3'}}},{'N':'4'}]}}},'l':{'L':[{'S':'p'},{'S':'q'},"
        "{'S':'r'}]},'dot.ted':{'BOOL':true},'z':{'NULL':true}}";
    static const struct {
        const char *text;
        const char *result;
    } cases[] = {
        {"a", "{'a':{'N':'1'}}"},
        {"z, a", "{'a':{'N':'1'},'z':{'NULL':true}}"},
        {"absent", "{}"},
        {"absent, z", "{'z':{'NULL':true}}"},
        {"b.c", "{'b':{'M':{'c':{'S':'x'}}}}"},
        {"b.d[1]", "{'b':{'M':{'d':{'L':[{'N':'1'}]}}}}"},
        {"b.d[3],b.d[0]", "{'b':{'M':{'d':{'L':[{'N':'0'},{'N':'4'}]}}}}"},
        {"b.d[2].f", "{'b':{'M':{'d':{'L':[{'M':{'f':{'N':'3'}}}]}}}}"},
        {"b.d[2].f, b.d[2].e, b.d[0], b.c",
         "{'b':{'M':{'c':{'S':'x'},'d':{'L':[{'N':'0'},{'M':{'e':{'N':'2'},'f':{'N':'3'}}}]}}}}"},
        {"b.d[9], b.x, a.b, l.x, z[0]", "{}"},
        {"b.d[0].x, a", "{'a':{'N':'1'}}"},
        {"l[2], l[0]", "{'l':{'L':[{'S':'p'},{'S':'r'}]}}"},
        {"#d", "{'dot.ted':{'BOOL':true}}"},
        {"dot.ted", "{}"},
        {"b, l", "{'b':{'M':{'c':{'S':'x'},'d':{'L':[{'N':'0'},{'N':'1'},{'M':{'e':{'N':'2'},'f':"
                 "{'N':'3'}}},{'N':'4'}]}}},'l':{'L':[{'S':'p'},{'S':'q'},{'S':'r'}]}}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        const char *names = strchr(cases[i].text, '#') == NULL ? NULL : "{'#d':'dot.ted'}";
        const struct expression_set set =
            fixture_parsed(&fixture, EXPRESSION_PROJECTION, cases[i].text, names, NULL);
        const struct slice result =
            projection_apply(set.projection, fixture_item(&fixture, item), &fixture.arena);
        assert_string_equal(fixture_print_item(&fixture, result), cases[i].result);
        fixture_close(&fixture);
    }
}

static void no_item_gives_an_empty_one(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct expression_set set =
        fixture_parsed(&fixture, EXPRESSION_PROJECTION, "a", NULL, NULL);
    const struct slice result = projection_apply(set.projection, (struct slice){0}, &fixture.arena);
    assert_string_equal(fixture_print_item(&fixture, result), "{}");
    fixture_close(&fixture);
}

/* Other front doors than the parser may name a part twice: the larger one wins. */
static void a_whole_contains_its_parts(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct path_step deep[] = {{.name = SLICE("b")}, {.name = SLICE("c")}};
    const struct path_step index[] = {{.name = SLICE("b")}, {.index = 0}};
    const struct path paths[] = {{deep, 2}, {deep, 1}, {index, 2}, {deep, 1}};
    const struct projection *projection = projection_new(&fixture.arena, paths, COUNT_OF(paths));
    const struct slice item = fixture_item(&fixture, "{'b':{'M':{'c':{'N':'1'},'d':{'N':'2'}}}}");
    assert_string_equal(
        fixture_print_item(&fixture, projection_apply(projection, item, &fixture.arena)),
        "{'b':{'M':{'c':{'N':'1'},'d':{'N':'2'}}}}");
    /* Names and indexes into one attribute: whichever it is. */
    const struct path mixed[] = {{index, 2}, {deep, 2}};
    projection = projection_new(&fixture.arena, mixed, COUNT_OF(mixed));
    assert_string_equal(
        fixture_print_item(&fixture, projection_apply(projection, item, &fixture.arena)),
        "{'b':{'M':{'c':{'N':'1'}}}}");
    const struct slice list = fixture_item(&fixture, "{'b':{'L':[{'N':'1'},{'N':'2'}]}}");
    assert_string_equal(
        fixture_print_item(&fixture, projection_apply(projection, list, &fixture.arena)),
        "{'b':{'L':[{'N':'1'}]}}");
    fixture_close(&fixture);
}

static void wrong_projections_get_their_messages(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "The expression can not be empty;"},
        {"!!!", "Syntax error; token: \"!\", near: \"!!\""},
        {"dummy-id", "Syntax error; token: \"-\", near: \"dummy-id\""},
        {"#m_2021-03-03", "Syntax error; token: \"-\", near: \"#m_2021-0\""},
        {"a,", "Syntax error; token: \"<EOF>\", near: \",\""},
        {"a b", "Syntax error; token: \"b\", near: \"a b\""},
        {":v", "Syntax error; token: \":v\", near: \":v\""},
        {"(a)", "Syntax error; token: \"(\", near: \"(a\""},
        {"size(a)", "Syntax error; token: \"(\", near: \"size(a\""},
        {"Path", "Attribute name is a reserved keyword; reserved keyword: Path"},
        {"#u, name", "Attribute name is a reserved keyword; reserved keyword: name"},
        {"#u",
         "An expression attribute name used in the document path is not defined; attribute name: "
         "#u"},
        {"a, b, a.b",
         "Two document paths overlap with each other; must remove or rewrite one of these paths; "
         "path one: [a], path two: [a, b]"},
        {"a, a",
         "Two document paths overlap with each other; must remove or rewrite one of these paths; "
         "path one: [a], path two: [a]"},
        {"z, a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.a.b.c.d.e.f.g.h",
         "The document path has too many nesting levels; nesting levels: 33"},
        {"a[4294967295]", "List index is not within the allowable range; index: [4294967295]"},
        {"a[1], a.b",
         "Two document paths conflict with each other; must remove or rewrite one of these paths; "
         "path one: [a, [1]], path two: [a, b]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        struct expression_set set;
        const enum error_code code = fixture_parse(
            &fixture, &(struct fixture_input){EXPRESSION_PROJECTION, cases[i].text, NULL, NULL},
            &set);
        ASSERT_CASE(code == ERROR_VALIDATION, cases[i].text);
        ASSERT_SLICE(
            fixture.call.error.message,
            arena_format(&fixture.arena, "Invalid ProjectionExpression: %s", cases[i].message));
        fixture_close(&fixture);
    }
}

/* As those of a PartiQL statement may be. */
static void paths_too_deep_for_any_item_match_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    struct path_step steps[LIMIT_EXPRESSION_BYTES];
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        steps[i] = (struct path_step){.name = SLICE("a")};
    const struct path_step z = {.name = SLICE("z")};
    const struct path paths[] = {{&z, 1}, {steps, COUNT_OF(steps)}};
    const struct projection *projection = projection_new(&fixture.arena, paths, COUNT_OF(paths));
    const struct slice item = fixture_item(&fixture, "{'a':{'M':{'a':{'N':'1'}}},'z':{'N':'2'}}");
    assert_string_equal(
        fixture_print_item(&fixture, projection_apply(projection, item, &fixture.arena)),
        "{'z':{'N':'2'}}");
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_named_parts_remain),
        cmocka_unit_test(no_item_gives_an_empty_one),
        cmocka_unit_test(a_whole_contains_its_parts),
        cmocka_unit_test(wrong_projections_get_their_messages),
        cmocka_unit_test(paths_too_deep_for_any_item_match_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
