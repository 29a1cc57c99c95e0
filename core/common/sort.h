// SPDX-License-Identifier: Apache-2.0
// sort.h - sorting in place, without memory of its own and never slower than n log n.
#ifndef HYP_SORT_H
#define HYP_SORT_H

#include <stddef.h>

// Sorts `count` items of `item_bytes`; `compare` as of qsort, with `context`. Items that compare
// equal end in any order.
void hyp_sort(void *items, size_t count, size_t item_bytes,
              int (*compare)(const void *a, const void *b, const void *context),
              const void *context);

#endif
