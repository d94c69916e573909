/* SPDX-License-Identifier: Apache-2.0 */
/* reserved — a binary search in the sorted list of reserved.def. */
#include "expr/reserved.h"

#include "base/check.h"

enum { CAPITAL_MASK = 0xDF }; /* makes a letter a capital */

struct reserved_word {
    const char *text;
    size_t length;
};

static const struct reserved_word words[] = {
#define RESERVED(word) {#word, sizeof #word - 1},
#include "expr/reserved.def"
#undef RESERVED
};

/* Where each word stands. */
enum {
#define RESERVED(word) INDEX_##word,
#include "expr/reserved.def"
#undef RESERVED
    WORDS,
};
_Static_assert(WORDS == 573, "the Developer Guide lists 573 reserved words");

/* Where the words of each letter begin. No word begins with X. */
enum { LETTERS = 'Z' - 'A' + 1 };
static const uint16_t starts[LETTERS + 1] = {
    INDEX_ABORT, INDEX_BACK,    INDEX_CALL,    INDEX_DATA,       INDEX_EACH,
    INDEX_FAIL,  INDEX_GENERAL, INDEX_HANDLER, INDEX_IDENTIFIED, INDEX_JOIN,
    INDEX_KEY,   INDEX_LAG,     INDEX_MAP,     INDEX_NAME,       INDEX_OBJECT,
    INDEX_PAD,   INDEX_QUERY,   INDEX_RAISE,   INDEX_SAMPLE,     INDEX_TABLE,
    INDEX_UNDER, INDEX_VACUUM,  INDEX_WAIT,    INDEX_YEAR,       INDEX_YEAR,
    INDEX_ZONE,  WORDS,
};

/* Order of a word in any case and a reserved one. An underscore or digit differs from any letter,
 * and keeps a consistent order, which is all the search needs. */
static int compare(struct slice word, const struct reserved_word *reserved)
{
    const size_t common = word.length < reserved->length ? word.length : reserved->length;
    for (size_t i = 1; i < common; i++) {
        uint8_t byte = word.data[i];
        if (byte >= 'a' && byte <= 'z') byte = (uint8_t)(byte - 'a' + 'A');
        if (byte != (uint8_t)reserved->text[i]) return byte - (uint8_t)reserved->text[i];
    }
    return (word.length > reserved->length) - (word.length < reserved->length);
}

bool reserved_contains(struct slice word)
{
    CHECK(word.length > 0);
    const unsigned letter = (unsigned)(word.data[0] & CAPITAL_MASK) - (unsigned)'A';
    CHECK(letter < LETTERS);
    size_t low = starts[letter];
    size_t high = starts[letter + 1];
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
