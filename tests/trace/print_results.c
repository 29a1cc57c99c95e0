// SPDX-License-Identifier: Apache-2.0
// print_results.c - the program plain_results: what ordinary kernels compute, as raw bytes.
#include "kernel_results.h"

#include <stdio.h>
#include <stdlib.h>

static void print_outputs(KernelRun *run, void *context)
{
    (void)context;
    kernel_run_call(run);
    for (size_t i = 0; i < run->problem.operand_count; i++)
        if (run->problem.operands[i].role == OPERAND_OUTPUT)
            (void)fwrite(run->operands.arrays[i].first, sizeof(float),
                         run->problem.operands[i].count, stdout);
}

int main(void)
{
    kernel_results_each(print_outputs, NULL);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
