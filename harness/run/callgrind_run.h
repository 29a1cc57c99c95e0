// SPDX-License-Identifier: Apache-2.0
// callgrind_run.h - a worker under callgrind, from exec to its counts.
#ifndef HYP_CALLGRIND_RUN_H
#define HYP_CALLGRIND_RUN_H

#include "run/callgrind.h"
#include "run/protocol.h"

typedef struct CallgrindRun {
    const char *program;           // path of the worker
    const char *argument;          // the only one it gets
    const WorkerRequest *request;  // on its standard input
    const SimulatedCaches *caches; // NULL: instructions alone
} CallgrindRun;

// Program name, arguments, environment and addresses are the same every time, so that the counts
// are. False where there is no valgrind, the worker fails (with its reason) or counts nothing.
bool callgrind_run(const CallgrindRun *run, CallgrindReport *report, Problem *problem);

#endif
