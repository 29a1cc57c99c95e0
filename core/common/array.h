// SPDX-License-Identifier: Apache-2.0
// array.h - arrays that grow.
#ifndef HYP_ARRAY_H
#define HYP_ARRAY_H

#include <stddef.h>

// `items` with room for at least `needed` (> 0) items of `item_bytes`, moved if need be, and
// *capacity updated. NULL, last error set and `items` still good, when out of memory.
void *hyp_array_reserve(void *items, int *capacity, size_t needed, size_t item_bytes);

#endif
