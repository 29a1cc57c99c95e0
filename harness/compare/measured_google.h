// SPDX-License-Identifier: Apache-2.0
// measured_google.h - a Google Benchmark file as one side of a comparison.
#ifndef HYP_MEASURED_GOOGLE_H
#define HYP_MEASURED_GOOGLE_H

#include "compare/measured_side.h"

// Takes the document over (on failure too). NULL: what is wrong with it. The caller frees.
MeasuredSide *measured_side_of_google(const char *path, json_t *document, Problem *problem);

// Whether `hyperion bench` wrote it: cells in one process, exploration only.
bool measured_google_is_exploration(const MeasuredSide *side);

#endif
