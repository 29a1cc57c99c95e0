// SPDX-License-Identifier: Apache-2.0
// workload_scheduler.c - passes of a model whose activations a layer scheduler keeps within a cap,
// forward or backward.
#include "common/fnv.h"
#include "hyperion/error.h"
#include "hyperion/layer_scheduler.h"
#include "record/sample.h"
#include "run/usage.h"
#include "scenario/plan.h"
#include "workload/model_context.h"
#include "workload/model_memory.h"
#include "workload/placement_axes.h"
#include "workload/thread_team.h"
#include "workload/workloads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEASURING_RUNS = 3, // of which the least time of a layer counts
    MOST_STEPS = 4096   // of a plan that is told step by step
};

// Indices of the words of the axis layer_times.
typedef enum LayerTimes { LAYER_TIMES_MEASURED, LAYER_TIMES_GUESSED } LayerTimes;

typedef struct SchedulerContext {
    AxisValue values[AXIS_COUNT]; // of the cell
    WorkloadMachine machine;
    HyperionThreadPool *pool;
    ModelInstance instance;
    HyperionLayerScheduler *scheduler;
    HyperionPassDirection direction;
    HyperionScheduleLimits limits;
    HyperionExecutionPlan *plan; // of the passes
    size_t cap_bytes;            // 0: none
    Resident idle;               // before anything was allocated
    bool peak_is_of_runs;
    Problem failure; // of a pass
} SchedulerContext;

static bool use_axis(const AxisValue *values, AxisId axis)
{
    (void)values;
    switch (axis) {
    case AXIS_MODEL:
    case AXIS_SIMD_LEVEL:
    case AXIS_BLOCK_SIZE:
    case AXIS_PREFETCH:
    case AXIS_PREFETCH_DISTANCE:
    case AXIS_TRADEOFF:
    case AXIS_PASS:
    case AXIS_ACTIVATION_CAP:
    case AXIS_STRATEGY:
    case AXIS_RECOMPUTE:
    case AXIS_ORDER:
    case AXIS_LAYER_TIMES:
    case AXIS_BATCH:
    case AXIS_SEQ: return true;
    default: return placement_axes_use(axis);
    }
}

// A backward pass within a cap runs most layers twice.
static WorkloadGuess guess_scheduler(const AxisValue *values)
{
    WorkloadGuess guess = model_context_guess(values);
    if (values[AXIS_PASS].integer == HYPERION_PASS_BACKWARD)
        guess.iteration_ns *= 2;
    guess.open_ns += MEASURING_RUNS * guess.iteration_ns;
    return guess;
}

static void close_scheduler(void *opened)
{
    SchedulerContext *context = opened;
    if (!context)
        return;
    hyperionFreeExecutionPlan(context->plan);
    hyperionFreeLayerScheduler(context->scheduler);
    model_instance_close(&context->instance);
    hyperionFreeThreadPool(context->pool);
    free(context);
}

// The axis tradeoff is the scheduler's here: the model has no optimizer.
static bool open_model(ModelInstance *instance, const SchedulerContext *context, Problem *problem)
{
    AxisValue values[AXIS_COUNT];
    memcpy(values, context->values, sizeof values);
    (void)axis_fallback(AXIS_TRADEOFF, &values[AXIS_TRADEOFF]);
    return model_instance_set_up(instance, values, &context->machine, context->pool, problem);
}

static bool create_scheduler(HyperionLayerScheduler **scheduler, const ModelInstance *instance,
                             const AxisValue *values)
{
    const HyperionLayerSchedulerConfig everything = {.enable_checkpointing = true,
                                                     .memory_speed_tradeoff = 1};
    const HyperionCheckpointStrategy strategy =
        (HyperionCheckpointStrategy)values[AXIS_STRATEGY].integer;
    *scheduler = hyperionCreateLayerScheduler(instance->model, &everything);
    if (!*scheduler ||
        !hyperionSetScheduleOrder(*scheduler, (HyperionScheduleOrder)values[AXIS_ORDER].integer))
        return false;
    const int layer_count = hyperionModelLayerCount(instance->model);
    for (int i = 0; i < layer_count; i++)
        if (!hyperionSetLayerCheckpointingStrategy(*scheduler, i, strategy))
            return false;
    return true;
}

