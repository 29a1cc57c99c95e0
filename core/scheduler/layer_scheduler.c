// SPDX-License-Identifier: Apache-2.0
// Entry points of layer_scheduler.h: what is in force, plans and estimates.
#include "common/fail.h"
#include "common/text.h"
#include "model/executor.h"
#include "scheduler/scheduler.h"

#include <stdlib.h>
#include <string.h>

// Of the scratch file, until transfers were measured: 1 GB/s there, 2 GB/s back.
static const double guessed_write_ns_per_byte = 1;
static const double guessed_read_ns_per_byte = 0.5;

static bool check_config(const char *call, const HyperionLayerSchedulerConfig *config)
{
    if (!config)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: the configuration is NULL", call);
    return (config->memory_speed_tradeoff >= 0 && config->memory_speed_tradeoff <= 1) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: the tradeoff is %g, expected 0 to 1", call,
                    (double)config->memory_speed_tradeoff);
}

bool hyp_scheduler_fit(HyperionLayerScheduler *scheduler)
{
    const int count = scheduler->model->layer_count;
    if (count <= scheduler->layer_count && scheduler->strategies)
        return true;
    // One more than needed: calloc(0) may be NULL.
    const size_t room = (size_t)count + 1;
    HyperionCheckpointStrategy *strategies = calloc(room, sizeof *strategies);
    double *layer_ns = calloc(room, sizeof *layer_ns);
    double *planned_ns = calloc(room, sizeof *planned_ns);
    if (!strategies || !layer_ns || !planned_ns) {
        free(strategies);
        free(layer_ns);
        free(planned_ns);
        return hyp_fail(HYPERION_ERROR_MEMORY, "schedule model %s: out of memory for %d layers",
                        scheduler->model->name, count);
    }
    if (scheduler->strategies)
        memcpy(strategies, scheduler->strategies,
               (size_t)scheduler->layer_count * sizeof *strategies);
    free(scheduler->strategies);
    free(scheduler->layer_ns);
    free(scheduler->planned_ns);
    scheduler->strategies = strategies;
    scheduler->layer_ns = layer_ns;
    scheduler->planned_ns = planned_ns;
    scheduler->layer_count = count;
    scheduler->measured = false;
    return true;
}

static void free_scheduler(HyperionLayerScheduler *scheduler)
{
    for (int i = 0; i < HYP_DIRECTION_COUNT; i++)
        hyp_schedule_front_free(&scheduler->schedules[i].front);
    hyperionFreeExecutionPlan(scheduler->plan);
    hyp_scheduled_pass_free(&scheduler->pass);
    hyp_platform_close_scratch(scheduler->scratch);
    free(scheduler->strategies);
    free(scheduler->layer_ns);
    free(scheduler->planned_ns);
    free(scheduler->folder);
    free(scheduler);
}

HyperionLayerScheduler *hyperionCreateLayerScheduler(HyperionModel *model,
                                                     const HyperionLayerSchedulerConfig *config)
{
    if (!model)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "create layer scheduler: the model is NULL");
    if (!check_config("create layer scheduler", config))
        return NULL;
    HyperionLayerScheduler *scheduler = calloc(1, sizeof *scheduler);
    if (!scheduler)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "create layer scheduler: out of memory");
    scheduler->model = model;
    scheduler->config = *config;
    scheduler->write_ns_per_byte = guessed_write_ns_per_byte;
    scheduler->read_ns_per_byte = guessed_read_ns_per_byte;
    if (!hyp_scheduler_fit(scheduler) ||
        !hyp_model_attach(model, HYP_ATTACHED_SCHEDULER, &hyp_scheduler_hooks, scheduler)) {
        free_scheduler(scheduler);
        return NULL;
    }
    return scheduler;
}

void hyperionFreeLayerScheduler(HyperionLayerScheduler *scheduler)
{
    if (!scheduler ||
        (scheduler->model && !hyp_model_detach(scheduler->model, HYP_ATTACHED_SCHEDULER)))
        return;
    free_scheduler(scheduler);
}

static bool check_scheduler(const HyperionLayerScheduler *scheduler, const char *call)
{
    if (!scheduler)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: the scheduler is NULL", call);
    return scheduler->model || hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: the model was freed", call);
}

bool hyp_scheduler_hold(const HyperionLayerScheduler *scheduler, const char *call)
{
    return check_scheduler(scheduler, call) && hyp_model_hold(scheduler->model, call);
}

void hyp_scheduler_release(const HyperionLayerScheduler *scheduler)
{
    hyp_model_end_change(scheduler->model);
}

// Begins a change of what is in force, which ends a pass under way. What was planned stays known,
// as far as it was, unless the change concerns it.
static bool begin_change(HyperionLayerScheduler *scheduler, const char *call, bool forget_plans)
{
    if (!check_scheduler(scheduler, call) || !hyp_model_begin_change(scheduler->model, call))
        return false;
    for (int i = 0; i < HYP_DIRECTION_COUNT; i++) {
        HypSchedule *schedule = &scheduler->schedules[i];
        schedule->known = schedule->known && !forget_plans &&
                          schedule->change_count == scheduler->model->change_count - 1;
        schedule->change_count = scheduler->model->change_count;
    }
    if (scheduler->measured_change_count == scheduler->model->change_count - 1)
        scheduler->measured_change_count = scheduler->model->change_count;
    return true;
}

