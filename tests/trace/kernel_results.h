// SPDX-License-Identifier: Apache-2.0
// kernel_results.h - every operation of the kernel table on a few problems with tails and edges, at
// every level of this CPU: the same in a program with ordinary and in one with traced kernels.
#ifndef KERNEL_RESULTS_H
#define KERNEL_RESULTS_H

#include "workload/kernel_operands.h"

typedef struct KernelRun {
    char name[512]; // of kernel and problem
    const HypKernelVariant *variant;
    KernelCase problem;
    KernelOperands operands; // arrays as in problem.operands; the workspace, if any, behind them
    size_t workspace_bytes;
} KernelRun;

// Ends the program with a message where a problem cannot be made.
void kernel_results_each(void (*visit)(KernelRun *run, void *context), void *context);

void kernel_run_call(KernelRun *run); // as often as wanted

#endif
