// SPDX-License-Identifier: Apache-2.0
#include "run/emulate.h"

#include "run/callgrind_run.h"
#include "run/emulated_task.h"

#include <math.h>
#include <stdio.h>

typedef struct NamedValue {
    const char *name;
    double value;
    const char *unit, *provenance;
} NamedValue;

static bool add_values(const NamedValue *values, size_t count, Sample *outcome, Problem *problem)
{
    for (size_t i = 0; i < count; i++)
        if (!sample_add_value(outcome, values[i].name, values[i].value, values[i].unit,
                              values[i].provenance, ""))
            return problem_set(problem, "emulate: out of memory");
    return true;
}

static bool add_cache(const char *level, const SimulatedCache *cache, double reads, double writes,
                      Sample *outcome, Problem *problem)
{
    const NamedValue values[] = {
        {"misses", reads + writes, "lines", "sim"},
        {"read_misses", reads, "lines", "sim"},
        {"write_misses", writes, "lines", "sim"},
        {"level", cache->level, "", "sim"},
        {"size_bytes", (double)cache->size_bytes, "B", "sim"},
        {"ways", cache->ways, "", "sim"},
        {"line_bytes", cache->line_bytes, "B", "sim"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "simulated.%s.%s", level, values[i].name);
        const NamedValue value = {name, values[i].value, values[i].unit, values[i].provenance};
        if (!add_values(&value, 1, outcome, problem))
            return false;
    }
    return true;
}

static bool record_report(const SimulatedCaches *caches, const char *no_caches,
                          const CallgrindReport *report, Sample *outcome, Problem *problem)
{
    char emulator[96];
    (void)snprintf(emulator, sizeof emulator, "emulator.%s", report->creator);
    const NamedValue values[] = {
        {"instructions", report->instructions, "", "emulated"},
        {emulator, 1, "", "emulated"},
        {"data_reads", report->data_reads, "", "emulated"},
        {"data_writes", report->data_writes, "", "emulated"},
    };
    if (!add_values(values, caches ? 4 : 2, outcome, problem))
        return false;
    if (!caches)
        return (sample_add_value(outcome, "simulated.L1.misses", NAN, "lines", "", no_caches) &&
                sample_add_value(outcome, "simulated.LL.misses", NAN, "lines", "", no_caches)) ||
               problem_set(problem, "emulate: out of memory");
    return add_cache("L1", &caches->first, report->first_read_misses, report->first_write_misses,
                     outcome, problem) &&
           add_cache("LL", &caches->last, report->last_read_misses, report->last_write_misses,
                     outcome, problem);
}

void emulate_cell(const WorkerRequest *request, Sample *outcome)
{
    Problem problem = {0};
    Problem no_caches = {0};
    SimulatedCaches caches;
    CallgrindReport report;
    const bool has_caches = callgrind_choose_caches(&request->topology, &caches, &no_caches);
    const CallgrindRun run = {
        .program = "/proc/self/exe",
        .argument = EMULATED_WORKER_ARGUMENT,
        .request = request,
        .caches = has_caches ? &caches : NULL,
    };
    *outcome = sample_empty();
    outcome->task = request->task;
    outcome->ok = callgrind_run(&run, &report, &problem) &&
                  record_report(run.caches, no_caches.text, &report, outcome, &problem);
    outcome->iterations = outcome->ok ? 1 : 0;
    if (!outcome->ok)
        (void)snprintf(outcome->reason, sizeof outcome->reason, "%.500s", problem.text);
}
