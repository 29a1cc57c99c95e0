// SPDX-License-Identifier: Apache-2.0
// metrics.h - every number of a cell, raw or derived, defined once: tables, CSV and plots read
// this.
#ifndef HYP_METRICS_H
#define HYP_METRICS_H

#include "record/run_directory.h"
#include "stats/statistics.h"

// Coverage asked of intervals, and the least number of samples that can give it: 1 - 2/2^6 = 96.9
// %.
#define METRIC_CONFIDENCE 0.95
enum { METRIC_LEAST_SAMPLES = 6 };

// SIMD levels that a record can name, whatever machine it is read on, from the least to the most.
enum { METRICS_LEVEL_COUNT = 5 };
extern const char *const metrics_level_names[METRICS_LEVEL_COUNT];

// What all the samples of one cell say together.
typedef struct CellSummary {
    size_t cell;
    bool failed;
    char reason[512];    // of the first failure
    size_t sample_count; // timed samples
    double *sample_ns;   // median over the repetitions of each sample, per iteration; sample_count
    const Sample **emulated; // its samples under callgrind instead; emulated_count
    size_t emulated_count;
    size_t counted_count;   // its samples that counted events
    const Sample **records; // all of its samples, as journaled; record_count
    size_t record_count;
    size_t rejected_count;            // timed samples left out
    const SampleValue *stopped_early; // why it has fewer samples than planned; NULL = it has not
    const Sample *verified;           // its verification with the facts; NULL if missing
} CellSummary;

typedef struct Metric {
    const char *name;       // "gflops"
    const char *unit;       // "GFLOP/s"
    const char *provenance; // of the result: "clock", "model", ... or "" = that of its source
    const char *help;
    double (*value)(const RunRecord *run, const CellSummary *summary); // NAN = unknown
    const char *source;  // recorded value it is read from, "PAPI_L1_DCM"; NULL = computed
    const char *missing; // why it is unknown when its source gives no reason of its own
} Metric;

extern const Metric metric_table[];
extern const size_t metric_count;

// NULL if unknown.
const Metric *metric_find(const char *name);

// Value of the metric of that name, which must exist.
double metric_value(const char *name, const RunRecord *run, const CellSummary *summary);

// Where this value is from: "clock", "pmu", ...; "unavailable" where there is none.
const char *metric_provenance(const Metric *metric, const RunRecord *run,
                              const CellSummary *summary);

// Why there is no value; "" if there is one. Lives as long as run and summary.
const char *metric_reason(const Metric *metric, const RunRecord *run, const CellSummary *summary);

// Kernel variant that ran, "gemm_f32_avx2_6x16"; "" where unknown or several do.
const char *metrics_kernel(const CellSummary *summary);

// SIMD level the cell ran at, "avx2": the kernel's, or else the one asked for; "" unknown.
const char *metrics_level(const RunRecord *run, const CellSummary *summary);

// Measured peak of one core at that level, GFLOP/s: NAN, and low and high NAN, where unknown.
double metrics_peak(const RunRecord *run, const char *level, Interval *spread);

// Median over the timed samples of a value they bring; NAN where none does.
double metrics_median(const CellSummary *summary, const char *name);

// One summary a cell of the plan, in order. The caller frees with metrics_free. NULL: out of
// memory.
CellSummary *metrics_summarise(const RunRecord *run);
void metrics_free(CellSummary *summaries, size_t count);

#endif
