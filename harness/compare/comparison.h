// SPDX-License-Identifier: Apache-2.0
// comparison.h - two sides, cell by cell and metric by metric: what changed, and what that allows
// to say.
//
// Method. Samples of one run or file a side: the Mann-Whitney test, the Hodges-Lehmann ratio with
// its interval, Cliff's delta. Where a side is a baseline file the unit is the session: Student's t
// on the logarithms of the sessions' medians with the variance pooled from both sides, which for
// one new session is its prediction interval (Crawford and Howell 1998, The Clinical
// Neuropsychologist 12:482). All p-values of one comparison are corrected together (Holm).
#ifndef HYP_COMPARISON_H
#define HYP_COMPARISON_H

#include "compare/along_pairs.h"
#include "compare/false_alarms.h"
#include "compare/google_rows.h"
#include "compare/measured_side.h"
#include "stats/shift.h"

#include <stdio.h>

typedef enum Verdict {
    VERDICT_SAME,
    VERDICT_FASTER,       // less of the metric
    VERDICT_SLOWER,       // more of it
    VERDICT_INCONCLUSIVE, // neither a change nor its absence can be told
    VERDICT_EXCLUDED,     // above the machine's measured roof: not believed
    VERDICT_FAILED,       // in NEW
    VERDICT_MISSING,      // in BASE, but NEW does not plan it or has not measured it
    VERDICT_ADDED,        // only in NEW
    VERDICT_COUNT
} Verdict;

typedef enum ComparedSide { SIDE_BASE, SIDE_NEW, SIDE_COUNT } ComparedSide;

// One side of a row; NAN where there is no value.
typedef struct RowSide {
    size_t samples, sessions; // sessions that have any
    double median;            // of the samples, or of the medians of several sessions
    double variation;         // sample standard deviation / mean of the same
} RowSide;

// One metric of one cell.
typedef struct ComparedRow {
    const char *id, *group; // of a side
    size_t metric;
    Verdict verdict;
    RowSide side[SIDE_COUNT];
    Shift ratio;        // NEW / BASE, with its 95 % interval; NAN unknown
    double p_value;     // NAN: not tested
    double corrected_p; // for all tests of the comparison
    double effect;      // Cliff's delta; NAN where sessions are the unit
    // The smallest slowdown seen with a probability of 80 % after correction for all tests;
    // infinite: these samples can show none; NAN unknown, or exact.
    double visible;
    const char *reason; // "" or why there is no plain verdict; lives as long as the sides
} ComparedRow;

// Over the rows of one metric in one sweep that have a ratio.
typedef struct ComparedGroup {
    const char *name;
    size_t metric, rows;
    double ratio; // geometric mean
    Interval interval;
} ComparedGroup;

// The memory/time front of a sweep over `tradeoff` or `memory_budget`: what BASE covers and NEW no
// longer does, and the other way round, as shares of BASE's hypervolume.
typedef struct ComparedFront {
    const char *id; // of its first cell
    size_t points[SIDE_COUNT];
    double lost, gained;
} ComparedFront;

typedef struct ComparisonOptions {
    double least_time_effect; // 0.03 = 3 %; NAN: that of the table
    bool interleaved;         // the sides were measured turn by turn
    const AlongPairs *along;  // whose sides are compared: points of one run; NULL: two runs
    // Of this machine; counts of 0 say "not measured".
    FalseAlarms alarms;
} ComparisonOptions;

// Of the whole comparison: the probability that a cell is called faster or slower by chance.
#define COMPARISON_ALPHA 0.01
// Of the intervals and of the smallest visible effect.
#define COMPARISON_CONFIDENCE 0.95
#define COMPARISON_POWER 0.8
// A cell without a change is the same if one of so many least effects would have been seen.
#define COMPARISON_BLIND 2

typedef struct Comparison {
    const MeasuredSide *side[SIDE_COUNT]; // not owned
    ComparisonOptions options;
    bool by_sessions;     // the unit of the tests; else samples
    bool machines_differ; // both keys are known
    size_t test_count;
    ComparedRow *rows; // cells of NEW in its order, then the missing ones
    size_t row_count;
    size_t count_of[VERDICT_COUNT];
    ComparedGroup *groups;
    size_t group_count;
    ComparedFront *fronts;
    size_t front_count;
    GoogleReport *google; // rows of compare.py where both sides are such files, else NULL
} Comparison;

// The sides must outlive the comparison. NULL: out of memory. The caller frees.
Comparison *comparison_make(const MeasuredSide *base, const MeasuredSide *latest,
                            const ComparisonOptions *options);
void comparison_free(Comparison *comparison); // NULL is allowed

double comparison_least_effect(const Comparison *comparison, size_t metric);

// The same for one cell: at least the metric's least difference, as a share of BASE.
double comparison_row_least(const Comparison *comparison, const ComparedRow *row);

const char *comparison_verdict_name(Verdict verdict);

// Whether a row's verdict counts: along an axis memory is what time is bought with, so times alone.
bool comparison_row_decides(const Comparison *comparison, const ComparedRow *row);

// The gravest verdict: failed or missing, then slower, then inconclusive or excluded, then faster;
// what is only in NEW decides nothing; two empty sides are inconclusive. Its exit code
// (cli/command.h), or that of another machine.
Verdict comparison_overall(const Comparison *comparison);
int comparison_exit_code(const Comparison *comparison);

// Whether any cell is called faster or slower: of one program against itself, a false alarm.
bool comparison_raises_alarm(const Comparison *comparison);

#endif
