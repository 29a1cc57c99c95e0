// SPDX-License-Identifier: Apache-2.0
// metrics_roof.h - a cell against what the machine was measured to be able to do; the functions are
// those of rows of metric_table, NAN = unknown.
#ifndef HYP_METRICS_ROOF_H
#define HYP_METRICS_ROOF_H

#include "stats/metrics.h"

// Of as many threads as the cell has: one, or a thread on every core.
double metrics_roof_peak(const RunRecord *run, const CellSummary *summary);
double metrics_roof_fraction(const RunRecord *run, const CellSummary *summary);

// 1: more executed operations a second than the highest run of the peak had, or more bytes than the
// fastest pass over the nearest cache moved, for each of the threads; else 0.
double metrics_roof_above(const RunRecord *run, const CellSummary *summary);

// Least bytes a second of the level's fastest pattern: median of the runs, one core; NAN where it
// was not measured. `level` counts from 0, the last is memory. `name` is set where there is one.
double metrics_bandwidth(const RunRecord *run, size_t level, const char **name, Interval *spread);

#endif
