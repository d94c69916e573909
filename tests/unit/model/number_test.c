/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number_test — sizes as measured on the service, arithmetic against a slow school-book decimal of
 * one digit per element, order against comparison of those.
 */
#include "model/number.h"
#include "unit/unit.h"

static struct number parse(const char *text)
{
    struct number number;
    const enum number_status status = number_parse(slice_of_string(text), &number);
    ASSERT_CASE(status == NUMBER_OK, text);
    ASSERT_CASE(number_is_valid(number_slice(&number)), text);
    return number;
}

static struct slice print(const struct number *number, char text[NUMBER_TEXT_MAX])
{
    return slice_of(text, number_print(number_slice(number), text));
}

#define NINES_38 "99999999999999999999999999999999999999"

static void numbers_have_the_sizes_measured_on_the_service(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } cases[] = {
        {"1", 2},   {"12", 2},     {"123", 3},   {"1234", 3},      {"12345", 4},   {"0042", 2},
        {"100", 2}, {"1010", 3},   {"1E125", 2}, {"1E-100", 2},    {"0", 1},       {"-0", 1},
        {"1.5", 3}, {"1.200", 3},  {"1.234", 4}, {"3.14159", 5},   {"100.5", 4},   {"0.15", 2},
        {"-42", 3}, {"-12345", 5}, {"-0.15", 3}, {"123456789", 6}, {NINES_38, 20},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ASSERT_CASE(parse(cases[i].text).length == cases[i].size, cases[i].text);
    }
}

static void the_bytes_are_those_of_the_format(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *bytes;
    } cases[] = {
        {"0", "\x80"},
        {"1", "\xC1\x02"},
        {"100", "\xC2\x02"},
        {"-1", "\x3E\x64\x66"},
        {"0.01", "\xC0\x02"},
        {"12.34", "\xC1\x0D\x23"},
        {"0.5", "\xC0\x33"},
        {"1E-130", "\x80\x02"},
        {"-1E-130", "\x7F\x64\x66"},
        {"1E125", "\xFF\x0B"},
        {"10203", "\xC3\x02\x03\x04"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct number number = parse(cases[i].text);
        ASSERT_CASE(slice_equal_string(number_slice(&number), cases[i].bytes), cases[i].text);
    }
}

static void numbers_print_plainly(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"0", "0"},
        {"-0.000", "0"},
        {"+5", "5"},
        {".5", "0.5"},
        {"5.", "5"},
        {"-0.50", "-0.5"},
        {"1e3", "1000"},
        {"1E+3", "1000"},
        {"12.5e1", "125"},
        {"12.5e-1", "1.25"},
        {"0e999999999999", "0"},
        {"00012.3400", "12.34"},
        {"100.001", "100.001"},
        {"1e-5", "0.00001"},
        {"-1e-6", "-0.000001"},
        {"1000000", "1000000"},
        {"0.1", "0.1"},
        {"10.01", "10.01"},
        {"1.10", "1.1"},
        {NINES_38, NINES_38},
        {"1234567890123456789012345678901234567.8", "1234567890123456789012345678901234567.8"},
        {"0."
         "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000001"
         "e90",
         "10"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct number number = parse(cases[i][0]);
        char text[NUMBER_TEXT_MAX];
        ASSERT_SLICE(print(&number, text), slice_of_string(cases[i][1]));
    }
}

static void the_longest_texts_fit(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_MAX];
    const struct number small = parse("-1.2345678901234567890123456789012345678e-130");
    assert_int_equal(print(&small, text).length, NUMBER_TEXT_MAX);
    const struct number large = parse("-9.9999999999999999999999999999999999999E+125");
    assert_int_equal(print(&large, text).length, 127);
}

