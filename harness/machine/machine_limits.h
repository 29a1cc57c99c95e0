// SPDX-License-Identifier: Apache-2.0
// machine_limits.h - what the machine was measured to be able to do, and its cache in the user's
// folder.
#ifndef HYP_MACHINE_LIMITS_H
#define HYP_MACHINE_LIMITS_H

#include "common/problem.h"

#include <jansson.h>

typedef enum LimitsScope {
    LIMITS_PEAKS, // of arithmetic: about a second
    LIMITS_ALL    // and of every level of memory: some ten seconds
} LimitsScope;

// See machine_measure_limits. NULL on failure.
json_t *limits_measure(LimitsScope scope, Problem *problem);

// What an earlier run stored for this machine in this environment. NULL with the reason if there is
// nothing that can be used.
json_t *limits_load(const char *key, const char *environment, Problem *problem);

// Keeps them for later runs; false with the reason.
bool limits_store(const char *key, const char *environment, const json_t *limits, Problem *problem);

// Prints the "limits" of a machine for people, or why there are none.
void limits_print(const json_t *machine);

#endif
