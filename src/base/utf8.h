/* SPDX-License-Identifier: Apache-2.0 */
/* utf8 — is it, and how long is its first character. */
#ifndef STATOR_BASE_UTF8_H
#define STATOR_BASE_UTF8_H

#include "base/slice.h"

/* True when text is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF). */
bool utf8_is_valid(struct slice text);

/* Length of the longest well-formed prefix: equal to text.length when all of it is. */
size_t utf8_valid_length(struct slice text);

/* Length of the well-formed character that text begins with; 0 when there is none. */
size_t utf8_character_length(struct slice text);

#endif
