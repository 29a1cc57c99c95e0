// SPDX-License-Identifier: Apache-2.0
// model_pass.h - one forward pass of a model as its next run will do it, for those who predict it:
// the same steps, in the same bands, with activations where the plan has them in one piece of
// memory and weights packed as it says. Nothing is computed, so that most memory is addresses
// alone.
#ifndef HYP_MODEL_PASS_H
#define HYP_MODEL_PASS_H

#include "model/band.h"
#include "model/graph.h"
#include "model/layer_op.h"

// Not to be copied.
typedef struct HypModelPass {
    const HyperionModel *model;
    HyperionModel own; // which that may be: with kernels of the pass's own
    const HypRunPlan *plan;
    HypRunPlan own_plan; // which that may be: where no run has made one yet
    HypBandRoom *bands;  // NULL: the plan has none
    void **data;         // by tensor: where it lies when the step comes
    void **packed;       // by layer: its weight where the plan has it packed, or NULL
    void *workspace;
    size_t workspace_bytes;
    HyperionParallel parallel; // for whom the workspace is
    uintptr_t activations;
    uintptr_t end; // of what has been placed
    int placing;   // of the plan's, the next to come
} HypModelPass;

// For a run on so many threads, by the kernels that the model has or, unless NULL, by these. The
// model is held. False, last error set, where it cannot be run; close in every case.
bool hyp_model_pass_open(HypModelPass *pass, HyperionModel *model, int threads,
                         const HypDispatch *kernels);
void hyp_model_pass_close(HypModelPass *pass);

// Has the pass at its first step.
void hyp_model_pass_rewind(HypModelPass *pass);

// Step `step` as it runs, a whole layer; each after the one before.
HypLayerRun hyp_model_pass_step(HypModelPass *pass, int step);

// The same as what it computes: a layer, or the band of one.
HypLayerRun hyp_model_pass_part(HypModelPass *pass, int step, const HypLayerRun *run);

// The rows that the part has gathered before, by input, or scattered after: index input_count.
bool hyp_model_pass_copy(const HypModelPass *pass, int step, const HypLayerRun *run, int index,
                         HypBandCopy *copy);

#endif
