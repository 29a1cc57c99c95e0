// SPDX-License-Identifier: Apache-2.0
// false_alarms.h - how often comparing a revision with itself (A/A) raised an alarm on a machine:
// <root>/<machine-key>/false-alarms.json.
#ifndef HYP_FALSE_ALARMS_H
#define HYP_FALSE_ALARMS_H

#include "common/problem.h"
#include "stats/statistics.h"

// Where baselines and false alarms lie, from the root of a project.
#define BASELINE_ROOT "results/baseline"

// Two ways to compare, which differ in how often they cry wolf: both sides taken turn by turn, or
// at different times.
typedef enum AlarmKind { ALARMS_INTERLEAVED, ALARMS_STORED, ALARM_KINDS } AlarmKind;

typedef struct AlarmCount {
    size_t comparisons; // A/A comparisons made
    size_t alarms;      // of them: at least one cell faster or slower
} AlarmCount;

typedef struct FalseAlarms {
    AlarmCount counts[ALARM_KINDS];
} FalseAlarms;

// "interleaved", "stored".
const char *false_alarms_kind(AlarmKind kind);

// What was counted so far; nothing where there is no file. False: the file cannot be read, and the
// problem says where.
bool false_alarms_load(const char *root, const char *machine_key, FalseAlarms *alarms,
                       Problem *problem);

// Adds to what the file holds (and makes it and its folder): alarms <= comparisons. One writer at a
// time.
bool false_alarms_add(const char *root, const char *machine_key, AlarmKind kind, AlarmCount added,
                      Problem *problem);

// Clopper and Pearson's, 95 %; 0 to 1 where nothing was compared.
Interval false_alarms_interval(AlarmCount count);

// "measured false-alarm rate (interleaved A/A): 0 of 200, 95 % interval 0 to 1.8 %", or "... not
// measured on this machine".
void false_alarms_describe(AlarmCount count, AlarmKind kind, char *text, size_t text_bytes);

#endif
