// SPDX-License-Identifier: Apache-2.0
// measured_run.c - what a run directory measured.
#define _POSIX_C_SOURCE 200809L
#include "compare/measured_side.h"
#include "stats/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy_text(const json_t *text, char *buffer, size_t buffer_bytes)
{
    const char *given = json_string_value(text);
    (void)snprintf(buffer, buffer_bytes, "%s", given ? given : "");
}

static void copy_facts(const RunRecord *run, MeasuredSide *side)
{
    const json_t *build = json_object_get(run->machine, "build");
    (void)snprintf(side->scenario, sizeof side->scenario, "%s", run->plan->scenario);
    copy_text(json_object_get(build, "commit"), side->commit, sizeof side->commit);
    // As git describe marks changes that were not committed.
    if (side->commit[0] && json_is_true(json_object_get(build, "modified")))
        (void)strncat(side->commit, "-dirty", sizeof side->commit - strlen(side->commit) - 1);
    copy_text(json_object_get(run->machine, "key"), side->machine_key, sizeof side->machine_key);
    copy_text(json_object_get(run->machine, "environment_digest"), side->environment_digest,
              sizeof side->environment_digest);
}

static bool copy_cell(const RunRecord *run, const CellSummary *summary, const MeasuredSide *side,
                      MeasuredCell *cell)
{
    const Cell *planned = &run->plan->cells[summary->cell];
    cell->id = strdup(planned->id);
    cell->group = strdup(planned->sweep->name);
    cell->failed = summary->failed;
    cell->above_roof = metric_value("above_roof", run, summary) == 1;
    cell->stopped_early = !summary->failed && summary->stopped_early;
    memcpy(cell->reason, summary->reason, sizeof cell->reason);
    if (!cell->id || !cell->group)
        return false;
    if (summary->sample_count == 0)
        return true;
    double *times = measured_series_add(side, cell, COMPARED_TIME, 0, summary->sample_count);
    if (times)
        memcpy(times, summary->sample_ns, summary->sample_count * sizeof *times);
    return times && measured_series_add(side, cell, COMPARED_MEMORY, 0, summary->sample_count);
}

static bool is_exact(const SampleValue *value)
{
    static const char *const provenances[] = {"model", "sim", "emulated"};
    for (size_t i = 0; i < sizeof provenances / sizeof *provenances; i++)
        if (strcmp(value->provenance, provenances[i]) == 0)
            return isfinite(value->value);
    return false;
}

// The first one of each name; a later one is the same by definition.
static bool take_exact(const MeasuredSide *side, const Sample *sample, MeasuredCell *cell)
{
    for (size_t i = 0; i < sample->value_count; i++) {
        const SampleValue *value = &sample->values[i];
        for (size_t metric = 0; metric < COMPARED_METRICS && is_exact(value); metric++) {
            const char *source = compared_metrics[metric].source;
            if (!source || strcmp(source, value->name) != 0 || cell->series[metric].sessions)
                continue;
            double *number = measured_series_add(side, cell, metric, 0, 1);
            if (!number)
                return false;
            *number = value->value;
        }
    }
    return true;
}

// Timed samples bring their peak memory, the others what is exact.
static bool take_samples(const RunRecord *run, const MeasuredSide *side)
{
    for (size_t i = 0; i < side->cell_count; i++)
        if (side->cells[i].series[COMPARED_MEMORY].sessions)
            side->cells[i].series[COMPARED_MEMORY].sessions[0].count = 0;
    for (size_t i = 0; i < run->sample_count; i++) {
        const Sample *sample = &run->samples[i];
        MeasuredCell *cell = &side->cells[sample->cell];
        Session *memory = cell->series[COMPARED_MEMORY].sessions;
        if (!sample->ok)
            continue;
        if (sample->task != SAMPLE_TIME && !take_exact(side, sample, cell))
            return false;
        if (sample->task == SAMPLE_TIME && sample->real_count > 0 && sample->peak_rss_kib > 0)
            memory->values[memory->count++] = (double)sample->peak_rss_kib;
    }
    return true;
}

MeasuredSide *measured_side_of_run(const RunRecord *run)
{
    CellSummary *summaries = metrics_summarise(run);
    MeasuredSide *side = measured_side_create(SIDE_RUN, run->path, run->plan->cell_count, 1);
    bool copied = side && summaries;
    if (copied)
        copy_facts(run, side);
    for (size_t i = 0; copied && i < run->plan->cell_count; i++)
        copied = copy_cell(run, &summaries[i], side, &side->cells[i]);
    copied = copied && take_samples(run, side) && measured_side_index(side);
    metrics_free(summaries, run->plan->cell_count);
    if (copied)
        return side;
    measured_side_free(side);
    return NULL;
}
