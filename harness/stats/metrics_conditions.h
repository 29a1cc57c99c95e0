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

// The greatest, or of iterations the one, over the timed samples.
double metrics_iterations(const RunRecord *run, const CellSummary *summary);
double metrics_peak_rss(const RunRecord *run, const CellSummary *summary);

// Before and after the loops of the timed samples.
double metrics_frequency_least(const RunRecord *run, const CellSummary *summary);
double metrics_frequency_most(const RunRecord *run, const CellSummary *summary);

// Rows of the table: ROW(function, metric, unit, provenance, missing, help)
#define METRICS_CONDITIONS(ROW)                                                                    \
    ROW(metrics_samples_rejected, "samples_rejected", "", "os", "no timed sample",                 \
        "of others, beyond the limits of the scenario and left out")                               \
    ROW(metrics_samples_flagged, "samples_flagged", "", "os", "no timed sample",                   \
        "beyond the limits as well, but the best there was")                                       \
    ROW(metrics_frequency_least, "frequency_least_ghz", "GHz", "clock",                            \
        "no timed sample, or none that tells", "lowest frequency before or after the timed loops") \
    ROW(metrics_frequency_most, "frequency_most_ghz", "GHz", "clock",                              \
        "no timed sample, or none that tells",                                                     \
        "highest frequency before or after the timed loops")                                       \
    ROW(metrics_iterations, "iterations", "", "clock", "no timed sample",                          \
        "iterations of each timed loop")                                                           \
    ROW(metrics_peak_rss, "peak_rss_kib", "KiB", "os", "not reported by the operating system",     \
        "largest resident memory of the timed worker processes, less cold_copies")

#endif
