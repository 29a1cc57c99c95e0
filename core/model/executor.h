// SPDX-License-Identifier: Apache-2.0
// executor.h - what the model needs to know of the executor, and it of the model.
#ifndef HYP_EXECUTOR_H
#define HYP_EXECUTOR_H

#include "model/graph.h"

// Ends the pass under way, and frees what was prepared for runs, if anything. The model is held.
void hyp_model_drop_preparation(HyperionModel *model);

// Starts the threads that the settings ask for, unless they run. False, last error set, where the
// system starts none. The model is held.
bool hyp_model_start_threads(HyperionModel *model);

// A run in parts: from its beginning to its end the model keeps its memory, and hooks take it for
// one run. The model is held by whoever calls, not in between: a change of the model, or another
// run, ends a pass before its time.

// Ends the pass under way, prepares the model, tells hooks, and has weights read. False, last error
// set, as hyperionRunModel; then no pass is under way.
bool hyp_pass_begin(HyperionModel *model);
// NULL: none is under way. `step` is the next to run.
const HypRun *hyp_pass_run(const HyperionModel *model);
// Tensor `tensor`, no view, lies in memory of the caller from now on.
void hyp_pass_bind(HyperionModel *model, int tensor, void *bytes);
// Runs the next step. False, last error set, where a hook or the layer fails.
bool hyp_pass_step(HyperionModel *model);
// Nothing where none is under way.
void hyp_pass_end(HyperionModel *model, bool succeeded);

// What a tensor of the caller is given for: "<call> <caller>: <what> <index>, ..." in messages.
typedef struct HypTensorUse {
    const char *call, *caller, *what;
    int index;
    int tensor; // of the model, whose type and shape it must have
} HypTensorUse;
// False, last error set.
bool hyp_model_check_tensor(const HyperionModel *model, const HypTensorUse *use,
                            const HyperionTensor *given);
bool hyp_model_check_inputs(const HyperionModel *model, const char *call,
                            HyperionTensor *const *inputs);
bool hyp_tensors_overlap(const HyperionTensor *a, const HyperionTensor *b);

// What a model holds now, without copies of weights for measurements.
typedef struct HypHeldBytes {
    size_t weight_bytes, packed_bytes, activation_bytes, workspace_bytes;
} HypHeldBytes;
HypHeldBytes hyp_model_held_bytes(const HyperionModel *model);

// What runs do as long as nothing changes; NULL: no run was prepared yet.
const HypRunPlan *hyp_model_prepared_plan(const HyperionModel *model);

// What the next run will do, by what is attached. False, last error set, as the run fails; free the
// plan in every case. The model is held.
bool hyp_model_plan(HyperionModel *model, HypRunPlan *plan);

// What the next run will have it hold, by what is attached; weights that a loader provides are not
// counted. False, last error set, as the run fails. The model is held.
bool hyp_model_planned_bytes(HyperionModel *model, HypHeldBytes *bytes);

// Takes the model for one call; false, last error set, on NULL or when it is taken.
bool hyp_model_hold(HyperionModel *model, const char *call);

#endif
