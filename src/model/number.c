/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number — decimal text, arithmetic and int64 from and to the base-100 form of number.h.
 *
 * Inside this file a number taken apart is struct decimal: a sign and pairs of digits, where
 * pairs[0] stands just below 100^exponent: value = 0.p0p1p2… × 100^exponent. It is canonical when
 * neither the first nor the last pair is 0.
 */
#include "model/number.h"

#include "base/check.h"

enum {
    NUMBER_PAIRS_MAX = 20, /* 38 digits that do not begin on a pair's first digit */
    NUMBER_EXPONENT_MIN = -64,
    NUMBER_EXPONENT_MAX = 63,
    NUMBER_ZERO = 0x80,
    NUMBER_POSITIVE = 0xC0, /* plus the exponent */
    NUMBER_NEGATIVE = 0x3F, /* minus the exponent */
    NUMBER_TERMINATOR = 102,
    NEGATIVE_PAIR = 101, /* a negative number's pairs are subtracted from it */
    BASE = 100,
    INT64_PAIRS = 10,
    /* Any exponent beyond is an overflow or underflow, whatever digits a 16 MB body puts before it.
     */
    TEXT_EXPONENT_MAX = 100000000,
    /* From the highest pair of one operand to the lowest pair of another, and a carry. */
    SUM_PAIRS_MAX = NUMBER_EXPONENT_MAX - NUMBER_EXPONENT_MIN + NUMBER_PAIRS_MAX + 1,
};

_Static_assert(NUMBER_BYTES_MAX == 1 + NUMBER_PAIRS_MAX + 1, "exponent, pairs, terminator");
_Static_assert(NUMBER_POSITIVE + NUMBER_EXPONENT_MAX == UINT8_MAX, "9.99…E+125 has the last byte");
_Static_assert(NUMBER_NEGATIVE - NUMBER_EXPONENT_MAX == 0, "-9.99…E+125 has the first");

struct decimal {
    bool negative;
    int exponent; /* pairs before the decimal point */
    unsigned count;
    const uint8_t *pairs;
};

/* Digits read from text, before they are paired. */
struct digits {
    bool negative;
    int64_t point;      /* decimal digits before the point, counted from the first significant */
    size_t significant; /* up to the last that is not 0 */
    uint8_t digit[1 + NUMBER_DIGITS_MAX + 1]; /* from index 1; 0 around them, for pairing */
};

static bool scan(struct slice text, struct digits *digits);
static bool scan_exponent(const uint8_t *at, const uint8_t *end, int64_t *exponent);
static void encode(const struct decimal *decimal, struct number *number);
static struct decimal decode(struct slice bytes, uint8_t pairs[NUMBER_PAIRS_MAX]);

static inline bool is_digit(uint8_t byte)
{
    return (uint8_t)(byte - '0') <= 9;
}

static inline struct number zero(void)
{
    return (struct number){.length = 1, .bytes = {NUMBER_ZERO}};
}

/* Half of an odd number is rounded up, for negative numbers too. */
static inline int64_t half_up(int64_t value)
{
    return (value + 1) >> 1;
}

enum number_status number_parse(struct slice text, struct number *number)
{
    struct digits digits;
    *number = zero();
    if (!scan(text, &digits)) return NUMBER_MALFORMED;
    if (digits.significant == 0) return NUMBER_OK;
    const int64_t exponent = half_up(digits.point);
    if (exponent > NUMBER_EXPONENT_MAX) return NUMBER_OVERFLOW;
    if (exponent < NUMBER_EXPONENT_MIN) return NUMBER_UNDERFLOW;
    if (digits.significant > NUMBER_DIGITS_MAX) return NUMBER_PRECISION;

    /* With an odd count before the point, the first pair begins with the 0 in front. */
    const size_t start = (size_t)(digits.point & 1) == 0;
    const size_t count = (digits.significant + (1 - start) + 1) / 2;
    uint8_t pairs[NUMBER_PAIRS_MAX];
    for (size_t i = 0; i < count; i++) {
        const uint8_t *pair = digits.digit + start + 2 * i;
        pairs[i] = (uint8_t)(pair[0] * 10 + pair[1]);
    }
    const struct decimal decimal = {digits.negative, (int)exponent, (unsigned)count, pairs};
    encode(&decimal, number);
    return NUMBER_OK;
}

