// SPDX-License-Identifier: Apache-2.0
// weight_copies.h - further copies of a model's weights, of which each run uses the next: so a run
// finds its weights in memory and not in a cache, and everything else as it was.
#ifndef HYP_WEIGHT_COPIES_H
#define HYP_WEIGHT_COPIES_H

#include "model/graph.h"

// Turns to the next copy; `copies` NULL is allowed.
void hyp_weight_copies_turn(HypWeightCopies *copies);

// Tensor `tensor` of the copy whose turn it is; NULL: it has no copy, its own bytes count.
void *hyp_weight_copies_data(const HypWeightCopies *copies, int tensor);

// Whose turn it is, 0 being the weights themselves; and how many there are, those included.
// `copies` NULL is allowed.
size_t hyp_weight_copies_current(const HypWeightCopies *copies);
size_t hyp_weight_copies_count(const HypWeightCopies *copies);

void hyp_weight_copies_free(HypWeightCopies *copies); // NULL is allowed

#endif
