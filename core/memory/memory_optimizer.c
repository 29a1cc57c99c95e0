// SPDX-License-Identifier: Apache-2.0
#include "hyperion/memory_optimizer.h"

#include "common/fail.h"
#include "memory/calibrate.h"
#include "memory/dial.h"
#include "memory/tensor_pool.h"
#include "model/executor.h"
#include "model/run_plan.h"

#include <stdlib.h>

// Milliseconds of search, and enough for the lowest plan of every network seen.
static const float plan_effort = 0.3F;

struct HyperionMemoryOptimizer {
    HyperionMemoryOptimizerConfig config;
    HyperionModel *model;      // attached; NULL: none
    size_t model_budget_bytes; // of the last hyperionOptimizeMemoryUsage; 0: none
    HypBanding banding;
    HypLayerTimes times;
    HypDialFacts facts;
    size_t peak_bytes;   // held by the model after a run
    HypTensorPool *pool; // of hyperionExecuteWithTensorReuse
};

// The smaller of those that are set; 0: none is.
static size_t find_budget(const HyperionMemoryOptimizer *optimizer)
{
    const size_t a = optimizer->config.max_memory_budget;
    const size_t b = optimizer->model_budget_bytes;
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static HypDialSettings find_settings(const HyperionMemoryOptimizer *optimizer)
{
    const HyperionMemoryOptimizerConfig *config = &optimizer->config;
    return (HypDialSettings){.activations = {.share = config->enable_tensor_reuse,
                                             .in_place = config->enable_in_place_ops,
                                             .effort = plan_effort},
                             .tradeoff = config->memory_speed_tradeoff,
                             .budget_bytes = find_budget(optimizer)};
}

static bool plan_run(void *context, const HyperionModel *model, HypRunPlan *plan)
{
    HyperionMemoryOptimizer *optimizer = context;
    const HypDialSettings settings = find_settings(optimizer);
    HypDialFacts facts;
    if (!hyp_banding_find(model, &settings.activations, plan, &optimizer->banding) ||
        !hyp_dial_plan(model, &settings, &optimizer->times, &optimizer->banding, plan, &facts))
        return false;
    optimizer->facts = facts;
    return true;
}

static size_t count_held(const HyperionModel *model)
{
    const HypHeldBytes held = hyp_model_held_bytes(model);
    return held.weight_bytes + held.packed_bytes + held.activation_bytes + held.workspace_bytes;
}

static void note_peak(void *context, bool succeeded)
{
    HyperionMemoryOptimizer *optimizer = context;
    const size_t held_bytes = count_held(optimizer->model);
    (void)succeeded;
    if (held_bytes > optimizer->peak_bytes)
        optimizer->peak_bytes = held_bytes;
}

static void forget_model(void *context)
{
    HyperionMemoryOptimizer *optimizer = context;
    optimizer->model = NULL;
    optimizer->model_budget_bytes = 0;
    optimizer->peak_bytes = 0;
    optimizer->facts = (HypDialFacts){.measured = false};
}

static const HypExecutorHooks hooks = {
    .plan = plan_run, .end_run = note_peak, .detached = forget_model};

HyperionMemoryOptimizer *hyperionCreateMemoryOptimizer(const HyperionMemoryOptimizerConfig *config)
{
    if (!config || !(config->memory_speed_tradeoff >= 0 && config->memory_speed_tradeoff <= 1))
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "create memory optimizer: %s",
                             config ? "the tradeoff is not 0 to 1" : "the configuration is NULL");
    HyperionMemoryOptimizer *optimizer = calloc(1, sizeof *optimizer);
    if (!optimizer)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "create memory optimizer: out of memory");
    optimizer->config = *config;
    optimizer->pool =
        hyp_tensor_pool_create(config->max_memory_budget, config->enable_tensor_reuse);
    if (!optimizer->pool) {
        free(optimizer);
        return NULL;
    }
    return optimizer;
}

void hyperionFreeMemoryOptimizer(HyperionMemoryOptimizer *optimizer)
{
    if (!optimizer)
        return;
    if (hyp_tensor_pool_is_running(optimizer->pool)) {
        (void)hyp_fail(HYPERION_ERROR_BUSY,
                       "free memory optimizer: a function runs with its tensors");
        return;
    }
    if (optimizer->model)
        (void)hyp_model_detach(optimizer->model, HYP_ATTACHED_OPTIMIZER);
    hyp_layer_times_free(&optimizer->times);
    hyp_tensor_pool_free(optimizer->pool);
    free(optimizer);
}

