// SPDX-License-Identifier: Apache-2.0
#include "record/writers/writer.h"

#include "common/whole_file.h"

#include <stdlib.h>

extern const Writer writer_benchmark_json;
extern const Writer writer_cells_csv;

const Writer *const writer_table[] = {
    &writer_benchmark_json,
    &writer_cells_csv,
    NULL,
};

const char *cell_status(const RunRecord *run, const CellSummary *summary)
{
    if (!shard_holds(run->shard, run->plan->cells[summary->cell].id))
        return "other_shard";
    const SweepSettings *settings = &run->plan->cells[summary->cell].sweep->settings;
    const size_t planned = (size_t)settings->samples;
    const size_t counted = settings->measure == MEASURE_COUNTS ? summary->counted_count : 0;
    if (summary->failed)
        return "failed";
    const bool complete = summary->stopped_early ||
                          summary->sample_count + summary->emulated_count + counted >= planned;
    return summary->verified && complete ? "ok" : "incomplete";
}

static bool write_file(const Writer *writer, const RunRecord *run, const CellSummary *summaries,
                       Problem *problem)
{
    WholeFile file;
    char *path = run_file_path(run->path, writer->file);
    if (!path)
        return problem_set(problem, "%s: out of memory", writer->file);
    const bool written = whole_file_open(&file, path, problem) &&
                         writer->write(run, summaries, file.stream, problem);
    free(path);
    return whole_file_close(&file, written, problem);
}

bool writers_write_all(const char *directory, Problem *problem)
{
    RunRecord *run = run_record_load(directory, problem);
    CellSummary *summaries = run ? metrics_summarise(run) : NULL;
    if (run && !summaries)
        (void)problem_set(problem, "%s: out of memory", directory);
    bool written = summaries != NULL;
    for (size_t i = 0; written && writer_table[i]; i++)
        written = write_file(writer_table[i], run, summaries, problem);
    if (run)
        metrics_free(summaries, run->plan->cell_count);
    run_record_free(run);
    return written;
}
