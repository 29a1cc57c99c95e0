// SPDX-License-Identifier: Apache-2.0
#include "stats/metrics_conditions.h"

#include <math.h>

static bool is_timed(const Sample *sample)
{
    return sample->task == SAMPLE_TIME && sample->ok;
}

double metrics_samples_rejected(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return summary->sample_count ? (double)summary->rejected_count : (double)NAN;
}

double metrics_samples_flagged(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    size_t count = 0;
    for (size_t i = 0; i < summary->record_count; i++)
        count += is_timed(summary->records[i]) && summary->records[i]->rejection[0];
    return summary->sample_count ? (double)count : (double)NAN;
}

// fmin and fmax ignore a NAN beside a number.
double metrics_iterations(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    double greatest = NAN;
    for (size_t i = 0; i < summary->record_count; i++)
        if (is_timed(summary->records[i]))
            greatest = fmax(greatest, (double)summary->records[i]->iterations);
    return greatest;
}

// Without the copies that are there to keep the caches cold: all their pages were touched.
static double find_own_rss(const Sample *sample)
{
    const double copy_bytes = sample_value(sample, "cold_copy_bytes");
    const double copy_kib = isnan(copy_bytes) ? 0 : copy_bytes / 1024;
    return fmax((double)sample->peak_rss_kib - copy_kib, 0);
}

double metrics_peak_rss(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    double greatest = NAN;
    for (size_t i = 0; i < summary->record_count; i++)
        if (is_timed(summary->records[i]) && summary->records[i]->peak_rss_kib >= 0)
            greatest = fmax(greatest, find_own_rss(summary->records[i]));
    return greatest;
}

static double choose_frequency(const CellSummary *summary, double (*choose)(double a, double b))
{
    double chosen = NAN;
    for (size_t i = 0; i < summary->record_count; i++) {
        const Sample *sample = summary->records[i];
        if (is_timed(sample))
            chosen = choose(chosen, choose(sample_value(sample, "frequency_before"),
                                           sample_value(sample, "frequency_after")));
    }
    return chosen;
}

double metrics_frequency_least(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return choose_frequency(summary, fmin);
}

double metrics_frequency_most(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return choose_frequency(summary, fmax);
}
