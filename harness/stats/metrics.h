// SPDX-License-Identifier: Apache-2.0
// metrics.h - every number of a cell, raw or derived, defined once: tables, CSV and plots read
// this.
#ifndef HYP_METRICS_H
#define HYP_METRICS_H

#include "record/run_directory.h"
#include "stats/statistics.h"

// What all the samples of one cell say together.
typedef struct CellSummary {
    size_t cell;
    bool failed;
    char reason[512];    // of the first failure
    size_t sample_count; // timed samples
    double *sample_ns;   // median over the repetitions of each sample, per iteration; sample_count
    const Sample *verified; // its verification with the facts; NULL if missing
} CellSummary;

typedef struct Metric {
    const char *name;       // "gflops"
    const char *unit;       // "GFLOP/s"
    const char *provenance; // of the result: "clock", "model", ... or "" = that of its source
    const char *help;
    double (*value)(const RunRecord *run, const CellSummary *summary); // NAN = unknown
} Metric;

extern const Metric metric_table[];
extern const size_t metric_count;

// One summary a cell of the plan, in order. The caller frees with metrics_free. NULL: out of
// memory.
CellSummary *metrics_summarise(const RunRecord *run);
void metrics_free(CellSummary *summaries, size_t count);

#endif
