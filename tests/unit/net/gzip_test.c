/* SPDX-License-Identifier: Apache-2.0 */
/* gzip_test — bodies in and out, the limit, and who wants compression. */
#include "base/buffer.h"
#include "net/gzip.h"
#include "unit/unit.h"

enum { LIMIT = 100 * 1000 };

struct fixture {
    struct arena arena;
    struct gzip gzip;
};

static int open_fixture(void **state)
{
    static struct fixture fixture;
    arena_open(&fixture.arena, 0);
    gzip_open(&fixture.gzip);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    gzip_close(&fixture->gzip);
    arena_close(&fixture->arena);
    return 0;
}

static struct slice zeros(struct fixture *fixture, size_t length)
{
    return slice_of(arena_alloc(&fixture->arena, length), length);
}

static struct slice deflated(struct fixture *fixture, struct slice body)
{
    struct slice out = {0};
    assert_true(gzip_deflate(&fixture->gzip, body, &fixture->arena, &out));
    return out;
}

static void what_is_deflated_inflates_to_itself(void **state)
{
    struct fixture *fixture = *state;
    for (size_t length = 100; length <= LIMIT; length = length * 3 + 1) {
        uint8_t *bytes = arena_alloc(&fixture->arena, length);
        for (size_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)("compressible"[i % 12] + (int)(i / 1000 % 3));
        const struct slice body = slice_of(bytes, length);
        struct slice back = {0};
        assert_int_equal(
            gzip_inflate(&fixture->gzip, deflated(fixture, body), LIMIT, &fixture->arena, &back),
            GZIP_OK);
        ASSERT_SLICE(back, body);
    }
}

static void what_does_not_shrink_is_not_deflated(void **state)
{
    struct fixture *fixture = *state;
    struct random random;
    unit_random_open(&random);
    uint8_t bytes[2000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)random_next(&random);
    struct slice out = {0};
    assert_false(
        gzip_deflate(&fixture->gzip, slice_of(bytes, sizeof bytes), &fixture->arena, &out));
    assert_false(gzip_deflate(&fixture->gzip, SLICE("a"), &fixture->arena, &out));
}

static void the_limit_is_exact_and_a_bomb_is_cheap(void **state)
{
    struct fixture *fixture = *state;
    struct slice out = {0};
    const struct slice fits = deflated(fixture, zeros(fixture, LIMIT));
    assert_int_equal(gzip_inflate(&fixture->gzip, fits, LIMIT, &fixture->arena, &out), GZIP_OK);
    assert_int_equal(out.length, LIMIT);
    assert_int_equal(gzip_inflate(&fixture->gzip, fits, LIMIT - 1, &fixture->arena, &out),
                     GZIP_TOO_LARGE);
    const struct slice bomb = deflated(fixture, zeros(fixture, 50 * 1000 * 1000));
    assert_int_equal(gzip_inflate(&fixture->gzip, bomb, LIMIT, &fixture->arena, &out),
                     GZIP_TOO_LARGE);
}

static void members_are_joined(void **state)
{
    struct fixture *fixture = *state;
    const struct slice one = deflated(fixture, zeros(fixture, 300));
    struct buffer both = buffer_open(&fixture->arena, 0);
    buffer_append(&both, one);
    buffer_append(&both, one);
    struct slice out = {0};
    assert_int_equal(
        gzip_inflate(&fixture->gzip, buffer_slice(&both), LIMIT, &fixture->arena, &out), GZIP_OK);
    ASSERT_SLICE(out, zeros(fixture, 600));
}

static void every_cut_and_every_flipped_check_is_malformed(void **state)
{
    struct fixture *fixture = *state;
    const struct slice whole = deflated(fixture, zeros(fixture, 3000));
    struct slice out = {0};
    for (size_t length = 0; length < whole.length; length++)
        assert_int_equal(gzip_inflate(&fixture->gzip, slice_of(whole.data, length), LIMIT,
                                      &fixture->arena, &out),
                         GZIP_MALFORMED);
    for (size_t i = whole.length - 8; i < whole.length; i++) { /* CRC and length */
        struct slice copy = arena_copy(&fixture->arena, whole);
        ((uint8_t *)(uintptr_t)copy.data)[i] ^= 1;
        assert_int_equal(gzip_inflate(&fixture->gzip, copy, LIMIT, &fixture->arena, &out),
                         GZIP_MALFORMED);
    }
    assert_int_equal(gzip_inflate(&fixture->gzip, SLICE("{\"a\":1}"), LIMIT, &fixture->arena, &out),
                     GZIP_MALFORMED);
}

static void trailing_bytes_are_malformed(void **state)
{
    struct fixture *fixture = *state;
    struct buffer body = buffer_open(&fixture->arena, 0);
    buffer_append(&body, deflated(fixture, zeros(fixture, 300)));
    BUFFER_TEXT(&body, "x");
    struct slice out = {0};
    assert_int_equal(
        gzip_inflate(&fixture->gzip, buffer_slice(&body), LIMIT, &fixture->arena, &out),
        GZIP_MALFORMED);
}

/* The check value of CRC-32/ISO-HDLC, and the remainder's definition, a bit at a time. */
static void the_checksum_is_that_of_iso_hdlc_at_every_length(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(gzip_crc32(SLICE("123456789")), 0xCBF43926);
    assert_int_equal(gzip_crc32((struct slice){0}), 0);
    struct random random;
    unit_random_open(&random);
    enum { LENGTH_MAX = 700 };
    uint8_t *bytes = arena_alloc(&fixture->arena, LENGTH_MAX);
    uint32_t remainder = UINT32_MAX;
    for (size_t i = 0; i < LENGTH_MAX; i++) {
        bytes[i] = (uint8_t)random_next(&random);
        remainder ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            remainder = remainder >> 1 ^ ((remainder & 1) == 0 ? 0 : 0xEDB88320);
        assert_int_equal(gzip_crc32(slice_of(bytes, i + 1)), remainder ^ UINT32_MAX);
    }
}

static void accept_encoding_is_read_as_http_says(void **state)
{
    static const struct {
        const char *header;
        bool accepted;
    } cases[] = {
        {"gzip", true},
        {"GZip", true},
        {"x-gzip", true},
        {"deflate, gzip", true},
        {" deflate ,\tgzip ; q=0.5 ", true},
        {"gzip;q=1.0, identity; q=0.5, *;q=0", true},
        {"gzip;q=0.001", true},
        {"*", true},
        {"identity;q=1, *;q=0.5", true},
        {"", false},
        {",,", false},
        {"identity", false},
        {"deflate", false},
        {"br;q=1", false},
        {"gzip;q=0", false},
        {"gzip; Q=0.000", false},
        {"*;q=0", false},
        {"*, gzip;q=0", false},
        {"gzip;q=0, *", false},
        {"gzipped", false},
        {"gzi", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ASSERT_CASE(gzip_is_accepted(slice_of_string(cases[i].header)) == cases[i].accepted,
                    cases[i].header);
    assert_false(gzip_is_accepted((struct slice){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_deflated_inflates_to_itself, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(what_does_not_shrink_is_not_deflated, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(the_limit_is_exact_and_a_bomb_is_cheap, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(members_are_joined, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(the_checksum_is_that_of_iso_hdlc_at_every_length,
                                        open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(every_cut_and_every_flipped_check_is_malformed,
                                        open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(trailing_bytes_are_malformed, open_fixture, close_fixture),
        cmocka_unit_test(accept_encoding_is_read_as_http_says),
    };
    return cmocka_run_group_tests_name("net/gzip", tests, NULL, NULL);
}
