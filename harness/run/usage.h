// SPDX-License-Identifier: Apache-2.0
// usage.h - what the operating system counts for this process.
#ifndef HYP_USAGE_H
#define HYP_USAGE_H

#include "record/sample.h"

typedef struct Usage {
    long minor_faults, major_faults, voluntary_switches, involuntary_switches; // -1 unknown
} Usage;

Usage usage_now(void);

// Stores what was used since `before` in the sample.
void usage_record(const Usage *before, Sample *sample);

// Largest resident memory so far; -1 unknown.
long usage_peak_rss_kib(void);

// What is resident now; -1 unknown.
typedef struct Resident {
    long all_kib, anonymous_kib;
} Resident;
Resident usage_resident(void);

// Gives freed memory back to the system and forgets the largest resident memory so far: what comes
// after tells of the work and not of its preparation. False where the system cannot.
bool usage_forget_peak(void);

#endif
