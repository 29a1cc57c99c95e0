// SPDX-License-Identifier: Apache-2.0
// emulate.h - a sample without a clock: this program again, under callgrind.
#ifndef HYP_EMULATE_H
#define HYP_EMULATE_H

#include "run/protocol.h"

// The one argument by which a worker knows that it is the one under callgrind.
#define EMULATED_WORKER_ARGUMENT "emulated"

// Runs this program under callgrind with that argument and the request on its standard input;
// program name, arguments, environment and addresses are the same every time, so that the counts
// are. Fills the outcome: ok with instructions and simulated misses as values, or the reason.
void emulate_cell(const WorkerRequest *request, Sample *outcome);

#endif
