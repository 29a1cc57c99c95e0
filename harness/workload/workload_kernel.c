// SPDX-License-Identifier: Apache-2.0
// workload_kernel.c - one operation of the kernel table on random operands.
#include "workload/kernel_case.h"
#include "workload/workloads.h"

static void *open_kernel(const struct Cell *cell, const WorkloadMachine *machine, Problem *problem)
{
    (void)cell;
    (void)machine;
    (void)problem_set(problem, "workload kernel: this build only plans");
    return NULL;
}

const Workload workload_kernel = {
    .name = "kernel",
    .help = "one operation of the kernel table on random operands",
    .uses = kernel_case_uses,
    .check = kernel_case_check,
    .open = open_kernel,
};
