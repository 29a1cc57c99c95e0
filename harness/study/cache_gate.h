// SPDX-License-Identifier: Apache-2.0
// cache_gate.h - how far apart ways to know cache counts may lie: one table of tolerances.
#ifndef HYP_CACHE_GATE_H
#define HYP_CACHE_GATE_H

#include "study/cache_study.h"

typedef enum CacheStatistic { CACHE_MEDIAN, CACHE_P90, CACHE_MOST } CacheStatistic;

// Which cells a tolerance is for.
typedef enum CacheBlocks {
    CACHE_ALL_BLOCKS,
    CACHE_AUTOMATIC_BLOCKS, // chosen from the geometry
    CACHE_GIVEN_BLOCKS,     // by the axis block_size
    CACHE_NETWORKS          // all layers of one, which the others are not for
} CacheBlocks;

typedef struct CacheTolerance {
    CacheComparison comparison;
    int level; // 1 = L1
    CacheBlocks blocks;
    CacheStatistic statistic;
    double share;      // of the level that the operands may take; 0 = any
    double most_error; // 0.02 = 2 %
} CacheTolerance;

extern const CacheTolerance cache_tolerances[];
extern const size_t cache_tolerance_count;

typedef enum CacheGateOutcome {
    CACHE_GATE_PASSED,
    CACHE_GATE_BROKEN,
    CACHE_GATE_UNJUDGED // nothing to compare by any tolerance
} CacheGateOutcome;

// What became of one of them.
typedef struct CacheGateRow {
    const CacheTolerance *tolerance;
    size_t count; // rows it was judged by; 0 = not judged
    double error; // NAN without rows
    bool broken;
} CacheGateRow;

// Judges by every tolerance: rows[cache_tolerance_count]. False: out of memory.
bool cache_gate_judge(const CacheStudy *study, CacheGateRow *rows, CacheGateOutcome *outcome);

// "formula, L1, automatic blocks, largest error".
void cache_gate_describe(const CacheTolerance *tolerance, char *text, size_t text_bytes);

// For people, and as the member "gate" of `document`. False: out of memory.
bool cache_gate_print(const CacheGateRow *rows, CacheGateOutcome outcome, FILE *out);
bool cache_gate_to_json(const CacheGateRow *rows, CacheGateOutcome outcome, json_t *document);

#endif