static void texts_are_refused_with_their_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum number_status status;
    } cases[] = {
        {"", NUMBER_MALFORMED},
        {"-", NUMBER_MALFORMED},
        {"+", NUMBER_MALFORMED},
        {".", NUMBER_MALFORMED},
        {"-.", NUMBER_MALFORMED},
        {"e5", NUMBER_MALFORMED},
        {".e5", NUMBER_MALFORMED},
        {"1e", NUMBER_MALFORMED},
        {"1e+", NUMBER_MALFORMED},
        {"1e5.0", NUMBER_MALFORMED},
        {"1.2.3", NUMBER_MALFORMED},
        {" 1", NUMBER_MALFORMED},
        {"1 ", NUMBER_MALFORMED},
        {"1_000", NUMBER_MALFORMED},
        {"NaN", NUMBER_MALFORMED},
        {"Infinity", NUMBER_MALFORMED},
        {"0x10", NUMBER_MALFORMED},
        {"--1", NUMBER_MALFORMED},
        {"1,5", NUMBER_MALFORMED},
        {"1e5x", NUMBER_MALFORMED},
        {"1E126", NUMBER_OVERFLOW},
        {"-1E126", NUMBER_OVERFLOW},
        {"10E125", NUMBER_OVERFLOW},
        {"1E99999999999999999999", NUMBER_OVERFLOW},
        {"1E-131", NUMBER_UNDERFLOW},
        {"-0.1E-130", NUMBER_UNDERFLOW},
        {"1E-99999999999999999999", NUMBER_UNDERFLOW},
        {"123456789012345678901234567890123456789", NUMBER_PRECISION},
        {"1.00000000000000000000000000000000000001", NUMBER_PRECISION},
        {"1.00000000000000000000000000000000000001E200", NUMBER_OVERFLOW},
        {"1.00000000000000000000000000000000000001E-200", NUMBER_UNDERFLOW},
        {"1.00000000000000000000000000000000000001E200x", NUMBER_MALFORMED},
        {"9.9999999999999999999999999999999999999E+125", NUMBER_OK},
        {"1E-130", NUMBER_OK},
        {"100000000000000000000000000000000000000000000", NUMBER_OK},
        {"1.000000000000000000000000000000000000000000000", NUMBER_OK},
        {"0000000000000000000000000000000000000000000001", NUMBER_OK},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct number number;
        const enum number_status status = number_parse(slice_of_string(cases[i].text), &number);
        ASSERT_CASE(status == cases[i].status, cases[i].text);
    }
}

/* ---- a slow decimal to compare with ---------------------------------------------------------- */

enum {
    PLACES = 320, /* place i has weight 10^(i - POINT) */
    POINT = 180,
    LOWEST_PLACE = POINT - 130, /* where the smallest magnitude stands */
    HIGHEST_PLACE = POINT + 125,
};

struct slow {
    bool negative;
    int8_t digit[PLACES];
};

/* Reads the plain form that number_print writes. */
static struct slow slow_read(struct slice text)
{
    struct slow slow = {0};
    size_t at = 0;
    if (text.data[0] == '-') {
        slow.negative = true;
        at = 1;
    }
    size_t point = at;
    while (point < text.length && text.data[point] != '.')
        point++;
    for (size_t i = at; i < text.length; i++) {
        if (i == point) continue;
        const int place = POINT + (int)point - (int)i - (i < point ? 1 : 0);
        slow.digit[place] = (int8_t)(text.data[i] - '0');
    }
    return slow;
}

static int slow_compare_magnitudes(const struct slow *a, const struct slow *b)
{
    for (int i = PLACES - 1; i >= 0; i--) {
        if (a->digit[i] != b->digit[i]) return a->digit[i] - b->digit[i];
    }
    return 0;
}

static int slow_compare(const struct slow *a, const struct slow *b)
{
    if (a->negative != b->negative) return a->negative ? -1 : 1;
    const int order = slow_compare_magnitudes(a, b);
    return a->negative ? -order : order;
}

static struct slow slow_add(const struct slow *a, const struct slow *b)
{
    const bool swap = slow_compare_magnitudes(a, b) < 0;
    const struct slow *large = swap ? b : a;
    const struct slow *small = swap ? a : b;
    const int sign = a->negative == b->negative ? 1 : -1;
    struct slow sum = {.negative = large->negative};
    int carry = 0;
    for (int i = 0; i < PLACES; i++) {
        int digit = large->digit[i] + sign * small->digit[i] + carry;
        carry = 0;
        if (digit > 9) carry = 1;
        if (digit < 0) carry = -1;
        sum.digit[i] = (int8_t)(digit - 10 * carry);
    }
    return sum;
}

