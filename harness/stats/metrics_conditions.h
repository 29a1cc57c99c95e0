// SPDX-License-Identifier: Apache-2.0
// metrics_conditions.h - under what conditions the samples of a cell were taken; the functions are
// those of rows of metric_table, NAN = unknown.
#ifndef HYP_METRICS_CONDITIONS_H
#define HYP_METRICS_CONDITIONS_H

#include "stats/metrics.h"

// Samples left out, and those that count though beyond the limits. NAN for a cell without a timed
// sample.
double metrics_samples_rejected(const RunRecord *run, const CellSummary *summary);
double metrics_samples_flagged(const RunRecord *run, const CellSummary *summary);

// Before and after the loops of the timed samples.
double metrics_frequency_least(const RunRecord *run, const CellSummary *summary);
double metrics_frequency_most(const RunRecord *run, const CellSummary *summary);

#endif