// By runs that keep everything.
static bool measure_layers(const SchedulerContext *context)
{
    if (context->values[AXIS_LAYER_TIMES].integer == LAYER_TIMES_GUESSED)
        return true;
    for (int i = 0; i < MEASURING_RUNS; i++)
        if (!model_instance_run(&context->instance))
            return false;
    return hyperionUseMeasuredLayerTimes(context->scheduler);
}

// The cap is known when it is known what storing all takes, under the other settings.
static bool plan_passes(SchedulerContext *context)
{
    const AxisValue *values = context->values;
    const double tradeoff = values[AXIS_TRADEOFF].real;
    HyperionLayerSchedulerConfig config = {
        .enable_checkpointing = true,
        .memory_speed_tradeoff = tradeoff < 0 ? 1 : (float)tradeoff,
        .recompute_activations = values[AXIS_RECOMPUTE].integer != 0,
    };
    context->direction = (HyperionPassDirection)values[AXIS_PASS].integer;
    if (!hyperionSetLayerSchedulerConfig(context->scheduler, &config))
        return false;
    context->limits = hyperionGetScheduleLimits(context->scheduler, context->direction);
    config.max_activation_memory =
        axis_cap_bytes(values[AXIS_ACTIVATION_CAP], context->limits.store_all_bytes);
    context->cap_bytes = config.max_activation_memory;
    if (!context->limits.valid || !hyperionSetLayerSchedulerConfig(context->scheduler, &config))
        return false;
    context->plan = hyperionCreatePassPlan(context->scheduler, context->direction);
    return context->plan != NULL;
}

// What a replay visits, as numbers that other activations would change.
typedef struct Visits {
    uint64_t *hashes; // of each layer, 0 of one that was not visited; NULL: nothing is kept
    int count;
    bool repeated; // a layer came twice
} Visits;

static uint64_t add_tensor(uint64_t hash, const HyperionTensor *tensor)
{
    return tensor
               ? fnv_add_bytes(hash, hyperionTensorConstData(tensor), hyperionTensorBytes(tensor))
               : hash;
}

static bool note_visit(void *user_data, const HyperionLayerVisit *visit)
{
    Visits *visits = user_data;
    visits->count++;
    if (!visits->hashes)
        return true;
    uint64_t hash = add_tensor(FNV_START, visit->output);
    for (int i = 0; i < visit->input_count; i++)
        hash = add_tensor(hash, visit->inputs[i]);
    visits->repeated = visits->repeated || visits->hashes[visit->layer] != 0;
    visits->hashes[visit->layer] = hash;
    return true;
}

static bool run_pass(const SchedulerContext *context, Problem *problem)
{
    Visits visits = {.hashes = NULL};
    const bool done = context->direction == HYPERION_PASS_FORWARD
                          ? model_instance_run(&context->instance)
                          : hyperionReplayBackward(context->scheduler, context->instance.inputs,
                                                   note_visit, &visits);
    return done || problem_set(problem, "%s", hyperionGetLastError());
}

static void *open_scheduler(const Cell *cell, const WorkloadMachine *machine, Problem *problem)
{
    SchedulerContext *context = calloc(1, sizeof *context);
    if (!context) {
        (void)problem_set(problem, "out of memory");
        return NULL;
    }
    memcpy(context->values, cell->values, sizeof context->values);
    context->machine = *machine;
    context->idle = usage_resident();
    context->pool = thread_team_open(cell->values, machine, problem);
    if (context->pool && open_model(&context->instance, context, problem) &&
        create_scheduler(&context->scheduler, &context->instance, cell->values) &&
        measure_layers(context) && plan_passes(context)) {
        context->peak_is_of_runs = usage_forget_peak();
        if (run_pass(context, problem))
            return context;
    }
    (void)problem_set(problem, "%s", hyperionGetLastError()); // the first reason stays
    close_scheduler(context);
    return NULL;
}

