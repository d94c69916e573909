/* SPDX-License-Identifier: Apache-2.0 */
/* error_test — one failure is recorded, with its text, and known by its wire names. */
#include "model/error.h"
#include "unit/unit.h"

static jmp_buf escape;

static void jump(const char *condition, const char *file, int line)
{
    (void)condition;
    (void)file;
    (void)line;
    longjmp(escape, 1);
}

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

static void a_failure_is_recorded_with_its_text(void **state)
{
    struct call *call = *state;
    assert_int_equal(fail(call, ERROR_RESOURCE_IN_USE, "Table already exists: %s", "t"),
                     ERROR_RESOURCE_IN_USE);
    assert_int_equal(call->error.code, ERROR_RESOURCE_IN_USE);
    ASSERT_SLICE(call->error.message, SLICE("Table already exists: t"));
}

static void a_long_text_is_recorded_whole(void **state)
{
    struct call *call = *state;
    (void)fail(call, ERROR_VALIDATION, "%50000d", 1);
    assert_int_equal(call->error.message.length, 50000);
}

static void only_an_enveloped_call_wraps_the_message(void **state)
{
    struct call *call = *state;
    assert_int_equal(fail_enveloped(call, "bad %d", 7), ERROR_VALIDATION);
    ASSERT_SLICE(call->error.message, SLICE("bad 7"));
    call_reset(call);
    call->enveloped = true;
    assert_int_equal(fail_enveloped(call, "bad %d", 7), ERROR_VALIDATION);
    ASSERT_SLICE(call->error.message, SLICE("1 validation error detected: bad 7"));
    call_reset(call);
    (void)fail(call, ERROR_VALIDATION, "bad");
    ASSERT_SLICE(call->error.message, SLICE("bad"));
}

/* False when a CHECK stopped it. */
static bool is_taken(struct call *call, const char *message)
{
    volatile bool taken = false;
    check_set_handler(jump);
    if (setjmp(escape) == 0) {
        (void)fail(call, ERROR_VALIDATION, "%s", message);
        taken = true;
    }
    check_set_handler(NULL);
    return taken;
}

static void a_second_failure_is_a_mistake_of_ours(void **state)
{
    struct call *call = *state;
    assert_true(is_taken(call, "first"));
    assert_false(is_taken(call, "second"));
    ASSERT_SLICE(call->error.message, SLICE("first"));
}

static void a_reset_call_can_fail_again(void **state)
{
    struct call *call = *state;
    (void)fail(call, ERROR_VALIDATION, "first");
    call_reset(call);
    assert_int_equal(call->error.code, OK);
    (void)fail(call, ERROR_THROTTLING, "second");
    assert_int_equal(call->error.code, ERROR_THROTTLING);
}

static void kinds_have_their_names_on_the_wire(void **state)
{
    (void)state;
    static const struct {
        enum error_code code;
        const char *type;
        int status;
    } cases[] = {
        {ERROR_VALIDATION, "com.amazon.coral.validate#ValidationException", 400},
        {ERROR_SERIALIZATION, "com.amazon.coral.service#SerializationException", 400},
        {ERROR_THROTTLING, "com.amazon.coral.availability#ThrottlingException", 400},
        {ERROR_RESOURCE_NOT_FOUND, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
         400},
        {ERROR_INTERNAL, "com.amazonaws.dynamodb.v20120810#InternalServerError", 500},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct error_kind *kind = error_kind(cases[i].code);
        assert_string_equal(kind->type, cases[i].type);
        assert_int_equal(kind->http_status, cases[i].status);
    }
}

static void every_client_error_has_a_complete_kind(void **state)
{
    (void)state;
    for (enum error_code code = OK + 1; code < ERROR_STALE; code++) {
        const struct error_kind *kind = error_kind(code);
        assert_non_null(kind->type);
        assert_string_equal(strchr(kind->type, '#') + 1, kind->name);
        assert_true(kind->http_status == 400 || kind->http_status == 500);
        assert_true(strcmp(kind->message_member, "message") == 0 ||
                    strcmp(kind->message_member, "Message") == 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_call, close_call)
    const struct CMUnitTest tests[] = {
        TEST(a_failure_is_recorded_with_its_text),
        TEST(a_long_text_is_recorded_whole),
        TEST(only_an_enveloped_call_wraps_the_message),
        TEST(a_second_failure_is_a_mistake_of_ours),
        TEST(a_reset_call_can_fail_again),
        TEST(kinds_have_their_names_on_the_wire),
        TEST(every_client_error_has_a_complete_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
