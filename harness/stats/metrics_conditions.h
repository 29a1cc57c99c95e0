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

// Of the table.
#define METRICS_CONDITION_ROWS                                                                     \
    {"samples_rejected",                                                                           \
     "",                                                                                           \
     "os",                                                                                         \
     "of others, beyond the limits of the scenario and left out",                                  \
     metrics_samples_rejected,                                                                     \
     NULL,                                                                                         \
     "no timed sample"},                                                                           \
        {"samples_flagged",                                                                        \
         "",                                                                                       \
         "os",                                                                                     \
         "beyond the limits as well, but the best there was",                                      \
         metrics_samples_flagged,                                                                  \
         NULL,                                                                                     \
         "no timed sample"},                                                                       \
        {"frequency_least_ghz",                                                                    \
         "GHz",                                                                                    \
         "clock",                                                                                  \
         "lowest frequency before or after the timed loops",                                       \
         metrics_frequency_least,                                                                  \
         NULL,                                                                                     \
         "no timed sample, or none that tells"},                                                   \
    {                                                                                              \
        "frequency_most_ghz", "GHz", "clock", "highest frequency before or after the timed loops", \
            metrics_frequency_most, NULL, "no timed sample, or none that tells"                    \
    }

#endif
