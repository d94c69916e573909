/* SPDX-License-Identifier: Apache-2.0 */
/* next_token — tokens go round, and belong to their statement. */
#include "partiql/next_token.h"

#include "base/base64.h"
#include "fixture.h"

static void tokens_come_back_as_they_were(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct statement_input input = {.text = SLICE("SELECT * FROM T")};
    const struct next_token token = {7, fixture_item(&fixture, "{'p':{'S':'a'}}")};
    struct next_token read;
    const struct slice text = next_token_write(&fixture.arena, &input, &token);
    assert_int_equal(next_token_read(&fixture.call, &input, text, &read), OK);
    assert_int_equal(read.range, token.range);
    ASSERT_SLICE(read.key, token.key);
    fixture_close(&fixture);
}

static void tokens_belong_to_statement_and_parameters(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct value values[] = {value_scalar(&fixture.arena, VALUE_STRING, SLICE("x")),
                                   value_scalar(&fixture.arena, VALUE_STRING, SLICE("y"))};
    const struct statement_input inputs[] = {
        {SLICE("SELECT * FROM T WHERE a = ?"), &values[0], 1},
        {SLICE("SELECT * FROM T WHERE a = ?"), &values[1], 1},
        {SLICE("SELECT * FROM T WHERE b = ?"), &values[0], 1},
        {SLICE("SELECT * FROM T WHERE a = ?"), NULL, 0},
    };
    const struct next_token token = {0, fixture_item(&fixture, "{'p':{'S':'a'}}")};
    const struct slice text = next_token_write(&fixture.arena, &inputs[0], &token);
    for (size_t i = 1; i < COUNT_OF(inputs); i++) {
        struct next_token read;
        assert_int_equal(next_token_read(&fixture.call, &inputs[i], text, &read), ERROR_VALIDATION);
        ASSERT_SLICE(fixture.call.error.message, SLICE("NextToken does not match request"));
        call_reset(&fixture.call);
    }
    fixture_close(&fixture);
}

/* Every token with one bit turned is refused, or names another place; none is trusted. */
static void broken_tokens_are_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    const struct statement_input input = {.text = SLICE("SELECT * FROM T")};
    const struct next_token token = {0, fixture_item(&fixture, "{'p':{'S':'a'}}")};
    const struct slice text = next_token_write(&fixture.arena, &input, &token);
    struct slice bytes;
    assert_int_equal(base64_decode(text, &fixture.arena, &bytes), BASE64_OK);
    for (size_t bit = 0; bit < 8 * bytes.length; bit++) {
        struct next_token read;
        uint8_t *turned = arena_alloc(&fixture.arena, bytes.length);
        memcpy(turned, bytes.data, bytes.length);
        turned[bit / 8] = (uint8_t)(turned[bit / 8] ^ 1U << bit % 8);
        struct buffer again = buffer_open(&fixture.arena, 0);
        base64_append(&again, slice_of(turned, bytes.length));
        if (next_token_read(&fixture.call, &input, buffer_slice(&again), &read) == OK) {
            assert_true(value_is_valid(read.key));
            assert_true(read.range != token.range || !slice_equal(read.key, token.key));
        }
        call_reset(&fixture.call);
    }
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_back_as_they_were),
        cmocka_unit_test(tokens_belong_to_statement_and_parameters),
        cmocka_unit_test(broken_tokens_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
