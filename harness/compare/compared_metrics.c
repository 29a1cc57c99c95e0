// SPDX-License-Identifier: Apache-2.0
#include "compare/compared_metrics.h"

#include <string.h>

// 3 % of time: about what 20 samples of a quiet kernel (CV 2 %) can tell apart. Of peak memory, the
// pages of program and libraries differ by some 100 KiB between two copies of one program, copy by
// copy and in every run: without a floor of 1 MiB that was an alarm in 12 of 30 A/A comparisons.
// Instructions and predictions do not move at all, and 0.1 % only leaves room for a changed
// start-up. Simulated misses follow the addresses too, which differ from program to program: by up
// to 9 lines of 3,164 between two that differ nowhere near the kernels.
const ComparedMetric compared_metrics[COMPARED_METRICS] = {
    [COMPARED_TIME] = {"time", "ns", 0.03, 0, NULL},
    [COMPARED_MEMORY] = {"peak_memory", "KiB", 0.01, 1024, NULL},
    [COMPARED_PREDICTED_L1] = {"predicted_l1_misses", "lines", 0.001, 0, "predicted.L1.misses"},
    [COMPARED_PREDICTED_L2] = {"predicted_l2_misses", "lines", 0.001, 0, "predicted.L2.misses"},
    [COMPARED_PREDICTED_L3] = {"predicted_l3_misses", "lines", 0.001, 0, "predicted.L3.misses"},
    [COMPARED_SIMULATED_L1] = {"simulated_l1_misses", "lines", 0.01, 64, "simulated.L1.misses"},
    [COMPARED_SIMULATED_LL] = {"simulated_ll_misses", "lines", 0.01, 64, "simulated.LL.misses"},
    [COMPARED_INSTRUCTIONS] = {"instructions", "", 0.001, 0, "instructions"},
};

size_t compared_metric_find(const char *name)
{
    size_t metric = 0;
    while (metric < COMPARED_METRICS && strcmp(compared_metrics[metric].name, name) != 0)
        metric++;
    return metric;
}
