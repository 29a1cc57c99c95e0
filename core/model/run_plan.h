// SPDX-License-Identifier: Apache-2.0
// run_plan.h - the plan of a run as the executor makes it without help, and facts of any plan.
#ifndef HYP_RUN_PLAN_H
#define HYP_RUN_PLAN_H

#include "model/graph.h"

// Every layer in the model's order, blocked as the settings say; every activation in memory of its
// own. False, last error set; free in every case.
bool hyp_run_plan_create(const HyperionModel *model, HypRunPlan *plan);
void hyp_run_plan_free(HypRunPlan *plan); // a zeroed one is allowed

// Whether a plan says where tensor `tensor` lives: an activation that is no view and that no layer
// writes straight to an output of the caller.
bool hyp_run_plan_places(const HyperionModel *model, int tensor);

// The output whose memory layers write tensor `root`, no view, to: the first that is it or a view
// of it; -1 for none, and for weights and inputs, which have memory already.
int hyp_run_plan_direct_output(const HyperionModel *model, int root);

// Bytes of a tensor in the memory for activations: of so many rows as the plan holds of it.
size_t hyp_run_plan_tensor_bytes(const HyperionModel *model, const HypRunPlan *plan, int tensor);

// Whether step `step` adds rows to a result that steps before it began.
bool hyp_run_plan_goes_on(const HyperionModel *model, const HypRunPlan *plan, int step);

// Whether the plan has the result of the layer begin where its first input does; never where
// tensors move.
bool hyp_run_plan_replaces(const HyperionModel *model, const HypRunPlan *plan, int layer);

// Has data[] of what step `step` reads and writes where the plan has it then: activations that
// move, of which *placing is the next to, and views. `activations` is where their memory begins.
void hyp_run_plan_place(const HyperionModel *model, const HypRunPlan *plan, int step, int *placing,
                        uintptr_t activations, void **data);

// What a plan must hold for a run to be safe; that nothing is overwritten while it is needed is not
// looked at.
bool hyp_run_plan_is_valid(const HyperionModel *model, const HypRunPlan *plan);

// By step, the bytes of activations in the plan's memory that are still needed: those it will read
// and those it will leave alone, and those when it is done. `live` is scratch, one a tensor.
void hyp_run_plan_live_bytes(const HyperionModel *model, const HypRunPlan *plan, bool *live,
                             size_t *before_bytes, size_t *after_bytes);

// Bytes of memory that holds every activation by itself; SIZE_MAX when they do not fit in the
// address space. Where each begins goes to offsets[tensor] unless that is NULL.
size_t hyp_run_plan_place_apart(const HyperionModel *model, size_t *offsets);

#endif
