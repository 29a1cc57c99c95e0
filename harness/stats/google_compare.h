// SPDX-License-Identifier: Apache-2.0
// google_compare.h - the numbers of Google Benchmark's compare.py, as it computes them. Its rows
// are a pair of repetitions each; which repetitions belong together is its reader's business.
#ifndef HYP_GOOGLE_COMPARE_H
#define HYP_GOOGLE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

enum { GOOGLE_LEAST_REPETITIONS = 2, GOOGLE_ENOUGH_REPETITIONS = 9 };

// Relative change of one repetition: (latest - base) / |base|; from 0 it is 0 (to 0) or 2.
double google_change(double base, double latest);

// Repetitions of one benchmark in one file: real and CPU time, the same count of both.
typedef struct GoogleTimes {
    const double *real, *cpu;
    size_t count;
} GoogleTimes;

typedef struct GoogleUTest {
    bool made;   // at least GOOGLE_LEAST_REPETITIONS a side, and both p-values known
    bool enough; // at least GOOGLE_ENOUGH_REPETITIONS a side, or else "Results unreliable!"
    double real_p, cpu_p;
} GoogleUTest;
GoogleUTest google_u_test(GoogleTimes base, GoogleTimes latest);

// Row OVERALL_GEOMEAN: over all rows of a file that are no aggregates, in seconds.
typedef struct GoogleOverall {
    bool made; // both files have a row, and not only times of 0
    double base_real, base_cpu, latest_real, latest_cpu, real_change, cpu_change;
} GoogleOverall;
GoogleOverall google_overall(GoogleTimes base, GoogleTimes latest);

#endif
