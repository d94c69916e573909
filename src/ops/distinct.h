/* SPDX-License-Identifier: Apache-2.0 */
/* distinct — finds what is given twice. */
#ifndef STATOR_OPS_DISTINCT_H
#define STATOR_OPS_DISTINCT_H

#include "base/slice.h"

/* True when no two are equal. Puts them in order. */
bool distinct_sort(struct slice *slices, size_t count);

#endif
