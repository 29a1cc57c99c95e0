// SPDX-License-Identifier: Apache-2.0
// run_directory.h - a run as it lies on disk: plan.json, machine.json, topology.xml, journal.jsonl.
#ifndef HYP_RUN_DIRECTORY_H
#define HYP_RUN_DIRECTORY_H

#include "record/sample.h"
#include "scenario/plan.h"

// A run read back. A torn last line of the journal is dropped and counted.
typedef struct RunRecord {
    char *path;
    Plan *plan;
    json_t *machine; // machine.json
    Sample *samples;
    size_t sample_count;
    size_t torn_lines; // 0 or 1
} RunRecord;

// NULL on failure, naming file and line. The caller frees.
RunRecord *run_record_load(const char *path, Problem *problem);
void run_record_free(RunRecord *record); // NULL is allowed

#endif
