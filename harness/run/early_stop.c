// SPDX-License-Identifier: Apache-2.0
#include "run/early_stop.h"

#include "common/quantity.h"
#include "stats/metrics.h"
#include "stats/stability.h"

#include <stdio.h>
#include <stdlib.h>

bool early_stop_begin(EarlyStop *stop, const Plan *plan)
{
    *stop = (EarlyStop){.plan = plan, .cells = calloc(plan->cell_count + 1, sizeof *stop->cells)};
    return stop->cells != NULL;
}

void early_stop_clear(EarlyStop *stop)
{
    for (size_t i = 0; stop->cells && i < stop->plan->cell_count; i++)
        free(stop->cells[i].sample_ns);
    free(stop->cells);
    *stop = (EarlyStop){0};
}

static const SweepSettings *settings_of(const EarlyStop *stop, size_t cell)
{
    return &stop->plan->cells[cell].sweep->settings;
}

static bool counts(const SweepSettings *settings, const Sample *sample)
{
    return (settings->precision > 0 || settings->max_time_ns > 0) && sample->ok &&
           sample->task == SAMPLE_TIME && sample->real_count > 0;
}

static bool add_sample(EarlyStop *stop, const Sample *sample)
{
    CellSeries *cell = &stop->cells[sample->cell];
    const size_t room = (size_t)settings_of(stop, sample->cell)->samples;
    if (!cell->sample_ns)
        cell->sample_ns = calloc(room, sizeof *cell->sample_ns);
    if (!cell->sample_ns)
        return false;
    cell->spent_ns += sample->worker_ns;
    if (cell->count < room)
        cell->sample_ns[cell->count++] = stat_median(sample->real_ns, sample->real_count);
    return true;
}

// "" while the cell goes on.
static void find_reason(const SweepSettings *settings, const CellSeries *cell, char *reason,
                        size_t reason_bytes)
{
    reason[0] = '\0';
    if (cell->count >= (size_t)settings->samples)
        return;
    if (settings->precision > 0) {
        const Precision precision =
            stat_precision(cell->sample_ns, cell->count, METRIC_CONFIDENCE, settings->precision);
        if (precision.reached)
            (void)snprintf(reason, reason_bytes,
                           "stopped early: precision reached after %zu samples, +-%.2g %% of the "
                           "median (%.3g %% asked for)",
                           cell->count, 100 * precision.half_width, 100 * settings->precision);
    }
    if (!reason[0] && settings->max_time_ns > 0 && cell->spent_ns >= settings->max_time_ns) {
        char most[48];
        quantity_format_time(settings->max_time_ns, most, sizeof most);
        (void)snprintf(reason, reason_bytes,
                       "stopped early: max_time of %s was over after %zu samples", most,
                       cell->count);
    }
}

bool early_stop_note(EarlyStop *stop, Sample *sample)
{
    const SweepSettings *settings = settings_of(stop, sample->cell);
    CellSeries *cell = &stop->cells[sample->cell];
    char reason[sizeof sample->values->reason];
    if (!counts(settings, sample))
        return true;
    if (!add_sample(stop, sample))
        return false;
    find_reason(settings, cell, reason, sizeof reason);
    if (!reason[0])
        return true;
    cell->stopped = true;
    return sample_add_value(sample, SAMPLE_STOPPED_EARLY, (double)cell->count, "samples", "clock",
                            reason);
}

bool early_stop_recall(EarlyStop *stop, const Sample *sample)
{
    if (!counts(settings_of(stop, sample->cell), sample))
        return true;
    stop->cells[sample->cell].stopped |= sample_find_value(sample, SAMPLE_STOPPED_EARLY) != NULL;
    return add_sample(stop, sample);
}

bool early_stop_reached(const EarlyStop *stop, size_t cell)
{
    return stop->cells[cell].stopped;
}