/* What the service must say of a result. */
static enum number_status slow_judge(const struct slow *slow)
{
    int high = PLACES - 1;
    int low = 0;
    while (high >= 0 && slow->digit[high] == 0)
        high--;
    if (high < 0) return NUMBER_OK;
    while (slow->digit[low] == 0)
        low++;
    if (high > HIGHEST_PLACE) return NUMBER_OVERFLOW;
    if (high < LOWEST_PLACE) return NUMBER_UNDERFLOW;
    return high - low + 1 > NUMBER_DIGITS_MAX ? NUMBER_PRECISION : NUMBER_OK;
}

/* A number of up to 38 digits, at most 20 places away from the others so that sums overlap. */
static struct number random_number(struct random *random, int exponent)
{
    char text[80];
    size_t length = 0;
    if (unit_random_below(random, 2) == 1) text[length++] = '-';
    const uint64_t digits = 1 + unit_random_below(random, NUMBER_DIGITS_MAX);
    const uint64_t style = unit_random_below(random, 4);
    for (uint64_t i = 0; i < digits; i++) {
        uint64_t digit = unit_random_below(random, 10);
        if (style == 0) digit = 9;                     /* carries that run far */
        if (style == 1) digit = digit < 8 ? 0 : digit; /* many zero pairs */
        text[length++] = (char)('0' + digit);
        if (i == 0) text[length++] = '.';
    }
    exponent += (int)unit_random_below(random, 40) - 20;
    if (exponent > 125) exponent = 125;
    if (exponent < -130 + (int)digits) exponent = -130 + (int)digits;
    length += (size_t)snprintf(text + length, sizeof text - length, "e%d", exponent);
    text[length] = '\0';
    return parse(text);
}

enum { ROUNDS = 20000 };

static void check_sum(const struct number *a, const struct number *b, bool subtract)
{
    char a_text[NUMBER_TEXT_MAX];
    char b_text[NUMBER_TEXT_MAX];
    char text[NUMBER_TEXT_MAX];
    const struct slow left = slow_read(print(a, a_text));
    struct slow right = slow_read(print(b, b_text));
    if (subtract) right.negative = !right.negative;
    const struct slow expected = slow_add(&left, &right);
    struct number sum;
    const enum number_status status = subtract
                                          ? number_subtract(number_slice(a), number_slice(b), &sum)
                                          : number_add(number_slice(a), number_slice(b), &sum);
    assert_int_equal(status, slow_judge(&expected));
    if (status != NUMBER_OK) return;
    assert_true(number_is_valid(number_slice(&sum)));
    const struct slow actual = slow_read(print(&sum, text));
    assert_int_equal(slow_compare_magnitudes(&actual, &expected), 0);
    const bool zero = slow_compare_magnitudes(&expected, &(struct slow){0}) == 0;
    assert_int_equal(actual.negative, zero ? false : expected.negative);
}

static void sums_and_differences_are_exact(void **state)
{
    (void)state;
    struct random random;
    unit_random_open(&random);
    for (int round = 0; round < ROUNDS; round++) {
        const int exponent = (int)unit_random_below(&random, 270) - 140;
        const struct number a = random_number(&random, exponent);
        const struct number b = random_number(&random, exponent);
        check_sum(&a, &b, round % 2 == 1);
        const struct number far = random_number(&random, -exponent);
        check_sum(&a, &far, round % 2 == 0);
    }
}

static void bytes_are_ordered_as_the_numbers_are(void **state)
{
    (void)state;
    struct random random;
    unit_random_open(&random);
    for (int round = 0; round < ROUNDS; round++) {
        const int exponent = (int)unit_random_below(&random, 270) - 140;
        const struct number a = random_number(&random, exponent);
        const struct number b = random_number(&random, round % 8 == 0 ? -exponent : exponent);
        char a_text[NUMBER_TEXT_MAX];
        char b_text[NUMBER_TEXT_MAX];
        const struct slow left = slow_read(print(&a, a_text));
        const struct slow right = slow_read(print(&b, b_text));
        const int order = slice_compare(number_slice(&a), number_slice(&b));
        const int expected = slow_compare(&left, &right);
        assert_int_equal((order > 0) - (order < 0), (expected > 0) - (expected < 0));
    }
}

static void a_printed_number_reads_back_the_same(void **state)
{
    (void)state;
    struct random random;
    unit_random_open(&random);
    for (int round = 0; round < ROUNDS; round++) {
        const struct number number =
            random_number(&random, (int)unit_random_below(&random, 270) - 140);
        char text[NUMBER_TEXT_MAX];
        struct number back;
        assert_int_equal(number_parse(print(&number, text), &back), NUMBER_OK);
        ASSERT_SLICE(number_slice(&back), number_slice(&number));
    }
}

