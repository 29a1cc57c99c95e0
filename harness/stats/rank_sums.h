// SPDX-License-Identifier: Apache-2.0
// rank_sums.h - ranks of two pooled samples, ties sharing theirs, and the distribution of the rank
// sum over all permutations. Ranks are doubled, so that shared ones are whole numbers.
#ifndef HYP_RANK_SUMS_H
#define HYP_RANK_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Ranking {
    size_t x_count, y_count;
    uint32_t *doubled_ranks; // of the pooled values in ascending order, x_count + y_count
    uint64_t doubled_sum;    // of the ranks of x
    double tie_sum;          // of t^3 - t over the groups of t equal values
} Ranking;

// False: a sample is empty, a value is not finite, more than 2^30 values, or out of memory. On
// success the caller frees with ranking_free.
bool ranking_make(Ranking *ranking, const double *x, size_t x_count, const double *y,
                  size_t y_count);
// Any two samples without ties, with doubled_sum left 0.
bool ranking_untied(Ranking *ranking, size_t x_count, size_t y_count);
void ranking_free(Ranking *ranking);

// Of the smaller sample: ways[i] of the choices of as many ranks have the doubled sum
// first + step * i. That of the larger one deviates by as much to the other side.
typedef struct RankSums {
    size_t count;
    double first, step, mean; // mean of the doubled sums
    double *ways;
} RankSums;

// The binomial coefficient of the sizes must be a finite double: at most 10,000 pairs are asked
// for. False: out of memory. On success the caller frees with rank_sums_free.
bool rank_sums_make(RankSums *sums, const Ranking *ranking);
void rank_sums_free(RankSums *sums);

#endif
