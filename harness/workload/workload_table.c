// SPDX-License-Identifier: Apache-2.0
#include "workload/workloads.h"

#include <string.h>

const Workload *const workload_table[] = {
    &workload_kernel,    &workload_model,   &workload_profile, &workload_loader,
    &workload_scheduler, &workload_planner, &workload_canary,  NULL,
};

const Workload *workload_find(const char *name)
{
    for (size_t i = 0; workload_table[i]; i++)
        if (strcmp(workload_table[i]->name, name) == 0)
            return workload_table[i];
    return NULL;
}

static bool parse_own(AxisId axis, const char *text, AxisValue *value)
{
    Problem unused = {0};
    return axis_parse(axis, text, value, &unused);
}

bool workload_fallback(const Workload *workload, AxisId axis, AxisValue *value)
{
    const char *own = workload->fallback ? workload->fallback(axis) : NULL;
    return own ? parse_own(axis, own, value) : axis_fallback(axis, value);
}
