// SPDX-License-Identifier: Apache-2.0
// run_start.h - taking possession of a run directory before anything is measured.
#ifndef HYP_RUN_START_H
#define HYP_RUN_START_H

#include "scenario/plan.h"

typedef struct RunStart {
    int lock;     // descriptor of the locked file, held while the run lasts
    bool resumes; // the directory holds this plan already
} RunStart;

// Makes the directory and those above it, locks it (the lock goes with the process, however that
// ends) and writes plan.json. Refused: a directory in use by another run, one that holds another
// plan, this plan without `resume`, or other files than a run's. Call run_start_release after
// success.
bool run_start(const char *directory, const Plan *plan, bool resume, RunStart *start,
               Problem *problem);
void run_start_release(RunStart *start);

// "results/<scenario>/<UTC date-time>-<host>-<commit>": `commit` may be NULL. False when it does
// not fit the buffer.
bool run_default_directory(const Plan *plan, double unix_s, const char *host, const char *commit,
                           char *buffer, size_t buffer_bytes);

#endif
