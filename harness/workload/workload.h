// SPDX-License-Identifier: Apache-2.0
// workload.h - what a cell can run: a struct of functions a workload, one file each, and their
// table.
#ifndef HYP_WORKLOAD_H
#define HYP_WORKLOAD_H

#include "common/problem.h"
#include "hyperion/cache.h"
#include "hyperion/parallel.h"
#include "scenario/axes.h"

struct Cell;
struct Sample;

// What the worker knows of the machine; comes with the request.
typedef struct WorkloadMachine {
    HyperionCacheTopology topology;
    uint64_t seed;    // of the input data
    bool emulated;    // by callgrind, which knows AVX2 at most: simd_level best stops there
    const int *cpus;  // for the threads; the worker is bound to the first
    size_t cpu_count; // 0: not bound
    bool keeps_cold;  // iterations find the caches as the axis cache_state says; else as they are
    const HyperionParallel *parallel; // instead of threads of its own; NULL = those of the cell
} WorkloadMachine;

// Facts of one iteration that metrics are made of. NAN = does not apply.
typedef struct WorkloadFacts {
    double flops;          // nominal floating-point operations
    double executed_flops; // with those on the padding of register tiles; NAN also: as nominal
    double bytes;          // least bytes to move: each operand once
    double elements;       // results
    char kernel[64];       // variant that ran, "gemm_f32_avx2_6x16"; "" where several do
    bool has_blocking;
    HyperionGemmBlocking blocking; // resolved
    HyperionCacheStats predicted;  // valid false: reason in predicted_reason
    char predicted_reason[256];
    double operand_bytes; // memory the workload allocated for data
} WorkloadFacts;

// Where an open workload is, for what was achieved to be read back.
typedef struct WorkloadPlacement {
    HyperionThreadPool *pool; // its threads; NULL = the calling one alone
    const void *data;         // all its data, from here
    size_t data_bytes;        // 0 = anywhere in the memory of the process
    size_t copies;            // of what is kept cold; 1 = none but the one
    size_t copy_bytes;        // of all copies but one
} WorkloadPlacement;

// Guesses at times; 0 = little.
typedef struct WorkloadGuess {
    double open_ns; // before the first iteration, beside what every worker takes
    double iteration_ns;
} WorkloadGuess;

typedef struct Workload {
    const char *name;
    const char *help;
    // True if the workload, with the values bound so far (`op` comes first in the table), uses the
    // axis. An axis that is given and not used is refused.
    bool (*uses)(const AxisValue *values, AxisId axis);
    // Checks what single values cannot show (window larger than image ...). Part of planning.
    bool (*check)(const AxisValue *values, Problem *problem);
    // For the duration that a plan promises; NULL where there is no guess.
    WorkloadGuess (*guess)(const AxisValue *values);
    // Everything before the first run; NULL on failure. The caller calls close.
    void *(*open)(const struct Cell *cell, const WorkloadMachine *machine, Problem *problem);
    // Compares with the reference; false names sizes, place, got and wanted.
    bool (*verify)(void *context, Problem *problem);
    // Before each iteration of a timed loop, outside of its time; NULL: there is nothing to do.
    void (*prepare)(void *context);
    void (*run)(void *context); // one iteration, timed
    WorkloadFacts (*facts)(void *context);
    // Cache statistics of one iteration, predicted as `config` says; not valid, with the library's
    // last error, where that cannot be. NULL: the workload has no such predictions.
    HyperionCacheStats (*predict)(void *context, const HyperionPredictionConfig *config);
    // What a verification and a timed sample bring besides; sample->task says which it is. False,
    // the reason in `problem` unless memory ran out: the sample is not to be believed. NULL:
    // nothing.
    bool (*add_values)(void *context, struct Sample *sample, Problem *problem);
    WorkloadPlacement (*placement)(void *context); // NULL: has no data and one thread
    // The workload's own default of an axis, as written; NULL where it has that of the table. NULL:
    // everywhere.
    const char *(*fallback)(AxisId axis);
    void (*close)(void *context); // NULL is allowed
} Workload;

extern const Workload *const workload_table[];   // NULL-terminated
const Workload *workload_find(const char *name); // NULL if unknown

// The default of an axis for that workload; false, and *value unchanged, where there is none.
bool workload_fallback(const Workload *workload, AxisId axis, AxisValue *value);

#endif
