// SPDX-License-Identifier: Apache-2.0
// clock.h - the two clocks: one for differences, one for dates.
#ifndef HYP_CLOCK_H
#define HYP_CLOCK_H

double clock_monotonic_ns(void); // never steps; differences only
double clock_unix_s(void);       // seconds since 1970, UTC

#endif
