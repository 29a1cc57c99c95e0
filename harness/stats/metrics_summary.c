// SPDX-License-Identifier: Apache-2.0
// metrics_summary.c - the samples of a run by cell, for metrics to be made of.
#include "stats/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// A resumed run tries a failed sample again: the later success counts.
static bool failure_was_repaired(const CellSummary *summary, size_t index)
{
    const Sample *failure = summary->records[index];
    for (size_t i = index + 1; i < summary->record_count; i++) {
        const Sample *later = summary->records[i];
        if (later->ok && later->task == failure->task && later->round == failure->round)
            return true;
    }
    return false;
}

static void take_record(CellSummary *summary, size_t index)
{
    const Sample *sample = summary->records[index];
    if (!sample->ok) {
        if (!summary->failed && !failure_was_repaired(summary, index)) {
            summary->failed = true;
            memcpy(summary->reason, sample->reason, sizeof summary->reason);
        }
    } else if (sample->task == SAMPLE_VERIFY) {
        summary->verified = sample;
    } else if (sample->task == SAMPLE_EMULATE) {
        summary->emulated[summary->emulated_count++] = sample;
    } else if (sample->task == SAMPLE_COUNT) {
        summary->counted_count++;
    } else if (sample->task == SAMPLE_TIME && sample->real_count > 0) {
        summary->sample_ns[summary->sample_count++] =
            stat_median(sample->real_ns, sample->real_count);
        if (!summary->stopped_early)
            summary->stopped_early = sample_find_value(sample, SAMPLE_STOPPED_EARLY);
    }
}

// Room for all that the records of a cell can turn out to be; `count` is one above theirs.
static bool make_room(CellSummary *summary, size_t count)
{
    summary->sample_ns = calloc(count, sizeof *summary->sample_ns);
    summary->emulated = calloc(count, sizeof(Sample *));
    summary->records = calloc(count, sizeof(Sample *));
    return summary->sample_ns && summary->emulated && summary->records;
}

CellSummary *metrics_summarise(const RunRecord *run)
{
    const size_t count = run->plan->cell_count;
    size_t *recorded = calloc(count + 1, sizeof *recorded);
    CellSummary *summaries = calloc(count + 1, sizeof *summaries);
    bool complete = recorded && summaries;
    for (size_t i = 0; complete && i < run->sample_count; i++)
        recorded[run->samples[i].cell]++;
    for (size_t i = 0; complete && i < count; i++) {
        summaries[i].cell = i;
        complete = make_room(&summaries[i], recorded[i] + 1);
    }
    for (size_t i = 0; complete && i < run->sample_count; i++) {
        CellSummary *summary = &summaries[run->samples[i].cell];
        assert(summary->records);
        summary->records[summary->record_count++] = &run->samples[i];
    }
    for (size_t i = 0; complete && i < count; i++)
        for (size_t j = 0; j < summaries[i].record_count; j++)
            take_record(&summaries[i], j);
    for (size_t i = 0; complete && i < run->rejected_count; i++)
        summaries[run->rejected[i].cell].rejected_count++;
    free(recorded);
    if (complete)
        return summaries;
    metrics_free(summaries, count);
    return NULL;
}

void metrics_free(CellSummary *summaries, size_t count)
{
    for (size_t i = 0; summaries && i < count; i++) {
        free(summaries[i].sample_ns);
        free((void *)summaries[i].emulated);
        free((void *)summaries[i].records);
    }
    free(summaries);
}

double metrics_median(const CellSummary *summary, const char *name)
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
