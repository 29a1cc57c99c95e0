// SPDX-License-Identifier: Apache-2.0
#include "workload/placement_axes.h"

#include <string.h>

bool placement_axes_use(AxisId axis)
{
    return axis == AXIS_BINDING || axis == AXIS_SMT || axis == AXIS_THREADS ||
           axis == AXIS_MEM_POLICY;
}

bool placement_axes_check(const AxisValue *values, Problem *problem)
{
    const char *binding = axis_word(AXIS_BINDING, values[AXIS_BINDING]);
    const bool smt = values[AXIS_SMT].integer != 0;
    if (strcmp(binding, "none") == 0 && smt)
        return problem_set(problem,
                           "binding none leaves the CPUs to the scheduler: smt must be false");
    if (strcmp(binding, "smt") == 0 && !smt)
        return problem_set(problem, "binding smt uses sibling hardware threads: smt must be true");
    return strcmp(binding, "smt") != 0 || values[AXIS_THREADS].integer > 1 ||
           problem_set(problem,
                       "binding smt puts threads side by side: threads must be at least 2");
}
