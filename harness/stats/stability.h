// SPDX-License-Identifier: Apache-2.0
// stability.h - when a series of timings has warmed up, and when there are enough of them.
#ifndef HYP_STABILITY_H
#define HYP_STABILITY_H

#include "stats/statistics.h"

#include <stdbool.h>

enum { WARM_UP_LEAST = 10 };

typedef struct WarmUp {
    bool stable;    // false: fewer than WARM_UP_LEAST values, or still drifting; go on measuring
    size_t discard; // leading values that belong to the warm-up; 0 unless stable
} WarmUp;

// MSER (White 1997): drops the leading values that make the standard error of the mean of the rest
// smallest, at most three quarters; where it is half of them or more, the series is not stable yet.
// Single spikes do not count: values are clamped to the severe Tukey fences of the second half, in
// order of time.
WarmUp stat_warm_up(const double *values, size_t count);

typedef struct Precision {
    bool reached;
    double half_width; // of the median's interval, relative to |median|; NAN: no interval yet
    size_t needed;     // values in all that the target needs, as the width shrinks with the square
                       // root; 0 unknown
} Precision;

// Stopping rule of exploration. The interval looked at after every value covers less often than
// `confidence` says, so gates take a fixed number instead (power.h).
Precision stat_precision(const double *values, size_t count, double confidence, double target);

#endif
