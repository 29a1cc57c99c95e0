// SPDX-License-Identifier: Apache-2.0
// comparison_along.h - what the verdicts of all pairs of points along an axis say of each line:
// does more of the axis ever cost time, and does any point lose to another in time and memory
// alike.
#ifndef HYP_COMPARISON_ALONG_H
#define HYP_COMPARISON_ALONG_H

#include "compare/comparison.h"

#include <stdint.h>

// Of numbers that are exact, point after point.
typedef enum AlongAnswer { ALONG_NEVER, ALONG_SOMEWHERE, ALONG_UNKNOWN } AlongAnswer;

// Of one line. The later point of a pair is faster, slower ... than the earlier one.
typedef struct AlongFindings {
    size_t times[VERDICT_COUNT];
    size_t peaks[VERDICT_COUNT]; // faster: the later point needs less
    double peak_fall_bytes;      // the most that a later median lies below an earlier one; 0 none
    AlongAnswer planned_falls, predicted_rises;
    size_t dominated; // points
} AlongFindings;

#define ALONG_UNDOMINATED SIZE_MAX

typedef struct AlongReport {
    AlongFindings *lines;
    // Of each point: one of its line that is faster and needs no more peak memory, both by the
    // verdicts.
    size_t *dominator;
} AlongReport;

// Of a comparison along an axis. False: out of memory, and nothing to clear.
bool along_report_make(const Comparison *comparison, AlongReport *report);
void along_report_clear(AlongReport *report);

// "monotone", "slower", "incomplete" (a cell failed or is missing), "inconclusive": the times.
const char *along_order_name(const AlongFindings *findings);

// The points of every line as a table, for people.
bool along_print_points(const Comparison *comparison, const AlongReport *report, FILE *out);

// A sentence or two a line.
void along_print_notes(const Comparison *comparison, const AlongReport *report, const char *prefix,
                       const char *suffix, FILE *out);

// NULL: out of memory.
json_t *along_to_json(const Comparison *comparison, const AlongReport *report);

#endif
