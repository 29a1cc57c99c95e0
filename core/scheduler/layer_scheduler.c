// SPDX-License-Identifier: Apache-2.0
// Entry points of layer_scheduler.h. There is no scheduler to make yet, so each says so.
#include "hyperion/layer_scheduler.h"

#include "common/fail.h"

static bool fail_unsupported(const char *call)
{
    return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                    "%s: scheduling and checkpointing layers is not implemented in this version; "
                    "layers run in the order they were added",
                    call);
}

HyperionLayerScheduler *hyperionCreateLayerScheduler(HyperionModel *model,
                                                     const HyperionLayerSchedulerConfig *config)
{
    (void)model;
    (void)config;
    (void)fail_unsupported("create layer scheduler");
    return NULL;
}

void hyperionFreeLayerScheduler(HyperionLayerScheduler *scheduler)
{
    (void)scheduler; // none can exist
}

bool hyperionSetLayerSchedulerConfig(HyperionLayerScheduler *scheduler,
                                     const HyperionLayerSchedulerConfig *config)
{
    (void)scheduler;
    (void)config;
    return fail_unsupported("set layer scheduler config");
}

HyperionLayerSchedulerConfig
hyperionGetLayerSchedulerConfig(const HyperionLayerScheduler *scheduler)
{
    (void)scheduler;
    (void)fail_unsupported("get layer scheduler config");
    return (HyperionLayerSchedulerConfig){.enable_checkpointing = false};
}

bool hyperionSetScheduleOrder(HyperionLayerScheduler *scheduler, HyperionScheduleOrder order)
{
    (void)scheduler;
    (void)order;
    return fail_unsupported("set schedule order");
}

HyperionScheduleOrder hyperionGetScheduleOrder(const HyperionLayerScheduler *scheduler)
{
    (void)scheduler;
    (void)fail_unsupported("get schedule order");
    return HYPERION_ORDER_LEAST_MEMORY;
}

bool hyperionSetLayerCheckpointingStrategy(HyperionLayerScheduler *scheduler, int layer_index,
                                           HyperionCheckpointStrategy strategy)
{
    (void)scheduler;
    (void)layer_index;
    (void)strategy;
    return fail_unsupported("set layer checkpointing strategy");
}

HyperionCheckpointStrategy
hyperionGetLayerCheckpointingStrategy(const HyperionLayerScheduler *scheduler, int layer_index)
{
    (void)scheduler;
    (void)layer_index;
    (void)fail_unsupported("get layer checkpointing strategy");
    return HYPERION_CHECKPOINT_AUTO;
}

bool hyperionUseMeasuredLayerTimes(HyperionLayerScheduler *scheduler)
{
    (void)scheduler;
    return fail_unsupported("use measured layer times");
}

HyperionScheduleLimits hyperionGetScheduleLimits(HyperionLayerScheduler *scheduler,
                                                 HyperionPassDirection direction)
{
    (void)scheduler;
    (void)direction;
    return (HyperionScheduleLimits){.valid = fail_unsupported("get schedule limits")};
}

HyperionExecutionPlan *hyperionCreateExecutionPlan(HyperionLayerScheduler *scheduler)
{
    (void)scheduler;
    (void)fail_unsupported("create execution plan");
    return NULL;
}

HyperionExecutionPlan *hyperionCreatePassPlan(HyperionLayerScheduler *scheduler,
                                              HyperionPassDirection direction)
{
    (void)scheduler;
    (void)direction;
    (void)fail_unsupported("create pass plan");
    return NULL;
}

void hyperionFreeExecutionPlan(HyperionExecutionPlan *plan)
{
    (void)plan; // none can exist
}

HyperionExecutionPlanInfo hyperionExecutionPlanInfo(const HyperionExecutionPlan *plan)
{
    (void)plan;
    return (HyperionExecutionPlanInfo){.valid = fail_unsupported("execution plan info")};
}

int hyperionExecutionPlanStepCount(const HyperionExecutionPlan *plan)
{
    (void)plan;
    (void)fail_unsupported("execution plan step count");
    return 0;
}

HyperionExecutionStep hyperionExecutionPlanStep(const HyperionExecutionPlan *plan, int step)
{
    (void)plan;
    (void)step;
    return (HyperionExecutionStep){.valid = fail_unsupported("execution plan step")};
}

const char *hyperionStepOpName(HyperionStepOp op)
{
    static const char *const names[] = {"run", "drop", "recompute", "spill", "restore", "visit"};
    return (unsigned)op < HYPERION_STEP_OP_COUNT ? names[op] : "";
}

bool hyperionSaveExecutionPlan(const HyperionExecutionPlan *plan, const char *path)
{
    (void)plan;
    (void)path;
    return fail_unsupported("save execution plan");
}

HyperionMemoryEstimate hyperionEstimateMemoryUsage(HyperionLayerScheduler *scheduler)
{
    (void)scheduler;
    return (HyperionMemoryEstimate){.valid = fail_unsupported("estimate memory usage")};
}

HyperionMemoryEstimate hyperionEstimatePassMemory(HyperionLayerScheduler *scheduler,
                                                  HyperionPassDirection direction)
{
    (void)scheduler;
    (void)direction;
    return (HyperionMemoryEstimate){.valid = fail_unsupported("estimate pass memory")};
}

bool hyperionExecuteLayerWithMemoryOptimization(HyperionLayerScheduler *scheduler, int layer_index,
                                                HyperionTensor *input, HyperionTensor *output)
{
    (void)scheduler;
    (void)layer_index;
    (void)input;
    (void)output;
    return fail_unsupported("execute layer with memory optimization");
}

bool hyperionAbandonPass(HyperionLayerScheduler *scheduler)
{
    (void)scheduler;
    return fail_unsupported("abandon pass");
}

bool hyperionReplayBackward(HyperionLayerScheduler *scheduler, HyperionTensor *const *inputs,
                            HyperionVisitFunction visit, void *user_data)
{
    (void)scheduler;
    (void)inputs;
    (void)visit;
    (void)user_data;
    return fail_unsupported("replay backward");
}

HyperionPassStats hyperionGetPassStats(const HyperionLayerScheduler *scheduler)
{
    (void)scheduler;
    return (HyperionPassStats){.valid = fail_unsupported("get pass stats")};
}
