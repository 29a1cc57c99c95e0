// SPDX-License-Identifier: Apache-2.0
// prune.h - takes out of a model what no output needs.
#ifndef HYP_PRUNE_H
#define HYP_PRUNE_H

#include "model/graph.h"

// Drops layers and tensors that the outputs do not depend on; inputs stay. Tensors and layers get
// new numbers, in the same order. For readers, before a model is handed out. False, last error set
// and nothing changed, when out of memory.
bool hyp_model_prune(HyperionModel *model);

#endif