static void a_known_order_is_kept(void **state)
{
    (void)state;
    static const char *const ascending[] = {
        "-9.9999999999999999999999999999999999999E+125",
        "-1E125",
        "-100.5",
        "-100",
        "-99.99",
        "-12",
        "-2",
        "-1.01",
        "-1",
        "-0.5",
        "-0.05",
        "-1E-129",
        "-1.1E-130",
        "-1E-130",
        "0",
        "1E-130",
        "1.1E-130",
        "1E-129",
        "0.05",
        "0.5",
        "1",
        "1.01",
        "2",
        "9",
        "10",
        "12",
        "99.99",
        "100",
        "100.5",
        "1E125",
        "9.9999999999999999999999999999999999999E+125",
    };
    for (size_t i = 1; i < COUNT_OF(ascending); i++) {
        const struct number a = parse(ascending[i - 1]);
        const struct number b = parse(ascending[i]);
        ASSERT_CASE(slice_compare(number_slice(&a), number_slice(&b)) < 0, ascending[i]);
    }
}

static void arithmetic_is_refused_at_the_limits(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        char sign;
        const char *b;
        enum number_status status;
        const char *result;
    } cases[] = {
        {"0.1", '+', "0.2", NUMBER_OK, "0.3"},
        {"1", '-', "1", NUMBER_OK, "0"},
        {"0", '-', "5", NUMBER_OK, "-5"},
        {"0", '+', "0", NUMBER_OK, "0"},
        {"1E125", '+', "0", NUMBER_OK, NULL},
        {"0", '-', "1E-130", NUMBER_OK, NULL},
        {NINES_38, '+', "1", NUMBER_OK, "100000000000000000000000000000000000000"},
        {NINES_38, '+', "0.1", NUMBER_PRECISION, NULL},
        {"1E38", '+', "1", NUMBER_PRECISION, NULL},
        {"1E38", '-', "1", NUMBER_OK, NINES_38},
        {"1E125", '-', "1E-130", NUMBER_PRECISION, NULL},
        {"9E125", '+', "1E125", NUMBER_OVERFLOW, NULL},
        {"-9E125", '-', "1E125", NUMBER_OVERFLOW, NULL},
        {"1.1E-130", '-', "1E-130", NUMBER_UNDERFLOW, NULL},
        {"1E-130", '-', "1.1E-130", NUMBER_UNDERFLOW, NULL},
        {"100", '-', "0.01", NUMBER_OK, "99.99"},
        {"-100", '+', "0.01", NUMBER_OK, "-99.99"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct number a = parse(cases[i].a);
        const struct number b = parse(cases[i].b);
        struct number result;
        const enum number_status status =
            cases[i].sign == '+' ? number_add(number_slice(&a), number_slice(&b), &result)
                                 : number_subtract(number_slice(&a), number_slice(&b), &result);
        ASSERT_CASE(status == cases[i].status, cases[i].a);
        char text[NUMBER_TEXT_MAX];
        if (cases[i].result != NULL) {
            ASSERT_SLICE(print(&result, text), slice_of_string(cases[i].result));
        }
    }
}

static void int64_is_converted_both_ways(void **state)
{
    (void)state;
    struct random random;
    unit_random_open(&random);
    int64_t values[1000] = {0,    1,     -1,        10,        99,           100,
                            -100, 10000, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    for (size_t i = 11; i < COUNT_OF(values); i++) {
        values[i] = (int64_t)(random_next(&random) >> unit_random_below(&random, 64));
        if (i % 2 == 0) values[i] = -values[i];
    }
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char decimal[32];
        char text[NUMBER_TEXT_MAX];
        snprintf(decimal, sizeof decimal, "%lld", (long long)values[i]);
        const struct number number = number_from_int64(values[i]);
        ASSERT_SLICE(print(&number, text), slice_of_string(decimal));
        const struct number parsed = parse(decimal);
        ASSERT_SLICE(number_slice(&number), number_slice(&parsed));
        int64_t back = 0;
        assert_true(number_to_int64(number_slice(&number), &back));
        assert_true(back == values[i]);
    }
}

