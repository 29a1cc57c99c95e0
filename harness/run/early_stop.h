// SPDX-License-Identifier: Apache-2.0
// early_stop.h - cells that need fewer samples than the scenario allows, because it asks for a
// precision or sets a most time. For exploration: what looks at the samples to decide how many
// there are has no error rate of its own, so gates take a fixed number.
#ifndef HYP_EARLY_STOP_H
#define HYP_EARLY_STOP_H

#include "record/sample.h"
#include "scenario/plan.h"

typedef struct CellSeries {
    double *sample_ns; // median of the repetitions of each timed sample
    size_t count;
    double spent_ns; // life of their workers
    bool stopped;
} CellSeries;

typedef struct EarlyStop {
    const Plan *plan;
    CellSeries *cells;
} EarlyStop;

// False: out of memory. Call early_stop_clear in any case.
bool early_stop_begin(EarlyStop *stop, const Plan *plan);
void early_stop_clear(EarlyStop *stop);

// Takes a sample into account before it is recorded. The one that ends its cell gets the value
// "stopped_early": the number of timed samples, with the reason. False: out of memory.
bool early_stop_note(EarlyStop *stop, Sample *sample);

// A sample that was recorded before.
bool early_stop_recall(EarlyStop *stop, const Sample *sample);

bool early_stop_reached(const EarlyStop *stop, size_t cell);

#endif
