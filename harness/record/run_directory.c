// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "record/run_directory.h"

#include "common/json_file.h"
#include "record/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *run_file_path(const char *directory, const char *name)
{
    const size_t bytes = strlen(directory) + strlen(name) + 2;
    char *path = malloc(bytes);
    if (path)
        (void)snprintf(path, bytes, "%s/%s", directory, name);
    return path;
}

static json_t *load_json(const char *directory, const char *name, Problem *problem)
{
    char *path = run_file_path(directory, name);
    if (!path)
        (void)problem_set(problem, "%s: out of memory", directory);
    json_t *json = path ? json_file_read(path, problem) : NULL;
    free(path);
    return json;
}

Plan *run_plan_load(const char *directory, Problem *problem)
{
    Problem reason = {0};
    json_t *json = load_json(directory, RUN_PLAN, problem);
    Plan *plan = json ? plan_from_json(json, &reason) : NULL;
    if (json && !plan)
        (void)problem_set(problem, "%s/%s: %.1500s", directory, RUN_PLAN, reason.text);
    json_decref(json);
    return plan;
}

static bool load_samples(RunRecord *record, Problem *problem)
{
    char *path = run_file_path(record->path, RUN_JOURNAL);
    if (!path)
        return problem_set(problem, "%s: out of memory", record->path);
    JournalContent content;
    const bool good = journal_read(path, record->plan->cell_count, &content, problem);
    free(path);
    record->samples = content.samples;
    record->sample_count = content.sample_count;
    record->rejected = content.rejected;
    record->rejected_count = content.rejected_count;
    record->canaries = content.canaries;
    record->canary_count = content.canary_count;
    record->torn_lines = content.torn_lines;
    return good;
}

static bool load_shard(RunRecord *record, Problem *problem)
{
    Problem reason = {0};
    if (shard_of_machine(record->machine, &record->shard, &reason))
        return true;
    return problem_set(problem, "%s/%s: %.1500s", record->path, RUN_MACHINE, reason.text);
}

RunRecord *run_record_load(const char *path, Problem *problem)
{
    RunRecord *record = calloc(1, sizeof *record);
    if (record)
        record->path = strdup(path);
    if (!record || !record->path) {
        (void)problem_set(problem, "%s: out of memory", path);
        run_record_free(record);
        return NULL;
    }
    record->plan = run_plan_load(path, problem);
    record->machine = record->plan ? load_json(path, RUN_MACHINE, problem) : NULL;
    if (record->machine && load_shard(record, problem) && load_samples(record, problem))
        return record;
    run_record_free(record);
    return NULL;
}

void run_record_free(RunRecord *record)
{
    if (!record)
        return;
    samples_free(record->samples, record->sample_count);
    samples_free(record->rejected, record->rejected_count);
    samples_free(record->canaries, record->canary_count);
    json_decref(record->machine);
    plan_free(record->plan);
    free(record->path);
    free(record);
}