bool hyperionSetLayerSchedulerConfig(HyperionLayerScheduler *scheduler,
                                     const HyperionLayerSchedulerConfig *config)
{
    static const char *const call = "set layer scheduler config";
    if (!check_scheduler(scheduler, call) || !check_config(call, config))
        return false;
    const HyperionLayerSchedulerConfig *before = &scheduler->config;
    const bool plans_change = config->enable_checkpointing != before->enable_checkpointing ||
                              config->recompute_activations != before->recompute_activations;
    if (!begin_change(scheduler, call, plans_change))
        return false;
    scheduler->config = *config;
    hyp_scheduler_release(scheduler);
    return true;
}

HyperionLayerSchedulerConfig
hyperionGetLayerSchedulerConfig(const HyperionLayerScheduler *scheduler)
{
    if (scheduler)
        return scheduler->config;
    (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get layer scheduler config: the scheduler is NULL");
    return (HyperionLayerSchedulerConfig){.enable_checkpointing = false};
}

bool hyperionSetScheduleOrder(HyperionLayerScheduler *scheduler, HyperionScheduleOrder order)
{
    static const char *const call = "set schedule order";
    if (!check_scheduler(scheduler, call))
        return false;
    if ((unsigned)order > HYPERION_ORDER_GIVEN)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: there is no order %d", call, (int)order);
    if (!begin_change(scheduler, call, true))
        return false;
    scheduler->order = order;
    hyp_scheduler_release(scheduler);
    return true;
}

HyperionScheduleOrder hyperionGetScheduleOrder(const HyperionLayerScheduler *scheduler)
{
    if (scheduler)
        return scheduler->order;
    (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get schedule order: the scheduler is NULL");
    return HYPERION_ORDER_LEAST_MEMORY;
}

static bool check_layer(const HyperionLayerScheduler *scheduler, const char *call, int layer)
{
    if (!check_scheduler(scheduler, call))
        return false;
    const int count = scheduler->model->layer_count;
    return (layer >= 0 && layer < count) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: layer %d of %d", call, layer, count);
}

bool hyperionSetLayerCheckpointingStrategy(HyperionLayerScheduler *scheduler, int layer_index,
                                           HyperionCheckpointStrategy strategy)
{
    static const char *const call = "set layer checkpointing strategy";
    if (!check_layer(scheduler, call, layer_index))
        return false;
    if ((unsigned)strategy > HYPERION_CHECKPOINT_SPILL)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: there is no strategy %d", call,
                        (int)strategy);
    if (!begin_change(scheduler, call, true))
        return false;
    const bool fits = hyp_scheduler_fit(scheduler);
    if (fits)
        scheduler->strategies[layer_index] = strategy;
    hyp_scheduler_release(scheduler);
    return fits;
}

HyperionCheckpointStrategy
hyperionGetLayerCheckpointingStrategy(const HyperionLayerScheduler *scheduler, int layer_index)
{
    // Layers added since have none.
    if (check_layer(scheduler, "get layer checkpointing strategy", layer_index) &&
        layer_index < scheduler->layer_count)
        return scheduler->strategies[layer_index];
    return HYPERION_CHECKPOINT_AUTO;
}

bool hyperionSetSpillFolder(HyperionLayerScheduler *scheduler, const char *folder)
{
    static const char *const call = "set spill folder";
    char *copy = folder ? hyp_text_copy(folder) : NULL;
    if (folder && !copy)
        return hyp_fail(HYPERION_ERROR_MEMORY, "%s: out of memory", call);
    if (!begin_change(scheduler, call, false)) {
        free(copy);
        return false;
    }
    free(scheduler->folder);
    scheduler->folder = copy;
    hyp_platform_close_scratch(scheduler->scratch);
    scheduler->scratch = NULL;
    hyp_scheduler_release(scheduler);
    return true;
}

bool hyperionUseMeasuredLayerTimes(HyperionLayerScheduler *scheduler)
{
    static const char *const call = "use measured layer times";
    if (!begin_change(scheduler, call, true))
        return false;
    const int count = scheduler->model->layer_count;
    bool known = scheduler->measured_change_count == scheduler->model->change_count &&
                 count == scheduler->layer_count;
    bool any = false;
    for (int i = 0; known && i < count; i++)
        any |= scheduler->layer_ns[i] > 0;
    known = known && any;
    if (known) {
        memcpy(scheduler->planned_ns, scheduler->layer_ns,
               (size_t)count * sizeof *scheduler->planned_ns);
        scheduler->measured = true;
        if (scheduler->write_bytes > 0 && scheduler->read_bytes > 0) {
            scheduler->write_ns_per_byte = scheduler->write_ns / (double)scheduler->write_bytes;
            scheduler->read_ns_per_byte = scheduler->read_ns / (double)scheduler->read_bytes;
        }
    }
    hyp_scheduler_release(scheduler);
    return known || hyp_fail(HYPERION_ERROR_ARGUMENT,
                             "%s: model %s has not run with this scheduler since it changed", call,
                             scheduler->model->name);
}

static bool check_direction(const char *call, HyperionPassDirection direction)
{
    return (unsigned)direction < HYP_DIRECTION_COUNT ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: there is no direction %d", call, (int)direction);
}

HyperionScheduleLimits hyperionGetScheduleLimits(HyperionLayerScheduler *scheduler,
                                                 HyperionPassDirection direction)
{
    static const char *const call = "get schedule limits";
    HyperionScheduleLimits limits = {.valid = false};
    if (!check_direction(call, direction) || !hyp_scheduler_hold(scheduler, call))
        return limits;
    const HypScheduleFront *front = hyp_scheduler_front(scheduler, direction);
    if (front) {
        const int at = hyp_schedule_front_within(front, hyp_scheduler_most_bytes(scheduler, front));
        const HypSchedulePoint *most = &front->points[at];
        limits = (HyperionScheduleLimits){.least_bytes = front->points[0].bytes,
                                          .most_bytes = most->bytes,
                                          .store_all_bytes = front->store_all_bytes,
                                          .lower_bound_bytes = front->lower_bound_bytes,
                                          .least_bytes_ns = front->points[0].time_ns,
                                          .most_bytes_ns = most->time_ns,
                                          .store_all_ns = front->store_all_ns,
                                          .order_proved = front->order_proved,
                                          .measured = front->measured,
                                          .valid = true};
    }
    hyp_scheduler_release(scheduler);
    return limits;
}

HyperionExecutionPlan *hyperionCreatePassPlan(HyperionLayerScheduler *scheduler,
                                              HyperionPassDirection direction)
{
    static const char *const call = "create execution plan";
    if (!check_direction(call, direction) || !hyp_scheduler_hold(scheduler, call))
        return NULL;
    HyperionExecutionPlan *plan = hyp_scheduler_plan(scheduler, direction);
    if (plan && !hyp_execution_plan_name(plan, scheduler->model)) {
        hyperionFreeExecutionPlan(plan);
        plan = NULL;
    }
    hyp_scheduler_release(scheduler);
    return plan;
}

HyperionExecutionPlan *hyperionCreateExecutionPlan(HyperionLayerScheduler *scheduler)
{
    return hyperionCreatePassPlan(scheduler, HYPERION_PASS_FORWARD);
}

static HyperionMemoryEstimate estimate(HyperionLayerScheduler *scheduler,
                                       HyperionPassDirection direction)
{
    HypHeldBytes bytes;
    scheduler->direction = direction;
    scheduler->estimating = true;
    const bool planned = hyp_model_planned_bytes(scheduler->model, &bytes);
    scheduler->estimating = false;
    scheduler->direction = HYPERION_PASS_FORWARD;
    if (!planned)
        return (HyperionMemoryEstimate){.valid = false};
    const HyperionExecutionPlanInfo *info = &scheduler->estimated;
    const size_t others_bytes = bytes.weight_bytes + bytes.packed_bytes + bytes.workspace_bytes;
    const size_t bound_bytes = scheduler->schedules[direction].front.lower_bound_bytes;
    return (HyperionMemoryEstimate){
        .weights_bytes = bytes.weight_bytes + bytes.packed_bytes,
        .activations_peak_bytes = bytes.activation_bytes,
        .workspace_bytes = bytes.workspace_bytes,
        .checkpoints_bytes = scheduler->estimated_waiting_bytes,
        .total_peak_bytes = others_bytes + bytes.activation_bytes,
        // Another attachment may find places for activations inside of others.
        .lower_bound_bytes =
            others_bytes +
            (bound_bytes < bytes.activation_bytes ? bound_bytes : bytes.activation_bytes),
        .extra_forward_layers = info->recomputed_layers,
        .estimated_time_ns = info->predicted_ns,
        .proved_optimal = info->proved_optimal,
        .valid = true};
}

HyperionMemoryEstimate hyperionEstimatePassMemory(HyperionLayerScheduler *scheduler,
                                                  HyperionPassDirection direction)
{
    static const char *const call = "estimate memory usage";
    if (!check_direction(call, direction) || !hyp_scheduler_hold(scheduler, call))
        return (HyperionMemoryEstimate){.valid = false};
    const HyperionMemoryEstimate told = estimate(scheduler, direction);
    hyp_scheduler_release(scheduler);
    return told;
}

HyperionMemoryEstimate hyperionEstimateMemoryUsage(HyperionLayerScheduler *scheduler)
{
    return hyperionEstimatePassMemory(scheduler, HYPERION_PASS_FORWARD);
}
