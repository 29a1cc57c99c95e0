// SPDX-License-Identifier: Apache-2.0
// compared_metrics.h - the numbers that `hyperion compare` judges, and from which change on they
// matter. Less is better in all of them.
#ifndef HYP_COMPARED_METRICS_H
#define HYP_COMPARED_METRICS_H

#include <stdbool.h>
#include <stddef.h>

// The first two are tested, the others exact.
enum {
    COMPARED_TIME,
    COMPARED_MEMORY,
    COMPARED_PREDICTED_L1,
    COMPARED_PREDICTED_L2,
    COMPARED_PREDICTED_L3,
    COMPARED_SIMULATED_L1,
    COMPARED_SIMULATED_LL,
    COMPARED_INSTRUCTIONS,
    COMPARED_METRICS
};

typedef struct ComparedMetric {
    const char *name;        // "time"
    const char *unit;        // "ns"
    double least_effect;     // 0.03: a change of less than 3 % does not matter
    double least_difference; // nor one of less than this, in the unit
    // NULL: a number a sample, tested. Else the same number in every run, compared as it stands:
    // the value of that name in a cell's verification or counting pass.
    const char *source;
} ComparedMetric;

extern const ComparedMetric compared_metrics[COMPARED_METRICS];

// COMPARED_METRICS if unknown.
size_t compared_metric_find(const char *name);

#endif
