// SPDX-License-Identifier: Apache-2.0
// weight_bytes.h - bytes of weights that stay in the model's file, or a seed, until they are
// needed.
#ifndef HYP_WEIGHT_BYTES_H
#define HYP_WEIGHT_BYTES_H

#include "model/graph.h"

// Reads or generates weight `tensor`, unless its bytes are in memory. False, last error set, when
// out of memory, the read fails, or the file is not what it was when the model was loaded.
// Of a streaming file, reads the whole run that it stands in and checks that.
bool hyp_weights_read(HyperionModel *model, int tensor);

// Reads or generates weight `tensor`, no view and of no run, to `data`, which is 64-byte aligned;
// the model does not change. The weights its rows are folded with are in memory. Several threads
// may. False, last error set, as above.
bool hyp_weights_fill(const HyperionModel *model, int tensor, void *data);

// Scales and shifts the rows of weight `tensor` in `data`, which holds what its file does, as it is
// to be: the end of hyp_weights_fill.
void hyp_weights_fold(const HyperionModel *model, int tensor, void *data);

// Has the weights in memory that the rows of weight `tensor` are folded with, if any.
bool hyp_weights_read_folds(HyperionModel *model, int tensor);

// Has the rows of weight `tensor`, which is f32 and no view, scaled and shifted when it is read,
// and now if it has been. False, last error set, when `rows` cannot be read then.
bool hyp_weights_fold_rows(HyperionModel *model, int tensor, const HypRowFold *rows);

// Forgets the bytes of weight `tensor`, which is no view, if they can be had again. The model is
// held and not prepared for runs.
void hyp_weights_drop(HyperionModel *model, int tensor);

// Those that a layer reads; *read_bytes is what had to be read for it.
bool hyp_weights_read_layer(HyperionModel *model, int layer, size_t *read_bytes);

// Those that are outputs of the model.
bool hyp_weights_read_outputs(HyperionModel *model);

// Bytes of those that are in memory, and of those that a run will have read in addition. SIZE_MAX,
// last error set, when out of memory.
size_t hyp_weights_needed_bytes(const HyperionModel *model);

// Both, of all layers.
bool hyp_weights_read_all(HyperionModel *model);

#endif
