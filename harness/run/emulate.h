// SPDX-License-Identifier: Apache-2.0
// emulate.h - a sample without a clock: this program again, under callgrind.
#ifndef HYP_EMULATE_H
#define HYP_EMULATE_H

#include "run/protocol.h"

// Runs this program under callgrind, from empty caches, with the request. Fills the outcome: ok
// with instructions and simulated misses as values, or the reason.
void emulate_cell(const WorkerRequest *request, Sample *outcome);

#endif
