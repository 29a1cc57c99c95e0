// SPDX-License-Identifier: Apache-2.0
// session_alarms.h - the false alarms of stored comparisons: a session of the very revision and
// environment that all sessions of a baseline are of is held against them before it joins them.
#ifndef HYP_SESSION_ALARMS_H
#define HYP_SESSION_ALARMS_H

#include "compare/false_alarms.h"
#include "record/run_directory.h"

// What comparing the run with the baseline at `path` adds to the count of stored A/A comparisons:
// one comparison, and an alarm if any cell is called faster or slower; nothing where there is no
// file, where it has less than two sessions (they can raise none), or where a session is of another
// revision or environment, or of one with changes not committed. False: the file cannot be read.
bool session_alarms_count(const char *path, const RunRecord *run, AlarmCount *count,
                          Problem *problem);

#endif
