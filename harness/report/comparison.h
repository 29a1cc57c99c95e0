// SPDX-License-Identifier: Apache-2.0
// comparison.h - two runs, cell by cell: the ratio of their medians and what it allows to say.
#ifndef HYP_COMPARISON_H
#define HYP_COMPARISON_H

#include "stats/metrics.h"

#include <stdio.h>

typedef enum Verdict {
    VERDICT_SAME,
    VERDICT_FASTER,
    VERDICT_SLOWER,
    VERDICT_INCONCLUSIVE, // too few samples, overlapping intervals, or no median in BASE
    VERDICT_EXCLUDED,     // above the machine's measured roof: not believed
    VERDICT_FAILED,       // in NEW
    VERDICT_MISSING,      // in BASE, but NEW does not plan it or has not measured it
    VERDICT_ADDED,        // only in NEW
    VERDICT_COUNT
} Verdict;

typedef enum ComparedSide { SIDE_BASE, SIDE_NEW, SIDE_COUNT } ComparedSide;

// One side of a cell; NAN where there is no value.
typedef struct ComparedTime {
    size_t samples;
    double median_ns;
    Interval interval_ns;
    double variation;
} ComparedTime;

typedef struct ComparedCell {
    const char *id; // of the plan
    Verdict verdict;
    double ratio; // of medians, NEW / BASE; NAN unknown
    ComparedTime time[SIDE_COUNT];
    char reason[640]; // "" or why there is no plain verdict
} ComparedCell;

typedef struct Comparison {
    const RunRecord *run[SIDE_COUNT]; // not owned
    double threshold;                 // 0.05 = 5 %
    ComparedCell *cells;              // those of NEW in its order, then the missing ones
    size_t cell_count;
    size_t count_of[VERDICT_COUNT];
} Comparison;

// The runs must outlive the comparison. NULL: out of memory. The caller frees with comparison_free.
Comparison *comparison_make(const RunRecord *base, const RunRecord *latest, double threshold);
void comparison_free(Comparison *comparison);

const char *comparison_verdict_name(Verdict verdict);

// The gravest verdict and its exit code (cli/command.h): failed or missing, then slower, then
// inconclusive or excluded; what is only in NEW decides nothing.
Verdict comparison_overall(const Comparison *comparison);
int comparison_exit_code(const Comparison *comparison);

// Formats: one row each of comparison_formats, ended by a NULL name.
typedef struct ComparisonFormat {
    const char *name; // "json"
    bool (*write)(const Comparison *comparison, FILE *out);
} ComparisonFormat;
extern const ComparisonFormat comparison_formats[];

#endif
