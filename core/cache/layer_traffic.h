// SPDX-License-Identifier: Apache-2.0
// layer_traffic.h - cache traffic of one layer of a model in closed form, by kind of operation.
#ifndef HYP_LAYER_TRAFFIC_H
#define HYP_LAYER_TRAFFIC_H

#include "cache/stream_account.h"
#include "model/graph.h"

// Whether this version has a formula for the operation.
bool hyp_layer_has_traffic(HyperionLayerOp op);

// Adds the traffic of one layer, of such an operation, from cold caches to account->traffic. False,
// last error set, where the formula cannot answer.
bool hyp_layer_add_traffic(const HyperionModel *model, const HypLayer *layer, HypAccount *account);

// Bytes of an input that a layer reads: of what it takes some from, no more than its result has.
size_t hyp_layer_read_bytes(const HyperionModel *model, const HypLayer *layer, int input);

#endif
