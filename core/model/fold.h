// SPDX-License-Identifier: Apache-2.0
// fold.h - computes, while a model is built, the layers whose inputs are all known.
#ifndef HYP_FOLD_H
#define HYP_FOLD_H

#include "model/graph.h"

// All zero but `model` and `budget_bytes` is a beginning.
typedef struct HypFolder {
    HyperionModel *model;
    size_t budget_bytes; // of results from now on, and of what a layer reads while it is computed
    void **data;         // by tensor, for the layers' functions
    int data_capacity;
} HypFolder;

// Where the model's last layer reads nothing but weights, executes it, makes its result a weight
// and takes the layer away. Views, products and what exceeds the budget stay layers. Any thread
// that owns the model may call. False, last error set, when the layer cannot be computed.
bool hyp_fold_last_layer(HypFolder *folder);

void hyp_folder_free(HypFolder *folder);

#endif
