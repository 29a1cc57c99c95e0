// SPDX-License-Identifier: Apache-2.0
// worker_sim.c - the program `hyperion-worker-sim`: the worker whose kernels tell of every access
// to memory. Started by the counter source sim.
#include "simulated_task.h"
#include "worker_io.h"

int main(void)
{
    return worker_answer(simulated_task_do);
}
