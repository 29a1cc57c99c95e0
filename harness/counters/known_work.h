// SPDX-License-Identifier: Apache-2.0
// known_work.h - work whose counts are known in advance: what a counter is held against, and the
// seam at which tests put a machine of their own.
#ifndef HYP_KNOWN_WORK_H
#define HYP_KNOWN_WORK_H

#include <stdbool.h>
#include <stddef.h>

typedef enum KnownCount {
    KNOWN_INSTRUCTIONS,
    KNOWN_LOADS,
    KNOWN_STORES,
    KNOWN_FIRST_LINES,  // brought into L1, each by a load that nothing foresees
    KNOWN_SECOND_LINES, // into L2
    KNOWN_COUNTS
} KnownCount;

// How often one run does it, give or take a few hundred for the calls around it.
double known_work_count(KnownCount count);

// "loads"
const char *known_work_name(KnownCount count);

// Everything before the first run; NULL: out of memory. The caller frees with known_work_close.
void *known_work_open(KnownCount count);
void known_work_run(void *work);
void known_work_close(void *work); // NULL is allowed

#endif
