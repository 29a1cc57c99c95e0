// SPDX-License-Identifier: Apache-2.0
#include "stats/metrics_scheduler.h"

#include <math.h>

#define MEDIAN(function, metric, source, unit, provenance, missing, help)                          \
    double function(const RunRecord *run, const CellSummary *summary)                              \
    {                                                                                              \
        (void)run;                                                                                 \
        return metrics_median(summary, source);                                                    \
    }
METRICS_SCHEDULER_MEDIANS(MEDIAN)
#undef MEDIAN

double metrics_scheduler_extra(const RunRecord *run, const CellSummary *summary)
{
    const double forward_ns = metrics_scheduler_forward(run, summary);
    return forward_ns > 0 ? metrics_scheduler_predicted(run, summary) / forward_ns : (double)NAN;
}
