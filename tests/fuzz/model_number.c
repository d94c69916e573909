/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_number — any text is a number or is refused; what is one prints to a text that reads back
 * to the same bytes, and sums can be undone. Input: two texts with a space between.
 */
#include "base/check.h"
#include "model/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static bool read_number(struct slice text, struct number *number)
{
    if (number_parse(text, number) != NUMBER_OK) return false;
    CHECK(number_is_valid(number_slice(number)));
    char printed[NUMBER_TEXT_MAX];
    struct number again;
    const size_t printed_length = number_print(number_slice(number), printed);
    CHECK(number_parse(slice_of(printed, printed_length), &again) == NUMBER_OK);
    CHECK(slice_equal(number_slice(&again), number_slice(number)));
    int64_t integer = 0;
    if (number_to_int64(number_slice(number), &integer)) {
        again = number_from_int64(integer);
        CHECK(slice_equal(number_slice(&again), number_slice(number)));
    }
    return true;
}

static void check_arithmetic(const struct number *a, const struct number *b)
{
    struct number sum;
    struct number swapped;
    const enum number_status status = number_add(number_slice(a), number_slice(b), &sum);
    CHECK(number_add(number_slice(b), number_slice(a), &swapped) == status);
    if (status != NUMBER_OK) return;
    CHECK(number_is_valid(number_slice(&sum)));
    CHECK(slice_equal(number_slice(&sum), number_slice(&swapped)));
    struct number back;
    CHECK(number_subtract(number_slice(&sum), number_slice(b), &back) == NUMBER_OK);
    CHECK(slice_equal(number_slice(&back), number_slice(a)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    const uint8_t *space = length == 0 ? NULL : memchr(data, ' ', length);
    const size_t first = space == NULL ? length : (size_t)(space - data);
    struct number a;
    struct number b;
    const bool is_first = read_number(slice_of(data, first), &a);
    if (space == NULL) return 0;
    const bool is_second = read_number(slice_of(space + 1, length - first - 1), &b);
    if (is_first && is_second) check_arithmetic(&a, &b);
    /* The same input as bytes: valid or not, nothing is read outside of them. */
    (void)number_is_valid(slice_of(data, length));
    return 0;
}
