// SPDX-License-Identifier: Apache-2.0
#include "hyperion/memory_optimizer.h"

#include "common/fail.h"
#include "memory/activation_plan.h"
#include "model/run_plan.h"

#include <stdlib.h>

// Milliseconds of search, and enough for the lowest plan of every network seen.
static const float plan_effort = 0.3F;

struct HyperionMemoryOptimizer {
    HyperionMemoryOptimizerConfig config;
    HyperionModel *model; // attached; NULL: none
    HypActivationFacts facts;
};

static bool plan_run(void *context, const HyperionModel *model, HypRunPlan *plan)
{
    HyperionMemoryOptimizer *optimizer = context;
    const HypActivationSettings settings = {.share = optimizer->config.enable_tensor_reuse,
                                            .in_place = optimizer->config.enable_in_place_ops,
                                            .effort = plan_effort};
    return hyp_activation_plan_make(model, &settings, plan, &optimizer->facts);
}

static void forget_model(void *context)
{
    HyperionMemoryOptimizer *optimizer = context;
    optimizer->model = NULL;
    optimizer->facts = (HypActivationFacts){0};
}

static const HypExecutorHooks hooks = {.plan = plan_run, .detached = forget_model};

HyperionMemoryOptimizer *hyperionCreateMemoryOptimizer(const HyperionMemoryOptimizerConfig *config)
{
    if (!config || !(config->memory_speed_tradeoff >= 0 && config->memory_speed_tradeoff <= 1))
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "create memory optimizer: %s",
                             config ? "the tradeoff is not 0 to 1" : "the configuration is NULL");
    HyperionMemoryOptimizer *optimizer = calloc(1, sizeof *optimizer);
    if (!optimizer)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "create memory optimizer: out of memory");
    optimizer->config = *config;
    return optimizer;
}

void hyperionFreeMemoryOptimizer(HyperionMemoryOptimizer *optimizer)
{
    if (optimizer && optimizer->model)
        (void)hyp_model_detach(optimizer->model, HYP_ATTACHED_OPTIMIZER);
    free(optimizer);
}

HyperionMemoryStats hyperionGetMemoryOptimizerStats(const HyperionMemoryOptimizer *optimizer)
{
    if (!optimizer)
        return (HyperionMemoryStats){
            .valid = hyp_fail(HYPERION_ERROR_ARGUMENT,
                              "get memory optimizer stats: the optimizer is NULL")};
    const HypActivationFacts *facts = &optimizer->facts;
    return (HyperionMemoryStats){
        .planned_bytes = facts->planned_bytes,
        .lower_bound_bytes = facts->lower_bound_bytes,
        .budget_bytes = optimizer->config.max_memory_budget,
        .naive_bytes = facts->apart_bytes,
        .allocation_count = (uint64_t)facts->tensor_count,
        .reuse_count = (uint64_t)(facts->tensor_count - facts->place_count),
        .in_place_count = (uint64_t)facts->in_place_count,
        .valid = true,
    };
}

// Lets the next run of the model plan anew.
static bool replan(HyperionMemoryOptimizer *optimizer)
{
    if (!optimizer->model)
        return true;
    if (!hyp_model_begin_change(optimizer->model, "change memory optimizer"))
        return false;
    hyp_model_end_change(optimizer->model);
    return true;
}

void hyperionSetMemorySpeedTradeoff(HyperionMemoryOptimizer *optimizer, float tradeoff)
{
    if (!optimizer) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "set memory/speed tradeoff: the optimizer is NULL");
        return;
    }
    const float clamped = tradeoff >= 0 ? (tradeoff <= 1 ? tradeoff : 1) : 0; // NAN: 0
    if (!(tradeoff >= 0 && tradeoff <= 1))
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT,
                       "set memory/speed tradeoff: %g is not 0 to 1, %g is taken", (double)tradeoff,
                       (double)clamped);
    if (replan(optimizer))
        optimizer->config.memory_speed_tradeoff = clamped;
}

void hyperionEnableInPlaceOperations(HyperionMemoryOptimizer *optimizer, bool enable)
{
    if (!optimizer)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT,
                       "enable in-place operations: the optimizer is NULL");
    else if (replan(optimizer))
        optimizer->config.enable_in_place_ops = enable;
}

bool hyperionExecuteWithTensorReuse(HyperionMemoryOptimizer *optimizer,
                                    HyperionTensorReuseFunction func, void *user_data)
{
    (void)optimizer;
    (void)func;
    (void)user_data;
    return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                    "execute with tensor reuse: not implemented in this version");
}

// Plans the model as a run will.
static bool try_plan(HyperionMemoryOptimizer *optimizer, const HyperionModel *model)
{
    HypRunPlan plan = {0};
    const bool planned = hyp_run_plan_create(model, &plan) && plan_run(optimizer, model, &plan);
    hyp_run_plan_free(&plan);
    return planned;
}

bool hyperionOptimizeMemoryUsage(HyperionMemoryOptimizer *optimizer, HyperionModel *model,
                                 size_t memory_budget)
{
    (void)memory_budget;
    if (!optimizer || !model)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "optimize memory usage: %s is NULL",
                        optimizer ? "the model" : "the optimizer");
    if (optimizer->model && optimizer->model != model)
        return hyp_fail(HYPERION_ERROR_BUSY,
                        "optimize memory usage: the optimizer is attached to model %s",
                        optimizer->model->name);
    if (!optimizer->model && !hyp_model_attach(model, HYP_ATTACHED_OPTIMIZER, &hooks, optimizer))
        return false;
    optimizer->model = model;
    return try_plan(optimizer, model);
}
