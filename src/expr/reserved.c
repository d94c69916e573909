/* SPDX-License-Identifier: Apache-2.0 */
/* reserved — a binary search in the sorted list of reserved.def. */
#include "expr/reserved.h"

#include "base/check.h"

struct reserved_word {
    const char *text;
    size_t length;
};

static const struct reserved_word words[] = {
#define RESERVED(word) {#word, sizeof #word - 1},
#include "expr/reserved.def"
#undef RESERVED
};

enum { WORDS = sizeof words / sizeof words[0] };
_Static_assert(WORDS == 573, "the Developer Guide lists 573 reserved words");

/* Order of a word in any case and a reserved one. An underscore or digit differs from any letter,
 * and keeps a consistent order, which is all the search needs. */
static int compare(struct slice word, const struct reserved_word *reserved)
{
    const size_t common = word.length < reserved->length ? word.length : reserved->length;
    for (size_t i = 0; i < common; i++) {
        uint8_t byte = word.data[i];
        if (byte >= 'a' && byte <= 'z') byte = (uint8_t)(byte - 'a' + 'A');
        if (byte != (uint8_t)reserved->text[i]) return byte - (uint8_t)reserved->text[i];
    }
    return (word.length > reserved->length) - (word.length < reserved->length);
}

bool reserved_contains(struct slice word)
{
    CHECK(word.length > 0);
    size_t low = 0;
    size_t high = WORDS;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(word, &words[middle]);
        if (order == 0) return true;
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}
