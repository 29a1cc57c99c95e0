// SPDX-License-Identifier: Apache-2.0
// mann_whitney.h - the Mann-Whitney U test (Wilcoxon's rank-sum test), two-sided, of two
// independent samples.
#ifndef HYP_MANN_WHITNEY_H
#define HYP_MANN_WHITNEY_H

#include <stdbool.h>
#include <stddef.h>

typedef enum MannWhitneyMethod {
    // Exact up to 2500 pairs (50 a side; the distribution then costs some milliseconds), normal
    // beyond, which is conservative in the tails: with 60 a side 0.00046 becomes 0.00054.
    MANN_WHITNEY_AUTO,
    // Probability of |U - mean| at least as large over all permutations of the pooled ranks, ties
    // included; normal beyond 10,000 pairs.
    MANN_WHITNEY_EXACT,
    MANN_WHITNEY_NORMAL,       // with tie and continuity correction
    MANN_WHITNEY_NORMAL_PLAIN, // with tie correction only
    // As scipy 1.10 chooses, and so Google Benchmark's compare.py: exact if there are no ties and
    // one sample has at most 8 values, else normal.
    MANN_WHITNEY_SCIPY,
} MannWhitneyMethod;

typedef struct MannWhitney {
    double u;       // of x: the pairs with x > y, and half of those with x = y
    double p_value; // two-sided
    bool exact;     // p_value is from the permutation distribution
} MannWhitney;

// Both NAN if a sample is empty or a value is not finite; p_value also if memory ran out, and for
// identical values under NORMAL_PLAIN, where it is undefined.
MannWhitney stat_mann_whitney(const double *x, size_t x_count, const double *y, size_t y_count,
                              MannWhitneyMethod method);

// The largest c such that without ties P(U < c) <= alpha / 2: the test (AUTO) rejects when the
// smaller of the two U is below c. 0: it never does. False: out of memory.
bool stat_mann_whitney_critical(size_t x_count, size_t y_count, double alpha, size_t *critical);

#endif
