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

HyperionExecutionPlan *hyperionCreateExecutionPlan(HyperionLayerScheduler *scheduler)
{
    (void)scheduler;
    (void)fail_unsupported("create execution plan");
    return NULL;
}

void hyperionFreeExecutionPlan(HyperionExecutionPlan *plan)
{
    (void)plan; // none can exist
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

bool hyperionSetLayerCheckpointingStrategy(HyperionLayerScheduler *scheduler, int layer_index,
                                           HyperionCheckpointStrategy strategy)
{
    (void)scheduler;
    (void)layer_index;
    (void)strategy;
    return fail_unsupported("set layer checkpointing strategy");
}

HyperionMemoryEstimate hyperionEstimateMemoryUsage(HyperionLayerScheduler *scheduler)
{
    (void)scheduler;
    return (HyperionMemoryEstimate){.valid = fail_unsupported("estimate memory usage")};
}
