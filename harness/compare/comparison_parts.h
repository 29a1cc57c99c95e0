// SPDX-License-Identifier: Apache-2.0
// comparison_parts.h - the steps of comparison_make, one file each.
#ifndef HYP_COMPARISON_PARTS_H
#define HYP_COMPARISON_PARTS_H

#include "compare/comparison.h"

// Medians, ratio, interval, p-value and effect of a row of both cells. False: out of memory.
bool comparison_test_row(const Comparison *comparison, const MeasuredCell *base,
                         const MeasuredCell *latest, ComparedRow *row);

// The smallest visible effect of all rows that were tested. False: out of memory.
bool comparison_see(Comparison *comparison);

// Groups and fronts, from the judged rows. False: out of memory.
bool comparison_group(Comparison *comparison);
bool comparison_find_fronts(Comparison *comparison);

#endif
