// SPDX-License-Identifier: Apache-2.0
// execution_plan.h - a script with places in memory, step by step.
#ifndef HYP_EXECUTION_PLAN_H
#define HYP_EXECUTION_PLAN_H

#include "scheduler/schedule_front.h"

struct HyperionExecutionPlan {
    HyperionExecutionPlanInfo info;
    HyperionExecutionStep *steps;
    int capacity;
    size_t waiting_bytes; // of the activations at their peak, those that the layer does not use
    char *model_name;
    char **names; // of layers, then of tensors; NULL: it is not for the caller
    int layer_count, tensor_count;
};

// NULL, last error set, when out of memory.
HyperionExecutionPlan *hyp_execution_plan_create(const HypScheduleGraph *graph,
                                                 const HypSchedulePoint *point);

// Copies the names, so that the model may go. False, last error set, when out of memory.
bool hyp_execution_plan_name(HyperionExecutionPlan *plan, const HyperionModel *model);

// Changes steps and places of a run's plan. False, last error set, when out of memory.
bool hyp_execution_plan_apply(const HyperionExecutionPlan *plan, const HyperionModel *model,
                              HypRunPlan *run_plan);

// Runs a plan on paper, by what its steps say alone: each layer finds what it reads where it lies,
// nothing is written over what is still needed, every layer runs, and is visited where the plan is
// for that, in order; and that live bytes, peak and counts are what the plan says. It shares no
// code with the planners. False, last error says what is wrong.
bool hyp_execution_plan_check(const HyperionExecutionPlan *plan, const HyperionModel *model);

#endif