static void what_is_no_int64_is_not_converted(void **state)
{
    (void)state;
    static const char *const cases[] = {"0.5",  "1.5",   "-0.01",  "9223372036854775808",
                                        "1E19", "1E125", "1E-130", "-9223372036854775809"};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct number number = parse(cases[i]);
        int64_t value = 0;
        ASSERT_CASE(!number_to_int64(number_slice(&number), &value), cases[i]);
    }
}

static void fractions_are_scaled_and_cut_off(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned decimals;
        int64_t value;
    } cases[] = {
        {"0", 3, 0},
        {"2.5", 3, 2500},
        {"2.5", 0, 2},
        {"-2.5", 3, -2500},
        {"-2.5", 0, -2},
        {"0.25", 6, 250000},
        {"0.00000099", 6, 0},
        {"0.0009", 3, 0},
        {"0.001", 3, 1},
        {"0.01", 3, 10},
        {"0.1", 3, 100},
        {"1763712000.1239", 3, 1763712000123},
        {"1E+14", 3, 100000000000000000},
        {"922337203685477.5", 3, 922337203685477500},
        {"1E-130", 6, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct number number = parse(cases[i].text);
        int64_t value = -7;
        const bool fits = number_to_scaled(number_slice(&number), cases[i].decimals, &value);
        ASSERT_CASE(fits && value == cases[i].value, cases[i].text);
    }
    static const char *const large[] = {"1E+19", "9223372036854775808", "-1E+125"};
    for (size_t i = 0; i < COUNT_OF(large); i++) {
        const struct number number = parse(large[i]);
        int64_t value = 0;
        ASSERT_CASE(!number_to_scaled(number_slice(&number), 0, &value), large[i]);
        ASSERT_CASE(!number_to_scaled(number_slice(&number), 3, &value), large[i]);
    }
}

static void bytes_of_no_number_are_not_valid(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct slice bytes;
    } cases[] = {
        {"nothing", {(const uint8_t *)"", 0}},
        {"a lone head", {(const uint8_t *)"\xC1", 1}},
        {"a first pair of zero", {(const uint8_t *)"\xC1\x01\x02", 3}},
        {"a last pair of zero", {(const uint8_t *)"\xC1\x02\x01", 3}},
        {"a pair of 100", {(const uint8_t *)"\xC1\x65", 2}},
        {"a byte of zero", {(const uint8_t *)"\xC1\x00", 2}},
        {"no terminator", {(const uint8_t *)"\x3E\x64", 2}},
        {"a terminator alone", {(const uint8_t *)"\x3E\x66", 2}},
        {"a terminator inside", {(const uint8_t *)"\x3E\x66\x66", 3}},
        {"a negative last pair of zero", {(const uint8_t *)"\x3E\x64\x65\x66", 4}},
        {"39 digits",
         {(const uint8_t *)"\xC1\x02\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C"
                           "\x0C\x0C\x0C\x0D",
          21}},
        {"40 digits",
         {(const uint8_t *)"\xC1\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C"
                           "\x0C\x0C\x0C\x0D",
          21}},
        {"too many bytes",
         {(const uint8_t *)"\xC1\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C\x0C"
                           "\x0C\x0C\x0C\x0C\x0C\x0D",
          23}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ASSERT_CASE(!number_is_valid(cases[i].bytes), cases[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_the_sizes_measured_on_the_service),
        cmocka_unit_test(the_bytes_are_those_of_the_format),
        cmocka_unit_test(numbers_print_plainly),
        cmocka_unit_test(the_longest_texts_fit),
        cmocka_unit_test(texts_are_refused_with_their_reason),
        cmocka_unit_test(sums_and_differences_are_exact),
        cmocka_unit_test(bytes_are_ordered_as_the_numbers_are),
        cmocka_unit_test(a_printed_number_reads_back_the_same),
        cmocka_unit_test(a_known_order_is_kept),
        cmocka_unit_test(arithmetic_is_refused_at_the_limits),
        cmocka_unit_test(int64_is_converted_both_ways),
        cmocka_unit_test(what_is_no_int64_is_not_converted),
        cmocka_unit_test(fractions_are_scaled_and_cut_off),
        cmocka_unit_test(bytes_of_no_number_are_not_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
