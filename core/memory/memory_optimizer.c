// SPDX-License-Identifier: Apache-2.0
// Entry points of memory_optimizer.h. There is no optimizer to make yet, so each says so.
#include "hyperion/memory_optimizer.h"

#include "common/fail.h"

static bool fail_unsupported(const char *call)
{
    return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                    "%s: planning and reusing tensor memory is not implemented in this version",
                    call);
}

HyperionMemoryOptimizer *hyperionCreateMemoryOptimizer(const HyperionMemoryOptimizerConfig *config)
{
    (void)config;
    (void)fail_unsupported("create memory optimizer");
    return NULL;
}

void hyperionFreeMemoryOptimizer(HyperionMemoryOptimizer *optimizer)
{
    (void)optimizer; // none can exist
}

HyperionMemoryStats hyperionGetMemoryOptimizerStats(const HyperionMemoryOptimizer *optimizer)
{
    (void)optimizer;
    return (HyperionMemoryStats){.valid = fail_unsupported("get memory optimizer stats")};
}

void hyperionSetMemorySpeedTradeoff(HyperionMemoryOptimizer *optimizer, float tradeoff)
{
    (void)optimizer;
    (void)tradeoff;
    (void)fail_unsupported("set memory/speed tradeoff");
}

void hyperionEnableInPlaceOperations(HyperionMemoryOptimizer *optimizer, bool enable)
{
    (void)optimizer;
    (void)enable;
    (void)fail_unsupported("enable in-place operations");
}

bool hyperionExecuteWithTensorReuse(HyperionMemoryOptimizer *optimizer,
                                    HyperionTensorReuseFunction func, void *user_data)
{
    (void)optimizer;
    (void)func;
    (void)user_data;
    return fail_unsupported("execute with tensor reuse");
}

bool hyperionOptimizeMemoryUsage(HyperionMemoryOptimizer *optimizer, HyperionModel *model,
                                 size_t memory_budget)
{
    (void)optimizer;
    (void)model;
    (void)memory_budget;
    return fail_unsupported("optimize memory usage");
}