HyperionMemoryStats hyperionGetMemoryOptimizerStats(const HyperionMemoryOptimizer *optimizer)
{
    if (!optimizer)
        return (HyperionMemoryStats){
            .valid = hyp_fail(HYPERION_ERROR_ARGUMENT,
                              "get memory optimizer stats: the optimizer is NULL")};
    const HypDialFacts *facts = &optimizer->facts;
    const HypActivationFacts *activations = &facts->activations;
    const size_t total_bytes = hyp_dial_total_bytes(facts);
    const size_t others_bytes = total_bytes - activations->planned_bytes;
    const size_t model_bytes = optimizer->model ? count_held(optimizer->model) : 0;
    const HypPoolFacts pool = hyp_tensor_pool_facts(optimizer->pool);
    return (HyperionMemoryStats){
        .current_bytes = model_bytes + pool.held_bytes,
        .peak_bytes = optimizer->peak_bytes + pool.peak_bytes,
        .planned_bytes = total_bytes,
        .lower_bound_bytes = others_bytes + activations->lower_bound_bytes,
        .budget_bytes = find_budget(optimizer),
        .naive_bytes = others_bytes + activations->apart_bytes + pool.naive_bytes,
        .allocation_count = (uint64_t)activations->tensor_count + pool.lend_count,
        .reuse_count =
            (uint64_t)(activations->tensor_count - activations->place_count) + pool.reuse_count,
        .in_place_count = (uint64_t)activations->in_place_count,
        .fragmentation = pool.fragmentation,
        .valid = true,
    };
}

HyperionMemoryPlan hyperionGetMemoryPlan(const HyperionMemoryOptimizer *optimizer)
{
    if (!optimizer || !optimizer->model)
        return (HyperionMemoryPlan){
            .valid = hyp_fail(HYPERION_ERROR_ARGUMENT, "get memory plan: %s",
                              optimizer ? "no model is attached" : "the optimizer is NULL")};
    const HypDialFacts *facts = &optimizer->facts;
    return (HyperionMemoryPlan){
        .weight_bytes = facts->weight_bytes,
        .packed_bytes = facts->packed_bytes,
        .activation_bytes = facts->activations.planned_bytes,
        .workspace_bytes = facts->workspace_bytes,
        .total_bytes = hyp_dial_total_bytes(facts),
        .least_bytes = facts->least_bytes,
        .most_bytes = facts->most_bytes,
        .lower_bound_bytes = facts->lower_bound_bytes,
        .activation_lower_bound_bytes = facts->activations.lower_bound_bytes,
        .activation_naive_bytes = facts->activations.apart_bytes,
        .predicted_ns = facts->predicted_ns,
        .packed_layer_count = facts->packed_layer_count,
        .banded_layer_count = facts->banded_layer_count,
        .measured = facts->measured,
        .valid = true,
    };
}

// Plans the attached model as its next run will. The model is held.
static bool try_plan(HyperionMemoryOptimizer *optimizer)
{
    HypRunPlan plan = {0};
    const bool planned = hyp_model_start_threads(optimizer->model) &&
                         hyp_run_plan_create(optimizer->model, &plan) &&
                         plan_run(optimizer, optimizer->model, &plan);
    hyp_run_plan_free(&plan);
    return planned;
}

// Takes a configuration, and plans by it, unless that fails.
static bool change_config(HyperionMemoryOptimizer *optimizer,
                          const HyperionMemoryOptimizerConfig *config)
{
    const HyperionMemoryOptimizerConfig before = optimizer->config;
    if (optimizer->model && !hyp_model_begin_change(optimizer->model, "change memory optimizer"))
        return false;
    optimizer->config = *config;
    const bool planned = !optimizer->model || try_plan(optimizer);
    if (!planned)
        optimizer->config = before;
    if (optimizer->model)
        hyp_model_end_change(optimizer->model);
    return planned;
}

void hyperionSetMemorySpeedTradeoff(HyperionMemoryOptimizer *optimizer, float tradeoff)
{
    if (!optimizer) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "set memory/speed tradeoff: the optimizer is NULL");
        return;
    }
    HyperionMemoryOptimizerConfig config = optimizer->config;
    config.memory_speed_tradeoff = tradeoff >= 0 ? (tradeoff <= 1 ? tradeoff : 1) : 0; // NAN: 0
    if (!(tradeoff >= 0 && tradeoff <= 1))
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT,
                       "set memory/speed tradeoff: %g is not 0 to 1, %g is taken", (double)tradeoff,
                       (double)config.memory_speed_tradeoff);
    (void)change_config(optimizer, &config);
}

