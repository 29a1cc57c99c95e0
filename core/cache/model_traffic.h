// SPDX-License-Identifier: Apache-2.0
// model_traffic.h - cache traffic of one forward pass of a model in closed form.
#ifndef HYP_MODEL_TRAFFIC_H
#define HYP_MODEL_TRAFFIC_H

#include "cache/stream_account.h"
#include "model/graph.h"

// Adds the layers of the next run in its order, less what each finds where those before left it;
// warm: also where a run before did. The model is held. False, and the last error is set: it cannot
// be run, or out of memory.
bool hyp_model_add_traffic(HyperionModel *model, bool warm, HypAccount *account);

#endif
