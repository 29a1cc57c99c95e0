// SPDX-License-Identifier: Apache-2.0
// layer_traffic.h - cache traffic of one layer of a model in closed form, by kind of operation.
#ifndef HYP_LAYER_TRAFFIC_H
#define HYP_LAYER_TRAFFIC_H

#include "cache/stream_account.h"
#include "model/layer_op.h"

// Adds the traffic of a layer that is no view, from cold caches to account->traffic.
void hyp_layer_add_traffic(const HypLayerRun *run, HypAccount *account);

// The part of an input that a layer reads: from the first byte to the last, and how many of them.
typedef struct HypReach {
    size_t first_byte, span_bytes, read_bytes;
} HypReach;
HypReach hyp_layer_reach(const HyperionModel *model, const HypLayer *layer, int input);

#endif
