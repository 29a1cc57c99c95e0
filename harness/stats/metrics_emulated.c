// SPDX-License-Identifier: Apache-2.0
#include "stats/metrics_emulated.h"

#include <math.h>
#include <stdio.h>

size_t metrics_emulated_values(const CellSummary *summary, const char *name, double *values)
{
    size_t count = 0;
    for (size_t i = 0; i < summary->emulated_count; i++) {
        const SampleValue *value = sample_find_value(summary->emulated[i], name);
        if (value && !isnan(value->value))
            values[count++] = value->value;
    }
    return count;
}

const SampleValue *metrics_emulated_source(const CellSummary *summary, const char *name)
{
    const SampleValue *found = NULL;
    for (size_t i = 0; i < summary->emulated_count && !(found && !isnan(found->value)); i++) {
        const SampleValue *value = sample_find_value(summary->emulated[i], name);
        found = value ? value : found;
    }
    return found;
}

// Least and most over the samples; NAN, NAN without a value.
static Interval find_range(const CellSummary *summary, const char *name)
{
    Interval range = {NAN, NAN};
    for (size_t i = 0; i < summary->emulated_count; i++) {
        const SampleValue *value = sample_find_value(summary->emulated[i], name);
        if (value && !isnan(value->value))
            range = (Interval){fmin(range.low, value->value), fmax(range.high, value->value)};
    }
    return range;
}

double metrics_instructions_range(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    const Interval range = find_range(summary, "instructions");
    return range.high - range.low;
}

// What is the same every time is the least as well; what disturbs a count can only add to it.
#define LEAST(function, name)                                                                      \
    double function(const RunRecord *run, const CellSummary *summary)                              \
    {                                                                                              \
        (void)run;                                                                                 \
        return find_range(summary, name).low;                                                      \
    }
LEAST(metrics_instructions, "instructions")
LEAST(metrics_simulated_first, "simulated.L1.misses")
LEAST(metrics_simulated_first_reads, "simulated.L1.read_misses")
LEAST(metrics_simulated_first_writes, "simulated.L1.write_misses")
LEAST(metrics_simulated_last, "simulated.LL.misses")
LEAST(metrics_simulated_last_reads, "simulated.LL.read_misses")
LEAST(metrics_simulated_last_writes, "simulated.LL.write_misses")
#undef LEAST

double metrics_predicted_last(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    const SampleValue *level = metrics_emulated_source(summary, "simulated.LL.level");
    char name[48];
    if (!level || isnan(level->value) || !summary->verified)
        return NAN;
    (void)snprintf(name, sizeof name, "predicted.L%.0f.misses", level->value);
    const SampleValue *predicted = sample_find_value(summary->verified, name);
    return predicted ? predicted->value : (double)NAN;
}
