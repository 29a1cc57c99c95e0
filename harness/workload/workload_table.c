// SPDX-License-Identifier: Apache-2.0
#include "workload/workloads.h"

#include <string.h>

const Workload *const workload_table[] = {
    &workload_kernel,
    &workload_model,
    &workload_canary,
    NULL,
};

const Workload *workload_find(const char *name)
{
    for (size_t i = 0; workload_table[i]; i++)
        if (strcmp(workload_table[i]->name, name) == 0)
            return workload_table[i];
    return NULL;
}

bool workload_fallback(const Workload *workload, AxisId axis, AxisValue *value)
{
    Problem unused = {0};
    const char *own = workload->fallback ? workload->fallback(axis) : NULL;
    return own ? axis_parse(axis, own, value, &unused) : axis_fallback(axis, value);
}
