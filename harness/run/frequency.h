// SPDX-License-Identifier: Apache-2.0
// frequency.h - how fast the CPU runs right now, told without a hardware counter: each addition of
// a chain needs the result of the one before, which takes one cycle on every x86-64 and AArch64
// core in use, so that additions a nanosecond are GHz. Clocks of the operating system tell a
// nominal or an averaged frequency, and virtual machines often none at all.
#ifndef HYP_FREQUENCY_H
#define HYP_FREQUENCY_H

// In GHz, of the CPU that the calling thread is on, from several short chains of which the fastest
// counts: the others were interrupted. Takes about 0.2 ms. NAN on other architectures, or when the
// clock stands still. `now_ns` is a monotonic clock.
double frequency_measure_ghz(double (*now_ns)(void));

#define FREQUENCY_UNKNOWN "no chain of additions for this architecture, or the clock stood still"

#endif
