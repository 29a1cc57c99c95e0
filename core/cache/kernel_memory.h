// SPDX-License-Identifier: Apache-2.0
// kernel_memory.h - the memory that a call of a kernel touches.
#ifndef HYP_KERNEL_MEMORY_H
#define HYP_KERNEL_MEMORY_H

#include "cache/carried.h"

#include "kernel_table.h"

enum { HYP_MOST_KERNEL_MEMORY = 6 };

// Lists operands, workspace and, last, the result; those that are NULL are left out. Returns how
// many there are.
int hyp_kernel_memory(HypKernelOp op, const HypKernelArgs *args,
                      HypMemory memory[HYP_MOST_KERNEL_MEMORY]);

#endif
