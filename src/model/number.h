/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number — DynamoDB's number: a decimal of up to 38 significant digits, 0 or 1E-130 … 9.99…E+125 in
 * magnitude, exact.
 *
 * One form everywhere: in items, in keys, in arithmetic. The form is base 100, aligned on the
 * decimal point, and memcmp orders it as the numbers are ordered:
 *
 *   zero       0x80
 *   positive   0xC0 + e, then each pair of digits + 1           (e: pairs before the decimal point)
 *   negative   0x3F - e, then 101 - each pair of digits, then 102
 *
 * Leading and trailing zero pairs are never stored, so equal numbers have equal bytes, and the
 * length is what DynamoDB counts as the number's size. (1 -> C1 02, 100 -> C2 02, -1 -> 3E 64
 * 66.) No byte after the first is 0, so a 0 byte ends a number inside a longer key without
 * disturbing the order.
 */
#ifndef STATOR_MODEL_NUMBER_H
#define STATOR_MODEL_NUMBER_H

#include "base/slice.h"

enum {
    NUMBER_DIGITS_MAX = 38,
    NUMBER_BYTES_MAX = 22, /* exponent, 20 pairs (38 digits, not aligned), terminator */
    NUMBER_TEXT_MAX = 170, /* "-0." and 130 places, or 126 digits, and then some */
};

struct number {
    uint8_t length;
    uint8_t bytes[NUMBER_BYTES_MAX];
};

enum number_status {
    NUMBER_OK,
    NUMBER_MALFORMED,
    NUMBER_OVERFLOW,  /* magnitude too large */
    NUMBER_UNDERFLOW, /* magnitude too small, but not zero */
    NUMBER_PRECISION, /* more than 38 significant digits */
};

/* Reads sign? digits with at most one '.', exponent?; +5, .5, 5., 1E-130 are fine. */
enum number_status number_parse(struct slice text, struct number *number);

/* Writes the plain decimal form (no exponent, no needless zeros); returns its length. */
size_t number_print(struct slice bytes, char text[NUMBER_TEXT_MAX]);

/* a + b and a - b, exact: NUMBER_PRECISION when the result needs more than 38 digits. */
enum number_status number_add(struct slice a, struct slice b, struct number *sum);
enum number_status number_subtract(struct slice a, struct slice b, struct number *difference);

struct number number_from_int64(int64_t value);

/* False when the number has a fraction or does not fit. */
bool number_to_int64(struct slice bytes, int64_t *value);

/* The number times a power of ten, what is left of a fraction cut off: 2.5 to 3 decimals is 2500.
 * False when it does not fit; to an odd number of decimals one digit less fits. */
bool number_to_scaled(struct slice bytes, unsigned decimals, int64_t *value);

/* True when bytes are of the form above: for stored bytes and fuzzing. */
bool number_is_valid(struct slice bytes);

static inline struct slice number_slice(const struct number *number)
{
    return slice_of(number->bytes, number->length);
}

#endif
