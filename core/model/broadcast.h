// SPDX-License-Identifier: Apache-2.0
// broadcast.h - ONNX broadcasting: operands are aligned at their last axes, and one that has 1 or
// no axis where the result has more is repeated there.
#ifndef HYP_BROADCAST_H
#define HYP_BROADCAST_H

#include "model/layer_op.h"

// Neighbouring axes of the result that the same operands repeat, merged into one extent.
typedef struct HypAxisGroup {
    unsigned repeated; // bit i: operand i has one value for all of them
    size_t extent;
} HypAxisGroup;

// Dims and size of what all inputs of `layer` broadcast to, with type `type`; fails where they do
// not.
bool hyp_broadcast_infer(const HyperionModel *model, const HypLayer *layer, HyperionType type,
                         HypShape *result);

// The groups of a result, outermost first, axes of 1 left out; returns how many.
int hyp_broadcast_groups(const HypShape *const *operands, int operand_count, const HypShape *out,
                         HypAxisGroup groups[HYPERION_MAX_RANK]);

// Offset, in elements, in `operand` of the `index`-th combination of `count` leading groups, each
// of which stands for `step` elements of it.
size_t hyp_broadcast_offset(const HypAxisGroup *groups, int count, size_t index, int operand,
                            size_t step);

#endif
