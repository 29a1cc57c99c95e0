// SPDX-License-Identifier: Apache-2.0
// merge_runs.h - one run directory out of several: the shards of a sweep. The files it writes do
// not depend on the order the runs are given in.
#ifndef HYP_MERGE_RUNS_H
#define HYP_MERGE_RUNS_H

#include "common/problem.h"

#include <stddef.h>

typedef struct MergeOutcome {
    size_t directories;  // written: 1, or one a machine and plan where runs are faceted
    size_t samples;      // journal lines of all of them
    size_t duplicates;   // lines that several runs hold, kept once
    size_t environments; // distinct environment digests
} MergeOutcome;

// Merges the runs (NULL-terminated, at least one) into the run directory `directory`, which is
// refused where it holds anything. Runs of different plans or machines (by their key) are refused,
// or with `facet` become a run directory each, `directory`/<machine key>-<plan hash>. Refused as
// well: two runs with different samples of the same job.
bool merge_runs(const char *const *paths, const char *directory, bool facet, MergeOutcome *outcome,
                Problem *problem);

#endif