float hyperionGetMemorySpeedTradeoff(const HyperionMemoryOptimizer *optimizer)
{
    if (optimizer)
        return optimizer->config.memory_speed_tradeoff;
    (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get memory/speed tradeoff: the optimizer is NULL");
    return -1;
}

void hyperionEnableInPlaceOperations(HyperionMemoryOptimizer *optimizer, bool enable)
{
    if (!optimizer) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT,
                       "enable in-place operations: the optimizer is NULL");
        return;
    }
    HyperionMemoryOptimizerConfig config = optimizer->config;
    config.enable_in_place_ops = enable;
    (void)change_config(optimizer, &config);
}

bool hyperionSaveLayerTimes(const HyperionMemoryOptimizer *optimizer, const char *path)
{
    if (!optimizer || !path)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "save layer times: %s is NULL",
                        optimizer ? "the path" : "the optimizer");
    if (!optimizer->times.key)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "save layer times: none were measured");
    return hyp_layer_times_save(&optimizer->times, path);
}

bool hyperionLoadLayerTimes(HyperionMemoryOptimizer *optimizer, const char *path)
{
    if (!optimizer || !path)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "load layer times: %s is NULL",
                        optimizer ? "the path" : "the optimizer");
    if (optimizer->model)
        return hyp_fail(HYPERION_ERROR_BUSY,
                        "load layer times: the optimizer is attached to a model");
    return hyp_layer_times_load(&optimizer->times, path);
}

bool hyperionExecuteWithTensorReuse(HyperionMemoryOptimizer *optimizer,
                                    HyperionTensorReuseFunction func, void *user_data)
{
    if (!optimizer || !func)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "execute with tensor reuse: %s is NULL",
                        optimizer ? "the function" : "the optimizer");
    const uint64_t failures_before = hyp_fail_count();
    if (hyp_tensor_pool_run(optimizer->pool, func, user_data))
        return true;
    if (hyp_fail_count() != failures_before)
        return false; // the reason is known: a call of the library failed in it
    return hyp_fail(HYPERION_ERROR_ARGUMENT, "execute with tensor reuse: the function gave false");
}

static bool measure_times(HyperionMemoryOptimizer *optimizer, HyperionModel *model)
{
    const HypDialSettings settings = find_settings(optimizer);
    if (hyp_layer_times_match(&optimizer->times, model))
        return true;
    return hyp_calibrate(model, &settings.activations, &optimizer->banding, &optimizer->times);
}

// Attaches an optimizer that is free, unless the budget or anything else fails.
static bool attach(HyperionMemoryOptimizer *optimizer, HyperionModel *model, size_t budget_bytes)
{
    optimizer->model = model;
    optimizer->model_budget_bytes = budget_bytes;
    if (!hyp_model_attach(model, HYP_ATTACHED_OPTIMIZER, &hooks, optimizer)) {
        forget_model(optimizer);
        return false;
    }
    bool planned = hyp_model_begin_change(model, "optimize memory usage");
    if (planned) {
        planned = try_plan(optimizer);
        hyp_model_end_change(model);
    }
    if (!planned) {
        (void)hyp_model_detach(model, HYP_ATTACHED_OPTIMIZER);
        forget_model(optimizer);
    }
    return planned;
}

// An attached model keeps what it had where planning fails.
static bool plan_anew(HyperionMemoryOptimizer *optimizer, size_t budget_bytes)
{
    const size_t before_bytes = optimizer->model_budget_bytes;
    optimizer->model_budget_bytes = budget_bytes;
    const bool planned = change_config(optimizer, &optimizer->config);
    if (!planned)
        optimizer->model_budget_bytes = before_bytes;
    return planned;
}

bool hyperionOptimizeMemoryUsage(HyperionMemoryOptimizer *optimizer, HyperionModel *model,
                                 size_t memory_budget)
{
    if (!optimizer || !model)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "optimize memory usage: %s is NULL",
                        optimizer ? "the model" : "the optimizer");
    if (optimizer->model && optimizer->model != model)
        return hyp_fail(HYPERION_ERROR_BUSY,
                        "optimize memory usage: the optimizer is attached to model %s",
                        optimizer->model->name);
    if (!optimizer->model && model->attached.of[HYP_ATTACHED_OPTIMIZER].hooks)
        return hyp_fail(HYPERION_ERROR_BUSY,
                        "optimize memory usage: model %s has a memory optimizer already",
                        model->name);
    if (optimizer->model)
        return plan_anew(optimizer, memory_budget);
    return measure_times(optimizer, model) && attach(optimizer, model, memory_budget);
}
