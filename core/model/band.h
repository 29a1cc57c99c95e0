// SPDX-License-Identifier: Apache-2.0
// band.h - layers computed in bands of rows, so that memory need hold no more of an activation than
// a band at a time (Alwani et al., Fused-layer CNN accelerators, MICRO 2016; Lin et al., MCUNetV2,
// 2021). Rows are the indices on a tensor's last axis but one: those of images, or of tokens. A
// band of a layer is a layer of its own, on smaller tensors and with less padding, so that
// operations and kernels know nothing of it: rows of a whole tensor are gathered before, and
// results scattered after, unless they lie in one piece.
#ifndef HYP_BAND_H
#define HYP_BAND_H

#include "model/layer_op.h"
#include "model/strided_copy.h"

// The extent of the last axis but one; 0 where there is none.
int64_t hyp_row_count(const HypShape *shape);

// The ways of operations to say what rows of a result are made of, see HypLayerOp.band.
// Rows of the same number, of inputs that have as many; all of those that are broadcast.
bool hyp_band_alike(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                    HypBandInput *input);
// Those that windows with `kernel` rows reach, of images of height and width.
bool hyp_band_windows(const HyperionModel *model, const HypLayer *layer, int64_t kernel,
                      HypRows made, HypBandInput *input);

// What rows `made` of the layer's result take of input `index`. False, without an error, where they
// cannot be made alone.
bool hyp_layer_band(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                    HypBandInput *input);

// Whether step `step` of the plan makes a band.
bool hyp_step_is_band(const HypRunPlan *plan, int step);

// The rows of a tensor that are in its memory when step `step` comes.
HypRows hyp_step_held_rows(const HyperionModel *model, const HypRunPlan *plan, int step,
                           int tensor);

// Room to describe the band of a step in, one at a time, of any layer of the model. NULL, last
// error set, when out of memory.
typedef struct HypBandRoom HypBandRoom;
HypBandRoom *hyp_band_room_create(const HyperionModel *model);
void hyp_band_room_free(HypBandRoom *room); // NULL is allowed

// Scratch memory of a step, of a band or not: that of the operation, and that of rows which are
// gathered and scattered. `run` is of the whole layer. SIZE_MAX: more than the address space has.
size_t hyp_step_workspace_bytes(HypBandRoom *room, const HypRunPlan *plan, int step,
                                const HypLayerRun *run);

// The band of a step as a layer of its own, valid until the room describes another. `run` is of the
// whole layer. Rows that lie in more than one piece have a place in the workspace instead, see
// hyp_step_band_copy.
HypLayerRun hyp_step_band_run(HypBandRoom *room, const HypRunPlan *plan, int step,
                              const HypLayerRun *run);

// Rows between the memory of a tensor and the workspace.
typedef struct HypBandCopy {
    const void *from;
    void *to;
    HypStridedCopy pieces;
} HypBandCopy;

// Of the band that the room describes: how rows of input `index` are gathered before, or those of
// the result, which comes after the inputs, are scattered after. False: they lie in one piece.
bool hyp_step_band_copy(const HypBandRoom *room, const HypLayerRun *run, int index,
                        HypBandCopy *copy);

// Computes the band of a step: `run` is of the whole layer, whose inputs' values are not checked.
void hyp_step_execute_band(HypBandRoom *room, const HypRunPlan *plan, int step,
                           const HypLayerRun *run);

#endif