static bool compare_visits(const SchedulerContext *context, const Visits *given,
                           const Visits *expected, Problem *problem)
{
    const HyperionModel *model = context->instance.model;
    if (given->count != expected->count || given->repeated)
        return problem_set(problem,
                           "backward pass: %d visits of layers, expected one of each of %d",
                           given->count, expected->count);
    for (int i = 0; i < hyperionModelLayerCount(model); i++)
        if (given->hashes[i] != expected->hashes[i])
            return problem_set(problem,
                               "backward pass: layer %d, %s: what it reads or makes differs from "
                               "what it is where all is stored",
                               i, hyperionModelLayer(model, i).name);
    return true;
}

// A replay within the cap visits the same layers with the same activations as one without.
static bool verify_backward(const SchedulerContext *context, const ModelInstance *whole,
                            Problem *problem)
{
    const HyperionLayerSchedulerConfig everything = {.memory_speed_tradeoff = 1};
    const size_t room = (size_t)hyperionModelLayerCount(whole->model) + 1;
    Visits given = {.hashes = calloc(room, sizeof *given.hashes)};
    Visits expected = {.hashes = calloc(room, sizeof *expected.hashes)};
    HyperionLayerScheduler *storing = hyperionCreateLayerScheduler(whole->model, &everything);
    const bool ran =
        given.hashes && expected.hashes && storing &&
        hyperionReplayBackward(storing, whole->inputs, note_visit, &expected) &&
        hyperionReplayBackward(context->scheduler, context->instance.inputs, note_visit, &given);
    const bool same = ran ? compare_visits(context, &given, &expected, problem)
                          : problem_set(problem, "%s", hyperionGetLastError());
    hyperionFreeLayerScheduler(storing);
    free(given.hashes);
    free(expected.hashes);
    return same;
}

// To the bit: what is made again or read back is what it was.
static bool verify_scheduler(void *opened, Problem *problem)
{
    SchedulerContext *context = opened;
    ModelInstance whole = {0};
    const bool ready =
        open_model(&whole, context, problem) &&
        (model_instance_run(&whole) || problem_set(problem, "%s", hyperionGetLastError()));
    bool same = false;
    if (ready && context->direction == HYPERION_PASS_BACKWARD)
        same = verify_backward(context, &whole, problem);
    else if (ready)
        same = run_pass(context, problem) &&
               model_instance_same(&context->instance, &whole, "without scheduler", problem);
    model_instance_close(&whole);
    return same;
}

static void time_pass(void *opened)
{
    SchedulerContext *context = opened;
    (void)run_pass(context, &context->failure);
}

static WorkloadPlacement place_scheduler(void *opened)
{
    return (WorkloadPlacement){.pool = ((SchedulerContext *)opened)->pool, .copies = 1};
}

// Layers that run again are no nominal work.
static WorkloadFacts describe_scheduler(void *opened)
{
    const SchedulerContext *context = opened;
    const ModelInstance *instance = &context->instance;
    WorkloadFacts facts = model_instance_facts(instance);
    facts.operand_bytes += (double)hyperionModelWeightBytes(instance->model) +
                           (double)hyperionExecutionPlanInfo(context->plan).activation_bytes;
    (void)snprintf(facts.predicted_reason, sizeof facts.predicted_reason,
                   "predictions are of passes without scheduler");
    return facts;
}

typedef struct Value {
    const char *name;
    double value;
    const char *unit, *provenance;
} Value;

static bool add_all(Sample *sample, const Value *values, size_t count, const char *missing)
{
    for (size_t i = 0; i < count; i++)
        if (!sample_add_value(sample, values[i].name, values[i].value, values[i].unit,
                              values[i].provenance, isnan(values[i].value) ? missing : ""))
            return false;
    return true;
}

