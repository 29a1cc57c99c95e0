// SPDX-License-Identifier: Apache-2.0
// kernel_operands.h - the arrays of a kernel's problem in memory: which pages, who touches them
// first, and how cold they are when an iteration begins.
#ifndef HYP_KERNEL_OPERANDS_H
#define HYP_KERNEL_OPERANDS_H

#include "workload/cold_copies.h"
#include "workload/kernel_case.h"
#include "workload/operand_memory.h"

typedef struct OperandOrder {
    OperandPages pages;
    CacheState cache_state;
    size_t last_level_bytes; // of the caches; 0 unknown
    HyperionParallel parallel;
    uint64_t seed; // of the inputs
} OperandOrder;

typedef struct KernelOperands {
    OperandMemory memory;
    struct {
        char *first;           // in the first copy
        size_t pointer_offset; // in the args struct
        bool rotates;
    } arrays[KERNEL_MOST_OPERANDS + 1]; // the last is the workspace, where there is one
    size_t array_count;
    size_t copies;       // 1 = none rotates
    size_t stride_bytes; // from one copy to the next
    size_t step;         // copies are taken in steps of this
    size_t next;
} KernelOperands;

// Allocates operands and workspace of `problem`, fills the inputs and points the arguments to them.
// Inputs are touched first by the threads, each an equal share in order, as the operations divide
// them. Outputs and workspace are left to the first run, where nothing rotates; else they are
// touched likewise, so that no page is new in a timed loop. False with the reason, and nothing to
// close: no memory, no such pages, the size of the cache unknown.
bool kernel_operands_open(KernelOperands *operands, KernelCase *problem, const OperandOrder *order,
                          Problem *reason);
void kernel_operands_close(KernelOperands *operands); // a zeroed one is allowed

// Points the arguments to the copy that was not used for longest.
void kernel_operands_rotate(KernelOperands *operands, HypKernelArgs *args);

#endif
