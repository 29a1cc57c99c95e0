// SPDX-License-Identifier: Apache-2.0
// baseline_file.h - <root>/<machine-key>/<scenario>.json: the samples of several runs of a scenario
// on one machine, as text for git: a line a cell of a session, so that a new session adds lines and
// changes none. Seven digits of each number.
#ifndef HYP_BASELINE_FILE_H
#define HYP_BASELINE_FILE_H

#include "compare/measured_side.h"

#define BASELINE_SCHEMA "hyperion-baseline-1"

// The path of the baseline that a run belongs to, allocated; the caller frees. NULL: machine key or
// scenario cannot name a file.
char *baseline_path(const char *root, const char *machine_key, const char *scenario,
                    Problem *problem);

// Whether the document says of itself that it is a baseline.
bool baseline_is(const json_t *document);

// NULL: what is wrong with the document. The caller frees.
MeasuredSide *measured_side_of_baseline(const char *path, const json_t *document, Problem *problem);

// Adds the run as a session; without a file it is the first one. Cells above the roof stay out. A
// run with a failed cell or without samples, or one that is in already, is refused.
bool baseline_add(const char *path, const RunRecord *run, Problem *problem);

// The run takes the place of all sessions of the file, which must be there: its history keeps why,
// when, and how many sessions there were.
bool baseline_accept(const char *path, const RunRecord *run, const char *reason, Problem *problem);

#endif
