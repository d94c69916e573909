/* SPDX-License-Identifier: Apache-2.0 */
/* reserved — is a word one of the 573 that expressions may not use as an attribute name? */
#ifndef STATOR_EXPR_RESERVED_H
#define STATOR_EXPR_RESERVED_H

#include "base/slice.h"

/* word is an identifier; its case does not matter. */
bool reserved_contains(struct slice word);

#endif
