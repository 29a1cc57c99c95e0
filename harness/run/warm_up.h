// SPDX-License-Identifier: Apache-2.0
// warm_up.h - untimed iterations until their times are stable.
#ifndef HYP_WARM_UP_H
#define HYP_WARM_UP_H

#include <stdbool.h>

// What is run and the clock it is looked at with, in nanoseconds.
typedef struct WarmUpSubject {
    void (*run)(void *context);
    void *context;
    double (*now_ns)(void);
} WarmUpSubject;

typedef struct WarmUpResult {
    double spent_ns;
    bool stable; // false: given up after WARM_UP_MOST_NS
} WarmUpResult;

#define WARM_UP_MOST_NS 1e9

// Runs until stat_warm_up calls the times of short loops stable: each a millisecond long, or one
// iteration where that takes longer.
WarmUpResult warm_up_until_stable(const WarmUpSubject *subject);

#endif
