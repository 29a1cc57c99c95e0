// SPDX-License-Identifier: Apache-2.0
#include "workload/cold_copies.h"

CacheState cold_copies_state(const AxisValue *values)
{
    return (CacheState)values[AXIS_CACHE_STATE].integer;
}

bool cold_copies_count(size_t data_bytes, size_t last_level_bytes, size_t *copies, Problem *problem)
{
    if (last_level_bytes == 0)
        return problem_set(problem, "cache_state: the size of the last-level cache is unknown");
    if (data_bytes == 0)
        return problem_set(problem, "cache_state: there is nothing to be cold");
    // As they are used in turn, a copy comes back after all the others.
    *copies = (2 * last_level_bytes + data_bytes - 1) / data_bytes + 1;
    return true;
}

static size_t find_common_divisor(size_t a, size_t b)
{
    while (b) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

size_t cold_copies_step(size_t copies)
{
    // The golden section spreads successive places most evenly.
    size_t step = (size_t)((double)copies * 0.618034);
    while (step < 1 || find_common_divisor(step, copies) != 1)
        step++;
    return step;
}
