// SPDX-License-Identifier: Apache-2.0
// achieved.h - how an open workload came to be placed, read back from the operating system.
#ifndef HYP_ACHIEVED_H
#define HYP_ACHIEVED_H

#include "record/sample.h"
#include "scenario/plan.h"

// Adds to the sample, all from `os`: thread<i>.cpu, node<n>.bytes, anonymous_huge_bytes,
// hugetlb_bytes and, where data is kept cold by rotating copies, cold_copies and cold_copy_bytes.
// False, with the reason, where the pages are not those that the cell asks for, or memory is short.
bool achieved_record(const Cell *cell, void *context, Sample *sample, Problem *problem);

#endif
