// SPDX-License-Identifier: Apache-2.0
// sorted.h - ascending copies, for the files of this folder.
#ifndef HYP_SORTED_H
#define HYP_SORTED_H

#include <stddef.h>

// NULL: nothing to sort, a value is not finite, or out of memory. The caller frees.
double *stat_sorted_copy(const double *values, size_t count);

#endif
