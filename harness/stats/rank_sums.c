// SPDX-License-Identifier: Apache-2.0
#include "stats/rank_sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct PooledValue {
    double value;
    bool of_x;
} PooledValue;

static int compare_values(const void *a, const void *b)
{
    const double left = ((const PooledValue *)a)->value;
    const double right = ((const PooledValue *)b)->value;
    return (left > right) - (left < right);
}

static bool pool_values(PooledValue *pooled, const double *values, size_t count, bool of_x)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            return false;
        pooled[i] = (PooledValue){values[i], of_x};
    }
    return true;
}

static void rank_pooled(Ranking *ranking, const PooledValue *pooled, size_t count)
{
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && pooled[end].value == pooled[first].value)
            end++;
        const double ties = (double)(end - first);
        ranking->tie_sum += ties * ties * ties - ties;
        // Ranks first + 1 .. end, shared: their mean is (first + 1 + end) / 2.
        for (size_t i = first; i < end; i++) {
            ranking->doubled_ranks[i] = (uint32_t)(first + 1 + end);
            ranking->doubled_sum += pooled[i].of_x ? ranking->doubled_ranks[i] : 0;
        }
        first = end;
    }
}

static bool allocate_ranks(Ranking *ranking, size_t x_count, size_t y_count)
{
    const size_t most = (size_t)1 << 30;
    *ranking = (Ranking){.x_count = x_count, .y_count = y_count};
    if (x_count == 0 || y_count == 0 || x_count > most || y_count > most - x_count)
        return false;
    ranking->doubled_ranks = calloc(x_count + y_count, sizeof *ranking->doubled_ranks);
    return ranking->doubled_ranks;
}

bool ranking_make(Ranking *ranking, const double *x, size_t x_count, const double *y,
                  size_t y_count)
{
    if (!allocate_ranks(ranking, x_count, y_count))
        return false;
    const size_t count = x_count + y_count;
    PooledValue *pooled = calloc(count, sizeof *pooled);
    const bool made = pooled && pool_values(pooled, x, x_count, true) &&
                      pool_values(pooled + x_count, y, y_count, false);
    if (made) {
        qsort(pooled, count, sizeof *pooled, compare_values);
        rank_pooled(ranking, pooled, count);
    } else {
        ranking_free(ranking);
    }
    free(pooled);
    return made;
}

bool ranking_untied(Ranking *ranking, size_t x_count, size_t y_count)
{
    if (!allocate_ranks(ranking, x_count, y_count))
        return false;
    for (size_t i = 0; i < x_count + y_count; i++)
        ranking->doubled_ranks[i] = (uint32_t)(2 * (i + 1));
    return true;
}

void ranking_free(Ranking *ranking)
{
    free(ranking->doubled_ranks);
    ranking->doubled_ranks = NULL;
}

static size_t find_common_divisor(size_t a, size_t b)
{
    while (b) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// Steps of the ranks above the lowest, ascending, in units of their common divisor, which it
// returns.
static size_t scale_ranks(const Ranking *ranking, size_t *steps)
{
    const size_t count = ranking->x_count + ranking->y_count;
    size_t unit = 0;
    for (size_t i = 0; i < count; i++) {
        steps[i] = ranking->doubled_ranks[i] - ranking->doubled_ranks[0];
        unit = find_common_divisor(unit, steps[i]);
    }
    unit = unit ? unit : 1; // all values are equal
    for (size_t i = 0; i < count; i++)
        steps[i] /= unit;
    return unit;
}

static size_t sum_steps(const size_t *steps, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += steps[i];
    return sum;
}

// ways[k * width + s]: choices of k of the values so far whose steps sum to s. A value after the
// other is added; rows that can no longer become `chosen` values are left behind.
static void count_choices(double *ways, size_t width, const size_t *steps, size_t count,
                          size_t chosen)
{
    ways[0] = 1;
    for (size_t i = 0; i < count; i++) {
        const size_t most = i + 1 < chosen ? i + 1 : chosen;
        const size_t least = chosen > count - i - 1 ? chosen - (count - i - 1) : 1;
        for (size_t k = most; k >= least && k > 0; k--) {
            const double *from = ways + (k - 1) * width;
            double *to = ways + k * width + steps[i];
            const size_t low = sum_steps(steps, k - 1);
            const size_t high = sum_steps(steps + i - (k - 1), k - 1);
            for (size_t s = low; s <= high; s++)
                to[s] += from[s];
        }
    }
}

static bool fill_sums(RankSums *sums, const Ranking *ranking, size_t *steps, size_t chosen)
{
    const size_t count = ranking->x_count + ranking->y_count;
    const size_t unit = scale_ranks(ranking, steps);
    const size_t width = sum_steps(steps + count - chosen, chosen) + 1;
    const size_t low = sum_steps(steps, chosen);
    double *ways = calloc((chosen + 1) * width, sizeof *ways);
    sums->ways = calloc(width - low, sizeof *sums->ways);
    if (ways && sums->ways) {
        count_choices(ways, width, steps, count, chosen);
        memcpy(sums->ways, ways + chosen * width + low, (width - low) * sizeof *ways);
        sums->count = width - low;
        sums->step = (double)unit;
        sums->first = (double)(chosen * ranking->doubled_ranks[0] + unit * low);
    } else {
        rank_sums_free(sums);
    }
    free(ways);
    return sums->ways;
}

bool rank_sums_make(RankSums *sums, const Ranking *ranking)
{
    const size_t count = ranking->x_count + ranking->y_count;
    const size_t chosen = ranking->x_count < ranking->y_count ? ranking->x_count : ranking->y_count;
    size_t *steps = calloc(count, sizeof *steps);
    *sums = (RankSums){.mean = (double)chosen * (double)(count + 1)};
    const bool made = steps && fill_sums(sums, ranking, steps, chosen);
    free(steps);
    return made;
}

void rank_sums_free(RankSums *sums)
{
    free(sums->ways);
    sums->ways = NULL;
}
