// SPDX-License-Identifier: Apache-2.0
// counter_trust.h - whether a counter counts what its name says, on this machine: held against work
// whose counts are known. Hypervisors, errata and tables of libraries get it wrong.
#ifndef HYP_COUNTER_TRUST_H
#define HYP_COUNTER_TRUST_H

#include "counters/counters.h"

typedef enum CounterTrust {
    COUNTER_UNCHECKED, // nothing known to hold it against
    COUNTER_TRUSTED,   // within 5 %
    COUNTER_SCALED,    // another, but the same factor every time, between 1/4 and 4
    COUNTER_BROKEN     // anything else: not to be used
} CounterTrust;

typedef struct CounterCheck {
    CounterTrust trust;
    double factor;   // counted / known; NAN where it was not checked
    char words[128]; // "counts 2.00 times the loads that are known"; "" where trusted or unchecked
} CounterCheck;

// Checks an event that `source` can count; what it cannot count is unchecked. Up to some tenths of
// a second. False: out of memory.
bool counter_trust_check(const CounterSource *source, const char *name, CounterCheck *check,
                         Problem *problem);

// "unchecked", "trusted", "scaled", "broken"
const char *counter_trust_name(CounterTrust trust);

#endif
