/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c_test — the RFC's examples, by the instruction and by the tables. */
#include "base/crc32c.h"
#include "unit/unit.h"

enum { BYTES = 32 };

static const struct {
    const char *name;
    uint8_t bytes[BYTES];
    size_t length;
    uint32_t checksum;
} cases[] = {
    {"nothing", {0}, 0, 0},
    {"zeros", {0}, BYTES, 0x8A9136AAu},
    {"ones",
     {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
     BYTES,
     0x62A8AB43u},
    {"rising",
     {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
     BYTES,
     0x46DD794Eu},
    {"digits", {'1', '2', '3', '4', '5', '6', '7', '8', '9'}, 9, 0xE3069283u},
};

static void assert_cases(const struct crc32c *crc)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct slice bytes = slice_of(cases[i].bytes, cases[i].length);
        ASSERT_CASE(crc32c_extend(crc, 0, bytes) == cases[i].checksum, cases[i].name);
    }
}

static void the_rfcs_examples_hold(void **state)
{
    (void)state;
    struct crc32c crc;
    crc32c_open(&crc);
    assert_cases(&crc);
    crc.has_instruction = false;
    assert_cases(&crc);
}

static void a_checksum_can_be_taken_in_parts(void **state)
{
    (void)state;
    struct crc32c crc;
    crc32c_open(&crc);
    for (int round = 0; round < 2; round++) {
        for (size_t first = 0; first <= BYTES; first++) {
            const struct slice all = slice_of(cases[3].bytes, BYTES);
            const uint32_t begun = crc32c_extend(&crc, 0, slice_of(all.data, first));
            const struct slice rest = slice_of(all.data + first, BYTES - first);
            assert_int_equal(crc32c_extend(&crc, begun, rest), cases[3].checksum);
        }
        crc.has_instruction = false;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_examples_hold),
        cmocka_unit_test(a_checksum_can_be_taken_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
