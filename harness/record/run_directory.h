// SPDX-License-Identifier: Apache-2.0
// run_directory.h - a run as it lies on disk: plan.json, machine.json, topology.xml, journal.jsonl.
#ifndef HYP_RUN_DIRECTORY_H
#define HYP_RUN_DIRECTORY_H

#include "record/sample.h"
#include "record/shard.h"
#include "scenario/plan.h"

// Names of the files in a run directory.
#define RUN_PLAN "plan.json"
#define RUN_MACHINE "machine.json"
#define RUN_TOPOLOGY "topology.xml"
#define RUN_JOURNAL "journal.jsonl"
#define RUN_LOCK ".lock"

// "<directory>/<name>", allocated; NULL: out of memory.
char *run_file_path(const char *directory, const char *name);

// A run read back. A torn last line of the journal is dropped and counted.
typedef struct RunRecord {
    char *path;
    Plan *plan;
    json_t *machine; // machine.json
    Sample *samples; // that count
    size_t sample_count;
    Sample *rejected; // left out of everything but the report's conditions
    size_t rejected_count;
    Sample *canaries;
    size_t canary_count;
    Shard shard;       // the part of the plan that was to be run
    size_t torn_lines; // 0 or 1
} RunRecord;

// NULL on failure, naming file and line. The caller frees.
RunRecord *run_record_load(const char *path, Problem *problem);
void run_record_free(RunRecord *record); // NULL is allowed

// The plan of a run directory; NULL on failure. The caller frees.
Plan *run_plan_load(const char *directory, Problem *problem);

#endif