/* Reads the text's grammar; false when it is malformed. More digits than fit are only counted. */
static bool scan(struct slice text, struct digits *digits)
{
    *digits = (struct digits){0};
    if (text.length == 0) return false;
    const uint8_t *at = text.data;
    const uint8_t *const end = at + text.length;
    if (at < end && (*at == '-' || *at == '+')) digits->negative = *at++ == '-';

    size_t seen = 0;       /* digits from the first significant one on */
    bool any = false;      /* a digit at all */
    bool fraction = false; /* behind the point */
    int64_t point = 0;
    for (; at < end; at++) {
        if (*at == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (!is_digit(*at)) break;
        any = true;
        const uint8_t digit = (uint8_t)(*at - '0');
        if (seen > 0 || digit != 0) {
            seen++;
            if (seen <= NUMBER_DIGITS_MAX) digits->digit[seen] = digit;
            if (digit != 0) digits->significant = seen;
            if (!fraction) point++;
        } else if (fraction) {
            point--;
        }
    }
    int64_t exponent = 0;
    if (!any || !scan_exponent(at, end, &exponent)) return false;
    digits->point = point + exponent;
    return true;
}

static bool scan_exponent(const uint8_t *at, const uint8_t *end, int64_t *exponent)
{
    *exponent = 0;
    if (at == end) return true;
    if (*at != 'e' && *at != 'E') return false;
    at++;
    bool negative = false;
    if (at < end && (*at == '-' || *at == '+')) negative = *at++ == '-';
    if (at == end) return false;
    int64_t value = 0;
    for (; at < end; at++) {
        if (!is_digit(*at)) return false;
        if (value < TEXT_EXPONENT_MAX) value = value * 10 + (*at - '0');
    }
    *exponent = negative ? -value : value;
    return true;
}

static void encode(const struct decimal *decimal, struct number *number)
{
    CHECK(decimal->count > 0);
    CHECK(decimal->count <= NUMBER_PAIRS_MAX);
    uint8_t *to = number->bytes;
    if (decimal->negative) {
        *to++ = (uint8_t)(NUMBER_NEGATIVE - decimal->exponent);
        for (unsigned i = 0; i < decimal->count; i++) {
            *to++ = (uint8_t)(NEGATIVE_PAIR - decimal->pairs[i]);
        }
        *to++ = NUMBER_TERMINATOR;
    } else {
        *to++ = (uint8_t)(NUMBER_POSITIVE + decimal->exponent);
        for (unsigned i = 0; i < decimal->count; i++)
            *to++ = (uint8_t)(decimal->pairs[i] + 1);
    }
    number->length = (uint8_t)(to - number->bytes);
}

/* Takes a number apart; its pairs go to the caller's array. Zero has no pairs. */
static struct decimal decode(struct slice bytes, uint8_t pairs[NUMBER_PAIRS_MAX])
{
    CHECK(bytes.length > 0);
    CHECK(bytes.length <= NUMBER_BYTES_MAX);
    struct decimal decimal = {.pairs = pairs};
    if (bytes.length == 1) return decimal;
    const uint8_t *from = bytes.data + 1;
    decimal.negative = bytes.data[0] < NUMBER_ZERO;
    decimal.count = (unsigned)bytes.length - 1 - decimal.negative;
    CHECK(decimal.count <= NUMBER_PAIRS_MAX);
    if (decimal.negative) {
        decimal.exponent = NUMBER_NEGATIVE - bytes.data[0];
        for (unsigned i = 0; i < decimal.count; i++)
            pairs[i] = (uint8_t)(NEGATIVE_PAIR - from[i]);
    } else {
        decimal.exponent = bytes.data[0] - NUMBER_POSITIVE;
        for (unsigned i = 0; i < decimal.count; i++)
            pairs[i] = (uint8_t)(from[i] - 1);
    }
    return decimal;
}

/* ---- text ------------------------------------------------------------------------------------ */

static inline char *print_pair(char *to, uint8_t pair)
{
    *to++ = (char)('0' + pair / 10);
    *to++ = (char)('0' + pair % 10);
    return to;
}

static char *print_zeros(char *to, int count)
{
    memset(to, '0', (size_t)count);
    return to + count;
}

size_t number_print(struct slice bytes, char text[NUMBER_TEXT_MAX])
{
    uint8_t pairs[NUMBER_PAIRS_MAX];
    const struct decimal decimal = decode(bytes, pairs);
    const int count = (int)decimal.count;
    char *to = text;
    if (count == 0) {
        *to = '0';
        return 1;
    }
    if (decimal.negative) *to++ = '-';
    int i = 0;
    if (decimal.exponent <= 0) { /* 0.00…pairs */
        *to++ = '0';
        *to++ = '.';
        to = print_zeros(to, -2 * decimal.exponent);
    } else {
        if (pairs[0] >= 10) *to++ = (char)('0' + pairs[0] / 10);
        *to++ = (char)('0' + pairs[0] % 10);
        for (i = 1; i < count && i < decimal.exponent; i++)
            to = print_pair(to, pairs[i]);
        if (count <= decimal.exponent) {
            to = print_zeros(to, 2 * (decimal.exponent - count));
            return (size_t)(to - text);
        }
        *to++ = '.';
    }
    for (; i < count - 1; i++)
        to = print_pair(to, pairs[i]);
    *to++ = (char)('0' + pairs[i] / 10); /* the last pair: without a 0 at the end */
    if (pairs[i] % 10 != 0) *to++ = (char)('0' + pairs[i] % 10);
    CHECK(to - text <= NUMBER_TEXT_MAX);
    return (size_t)(to - text);
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

/* A sum being made: window[0] is the carry's place, window[i] has weight 100^(top - i). */
struct sum {
    int top;
    int width;
    int16_t window[SUM_PAIRS_MAX];
};

static void sum_add(struct sum *sum, const struct decimal *decimal, int sign);
static bool sum_normalise(struct sum *sum);
static enum number_status sum_finish(const struct sum *sum, bool negative, struct number *number);

static enum number_status add(struct decimal a, struct decimal b, struct number *number)
{
    if (a.count == 0 && b.count == 0) {
        *number = zero();
        return NUMBER_OK;
    }
    if (a.count == 0) a.exponent = b.exponent; /* zero has no place of its own */
    if (b.count == 0) b.exponent = a.exponent;
    const int a_low = a.exponent - (int)a.count;
    const int b_low = b.exponent - (int)b.count;
    const int low = a_low < b_low ? a_low : b_low;
    const int high = a.exponent > b.exponent ? a.exponent : b.exponent;
    struct sum sum;
    sum.top = high;
    sum.width = high - low + 1;
    CHECK(sum.width <= SUM_PAIRS_MAX);
    memset(sum.window, 0, (size_t)sum.width * sizeof sum.window[0]);
    sum_add(&sum, &a, a.negative ? -1 : 1);
    sum_add(&sum, &b, b.negative ? -1 : 1);
    const bool negative = sum_normalise(&sum);
    return sum_finish(&sum, negative, number);
}

enum number_status number_add(struct slice a, struct slice b, struct number *sum)
{
    uint8_t a_pairs[NUMBER_PAIRS_MAX];
    uint8_t b_pairs[NUMBER_PAIRS_MAX];
    return add(decode(a, a_pairs), decode(b, b_pairs), sum);
}

enum number_status number_subtract(struct slice a, struct slice b, struct number *difference)
{
    uint8_t a_pairs[NUMBER_PAIRS_MAX];
    uint8_t b_pairs[NUMBER_PAIRS_MAX];
    struct decimal subtrahend = decode(b, b_pairs);
    subtrahend.negative = !subtrahend.negative;
    return add(decode(a, a_pairs), subtrahend, difference);
}

/* Adds pair by pair, without carrying: every place then holds -198 … 198. */
static void sum_add(struct sum *sum, const struct decimal *decimal, int sign)
{
    int16_t *to = sum->window + 1 + (sum->top - decimal->exponent);
    for (unsigned i = 0; i < decimal->count; i++) {
        to[i] = (int16_t)(to[i] + sign * decimal->pairs[i]);
    }
}

/* Carries, so that every place holds 0 … 99, and says whether the sum is negative. */
static bool sum_normalise(struct sum *sum)
{
    int carry = 0;
    for (int i = sum->width - 1; i >= 0; i--) {
        const int place = sum->window[i] + carry;
        carry = place < 0 ? -((BASE - 1 - place) / BASE) : place / BASE;
        sum->window[i] = (int16_t)(place - carry * BASE);
    }
    CHECK(carry == 0 || carry == -1);
    if (carry == 0) return false;
    /* The window holds the sum plus 100^width; its complement is the magnitude. */
    int borrow = 0;
    for (int i = sum->width - 1; i >= 0; i--) {
        const int place = -sum->window[i] - borrow;
        borrow = place < 0;
        sum->window[i] = (int16_t)(place + borrow * BASE);
    }
    return true;
}

static enum number_status sum_finish(const struct sum *sum, bool negative, struct number *number)
{
    int first = 0;
    int last = sum->width - 1;
    while (first < sum->width && sum->window[first] == 0)
        first++;
    *number = zero();
    if (first == sum->width) return NUMBER_OK;
    while (sum->window[last] == 0)
        last--;

    const int exponent = sum->top + 1 - first;
    const int count = last - first + 1;
    if (exponent > NUMBER_EXPONENT_MAX) return NUMBER_OVERFLOW;
    if (exponent < NUMBER_EXPONENT_MIN) return NUMBER_UNDERFLOW;
    const int digits = 2 * count - (sum->window[first] < 10) - (sum->window[last] % 10 == 0);
    if (digits > NUMBER_DIGITS_MAX) return NUMBER_PRECISION;
    uint8_t pairs[NUMBER_PAIRS_MAX];
    for (int i = 0; i < count; i++)
        pairs[i] = (uint8_t)sum->window[first + i];
    const struct decimal decimal = {negative, exponent, (unsigned)count, pairs};
    encode(&decimal, number);
    return NUMBER_OK;
}

/* ---- int64 ----------------------------------------------------------------------------------- */

struct number number_from_int64(int64_t value)
{
    uint8_t pairs[INT64_PAIRS];
    unsigned used = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (; rest > 0; rest /= BASE)
        pairs[INT64_PAIRS - ++used] = (uint8_t)(rest % BASE);
    struct number number = zero();
    if (used == 0) return number;
    struct decimal decimal = {value < 0, (int)used, used, pairs + INT64_PAIRS - used};
    while (decimal.pairs[decimal.count - 1] == 0)
        decimal.count--;
    encode(&decimal, &number);
    return number;
}

/* The first pairs of a decimal as a whole number; false when it does not fit. */
static bool whole_of(const struct decimal *decimal, int pairs, int64_t *value)
{
    int64_t sum = 0; /* on the negative side, which has one value more */
    for (int i = 0; i < pairs; i++) {
        const int pair = i < (int)decimal->count ? decimal->pairs[i] : 0;
        if (__builtin_mul_overflow(sum, BASE, &sum)) return false;
        if (__builtin_sub_overflow(sum, pair, &sum)) return false;
    }
    if (!decimal->negative && sum == INT64_MIN) return false;
    *value = decimal->negative ? sum : -sum;
    return true;
}

bool number_to_int64(struct slice bytes, int64_t *value)
{
    uint8_t pairs[NUMBER_PAIRS_MAX];
    const struct decimal decimal = decode(bytes, pairs);
    *value = 0;
    if (decimal.count == 0) return true;
    if (decimal.exponent > INT64_PAIRS || decimal.exponent < (int)decimal.count) return false;
    return whole_of(&decimal, decimal.exponent, value);
}

bool number_to_scaled(struct slice bytes, unsigned decimals, int64_t *value)
{
    uint8_t pairs[NUMBER_PAIRS_MAX];
    const struct decimal decimal = decode(bytes, pairs);
    /* A pair is two decimals; of an odd number of them the last digit goes again. */
    const int wanted = decimal.exponent + (int)((decimals + 1) / 2);
    *value = 0;
    if (decimal.count == 0 || wanted <= 0) return true;
    if (wanted > INT64_PAIRS || !whole_of(&decimal, wanted, value)) return false;
    if (decimals % 2 != 0) *value /= 10;
    return true;
}

bool number_is_valid(struct slice bytes)
{
    if (bytes.length == 0 || bytes.length > NUMBER_BYTES_MAX) return false;
    if (bytes.length == 1) return bytes.data[0] == NUMBER_ZERO;
    const bool negative = bytes.data[0] < NUMBER_ZERO;
    if (negative && bytes.data[bytes.length - 1] != NUMBER_TERMINATOR) return false;
    const size_t count = bytes.length - 1 - negative;
    if (count == 0 || count > NUMBER_PAIRS_MAX) return false;
    for (size_t i = 1; i <= count; i++) {
        const int pair = negative ? NEGATIVE_PAIR - bytes.data[i] : bytes.data[i] - 1;
        if (pair < 0 || pair >= BASE) return false;
    }
    uint8_t pairs[NUMBER_PAIRS_MAX];
    (void)decode(bytes, pairs);
    if (pairs[0] == 0 || pairs[count - 1] == 0) return false;
    const size_t digits = 2 * count - (pairs[0] < 10) - (pairs[count - 1] % 10 == 0);
    return digits <= NUMBER_DIGITS_MAX;
}
