// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "run/bind_cpu.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

bool bind_to_cpu(int cpu, Problem *problem)
{
    cpu_set_t set;
    if (cpu >= CPU_SETSIZE)
        return problem_set(problem, "bind to CPU %d: at most %d are supported", cpu, CPU_SETSIZE);
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        return problem_set(problem, "bind to CPU %d: %s", cpu, strerror(errno));
    const int achieved = sched_getcpu();
    if (achieved != cpu)
        return problem_set(problem, "bind to CPU %d: runs on CPU %d", cpu, achieved);
    return true;
}
