// SPDX-License-Identifier: Apache-2.0
// carried.h - what a layer finds in the caches, of what the layers before it left there: inputs
// that they wrote or read, and the workspace that all share. The formulas of a layer know nothing
// of it.
#ifndef HYP_CARRIED_H
#define HYP_CARRIED_H

#include "cache/stream_account.h"
#include "model/graph.h"

// When memory was touched last: in which layer, in lines that all layers had touched at its end.
typedef struct HypCarriedRun {
    double at, layer_lines; // 0: never
    double lines;           // of the memory
} HypCarriedRun;

typedef struct HypCarried {
    const HyperionModel *model;
    HypCarriedRun *tensors; // by tensor
    void **data;            // likewise, all NULL: layers say how much they need, and read nothing
    HypCarriedRun workspace;
    double at; // lines that layers have touched so far
    double line_bytes;
} HypCarried;

// Nothing is carried yet. False, and the last error is set: out of memory.
bool hyp_carried_open(HypCarried *carried, const HyperionModel *model, double line_bytes);
void hyp_carried_close(HypCarried *carried);

// Takes from the misses that the layer added to the traffic `before` those of lines that it finds,
// and notes what it leaves. False, and the last error is set, where it can not be run.
bool hyp_carried_take(HypCarried *carried, int layer, const HypTraffic *before,
                      HypAccount *account);

#endif
