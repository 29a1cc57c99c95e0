// SPDX-License-Identifier: Apache-2.0
// model_pages.h - the pages under a model. Its memory is the library's own, allocated here and
// there, so that what is asked for is asked of the whole process.
#ifndef HYP_MODEL_PAGES_H
#define HYP_MODEL_PAGES_H

#include "workload/operand_memory.h"

// Before the model is loaded: allows or forbids transparent huge pages. False with the reason where
// there are none to be had.
bool model_pages_prepare(OperandPages pages, Problem *problem);

// With everything in place and touched: moves the anonymous memory of this process to huge pages,
// as far as it fills some. False with the reason where the kernel cannot (before Linux 6.1).
bool model_pages_collapse(Problem *problem);

#endif
