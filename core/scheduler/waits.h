// SPDX-License-Identifier: Apache-2.0
// waits.h - results that wait for the next layer that reads them, what may become of each
// meanwhile, and the script that follows from that.
#ifndef HYP_WAITS_H
#define HYP_WAITS_H

#include "scheduler/script.h"

// Beyond HYP_WAIT_REMADE: what it is made of is made again as well, as far as it is not there for
// other reasons, so many layers deep. Not made again, it stays in memory for that long.
enum {
    HYP_WAIT_KEPT,
    HYP_WAIT_SPILLED,
    HYP_WAIT_REMADE,
    HYP_WAIT_MOST_DEPTH = 8,
    HYP_WAIT_CHOICE_COUNT = HYP_WAIT_REMADE + HYP_WAIT_MOST_DEPTH
};

// From one use to the next, places in the order of layers, with others in between.
typedef struct HypWait {
    int tensor;
    int from, to;
    int choice;
} HypWait;

typedef struct HypWaits {
    const HypScheduleGraph *graph;
    const int *order; // layers
    int order_count;
    HypWait *of; // by tensors, then places
    int count, capacity;
    int *first;   // by tensor, into `of`; one more behind the last
    int *item_of; // by place in the order: its item in the script written last
    int *made_at; // by tensor: the place for which it was made again last
} HypWaits;

// All kept. False, last error set, when out of memory; free in every case.
bool hyp_waits_create(HypWaits *waits, const HypScheduleGraph *graph, const int *order, int count);
void hyp_waits_free(HypWaits *waits); // a zeroed one is allowed

bool hyp_waits_allow(const HypWaits *waits, int wait, int choice);

// The script of the choices in force, which replaces what is in `script`.
void hyp_waits_write(HypWaits *waits, HypScript *script);

#endif
