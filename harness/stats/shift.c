// SPDX-License-Identifier: Apache-2.0
#include "stats/shift.h"

#include "stats/mann_whitney.h"
#include "stats/sorted.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const Shift no_shift = {NAN, {NAN, NAN}};

static const uint64_t sign_bit = UINT64_C(1) << 63;

// Whole numbers in the order of the doubles: halving between them ends at a double, exactly.
static uint64_t key_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & sign_bit ? ~bits : bits | sign_bit;
}

static double value_of(uint64_t key)
{
    const uint64_t bits = key & sign_bit ? key & ~sign_bit : ~key;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// How many differences are <= limit. They fall along x and rise along y, after rounding too, so
// that one pass over both does.
static size_t count_up_to(const double *x, size_t x_count, const double *y, size_t y_count,
                          double limit)
{
    size_t count = 0;
    size_t below = 0;
    for (size_t i = 0; i < x_count; i++) {
        while (below < y_count && y[below] - x[i] <= limit)
            below++;
        count += below;
    }
    return count;
}

double stat_select_difference(const double *x, size_t x_count, const double *y, size_t y_count,
                              size_t rank)
{
    assert(x_count && y_count && rank < x_count * y_count);
    uint64_t low = key_of(y[0] - x[x_count - 1]);
    uint64_t high = key_of(y[y_count - 1] - x[0]);
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (count_up_to(x, x_count, y, y_count, value_of(middle)) > rank)
            high = middle;
        else
            low = middle + 1;
    }
    return value_of(low) + 0.0; // -0 becomes 0
}

static Shift find_shift(const double *x, size_t x_count, const double *y, size_t y_count,
                        double confidence)
{
    Shift shift = no_shift;
    const size_t pairs = x_count * y_count;
    size_t critical;
    if (!stat_mann_whitney_critical(x_count, y_count, 1 - confidence, &critical))
        return shift;
    const double lower = stat_select_difference(x, x_count, y, y_count, (pairs - 1) / 2);
    const double upper =
        pairs % 2 ? lower : stat_select_difference(x, x_count, y, y_count, pairs / 2);
    shift.estimate = lower + (upper - lower) / 2;
    if (critical) {
        shift.interval.low = stat_select_difference(x, x_count, y, y_count, critical - 1);
        shift.interval.high = stat_select_difference(x, x_count, y, y_count, pairs - critical);
    }
    return shift;
}

Shift stat_shift(const double *x, size_t x_count, const double *y, size_t y_count,
                 double confidence)
{
    assert(confidence > 0 && confidence < 1);
    Shift shift = no_shift;
    double *sorted_x = stat_sorted_copy(x, x_count);
    double *sorted_y = stat_sorted_copy(y, y_count);
    if (sorted_x && sorted_y && x_count <= SIZE_MAX / y_count)
        shift = find_shift(sorted_x, x_count, sorted_y, y_count, confidence);
    free(sorted_x);
    free(sorted_y);
    return shift;
}

static double *take_logarithms(const double *values, size_t count)
{
    double *logarithms = calloc(count ? count : 1, sizeof *logarithms);
    for (size_t i = 0; logarithms && i < count; i++)
        logarithms[i] = values[i] > 0 ? log(values[i]) : (double)NAN;
    return logarithms;
}

Shift stat_ratio(const double *x, size_t x_count, const double *y, size_t y_count,
                 double confidence)
{
    Shift shift = no_shift;
    double *log_x = take_logarithms(x, x_count);
    double *log_y = take_logarithms(y, y_count);
    if (log_x && log_y)
        shift = stat_shift(log_x, x_count, log_y, y_count, confidence);
    free(log_x);
    free(log_y);
    return (Shift){exp(shift.estimate), {exp(shift.interval.low), exp(shift.interval.high)}};
}

double stat_cliffs_delta(const double *x, size_t x_count, const double *y, size_t y_count)
{
    const double u = stat_mann_whitney(x, x_count, y, y_count, MANN_WHITNEY_NORMAL).u;
    return 1 - 2 * u / ((double)x_count * (double)y_count);
}
