// SPDX-License-Identifier: Apache-2.0
// sweep_fixture.h - what tests of runs share: a folder of their own, plans from text, a machine
// that is the same everywhere. Include after <cmocka.h>; the test program defines _DEFAULT_SOURCE
// or _GNU_SOURCE.
#ifndef HYP_SWEEP_FIXTURE_H
#define HYP_SWEEP_FIXTURE_H

#include "record/run_directory.h"
#include "run/sweep_run.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The folder of this test program; the current one while a test runs.
static char fixture_folder[64];

static inline int fixture_enter(void **state)
{
    (void)state;
    (void)strcpy(fixture_folder, "/tmp/hyperion-test-XXXXXX");
    return mkdtemp(fixture_folder) && chdir(fixture_folder) == 0 ? 0 : -1;
}

// Run directories hold no folders.
static inline void fixture_remove(const char *folder)
{
    DIR *open_folder = opendir(folder);
    for (const struct dirent *entry = open_folder ? readdir(open_folder) : NULL; entry;
         entry = readdir(open_folder)) {
        char path[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path)
            continue;
        if (unlink(path) != 0)
            fixture_remove(path);
    }
    if (open_folder)
        (void)closedir(open_folder);
    (void)rmdir(folder);
}

static inline int fixture_leave(void **state)
{
    (void)state;
    fixture_remove(fixture_folder);
    return chdir("/");
}

static inline Plan *fixture_plan(const char *scenario)
{
    Problem problem = {0};
    FILE *file = fopen("scenario.yaml", "we");
    assert_non_null(file);
    assert_true(fputs(scenario, file) >= 0);
    assert_int_equal(fclose(file), 0);
    Plan *plan = plan_from_scenario("scenario.yaml", NULL, &problem);
    if (!plan) {
        fail_msg("%s", problem.text);
        abort(); // does not come here, but the analyzer cannot know
    }
    return plan;
}

static inline json_t *fixture_machine(const char *key)
{
    json_t *machine = json_pack(
        "{s:s, s:s, s:{s:i}, s:[{s:i,s:s,s:i,s:i,s:i,s:i}], s:{s:s}, s:{s:n}, s:{s:s,s:s},"
        " s:{s:{s:{s:f,s:f,s:f,s:s}}}, s:{s:s,s:f,s:i,s:[f,f,f],s:s}}",
        "key", key, "environment_digest", "0123456789abcdef", "topology", "cpus", 4, "caches",
        "level", 1, "type", "data", "size_bytes", 32768, "line_bytes", 64, "ways", 8,
        "sharing_cpus", 1, "simd", "best", "scalar", "kernel", "governor", "build", "commit",
        "00112233445566778899aabbccddeeff00112233", "build_type", "Release", "limits", "peaks",
        "scalar", "gflops", 8.0, "low", 7.5, "high", 8.5, "provenance", "clock", "run", "host_name",
        "fixture", "started_unix_s", 1700000000.0, "mhz_per_cpu", 2000, "load_average", 0.5, 0.25,
        0.125, "worker", "hyperion-worker");
    assert_non_null(machine);
    return machine;
}

static inline SweepRun fixture_sweep(const Plan *plan, json_t *machine, bool resume)
{
    return (SweepRun){
        .plan = plan,
        .directory = "run",
        .resume = resume,
        .machine = machine,
        .topology_xml = "<topology/>\n",
        .topology = {1, {{32768, 64, 8, 1}}},
    };
}

// The samples of run "run"; journal_clear frees.
static inline JournalContent fixture_journal(const Plan *plan)
{
    Problem problem = {0};
    JournalContent content;
    if (!journal_read("run/" RUN_JOURNAL, plan->cell_count, &content, &problem))
        fail_msg("%s", problem.text);
    return content;
}

// Every job of the plan is in the journal exactly once.
static inline void fixture_assert_complete(const Plan *plan)
{
    JournalContent content = fixture_journal(plan);
    size_t count = 0;
    Job *jobs = schedule_make(plan, &count);
    assert_non_null(jobs);
    assert_int_equal(content.torn_lines, 0);
    assert_int_equal(content.sample_count, count);
    for (size_t i = 0; i < count; i++) {
        size_t found = 0;
        for (size_t j = 0; j < content.sample_count; j++)
            found += content.samples[j].ok && content.samples[j].cell == jobs[i].cell &&
                     content.samples[j].round == jobs[i].round &&
                     content.samples[j].task == jobs[i].task;
        if (found != 1)
            fail_msg("cell %zu %s round %d: %zu times", jobs[i].cell,
                     sample_task_name(jobs[i].task), jobs[i].round, found);
    }
    free(jobs);
    journal_clear(&content);
}

#endif
