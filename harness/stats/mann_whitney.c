// SPDX-License-Identifier: Apache-2.0
#include "stats/mann_whitney.h"

#include "stats/distributions.h"
#include "stats/rank_sums.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

// Limits of the exact distribution, in pairs: its time and memory grow with the square of them.
enum { AUTO_MOST_PAIRS = 2500, MOST_PAIRS = 10000, SCIPY_MOST_UNTIED = 8 };

static size_t count_pairs(size_t x_count, size_t y_count)
{
    return x_count > SIZE_MAX / y_count ? SIZE_MAX : x_count * y_count;
}

static bool is_exact(MannWhitneyMethod method, size_t x_count, size_t y_count, bool tied)
{
    const size_t pairs = count_pairs(x_count, y_count);
    switch (method) {
    case MANN_WHITNEY_AUTO: return pairs <= AUTO_MOST_PAIRS;
    case MANN_WHITNEY_EXACT: return pairs <= MOST_PAIRS;
    case MANN_WHITNEY_SCIPY:
        return !tied && pairs <= MOST_PAIRS &&
               (x_count <= SCIPY_MOST_UNTIED || y_count <= SCIPY_MOST_UNTIED);
    case MANN_WHITNEY_NORMAL:
    case MANN_WHITNEY_NORMAL_PLAIN: return false;
    }
    return false;
}

// Standard deviation of U where `ties` is the sum of t^3 - t over the groups of t equal values.
static double find_deviation(size_t x_count, size_t y_count, double ties)
{
    const double x = (double)x_count;
    const double y = (double)y_count;
    const double n = x + y;
    return sqrt(x * y / 12 * (n + 1 - ties / (n * (n - 1))));
}

static double find_normal_p(const Ranking *ranking, double u, double continuity)
{
    const double mean = (double)ranking->x_count * (double)ranking->y_count / 2;
    const double z = (fabs(u - mean) - continuity) /
                     find_deviation(ranking->x_count, ranking->y_count, ranking->tie_sum);
    const double p = 2 * stat_normal_cdf(-z);
    return p > 1 ? 1 : p; // keeps a NAN
}

static double find_exact_p(const Ranking *ranking)
{
    RankSums sums;
    if (!rank_sums_make(&sums, ranking))
        return NAN;
    const double mean =
        (double)ranking->x_count * (double)(ranking->x_count + ranking->y_count + 1);
    const double observed = fabs((double)ranking->doubled_sum - mean);
    double total = 0;
    double extreme = 0;
    for (size_t i = 0; i < sums.count; i++) {
        const double sum = sums.first + sums.step * (double)i; // whole numbers: exact
        total += sums.ways[i];
        if (fabs(sum - sums.mean) >= observed)
            extreme += sums.ways[i];
    }
    rank_sums_free(&sums);
    return extreme / total;
}

MannWhitney stat_mann_whitney(const double *x, size_t x_count, const double *y, size_t y_count,
                              MannWhitneyMethod method)
{
    MannWhitney result = {NAN, NAN, false};
    Ranking ranking;
    if (!ranking_make(&ranking, x, x_count, y, y_count))
        return result;
    // U = rank sum - n (n + 1) / 2, and ranks are kept doubled.
    result.u = ((double)ranking.doubled_sum - (double)x_count * (double)(x_count + 1)) / 2;
    result.exact = is_exact(method, x_count, y_count, ranking.tie_sum > 0);
    result.p_value = result.exact ? find_exact_p(&ranking)
                                  : find_normal_p(&ranking, result.u,
                                                  method == MANN_WHITNEY_NORMAL_PLAIN ? 0 : 0.5);
    ranking_free(&ranking);
    return result;
}

static bool find_exact_critical(size_t x_count, size_t y_count, double alpha, size_t *critical)
{
    const double slack = 1e-12; // 1 - 0.9 is less than 0.1
    Ranking ranking;
    RankSums sums;
    if (!ranking_untied(&ranking, x_count, y_count))
        return false;
    const bool made = rank_sums_make(&sums, &ranking);
    ranking_free(&ranking);
    if (!made)
        return false;
    double total = 0;
    for (size_t i = 0; i < sums.count; i++)
        total += sums.ways[i];
    double tail = 0;
    size_t u = 0; // the i-th rank sum is that of U = i
    while (2 * (tail + sums.ways[u]) <= alpha * total * (1 + slack))
        tail += sums.ways[u++];
    *critical = u;
    rank_sums_free(&sums);
    return true;
}

// The last one asked for is kept: the cells of a sweep have the same number of samples.
static bool recall_exact_critical(size_t x_count, size_t y_count, double alpha, size_t *critical)
{
    static _Thread_local struct {
        size_t x_count, y_count, critical;
        double alpha;
    } last;
    if (last.x_count != x_count || last.y_count != y_count || last.alpha != alpha) {
        if (!find_exact_critical(x_count, y_count, alpha, &last.critical)) {
            last.x_count = 0;
            return false;
        }
        last.x_count = x_count;
        last.y_count = y_count;
        last.alpha = alpha;
    }
    *critical = last.critical;
    return true;
}

bool stat_mann_whitney_critical(size_t x_count, size_t y_count, double alpha, size_t *critical)
{
    assert(x_count && y_count && alpha > 0 && alpha < 1);
    if (count_pairs(x_count, y_count) <= AUTO_MOST_PAIRS)
        return recall_exact_critical(x_count, y_count, alpha, critical);
    const double mean = (double)x_count * (double)y_count / 2;
    const double limit =
        floor(mean + stat_normal_quantile(alpha / 2) * find_deviation(x_count, y_count, 0) + 0.5);
    *critical = limit > 0 ? (size_t)limit : 0;
    return true;
}
