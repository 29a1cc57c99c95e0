// SPDX-License-Identifier: Apache-2.0
// profile_report.h - a profile of a model for people and tools: a document, a table made of it, a
// trace for Chrome's viewer or Perfetto.
#ifndef HYP_PROFILE_REPORT_H
#define HYP_PROFILE_REPORT_H

#include "hyperion/model.h"
#include "hyperion/profile.h"

#include <jansson.h>
#include <stdio.h>

// All that the profile tells, by layer in the model's order and by operator, those that take
// longest first. What does not apply or is unknown is null. The caller decrefs. NULL: no run was
// recorded, or out of memory.
json_t *profile_report_make(const HyperionModel *model, const HyperionProfile *profile);

// A new array of rows of such a document, those with the largest median_ns first. The caller
// decrefs. NULL: out of memory.
json_t *profile_report_sort(const json_t *rows);

// Prints it: what a run takes, its memory, a line a layer, a line an operator. most_layers > 0:
// only as many layers, those that take longest. False: out of memory.
bool profile_report_print(const json_t *report, size_t most_layers, FILE *out);

// Every run kept in the Trace Event Format: a lane for layers in their run, one for waits of a
// microsecond or more, one for loads; counters of memory. The caller decrefs. NULL: out of memory.
json_t *profile_trace_make(const HyperionModel *model, const HyperionProfile *profile);

#endif
