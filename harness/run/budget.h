// SPDX-License-Identifier: Apache-2.0
// budget.h - whether the next round still fits into the time a run was given, judged by what its
// samples took so far.
#ifndef HYP_BUDGET_H
#define HYP_BUDGET_H

#include "run/schedule.h"

typedef struct Budget {
    double end_ns; // on the runner's clock; INFINITY = no limit
    const Plan *plan;
    // By cell:
    double *loop_ns;   // of one timed loop, from the pilot; 0 = unknown
    double *sample_ns; // life of the last sample's worker; 0 = none yet
    bool *ended;       // takes no more samples
} Budget;

// False: out of memory. Call budget_clear in any case.
bool budget_begin(Budget *budget, const Plan *plan, double end_ns);
void budget_clear(Budget *budget);

// Learns from a sample.
void budget_note(Budget *budget, const Sample *sample);
// The cell takes no more timed samples.
void budget_end_cell(Budget *budget, size_t cell);

// Whether the job that comes next may be started: a timed one when the rest of its round, and the
// counting passes that follow the rounds, will be over in time.
bool budget_allows(const Budget *budget, const Job *jobs, const bool *done, size_t next,
                   size_t count, double now_ns);

#endif
