/* SPDX-License-Identifier: Apache-2.0 */
/* value_json_test — DynamoDB JSON in and out, and the service's refusals in the service's order. */
#include "model/limits.h"
#include "model/value_json.h"
#include "unit/unit.h"

static int open_call(void **state)
{
    static struct arena arena;
    static struct call call;
    arena_open(&arena, 0);
    call = (struct call){.arena = &arena};
    *state = &call;
    return 0;
}

static int close_call(void **state)
{
    struct call *call = *state;
    arena_close(call->arena);
    return 0;
}

static enum error_code read_item(struct call *call, const char *text, struct slice *item)
{
    const struct json_token *token = json_parse(call->arena, slice_of_string(text), NULL);
    ASSERT_CASE(token != NULL, text);
    call_reset(call);
    return item_from_json(call, token, item);
}

static struct slice write_item(struct call *call, struct slice item)
{
    struct buffer out = buffer_open(call->arena, 0);
    item_to_json(&out, item);
    return buffer_slice(&out);
}

static void items_come_back_in_canonical_form(void **state)
{
    struct call *call = *state;
    static const char *const cases[][2] = {
        {"{}", "{}"},
        {"{\"a\":{\"S\":\"x\"}}", "{\"a\":{\"S\":\"x\"}}"},
        {"{\"b\":{\"N\":\"01.50\"},\"a\":{\"NULL\":true}}",
         "{\"a\":{\"NULL\":true},\"b\":{\"N\":\"1.5\"}}"},
        {"{\"a\":{\"B\":\"AP8=\"}}", "{\"a\":{\"B\":\"AP8=\"}}"},
        {"{\"a\":{\"SS\":[\"b\",\"\",\"a\"]}}", "{\"a\":{\"SS\":[\"\",\"a\",\"b\"]}}"},
        {"{\"a\":{\"NS\":[\"10\",\"-1\",\"9\",\"1e1000000\"]}}", NULL},
        {"{\"a\":{\"NS\":[\"10\",\"-1\",\"9\"]}}", "{\"a\":{\"NS\":[\"-1\",\"9\",\"10\"]}}"},
        {"{\"a\":{\"BS\":[\"Yg==\",\"YQ==\"]}}", "{\"a\":{\"BS\":[\"YQ==\",\"Yg==\"]}}"},
        {"{\"a\":{\"L\":[{\"S\":\"\"},{\"L\":[]},{\"BOOL\":false}]}}",
         "{\"a\":{\"L\":[{\"S\":\"\"},{\"L\":[]},{\"BOOL\":false}]}}"},
        {"{\"a\":{\"M\":{\"z\":{\"M\":{}},\"y\":{\"BOOL\":true}}}}",
         "{\"a\":{\"M\":{\"y\":{\"BOOL\":true},\"z\":{\"M\":{}}}}}"},
        {"{\"a\":{\"S\":\"1\"},\"\\u0061\":{\"S\":\"2\"}}", "{\"a\":{\"S\":\"2\"}}"},
        {"{\"a\":{\"S\":\"1\",\"S\":\"2\"}}", "{\"a\":{\"S\":\"2\"}}"},
        {"{\"a\":{\"S\":\"x\",\"N\":null,\"unknown\":[1]}}", "{\"a\":{\"S\":\"x\"}}"},
        {"{\"a\":{\"\\u0053\":\"x\\n\"}}", "{\"a\":{\"S\":\"x\\n\"}}"},
        {"{\"a\":{\"BOOL\":\"Yes\"},\"b\":{\"BOOL\":\"0\"},\"c\":{\"NULL\":\"TRUE\"}}",
         "{\"a\":{\"BOOL\":true},\"b\":{\"BOOL\":false},\"c\":{\"NULL\":true}}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice item;
        const enum error_code code = read_item(call, cases[i][0], &item);
        ASSERT_CASE((code == OK) == (cases[i][1] != NULL), cases[i][0]);
        if (code != OK) continue;
        ASSERT_CASE(value_is_valid(item), cases[i][0]);
        ASSERT_SLICE(write_item(call, item), slice_of_string(cases[i][1]));
    }
}

static void many_attributes_are_sorted_and_the_last_of_a_name_counts(void **state)
{
    struct call *call = *state;
    struct buffer text = buffer_open(call->arena, 0);
    enum { NAMES = 50, ROUNDS = 4 };
    buffer_append_byte(&text, '{');
    for (int i = 0; i < NAMES * ROUNDS; i++) {
        buffer_append_format(&text, "%s\"%d\":{\"N\":\"%d\"}", i == 0 ? "" : ",", i * 7 % NAMES, i);
    }
    buffer_append_byte(&text, '}');
    struct slice item;
    const struct json_token *token = json_parse(call->arena, buffer_slice(&text), NULL);
    assert_int_equal(item_from_json(call, token, &item), OK);
    assert_true(value_is_valid(item));
    assert_int_equal(value_read(item).count, NAMES);
    for (int i = NAMES * (ROUNDS - 1); i < NAMES * ROUNDS; i++) {
        const struct slice name = arena_format(call->arena, "%d", i * 7 % NAMES);
        const struct number expected = number_from_int64(i);
        ASSERT_SLICE(item_attribute(item, name).data, number_slice(&expected));
    }
}

#define EMPTY \
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
#define SEVERAL                                                                                 \
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the " \
    "supported datatypes"
#define NOT_NUMERIC "The parameter cannot be converted to a numeric value"
#define INVALID     "One or more parameter values were invalid: "
#define NOT_TRUE    INVALID "Null attribute value types must have the value of true"

static void wrong_values_are_refused_in_the_services_words(void **state)
{
    struct call *call = *state;
    static const char *const cases[][2] = {
        {"{}", EMPTY},
        {"{\"S\":null}", EMPTY},
        {"{\"unknown\":1}", EMPTY},
        {"{\"S\":\"x\",\"B\":\"\"}", SEVERAL},
        {"{\"N\":\"\"}", NOT_NUMERIC},
        {"{\"N\":\"1x\"}", NOT_NUMERIC ": 1x"},
        {"{\"N\":\"1E126\"}", "Number overflow. Attempting to store a number with magnitude larger "
                              "than supported range"},
        {"{\"N\":\"1E-131\"}", "Number underflow. Attempting to store a number with magnitude "
                               "smaller than supported range"},
        {"{\"N\":\"123456789012345678901234567890123456789\"}",
         "Attempting to store more than 38 significant digits in a Number"},
        {"{\"NULL\":false}", NOT_TRUE},
        {"{\"NULL\":\"no\"}", NOT_TRUE},
        {"{\"SS\":[]}", INVALID "An string set  may not be empty"},
        {"{\"NS\":[]}", INVALID "An number set  may not be empty"},
        {"{\"BS\":[]}", INVALID "Binary sets should not be empty"},
        {"{\"SS\":[\"b\",\"a\",\"b\"]}", INVALID "Input collection [b, a, b] contains duplicates."},
        {"{\"NS\":[\"1\",\"2\",\"1.0\"]}", "Input collection contains duplicates"},
        {"{\"NS\":[\"1\",\"\"]}", NOT_NUMERIC},
        {"{\"BS\":[\"Yg==\",\"YQ==\",\"Yg==\"]}",
         INVALID "Input collection [Yg==, YQ==, Yg==]of type BS contains duplicates."},
        {"{\"B\":\"a\"}", "Base64 encoded length is expected a multiple of 4 bytes but found: 1"},
        {"{\"B\":\"ab==\"}", "Invalid last non-pad Base64 character dectected"},
        {"{\"B\":\"a_==\"}", "only base-64-encoded strings are convertible to bytes"},
        {"{\"L\":[{\"S\":\"\"},{}]}", EMPTY},
        {"{\"M\":{\"a\":{\"S\":\"\"},\"b\":{\"N\":\"\"}}}", NOT_NUMERIC},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice item;
        const struct slice text = arena_format(call->arena, "{\"a\":%s}", cases[i][0]);
        const enum error_code code = read_item(call, (const char *)text.data, &item);
        ASSERT_CASE(code == ERROR_VALIDATION, cases[i][0]);
        ASSERT_SLICE(call->error.message, slice_of_string(cases[i][1]));
    }
}

/* Each case breaks two rules; the one that the service checks first is reported. */
static void faults_are_reported_in_the_services_order(void **state)
{
    struct call *call = *state;
    static const char *const cases[][2] = {
        {"{\"NULL\":false,\"N\":\"x\"}", NOT_NUMERIC ": x"},
        {"{\"SS\":[],\"NULL\":false}", NOT_TRUE},
        {"{\"NS\":[\"x\"],\"SS\":[]}", INVALID "An string set  may not be empty"},
        {"{\"NS\":[\"x\"],\"BS\":[]}", INVALID "Binary sets should not be empty"},
        {"{\"SS\":[\"a\",\"a\"],\"NS\":[\"x\"]}", NOT_NUMERIC ": x"},
        {"{\"L\":[{}],\"SS\":[\"a\",\"a\"]}",
         INVALID "Input collection [a, a] contains duplicates."},
        {"{\"S\":\"x\",\"M\":{\"a\":{}}}", EMPTY},
        {"{\"S\":\"x\",\"L\":[{\"N\":\"\"}]}", NOT_NUMERIC},
        {"{\"S\":\"x\",\"N\":\"1\"}", SEVERAL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice item;
        const struct slice text = arena_format(call->arena, "{\"a\":%s}", cases[i][0]);
        const enum error_code code = read_item(call, (const char *)text.data, &item);
        ASSERT_CASE(code == ERROR_VALIDATION, cases[i][0]);
        ASSERT_SLICE(call->error.message, slice_of_string(cases[i][1]));
    }
}

static void the_first_fault_of_the_request_is_reported(void **state)
{
    struct call *call = *state;
    struct slice item;
    (void)read_item(call, "{\"z\":{\"N\":\"first\"},\"a\":{\"N\":\"second\"}}", &item);
    ASSERT_SLICE(call->error.message, SLICE(NOT_NUMERIC ": first"));
    (void)read_item(
        call, "{\"k\":{\"M\":{\"z\":{\"N\":\"first\"},\"a\":{}}},\"a\":{\"N\":\"second\"}}", &item);
    ASSERT_SLICE(call->error.message, SLICE(NOT_NUMERIC ": first"));
}

static void put_and_update_wrap_the_messages_of_sets_and_null(void **state)
{
    struct call *call = *state;
    call->enveloped = true;
    struct slice item;
    (void)read_item(call, "{\"a\":{\"SS\":[]}}", &item);
    ASSERT_SLICE(call->error.message,
                 SLICE("1 validation error detected: " INVALID "An string set  may not be empty"));
    (void)read_item(call, "{\"a\":{\"NULL\":false}}", &item);
    ASSERT_SLICE(call->error.message, SLICE("1 validation error detected: " NOT_TRUE));
    (void)read_item(call, "{\"a\":{}}", &item);
    ASSERT_SLICE(call->error.message, SLICE(EMPTY));
    (void)read_item(call, "{\"a\":{\"N\":\"x\"}}", &item);
    ASSERT_SLICE(call->error.message, SLICE(NOT_NUMERIC ": x"));
}

static void shapes_that_slipped_through_are_refused(void **state)
{
    struct call *call = *state;
    static const char *const cases[] = {
        "{\"a\":1}",
        "{\"a\":{\"S\":1}}",
        "{\"a\":{\"N\":1}}",
        "{\"a\":{\"B\":[]}}",
        "{\"a\":{\"BOOL\":\"x\"}}",
        "{\"a\":{\"BOOL\":1}}",
        "{\"a\":{\"NULL\":[]}}",
        "{\"a\":{\"L\":{}}}",
        "{\"a\":{\"M\":[]}}",
        "{\"a\":{\"SS\":\"x\"}}",
        "{\"a\":{\"SS\":[1]}}",
        "{\"a\":{\"NS\":[1]}}",
        "{\"a\":{\"BS\":[null]}}",
        "{\"a\":{\"L\":[1]}}",
        "{\"a\":[]}",
        "{\"a\":{\"L\":[null]}}",
        "{\"\":{\"S\":\"x\"}}",
        "{\"a\":{\"M\":{\"\":{\"S\":\"\"}}}}",
        "{\"a\":null}",
        "[]",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice item;
        ASSERT_CASE(read_item(call, cases[i], &item) == ERROR_VALIDATION, cases[i]);
    }
}

static void names_have_at_most_65535_bytes(void **state)
{
    struct call *call = *state;
    for (int length = LIMIT_ATTRIBUTE_NAME_BYTES; length <= LIMIT_ATTRIBUTE_NAME_BYTES + 1;
         length++) {
        const struct slice text = arena_format(call->arena, "{\"%0*d\":{\"S\":\"x\"}}", length, 0);
        struct slice item;
        const enum error_code code = read_item(call, (const char *)text.data, &item);
        assert_int_equal(code == OK, length == LIMIT_ATTRIBUTE_NAME_BYTES);
    }
}

/* ---- nesting --------------------------------------------------------------------------------- */

/* {"a": wraps around {"S":"x"}}, lists and maps by turns. */
static const char *wrapped(struct call *call, unsigned wraps)
{
    struct buffer text = buffer_open(call->arena, 0);
    BUFFER_TEXT(&text, "{\"a\":");
    for (unsigned i = 0; i < wraps; i++) {
        buffer_append(&text, i % 2 == 0 ? SLICE("{\"L\":[") : SLICE("{\"M\":{\"k\":"));
    }
    BUFFER_TEXT(&text, "{\"S\":\"x\"}");
    for (unsigned i = wraps; i > 0; i--) {
        buffer_append(&text, i % 2 == 1 ? SLICE("]}") : SLICE("}}"));
    }
    BUFFER_TEXT(&text, "}");
    return arena_string(call->arena, buffer_slice(&text));
}

static void thirty_two_levels_are_the_limit(void **state)
{
    struct call *call = *state;
    struct slice item;
    assert_int_equal(read_item(call, wrapped(call, 31), &item), OK);
    assert_true(value_is_valid(item));
    assert_int_equal(read_item(call, wrapped(call, 32), &item), ERROR_VALIDATION);
    ASSERT_SLICE(call->error.message,
                 SLICE("Nesting Levels have exceeded supported limits: Attributes in the item have "
                       "nested levels beyond supported limit"));
}

/* A fault deep down must not be looked for again at every level around it. */
static void hostile_nesting_is_refused_at_once(void **state)
{
    struct call *call = *state;
    struct slice item;
    assert_int_equal(read_item(call, wrapped(call, 100000), &item), ERROR_VALIDATION);
}

/* ---- the other entry points ------------------------------------------------------------------ */

static void a_refused_value_leaves_the_buffer_as_it_was(void **state)
{
    struct call *call = *state;
    struct buffer out = buffer_open(call->arena, 0);
    BUFFER_TEXT(&out, "before");
    const struct json_token *token =
        json_parse(call->arena, SLICE("{\"L\":[{\"S\":\"x\"},{}]}"), NULL);
    assert_int_equal(value_from_json(call, token, 1, &out), ERROR_VALIDATION);
    ASSERT_SLICE(buffer_slice(&out), SLICE("before"));
}

static void values_print_as_messages_show_them(void **state)
{
    struct call *call = *state;
    static const char *const cases[][2] = {
        {"{\"S\":\"a b\"}", "{S:a b}"},
        {"{\"N\":\"01\"}", "{N:1}"},
        {"{\"B\":\"AP8=\"}", "{B:AP8=}"},
        {"{\"BOOL\":false}", "{BOOL:false}"},
        {"{\"NULL\":true}", "{NULL:true}"},
        {"{\"SS\":[\"a\",\"b\"]}", "{SS:[a, b]}"},
        {"{\"NS\":[\"2\",\"1\"]}", "{NS:[1, 2]}"},
        {"{\"BS\":[\"YQ==\"]}", "{BS:[YQ==]}"},
        {"{\"L\":[]}", "{L:[]}"},
        {"{\"L\":[{\"S\":\"x\"},{\"N\":\"1\"}]}", "{L:[{S:x}, {N:1}]}"},
        {"{\"M\":{\"k\":{\"S\":\"x\"},\"l\":{\"M\":{}}}}", "{M:{k={S:x}, l={M:{}}}}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct json_token *token =
            json_parse(call->arena, slice_of_string(cases[i][0]), NULL);
        struct buffer value = buffer_open(call->arena, 0);
        assert_int_equal(value_from_json(call, token, 1, &value), OK);
        struct buffer out = buffer_open(call->arena, 0);
        value_to_text(&out, value_read(buffer_slice(&value)));
        ASSERT_SLICE(buffer_slice(&out), slice_of_string(cases[i][1]));
    }
}

static void an_absent_item_prints_as_an_empty_one(void **state)
{
    ASSERT_SLICE(write_item(*state, (struct slice){0}), SLICE("{}"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_call, close_call)
    const struct CMUnitTest tests[] = {
        TEST(items_come_back_in_canonical_form),
        TEST(many_attributes_are_sorted_and_the_last_of_a_name_counts),
        TEST(wrong_values_are_refused_in_the_services_words),
        TEST(faults_are_reported_in_the_services_order),
        TEST(the_first_fault_of_the_request_is_reported),
        TEST(put_and_update_wrap_the_messages_of_sets_and_null),
        TEST(shapes_that_slipped_through_are_refused),
        TEST(names_have_at_most_65535_bytes),
        TEST(thirty_two_levels_are_the_limit),
        TEST(hostile_nesting_is_refused_at_once),
        TEST(a_refused_value_leaves_the_buffer_as_it_was),
        TEST(values_print_as_messages_show_them),
        TEST(an_absent_item_prints_as_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
