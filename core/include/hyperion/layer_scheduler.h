// SPDX-License-Identifier: Apache-2.0
// layer_scheduler.h - execution order, checkpointing, recomputation, estimates.
// Declared for the whole API; in this version every call that would do work fails with
// HYPERION_ERROR_UNSUPPORTED and says what is missing.
#ifndef HYPERION_LAYER_SCHEDULER_H
#define HYPERION_LAYER_SCHEDULER_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// Layer scheduler configuration
typedef struct {
    bool enable_checkpointing;    // Whether to use activation checkpointing
    float memory_speed_tradeoff;  // 0.0 (prioritize memory) to 1.0 (prioritize speed)
    bool recompute_activations;   // Whether to recompute rather than store activations
    size_t max_activation_memory; // Maximum memory for activations in bytes; 0 = no cap
} HyperionLayerSchedulerConfig;

typedef enum HyperionCheckpointStrategy {
    HYPERION_CHECKPOINT_AUTO,
    HYPERION_CHECKPOINT_STORE,
    HYPERION_CHECKPOINT_RECOMPUTE,
    HYPERION_CHECKPOINT_SPILL
} HyperionCheckpointStrategy;

// What a run under the plan in force will allocate, in bytes unless said otherwise.
typedef struct HyperionMemoryEstimate {
    size_t weights_bytes;
    size_t activations_peak_bytes;
    size_t workspace_bytes;
    size_t checkpoints_bytes;
    size_t total_peak_bytes;
    size_t lower_bound_bytes;
    uint64_t extra_forward_layers; // layers run again
    double estimated_time_ns;
    bool proved_optimal;
    bool valid; // false: the call failed, see hyperionGetLastError
} HyperionMemoryEstimate;

// Create a layer scheduler for a model. The caller frees it. NULL on failure.
HyperionLayerScheduler *hyperionCreateLayerScheduler(HyperionModel *model,
                                                     const HyperionLayerSchedulerConfig *config);

// Free a layer scheduler. NULL is allowed.
void hyperionFreeLayerScheduler(HyperionLayerScheduler *scheduler);

// Create an execution plan. The caller frees it. NULL on failure.
HyperionExecutionPlan *hyperionCreateExecutionPlan(HyperionLayerScheduler *scheduler);

// Free an execution plan. NULL is allowed.
void hyperionFreeExecutionPlan(HyperionExecutionPlan *plan);

// Execute a layer with memory optimization; input and output are the model's
bool hyperionExecuteLayerWithMemoryOptimization(HyperionLayerScheduler *scheduler, int layer_index,
                                                HyperionTensor *input, HyperionTensor *output);

// Set checkpointing strategy
bool hyperionSetLayerCheckpointingStrategy(HyperionLayerScheduler *scheduler, int layer_index,
                                           HyperionCheckpointStrategy strategy);

// Get memory usage estimate
HyperionMemoryEstimate hyperionEstimateMemoryUsage(HyperionLayerScheduler *scheduler);

#ifdef __cplusplus
}
#endif
#endif
