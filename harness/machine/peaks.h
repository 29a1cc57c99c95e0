// SPDX-License-Identifier: Apache-2.0
// peaks.h - the measured compute roof of one core, and its cache in the user's folder.
#ifndef HYP_PEAKS_H
#define HYP_PEAKS_H

#include "common/problem.h"

#include <jansson.h>

// Measures every level of this machine; takes about a second. NULL on failure.
json_t *peaks_measure(Problem *problem);

// What an earlier run stored for this machine in this environment. NULL with the reason if there is
// nothing that can be used.
json_t *peaks_load(const char *key, const char *environment, Problem *problem);

// Keeps them for later runs; false with the reason.
bool peaks_store(const char *key, const char *environment, const json_t *peaks, Problem *problem);

#endif
