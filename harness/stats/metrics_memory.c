// SPDX-License-Identifier: Apache-2.0
#include "stats/metrics_memory.h"

double metrics_memory_peak(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return metrics_median(summary, "memory.peak_bytes");
}

double metrics_memory_anonymous(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return metrics_median(summary, "memory.anonymous_bytes");
}
