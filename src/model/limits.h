/* SPDX-License-Identifier: Apache-2.0 */
/* limits — every limit of limits.def as a constant: LIMIT_ITEM_BYTES, … */
#ifndef STATOR_MODEL_LIMITS_H
#define STATOR_MODEL_LIMITS_H

/* 10 GB does not fit an enum member of C11. Constraints: item collections of tables with local
 * indexes. */
#define LIMIT_COLLECTION_BYTES (10LL << 30)

/* Nor does the highest index of a document path, as measured in us-east-1. */
#define LIMIT_LIST_INDEX 4294967294U

enum limit {
#define LIMIT(name, value, unit, source) LIMIT_##name = (value),
#include "model/limits.def"
#undef LIMIT
};

#endif
