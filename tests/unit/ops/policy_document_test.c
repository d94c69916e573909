/* SPDX-License-Identifier: Apache-2.0 */
/* policy_document: many spellings, one form; what is no policy is refused. */
#include "ops/policy_document.h"

#include "unit/unit.h"

#define INVALID "One or more parameter values were invalid: Invalid policy document: "

static struct arena arena;

static int open_arena(void **state)
{
    (void)state;
    arena_open(&arena, 0);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

static void policies_are_brought_into_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *form;
    } cases[] = {
        {"{\"Statement\":[{\"Resource\":\"r\"}]}",
         "{\"Version\":\"2008-10-17\",\"Statement\":[{\"Resource\":\"r\"}]}"},
        {" { \"Statement\" : { \"Resource\" : [ \"r\" ] , \"Effect\" : \"ALLOW\" } , "
         "\"Version\":\"v\" } ",
         "{\"Version\":\"v\",\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"r\"}]}"},
        {"{\"Version\":\"v\",\"Id\":\"i\",\"Statement\":[{\"Action\":[\"a\",\"b\"],\"Sid\":\"s\","
         "\"Resource\":[\"r\",\"q\"],\"Effect\":\"deny\"}]}",
         "{\"Version\":\"v\",\"Id\":\"i\",\"Statement\":[{\"Sid\":\"s\",\"Effect\":\"Deny\","
         "\"Action\":[\"a\",\"b\"],\"Resource\":[\"r\",\"q\"]}]}"},
        {"{\"Statement\":[{\"Principal\":{\"AWS\":[\"123456789012\"]},\"Resource\":\"*\"}]}",
         "{\"Version\":\"2008-10-17\",\"Statement\":[{\"Principal\":{\"AWS\":"
         "\"arn:aws:iam::123456789012:root\"},\"Resource\":\"*\"}]}"},
        {"{\"Statement\":[{\"Principal\":\"*\",\"NotResource\":\"r\",\"Condition\":"
         "{\"Bool\":{\"x\": [true, 1.5, null]}}}]}",
         "{\"Version\":\"2008-10-17\",\"Statement\":[{\"Principal\":\"*\",\"NotResource\":\"r\","
         "\"Condition\":{\"Bool\":{\"x\":[true,1.5,null]}}}]}"},
        {"{\"Statement\":[{\"Resource\":\"caf\\u00e9\"}]}",
         "{\"Version\":\"2008-10-17\",\"Statement\":[{\"Resource\":\"caf\xC3\xA9\"}]}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct call call = {.arena = &arena};
        struct slice once;
        struct slice twice;
        assert_int_equal(policy_document_read(&call, slice_of_string(cases[i].text), &once), OK);
        ASSERT_SLICE(once, slice_of_string(cases[i].form));
        assert_int_equal(policy_document_read(&call, once, &twice), OK);
        ASSERT_SLICE(twice, once);
    }
}

static void what_is_no_policy_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{", INVALID "This policy contains invalid Json"},
        {"[]", INVALID "This policy contains invalid Json"},
        {"{}", INVALID "Could not parse the policy: Statement is empty!"},
        {"{\"Statement\":[]}", INVALID "Could not parse the policy: Statement is empty!"},
        {"{\"Statement\":[5]}", INVALID "This policy contains invalid Json"},
        {"{\"Statement\":[{}]}", INVALID "Missing required field Resource"},
        {"{\"Statement\":\"x\"}", INVALID "This policy contains invalid Json"},
        {"{\"Statement\":[{\"Sid\":\"a\",\"Resource\":\"r\"},{\"Sid\":\"a\",\"Resource\":\"r\"}]}",
         INVALID "The Statement Ids in the policy are not unique"},
        {"{\"Statement\":[{\"Resource\":[[[[[[[[[[[[[[[[[[[[\"r\"]]]]]]]]]]]]]]]]]]]]}]}",
         INVALID "This policy contains invalid Json"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct call call = {.arena = &arena};
        struct slice policy;
        const enum error_code code =
            policy_document_read(&call, slice_of_string(cases[i].text), &policy);
        ASSERT_CASE(code == ERROR_VALIDATION, cases[i].text);
        ASSERT_SLICE(call.error.message, slice_of_string(cases[i].message));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(policies_are_brought_into_one_form, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(what_is_no_policy_is_refused, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
