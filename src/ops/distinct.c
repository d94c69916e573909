/* SPDX-License-Identifier: Apache-2.0 */
/* distinct — sorts and compares neighbours. */
#include "ops/distinct.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

bool distinct_sort(struct slice *slices, size_t count)
{
    if (count < 2) return true;
    qsort(slices, count, sizeof *slices, compare);
    for (size_t i = 1; i < count; i++) {
        if (slice_equal(slices[i - 1], slices[i])) return false;
    }
    return true;
}
