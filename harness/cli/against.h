// SPDX-License-Identifier: Apache-2.0
// against.h - `hyperion compare --against`: two run directories, of another revision and of this
// one, whose samples are taken turn by turn.
#ifndef HYP_AGAINST_H
#define HYP_AGAINST_H

#include "common/problem.h"

#include <stddef.h>

typedef struct AgainstOptions {
    const char *revision, *scenario;
    const char *const *set; // of --set; NULL = none
    const char *seed, *out; // texts of the options; NULL = not given
    size_t most_samples;    // a cell and side
    bool force;             // measure although the doctor refuses
    double least_effect;    // of the comparison that follows: 0.02 = 2 %
} AgainstOptions;

typedef struct AgainstRuns {
    char base[4096], latest[4096]; // run directories
} AgainstRuns;

// Takes the samples of one comparison. An exit code: EXIT_OK, and *runs names both; else the
// problem says why, or there is none and the run was interrupted.
int against_take(const AgainstOptions *options, AgainstRuns *runs, Problem *problem);

// How a comparison is judged: *alarm where it calls any cell faster or slower.
typedef bool (*AgainstJudge)(const AgainstRuns *runs, double least_effect, bool *alarm,
                             Problem *problem);

// Compares this program `comparisons` times with itself (the revision must be its own) and prints
// how often that raised an alarm. An exit code.
int against_count_alarms(const AgainstOptions *options, size_t comparisons, AgainstJudge judge,
                         Problem *problem);

#endif