static bool add_plan(const SchedulerContext *context, Sample *sample)
{
    const HyperionExecutionPlanInfo plan = hyperionExecutionPlanInfo(context->plan);
    const HyperionScheduleLimits *limits = &context->limits;
    const Value values[] = {
        {"scheduler.cap_bytes", context->cap_bytes > 0 ? (double)context->cap_bytes : (double)NAN,
         "B", "model"},
        {"scheduler.planned_bytes", (double)plan.activation_bytes, "B", "model"},
        {"scheduler.lower_bound_bytes", (double)limits->lower_bound_bytes, "B", "model"},
        {"scheduler.least_bytes", (double)limits->least_bytes, "B", "model"},
        {"scheduler.store_all_bytes", (double)limits->store_all_bytes, "B", "model"},
        {"scheduler.planned_recomputed", (double)plan.recomputed_layers, "", "model"},
        {"scheduler.planned_spilled_bytes", (double)plan.spilled_bytes, "B", "model"},
        {"scheduler.predicted_time", plan.predicted_ns, "ns", "model"},
        {"scheduler.forward_time", plan.forward_ns, "ns", "model"},
        {"scheduler.proved", plan.proved_optimal, "", "model"},
        {"scheduler.order_proved", limits->order_proved, "", "model"},
    };
    return add_all(sample, values, sizeof values / sizeof *values, "there is no cap");
}

static bool add_pass(const SchedulerContext *context, Sample *sample)
{
    const HyperionPassStats stats = hyperionGetPassStats(context->scheduler);
    const Value values[] = {
        {"scheduler.peak_bytes", (double)stats.activation_peak_bytes, "B", "os"},
        {"scheduler.recomputed", (double)stats.recomputed_layers, "", "os"},
        {"scheduler.spilled_bytes", (double)stats.spilled_bytes, "B", "os"},
        {"scheduler.restored_bytes", (double)stats.restored_bytes, "B", "os"},
        {"scheduler.layer_time", (double)stats.layer_ns, "ns", "clock"},
        {"scheduler.transfer_time", (double)stats.transfer_ns, "ns", "clock"},
    };
    return add_all(sample, values, sizeof values / sizeof *values, "");
}

// What is live after each step: live<k>.<operation>.<layer>. Nobody looks at very long plans.
static bool add_steps(const SchedulerContext *context, Sample *sample)
{
    const int count = hyperionExecutionPlanStepCount(context->plan);
    for (int i = 0; i < count && count <= MOST_STEPS; i++) {
        const HyperionExecutionStep step = hyperionExecutionPlanStep(context->plan, i);
        char name[sizeof sample->values->name];
        (void)snprintf(name, sizeof name, "live%d.%s.%d", i, hyperionStepOpName(step.op),
                       step.layer);
        if (!sample_add_value(sample, name, (double)step.live_bytes, "B", "model", ""))
            return false;
    }
    return true;
}

static bool add_values(void *opened, Sample *sample, Problem *problem)
{
    const SchedulerContext *context = opened;
    if (sample->task == SAMPLE_VERIFY)
        return add_steps(context, sample);
    if (context->failure.text[0])
        return problem_set(problem, "%s", context->failure.text);
    return add_plan(context, sample) && add_pass(context, sample) &&
           model_memory_add_measured(&context->idle, 0, context->peak_is_of_runs, sample);
}

const Workload workload_scheduler = {
    .name = "scheduler",
    .help = "one pass of a model, forward or backward, whose activations a scheduler keeps within "
            "a cap",
    .uses = use_axis,
    .check = model_context_check,
    .guess = guess_scheduler,
    .open = open_scheduler,
    .verify = verify_scheduler,
    .run = time_pass,
    .facts = describe_scheduler,
    .add_values = add_values,
    .placement = place_scheduler,
    .close = close_scheduler,
};
