// SPDX-License-Identifier: Apache-2.0
#include "compare/compared_metrics.h"

#include <string.h>

// 3 % of time: about what 20 samples of a quiet kernel (CV 2 %) can tell apart. Peak memory moves
// by some pages from run to run; what is counted or predicted does not move at all, and 0.1 % only
// leaves room for a changed start-up.
const ComparedMetric compared_metrics[COMPARED_METRICS] = {
    [COMPARED_TIME] = {"time", "ns", 0.03, NULL},
    [COMPARED_MEMORY] = {"peak_memory", "KiB", 0.01, NULL},
    {"predicted_l1_misses", "lines", 0.001, "predicted.L1.misses"},
    {"predicted_l2_misses", "lines", 0.001, "predicted.L2.misses"},
    {"predicted_l3_misses", "lines", 0.001, "predicted.L3.misses"},
    {"simulated_l1_misses", "lines", 0.001, "simulated.L1.misses"},
    {"simulated_ll_misses", "lines", 0.001, "simulated.LL.misses"},
    {"instructions", "", 0.001, "instructions"},
};

size_t compared_metric_find(const char *name)
{
    size_t metric = 0;
    while (metric < COMPARED_METRICS && strcmp(compared_metrics[metric].name, name) != 0)
        metric++;
    return metric;
}
