// SPDX-License-Identifier: Apache-2.0
// memory_optimizer.h - run in less memory: reuse, in-place operations, a budget, a dial.
// An optimizer serves one thread at a time. In this version budget and dial change nothing yet, and
// hyperionExecuteWithTensorReuse fails with HYPERION_ERROR_UNSUPPORTED.
#ifndef HYPERION_MEMORY_OPTIMIZER_H
#define HYPERION_MEMORY_OPTIMIZER_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// Memory optimizer configuration
typedef struct {
    bool enable_tensor_reuse;    // Whether to reuse tensor memory
    bool enable_in_place_ops;    // Whether to use in-place operations
    float memory_speed_tradeoff; // 0.0 (prioritize memory) to 1.0 (prioritize speed)
    size_t max_memory_budget;    // Maximum memory budget in bytes; 0 = none
} HyperionMemoryOptimizerConfig;

// Called by hyperionExecuteWithTensorReuse; false makes that call fail.
typedef bool (*HyperionTensorReuseFunction)(void *user_data);

// Create a memory optimizer. The caller frees it. NULL on failure.
HyperionMemoryOptimizer *hyperionCreateMemoryOptimizer(const HyperionMemoryOptimizerConfig *config);

// Free a memory optimizer. NULL is allowed.
void hyperionFreeMemoryOptimizer(HyperionMemoryOptimizer *optimizer);

// Get current memory statistics; `valid` false on failure.
HyperionMemoryStats hyperionGetMemoryOptimizerStats(const HyperionMemoryOptimizer *optimizer);

// Set memory/speed tradeoff, clamped to 0..1
void hyperionSetMemorySpeedTradeoff(HyperionMemoryOptimizer *optimizer, float tradeoff);

// Enable or disable in-place operations
void hyperionEnableInPlaceOperations(HyperionMemoryOptimizer *optimizer, bool enable);

// Execute a function with tensor reuse: tensors it creates come from the optimizer's pool
bool hyperionExecuteWithTensorReuse(HyperionMemoryOptimizer *optimizer,
                                    HyperionTensorReuseFunction func, void *user_data);

// Optimize memory usage: plan `model` within memory_budget bytes (0 = none)
bool hyperionOptimizeMemoryUsage(HyperionMemoryOptimizer *optimizer, HyperionModel *model,
                                 size_t memory_budget);

#ifdef __cplusplus
}
#endif
#endif
