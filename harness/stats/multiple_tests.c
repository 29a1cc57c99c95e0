// SPDX-License-Identifier: Apache-2.0
#include "stats/multiple_tests.h"

#include <math.h>
#include <stdlib.h>

typedef struct RankedTest {
    double p_value;
    size_t index;
} RankedTest;

static int compare_tests(const void *a, const void *b)
{
    const double left = ((const RankedTest *)a)->p_value;
    const double right = ((const RankedTest *)b)->p_value;
    return (left > right) - (left < right);
}

// Ascending, without the unknown ones, which are passed on. The caller frees; NULL: out of memory.
static RankedTest *rank_tests(const double *p_values, size_t count, double *adjusted,
                              size_t *test_count)
{
    RankedTest *tests = calloc(count ? count : 1, sizeof *tests);
    *test_count = 0;
    for (size_t i = 0; tests && i < count; i++) {
        if (isnan(p_values[i]))
            adjusted[i] = NAN;
        else
            tests[(*test_count)++] = (RankedTest){p_values[i], i};
    }
    if (tests)
        qsort(tests, *test_count, sizeof *tests, compare_tests);
    return tests;
}

bool stat_holm(const double *p_values, size_t count, double *adjusted)
{
    size_t test_count;
    RankedTest *tests = rank_tests(p_values, count, adjusted, &test_count);
    if (!tests)
        return false;
    double bound = 0;
    for (size_t i = 0; i < test_count; i++) {
        bound = fmax(bound, tests[i].p_value * (double)(test_count - i));
        adjusted[tests[i].index] = fmin(bound, 1);
    }
    free(tests);
    return true;
}

bool stat_benjamini_hochberg(const double *p_values, size_t count, double *adjusted)
{
    size_t test_count;
    RankedTest *tests = rank_tests(p_values, count, adjusted, &test_count);
    if (!tests)
        return false;
    double bound = 1;
    for (size_t i = test_count; i-- > 0;) {
        bound = fmin(bound, tests[i].p_value * (double)test_count / (double)(i + 1));
        adjusted[tests[i].index] = bound;
    }
    free(tests);
    return true;
}
