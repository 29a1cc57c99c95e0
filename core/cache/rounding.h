// SPDX-License-Identifier: Apache-2.0
// rounding.h - floor and ceil of what is not negative and fits: instructions, where libm's are
// calls in builds for every processor.
#ifndef HYP_ROUNDING_H
#define HYP_ROUNDING_H

#include <stdint.h>

static inline double hyp_round_down(double value)
{
    return (double)(int64_t)value;
}

static inline double hyp_round_up(double value)
{
    const double down = hyp_round_down(value);
    return down < value ? down + 1 : down;
}

#endif
