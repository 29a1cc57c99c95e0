// SPDX-License-Identifier: Apache-2.0
#include "stats/metrics_memory.h"

#include <math.h>
#include <stdlib.h>

static double find_median(const CellSummary *summary, const char *name)
{
    double *values = calloc(summary->record_count + 1, sizeof *values);
    size_t count = 0;
    for (size_t i = 0; values && i < summary->record_count; i++) {
        const Sample *sample = summary->records[i];
        values[count] =
            sample->ok && sample->task == SAMPLE_TIME ? sample_value(sample, name) : (double)NAN;
        count += isnan(values[count]) ? 0 : 1;
    }
    const double median = stat_median(values, count);
    free(values);
    return median;
}

double metrics_memory_peak(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return find_median(summary, "memory.peak_bytes");
}

double metrics_memory_anonymous(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return find_median(summary, "memory.anonymous_bytes");
}
