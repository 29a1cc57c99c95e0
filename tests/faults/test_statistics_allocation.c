// SPDX-License-Identifier: Apache-2.0
// test_statistics_allocation.c - the n-th allocation fails, for every n, in every statistic that
// allocates: no number, nothing leaked, and the next try succeeds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/bootstrap.h"
#include "stats/intervals.h"
#include "stats/mann_whitney.h"
#include "stats/multiple_tests.h"
#include "stats/pareto.h"
#include "stats/power.h"
#include "stats/shift.h"
#include "stats/stability.h"

#include <math.h>

static int64_t live_count;         // allocations not yet freed
static int64_t until_failure = -1; // allocations that still succeed; negative: all do

void *__real_malloc(size_t size_bytes);
void *__real_calloc(size_t count, size_t size_bytes);
void __real_free(void *memory);
void *__wrap_malloc(size_t size_bytes);
void *__wrap_calloc(size_t count, size_t size_bytes);
void __wrap_free(void *memory);

static bool is_to_fail(void)
{
    return until_failure >= 0 && until_failure-- == 0;
}

static void *count_live(void *memory)
{
    live_count += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size_bytes)
{
    return is_to_fail() ? NULL : count_live(__real_malloc(size_bytes));
}

void *__wrap_calloc(size_t count, size_t size_bytes)
{
    return is_to_fail() ? NULL : count_live(__real_calloc(count, size_bytes));
}

void __wrap_free(void *memory)
{
    live_count -= memory != NULL;
    __real_free(memory);
}

enum { COUNT = 8 };
static const double x[COUNT] = {1, 2, 3, 4, 5, 6, 7, 8};
static const double y[COUNT] = {2, 3, 4, 5, 6, 7, 8, 10};
static const ParetoPoint points[2] = {{1, 2}, {2, 1}};

static double run_median(void)
{
    return stat_median(x, COUNT);
}

static double run_mad(void)
{
    return stat_mad(x, COUNT);
}

static double run_median_interval(void)
{
    return stat_median_interval(x, COUNT, 0.9).low;
}

static double run_tukey(void)
{
    return stat_tukey(x, COUNT).mild_fence.low;
}

static double run_geometric_interval(void)
{
    return stat_geometric_interval(x, COUNT, 0.9).low;
}

static double run_exact_test(void)
{
    return stat_mann_whitney(x, COUNT, y, COUNT, MANN_WHITNEY_EXACT).p_value;
}

static double run_critical(void)
{
    size_t critical;
    return stat_mann_whitney_critical(COUNT, COUNT, 0.1, &critical) ? (double)critical
                                                                    : (double)NAN;
}

static double run_shift(void)
{
    return stat_shift(x, COUNT, y, COUNT, 0.9).interval.low;
}

static double run_ratio(void)
{
    return stat_ratio(x, COUNT, y, COUNT, 0.9).interval.low;
}

static double run_delta(void)
{
    return stat_cliffs_delta(x, COUNT, y, COUNT);
}

static double run_exact_bootstrap(void)
{
    return stat_bootstrap_exact(x, 3, stat_median, 0.9).deviation;
}

static double run_bootstrap(void)
{
    return stat_bootstrap(x, COUNT, stat_median, 0.9, 20, 1).deviation;
}

static double run_bca(void)
{
    return stat_bootstrap_bca(x, COUNT, stat_median, 0.9, 20, 1).low;
}

static double run_holm(void)
{
    double adjusted[2];
    return stat_holm((double[]){0.1, 0.2}, 2, adjusted) ? adjusted[0] : (double)NAN;
}

static double run_hochberg(void)
{
    double adjusted[2];
    return stat_benjamini_hochberg((double[]){0.1, 0.2}, 2, adjusted) ? adjusted[0] : (double)NAN;
}

static double run_hypervolume(void)
{
    return stat_hypervolume(points, 2, (ParetoPoint){3, 3});
}

static double run_pareto_change(void)
{
    return stat_pareto_change(points, 1, points + 1, 1, (ParetoPoint){3, 3}).lost;
}

static double run_precision(void)
{
    return stat_precision(x, COUNT, 0.9, 0.1).half_width;
}

static double run_warm_up(void)
{
    const double equal[WARM_UP_LEAST] = {0};
    return stat_warm_up(equal, WARM_UP_LEAST).stable ? 1 : (double)NAN;
}

static double run_samples_needed(void)
{
    const PowerGoal goal = {.effect = 5, .probability = 0.8, .alpha = 0.5};
    const size_t needed = stat_samples_needed(&goal, 0.01, 3, 1);
    return needed ? (double)needed : (double)NAN;
}

static void no_number_without_memory(void **state)
{
    (void)state;
    double (*const runs[])(void) = {
        run_median,
        run_mad,
        run_median_interval,
        run_tukey,
        run_delta,
        run_exact_test,
        run_critical,
        run_shift,
        run_ratio,
        run_exact_bootstrap,
        run_bootstrap,
        run_bca,
        run_holm,
        run_hochberg,
        run_hypervolume,
        run_pareto_change,
        run_warm_up,
        run_precision,
        run_samples_needed,
        run_geometric_interval,
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        const int64_t live_before = live_count;
        bool failed_one = true;
        for (int n = 0; failed_one; n++) {
            until_failure = n;
            const double result = runs[i]();
            failed_one = until_failure < 0;
            until_failure = -1;
            if (isnan(result) != failed_one)
                fail_msg("statistic %zu: %g without allocation %d", i, result, n);
            if (live_count != live_before)
                fail_msg("statistic %zu: allocation %d fails: a leak", i, n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_number_without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
