// SPDX-License-Identifier: Apache-2.0
#include "common/array.h"

#include "common/fail.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

void *hyp_array_reserve(void *items, int *capacity, size_t needed, size_t item_bytes)
{
    assert(needed > 0 && item_bytes > 0);
    if (needed <= (size_t)*capacity)
        return items;
    size_t grown = (size_t)*capacity * 2;
    if (grown < needed)
        grown = needed < 8 ? 8 : needed;
    if (grown > INT_MAX || grown > SIZE_MAX / item_bytes)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "array: %zu items are too many", needed);
    void *moved = realloc(items, grown * item_bytes);
    if (!moved)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "array: no memory for %zu items of %zu bytes",
                             grown, item_bytes);
    *capacity = (int)grown;
    return moved;
}
