// SPDX-License-Identifier: Apache-2.0
// workload_canary.c - a fixed loop that no change of the library makes faster or slower. The runner
// takes one sample of it every round: where its time drifts, the machine does.
#include "workload/workloads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// Eight chains keep a multiplier of latency 4 on two ports busy; 250,000 rounds last about 1 ms.
enum { CHAINS = 8, ROUNDS = 250000 };

static bool use_no_axis(const AxisValue *values, AxisId axis)
{
    (void)values;
    (void)axis;
    return false;
}

static bool check_nothing(const AxisValue *values, Problem *problem)
{
    (void)values;
    (void)problem;
    return true;
}

static void *open_canary(const struct Cell *cell, const WorkloadMachine *machine, Problem *problem)
{
    (void)cell;
    (void)machine;
    double *chains = calloc(CHAINS, sizeof *chains);
    if (!chains)
        (void)problem_set(problem, "out of memory");
    return chains;
}

static void run_canary(void *opened)
{
    double *chains = opened;
    double x[CHAINS];
    for (int i = 0; i < CHAINS; i++)
        x[i] = 1 + i;
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < CHAINS; i++)
            x[i] = x[i] * 0.999 + 0.001; // towards 1, far from denormals
    for (int i = 0; i < CHAINS; i++)
        chains[i] = x[i];
}

static bool verify_canary(void *opened, Problem *problem)
{
    const double *chains = opened;
    run_canary(opened);
    for (int i = 0; i < CHAINS; i++)
        if (fabs(chains[i] - 1) > 1e-9)
            return problem_set(problem, "chain %d ends at %.17g, not at 1", i, chains[i]);
    return true;
}

static WorkloadFacts describe_canary(void *opened)
{
    (void)opened;
    WorkloadFacts facts = {.flops = 2.0 * CHAINS * ROUNDS,
                           .executed_flops = NAN,
                           .bytes = NAN,
                           .elements = CHAINS,
                           .operand_bytes = NAN};
    (void)snprintf(facts.predicted_reason, sizeof facts.predicted_reason,
                   "no prediction for a loop in registers");
    return facts;
}

const Workload workload_canary = {
    .name = "canary",
    .help = "a fixed loop in registers; every round of every run takes a sample of it",
    .uses = use_no_axis,
    .check = check_nothing,
    .open = open_canary,
    .verify = verify_canary,
    .run = run_canary,
    .facts = describe_canary,
    .close = free,
};
