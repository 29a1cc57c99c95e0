// SPDX-License-Identifier: Apache-2.0
// workload_planner.c - the offset planner on an instance in a file or on the activations of a
// built-in model: how low, how long.
#include "hyperion/error.h"
#include "hyperion/planners.h"
#include "record/sample.h"
#include "scenario/plan.h"
#include "solve/buffer_file.h"
#include "workload/model_buffers.h"
#include "workload/model_instance.h"
#include "workload/workloads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct PlannerContext {
    BufferFile file; // of a model the buffers alone, without names
    HyperionOffsetRequest request;
    size_t *offsets;
    HyperionOffsetPlan plan; // of the last iteration
} PlannerContext;

static bool use_axis(const AxisValue *values, AxisId axis)
{
    (void)values;
    return axis == AXIS_FILE || axis == AXIS_EFFORT || axis == AXIS_CAPACITY;
}

static bool check_file(const AxisValue *values, Problem *problem)
{
    return values[AXIS_FILE].text || problem_set(problem, "file: none given");
}

static void close_planner(void *opened)
{
    PlannerContext *context = opened;
    if (!context)
        return;
    buffer_file_clear(&context->file);
    free(context->offsets);
    free(context);
}

static bool read_instance(BufferFile *file, const char *path, Problem *problem)
{
    if (strncmp(path, MODEL_BUILTIN_PREFIX, sizeof MODEL_BUILTIN_PREFIX - 1) == 0)
        return model_buffers_read(path, &file->buffers, &file->count, problem);
    return buffer_file_read(file, path, problem);
}

static void *open_planner(const struct Cell *cell, const WorkloadMachine *machine, Problem *problem)
{
    (void)machine;
    PlannerContext *context = calloc(1, sizeof *context);
    if (!context) {
        (void)problem_set(problem, "out of memory");
        return NULL;
    }
    context->request = (HyperionOffsetRequest){
        .capacity_bytes = (size_t)cell->values[AXIS_CAPACITY].integer,
        .effort = (float)cell->values[AXIS_EFFORT].real,
    };
    if (read_instance(&context->file, cell->values[AXIS_FILE].text, problem)) {
        context->offsets = calloc(context->file.count + 1, sizeof *context->offsets);
        if (context->offsets)
            return context;
        (void)problem_set(problem, "out of memory for %zu offsets", context->file.count);
    }
    close_planner(context);
    return NULL;
}

static void run_planner(void *opened)
{
    PlannerContext *context = opened;
    context->plan = hyperionPlanOffsets(context->file.buffers, context->file.count,
                                        &context->request, context->offsets);
}

static bool has_plan(const HyperionOffsetPlan *plan)
{
    return plan->status == HYPERION_PLAN_OPTIMAL || plan->status == HYPERION_PLAN_FEASIBLE;
}

static bool verify_plan(void *opened, Problem *problem)
{
    PlannerContext *context = opened;
    run_planner(context);
    const HyperionOffsetPlan *plan = &context->plan;
    if (!plan->valid)
        return problem_set(problem, "%s", hyperionGetLastError());
    if (!has_plan(plan))
        return problem_set(problem, "no plan within %zu bytes: %s", context->request.capacity_bytes,
                           plan->status == HYPERION_PLAN_INFEASIBLE
                               ? "proved that there is none"
                               : "none found with this effort");
    return hyperionCheckOffsets(context->file.buffers, context->file.count, context->offsets,
                                plan->height_bytes) ||
           problem_set(problem, "%s", hyperionGetLastError());
}

static WorkloadFacts describe_planner(void *opened)
{
    const PlannerContext *context = opened;
    WorkloadFacts facts = {.flops = NAN,
                           .executed_flops = NAN,
                           .bytes = NAN,
                           .elements = (double)context->file.count,
                           .operand_bytes = (double)context->file.count *
                                            (sizeof *context->offsets + sizeof(HyperionBuffer))};
    (void)snprintf(facts.predicted_reason, sizeof facts.predicted_reason,
                   "no prediction for a search");
    return facts;
}

// The same for every sample: the verification says it.
static bool add_values(void *opened, Sample *sample, Problem *problem)
{
    (void)problem;
    const HyperionOffsetPlan *plan = &((const PlannerContext *)opened)->plan;
    if (sample->task != SAMPLE_VERIFY)
        return true;
    char strategy[64];
    (void)snprintf(strategy, sizeof strategy, "planner.found_by.%.40s", plan->strategy);
    return sample_add_value(sample, "planner.height_bytes", (double)plan->height_bytes, "B",
                            "model", "") &&
           sample_add_value(sample, "planner.lower_bound_bytes", (double)plan->lower_bound_bytes,
                            "B", "model", "") &&
           sample_add_value(sample, "planner.proved", plan->status == HYPERION_PLAN_OPTIMAL, "",
                            "model", "") &&
           sample_add_value(sample, "planner.nodes", (double)plan->nodes, "", "model", "") &&
           sample_add_value(sample, strategy, 1, "", "model", "");
}

const Workload workload_planner = {
    .name = "planner",
    .help = "offsets of buffers in one block of memory, planned for an instance in a file or the "
            "activations of a built-in model",
    .uses = use_axis,
    .check = check_file,
    .open = open_planner,
    .verify = verify_plan,
    .run = run_planner,
    .facts = describe_planner,
    .add_values = add_values,
    .close = close_planner,
};
