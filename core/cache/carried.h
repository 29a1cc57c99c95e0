// SPDX-License-Identifier: Apache-2.0
// carried.h - what a layer finds in the caches, of what the layers before it left there: memory
// that they wrote or read, by address, and how many other lines were touched since. The formulas of
// a layer know nothing of it.
#ifndef HYP_CARRIED_H
#define HYP_CARRIED_H

#include "cache/stream_account.h"

#include <stdint.h>

// When memory was touched last.
typedef struct HypCarriedMoment {
    int layer;     // the how manieth; -1: never
    double passed; // HypCarried.passed then
} HypCarriedMoment;

// Memory that a layer passes over from front to back, or uses all the while.
typedef struct HypMemory {
    uintptr_t start;
    size_t size_bytes;
    double share; // of its lines that the layer touches
    bool written;
    bool all_the_while;
    bool goes_on;                  // the rest is left to others, for whom this is as it was
    const HypCarriedMoment *known; // of such: when these lines were touched last; NULL: as the rest
    const HypCarriedMoment *begun; // when those that went on with it had begun; NULL: nobody had
    bool in_place;                 // where the layer has read before it writes,
    double delay_bytes;            // which are so many touched bytes apart,
    double behind;                 // and towards the end so much of all that the layer touches more
} HypMemory;

// Memory whose lines were touched last by one layer.
typedef struct HypCarriedRun {
    uintptr_t start, end;
    double share; // of its lines that were touched then
    double lines; // that these are
    bool all_the_while;
    HypCarriedMoment begun; // when the first of its lines was
    HypCarriedMoment at;    // and the last
    bool written;  // by that layer, whose formula knows which of these lines it evicted itself
    double beside; // lines that it touched, these among them
    double dirty[HYPERION_MAX_CACHE_LEVELS]; // share of the lines
} HypCarriedRun;

// Memory that a layer touches, as far as it was touched last by one layer, or by none.
typedef struct HypCarriedPiece {
    int memory; // of the layer's
    bool had;   // as a part of memory before that already
    double lines;
    bool all_the_while;
    HypCarriedRun run;  // in which it was touched last
    double first, last; // other lines that were touched since: where it begins, and where it ends
} HypCarriedPiece;

typedef struct HypCarried {
    HypCarriedRun *runs; // by address, apart from one another
    size_t run_count;
    int run_capacity;
    HypCarriedPiece *pieces; // of the layer under way
    size_t piece_count;
    int piece_capacity;
    int layer;     // the how manieth it is
    double passed; // lines that layers have touched of memory that goes on
    double line_bytes;
} HypCarried;

// Nothing is carried yet.
void hyp_carried_open(HypCarried *carried, double line_bytes);
void hyp_carried_close(HypCarried *carried);

// A layer touches all these. Takes from the misses that it added to the traffic `before` those of
// lines that it finds, adds write-backs of what was evicted since it was written, and notes what it
// leaves. False, and the last error is set: out of memory.
bool hyp_carried_take(HypCarried *carried, const HypMemory *memory, int count,
                      const HypTraffic *before, HypAccount *account);

// After the last layer: adds write-backs of what is not in the caches any more.
void hyp_carried_finish(const HypCarried *carried, HypAccount *account);

#endif
