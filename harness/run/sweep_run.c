// SPDX-License-Identifier: Apache-2.0
#include "run/sweep_run.h"

#include "common/json_file.h"
#include "common/whole_file.h"
#include "record/run_directory.h"
#include "record/writers/writer.h"
#include "run/run_start.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool write_topology(const char *path, const char *xml, Problem *problem)
{
    WholeFile file;
    const bool written = whole_file_open(&file, path, problem) && fputs(xml, file.stream) >= 0;
    return whole_file_close(&file, written, problem);
}

static bool texts_differ(const json_t *a, const json_t *b, const char *object, const char *key)
{
    const char *first =
        json_string_value(json_object_get(object ? json_object_get(a, object) : a, key));
    const char *second =
        json_string_value(json_object_get(object ? json_object_get(b, object) : b, key));
    return strcmp(first ? first : "", second ? second : "") != 0;
}

// A run goes on with the part of the plan it began with.
static bool check_shard(const SweepRun *sweep, const json_t *before, const char *path, Shard *shard,
                        Problem *problem)
{
    Problem reason = {0};
    char held[SHARD_TEXT_BYTES];
    char given[SHARD_TEXT_BYTES];
    if (!shard_of_machine(before, shard, &reason))
        return problem_set(problem, "%s: %.1500s", path, reason.text);
    shard_format(*shard, held);
    shard_format(sweep->shard, given);
    return sweep->shard.count == 0 || strcmp(held, given) == 0 ||
           problem_set(problem, "%s: begun as %s%s, not as shard %s", sweep->directory,
                       held[0] ? "shard " : "the whole plan", held, given);
}

// Samples of two machines in one run would be one number for two things. Another build or
// environment may be meant, and is said.
static bool check_machine(const SweepRun *sweep, const char *path, Shard *shard, Problem *problem)
{
    json_t *before = json_file_read(path, problem);
    if (!before)
        return false;
    const bool same = !texts_differ(before, sweep->machine, NULL, "key");
    if (!same)
        (void)problem_set(problem, "%s: begun on another machine (key %s)", path,
                          json_string_value(json_object_get(before, "key")));
    if (sweep->progress && same && texts_differ(before, sweep->machine, NULL, "environment_digest"))
        (void)fprintf(sweep->progress, "note: the environment has changed since this run began\n");
    if (sweep->progress && same && texts_differ(before, sweep->machine, "build", "commit"))
        (void)fprintf(sweep->progress,
                      "note: this program is of another commit than the one that began this run\n");
    const bool fits = same && check_shard(sweep, before, path, shard, problem);
    json_decref(before);
    return fits;
}

bool sweep_write_machine(const char *directory, const json_t *machine, const char *topology_xml,
                         Problem *problem)
{
    char *machine_path = run_file_path(directory, RUN_MACHINE);
    char *topology_path = run_file_path(directory, RUN_TOPOLOGY);
    const bool named =
        (machine_path && topology_path) || problem_set(problem, "%s: out of memory", directory);
    const bool written = named &&
                         (!topology_xml || write_topology(topology_path, topology_xml, problem)) &&
                         json_file_write(machine_path, machine, problem);
    free(machine_path);
    free(topology_path);
    return written;
}

static bool write_machine(const SweepRun *sweep, Problem *problem)
{
    char text[SHARD_TEXT_BYTES];
    shard_format(sweep->shard, text);
    json_t *run = json_object_get(sweep->machine, "run");
    if (text[0] && json_object_set_new(run, "shard", json_string(text)) != 0)
        return problem_set(problem, "%s: out of memory", sweep->directory);
    return sweep_write_machine(sweep->directory, sweep->machine, sweep->topology_xml, problem);
}

// Also finds which part of the plan is to be run.
static bool prepare_machine(const SweepRun *sweep, Shard *shard, Problem *problem)
{
    char *machine = run_file_path(sweep->directory, RUN_MACHINE);
    bool prepared = false;
    *shard = sweep->shard;
    if (!machine)
        (void)problem_set(problem, "%s: out of memory", sweep->directory);
    else if (access(machine, F_OK) == 0)
        prepared = check_machine(sweep, machine, shard, problem);
    else
        prepared = write_machine(sweep, problem);
    free(machine);
    return prepared;
}

static void say_resumed(const SweepRun *sweep, const JournalContent *content)
{
    if (!sweep->progress || !content->sample_count)
        return;
    (void)fprintf(sweep->progress, "resuming %s: %zu samples taken before%s\n", sweep->directory,
                  content->sample_count, content->torn_lines ? ", a torn last line dropped" : "");
}

static bool run_samples(const SweepRun *sweep, Shard shard, const char *journal_path,
                        const RunnerTools *tools, RunnerOutcome *outcome, Problem *problem)
{
    JournalContent content;
    Journal journal;
    if (!journal_read(journal_path, sweep->plan->cell_count, &content, problem))
        return false;
    say_resumed(sweep, &content);
    bool good = journal_open(&journal, journal_path, problem);
    if (good) {
        const RunnerInput input = {
            .plan = sweep->plan,
            .topology = sweep->topology,
            .cpus = sweep->cpus,
            .cpu_count = sweep->cpu_count,
            .journal = &journal,
            .shard = shard,
            .budget_ns = sweep->budget_ns,
            .before = &content,
            .progress = sweep->progress,
        };
        good = runner_run(&input, tools, outcome, problem) && journal_flush(&journal, problem);
        journal_close(&journal);
    }
    journal_clear(&content);
    return good;
}

bool sweep_run(const SweepRun *sweep, const RunnerTools *tools, RunnerOutcome *outcome,
               Problem *problem)
{
    RunStart start;
    *outcome = (RunnerOutcome){0};
    if (!run_start(sweep->directory, sweep->plan, sweep->resume, &start, problem))
        return false;
    char *journal = run_file_path(sweep->directory, RUN_JOURNAL);
    if (!journal)
        (void)problem_set(problem, "%s: out of memory", sweep->directory);
    Shard shard;
    const bool good = journal && prepare_machine(sweep, &shard, problem) &&
                      run_samples(sweep, shard, journal, tools, outcome, problem) &&
                      writers_write_all(sweep->directory, problem);
    free(journal);
    run_start_release(&start);
    return good;
}
