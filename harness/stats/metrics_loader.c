// SPDX-License-Identifier: Apache-2.0
#include "stats/metrics_loader.h"

#include <math.h>
#include <string.h>

#define MEDIAN(function, metric, source, unit, provenance, missing, help)                          \
    double function(const RunRecord *run, const CellSummary *summary)                              \
    {                                                                                              \
        (void)run;                                                                                 \
        return metrics_median(summary, source);                                                    \
    }
METRICS_LOADER_MEDIANS(MEDIAN)
#undef MEDIAN

double metrics_loader_throughput(const RunRecord *run, const CellSummary *summary)
{
    const double load_ns = metrics_loader_load(run, summary);
    return load_ns > 0 ? metrics_loader_read(run, summary) / load_ns : (double)NAN;
}

// The rest of the name of the value that begins so, of the last timed sample that has one.
static const char *find_choice(const CellSummary *summary, const char *prefix, const char **reason)
{
    const char *found = "";
    for (size_t i = 0; i < summary->record_count; i++) {
        const Sample *sample = summary->records[i];
        for (size_t j = 0; sample->task == SAMPLE_TIME && j < sample->value_count; j++) {
            if (strncmp(sample->values[j].name, prefix, strlen(prefix)) != 0)
                continue;
            found = sample->values[j].name + strlen(prefix);
            *reason = sample->values[j].reason;
        }
    }
    return found;
}

const char *metrics_loader_backend(const CellSummary *summary, const char **reason)
{
    return find_choice(summary, "loader.backend.", reason);
}

const char *metrics_loader_mode(const CellSummary *summary, const char **reason)
{
    return find_choice(summary, "loader.mode.", reason);
}
