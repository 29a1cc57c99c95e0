// SPDX-License-Identifier: Apache-2.0
// along_pairs.h - one run along one of its axes: lines of cells that differ in nothing else, and
// each pair of points on a line as a cell of two sides, the earlier point in BASE and the later one
// in NEW.
#ifndef HYP_ALONG_PAIRS_H
#define HYP_ALONG_PAIRS_H

#include "compare/measured_side.h"

// A cell on a line. NAN: not known of it.
typedef struct AlongPoint {
    const char *id; // of the cell; of the run
    size_t cell;
    char value[64]; // of the axis, as a scenario writes it
    double time_ns; // medians of the samples
    double peak_bytes;
    double planned_bytes, predicted_ns;
} AlongPoint;

// Points by ascending value of the axis; a cap or budget of 0, which is none, is the largest.
typedef struct AlongLine {
    size_t first_point, point_count;
    size_t first_pair, pair_count; // all of them: (earlier, later)
} AlongLine;

typedef struct AlongPair {
    size_t earlier, later; // points
} AlongPair;

typedef struct AlongPairs {
    AxisId axis;
    const char *path; // of the run
    AlongPoint *points;
    size_t point_count;
    AlongLine *lines; // those of two points or more
    size_t line_count;
    AlongPair *pairs; // in the order of the cells of both sides
    size_t pair_count;
    MeasuredSide *base, *latest; // times and peak memory alone: the rest is not tested
} AlongPairs;

// The run must outlive the pairs. NULL: the problem says why: no such axis, one without an order,
// or one that no line of the run varies. The caller frees.
AlongPairs *along_pairs_make(const RunRecord *run, const char *axis, Problem *problem);
void along_pairs_free(AlongPairs *pairs); // NULL is allowed

#endif
