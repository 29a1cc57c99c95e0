// SPDX-License-Identifier: Apache-2.0
// cache_study.h - what a run says of caches: for each cell and level the counts of lines brought in
// by every way to know them, and how far they lie apart.
#ifndef HYP_CACHE_STUDY_H
#define HYP_CACHE_STUDY_H

#include "stats/metrics.h"

enum { CACHE_STUDY_LEVELS = 3 };

// Ways to know how many lines come into a level during one iteration.
typedef enum CacheWay {
    CACHE_FORMULA,   // closed form, from cold caches
    CACHE_REPLAY,    // the loop nest's lines through a simulator, from cold caches
    CACHE_SIMULATED, // every access of the kernel through the same simulator, from cold caches
    CACHE_ACCESSES,  // of that, counted as callgrind counts: an access of two lines misses once
    CACHE_CALLGRIND, // every access through another simulator, from cold caches
    CACHE_MEASURED,  // hardware
    CACHE_WAYS
} CacheWay;

// One count; NAN = unknown, then `reason` says why.
typedef struct CacheCountFound {
    double lines;
    const char *source; // "predicted.L1.fills", "PAPI_L1_DCM"
    const char *provenance;
    const char *reason;
} CacheCountFound;

// One level of one cell.
typedef struct CacheRow {
    size_t cell;
    int level; // 1 = L1
    CacheCountFound counts[CACHE_WAYS];
    double low, high; // interval of the formula
} CacheRow;

// Pairs that are held against each other; the second is taken for the truth.
typedef enum CacheComparison {
    CACHE_FORMULA_ERROR,   // formula against simulation
    CACHE_REPLAY_ERROR,    // replay against simulation
    CACHE_SIMULATOR_ERROR, // simulation against callgrind
    CACHE_HARDWARE_ERROR,  // formula against hardware
    CACHE_COMPARISONS
} CacheComparison;

typedef struct CacheComparisonKind {
    const char *name; // "formula"
    const char *help;
    CacheWay predicted, measured;
} CacheComparisonKind;

extern const CacheComparisonKind cache_comparisons[CACHE_COMPARISONS];

// |predicted - measured| / max(measured, 6400 lines); NAN where one is unknown. Below 6400 lines, a
// hundred pages or some fills of L1, a difference is of no consequence however large a share it is.
double cache_row_error(const CacheRow *row, CacheComparison comparison);

typedef struct CacheStudy {
    const RunRecord *run;
    const CellSummary *summaries;
    CacheRow *rows; // cells in order, levels within a cell
    size_t row_count;
} CacheStudy;

// Rows of all cells that did not fail and tell of a level. Run and summaries must outlive the
// study. False: out of memory. The caller clears.
bool cache_study_make(const RunRecord *run, const CellSummary *summaries, CacheStudy *study);
void cache_study_clear(CacheStudy *study);

// "gemm", or the workload where it has no operation.
const char *cache_study_op(const CacheStudy *study, const CacheRow *row);

// Whether the cell's blocks are those of the cache geometry.
bool cache_study_is_automatic(const CacheStudy *study, const CacheRow *row);

// Whether it is of a whole model.
bool cache_study_is_network(const CacheStudy *study, const CacheRow *row);

// What the cell's operands take of the level, 0.5 = half of it; NAN unknown.
double cache_study_share(const CacheStudy *study, const CacheRow *row);

// Errors of rows that have them, over those that `takes` says (NULL = all).
typedef struct CacheErrors {
    size_t count;
    double median, p90, most; // NAN without rows
} CacheErrors;
typedef bool (*CacheRowFilter)(const CacheStudy *study, const CacheRow *row, const void *context);

// False: out of memory.
bool cache_study_errors(const CacheStudy *study, CacheComparison comparison, CacheRowFilter takes,
                        const void *context, CacheErrors *errors);

// One operation at one SIMD level in one cache level.
typedef struct CacheGroup {
    const char *op, *simd;
    int level;
    CacheErrors errors[CACHE_COMPARISONS];
} CacheGroup;

// In the order in which the rows come. The caller frees. NULL: out of memory.
CacheGroup *cache_study_groups(const CacheStudy *study, size_t *count);

// As a table for people, and as members "cells" and "groups" of `document`. False: out of memory.
bool cache_study_print(const CacheStudy *study, FILE *out);
bool cache_study_to_json(const CacheStudy *study, json_t *document);

#endif
