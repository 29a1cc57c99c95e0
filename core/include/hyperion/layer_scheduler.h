// SPDX-License-Identifier: Apache-2.0
// layer_scheduler.h - in which order layers run, and which of their results are kept in memory,
// recomputed, or written to disk and read back, so that a run keeps within a cap. Activations are
// the results of layers that live in the plan's memory: not inputs and outputs, which are the
// caller's, but in backward replays outputs too.
// A scheduler serves one thread at a time.
#ifndef HYPERION_LAYER_SCHEDULER_H
#define HYPERION_LAYER_SCHEDULER_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// Layer scheduler configuration
typedef struct {
    bool enable_checkpointing;    // Whether to use activation checkpointing: false keeps every
                                  // activation whose layer has no strategy of its own
    float memory_speed_tradeoff;  // 0.0 (prioritize memory) to 1.0 (prioritize speed): the least
                                  // predicted time within least_bytes + tradeoff x (most_bytes -
                                  // least_bytes) of HyperionScheduleLimits
    bool recompute_activations;   // Whether to recompute rather than store activations that cannot
                                  // stay in memory: forward runs make them again or write them to
                                  // disk, whichever is faster, backward replays make them again;
                                  // false: both write them to disk, and make none again
    size_t max_activation_memory; // Maximum memory for activations in bytes; 0 = no cap
} HyperionLayerSchedulerConfig;

// What becomes of a layer's result while no layer reads it.
typedef enum HyperionCheckpointStrategy {
    HYPERION_CHECKPOINT_AUTO,      // whichever takes least time within the cap
    HYPERION_CHECKPOINT_STORE,     // it stays in memory
    HYPERION_CHECKPOINT_RECOMPUTE, // it is dropped, and made again when it is needed
    HYPERION_CHECKPOINT_SPILL      // it is written to a temporary file, and read back then
} HyperionCheckpointStrategy;

typedef enum HyperionPassDirection {
    HYPERION_PASS_FORWARD, // hyperionRunModel and hyperionExecuteLayerWithMemoryOptimization
    HYPERION_PASS_BACKWARD // hyperionReplayBackward
} HyperionPassDirection;

// The order in which layers run.
typedef enum HyperionScheduleOrder {
    HYPERION_ORDER_LEAST_MEMORY, // that of least peak of activations; the model's if as good
    HYPERION_ORDER_GIVEN         // the model's
} HyperionScheduleOrder;

// What a run under the plan in force will allocate, in bytes unless said otherwise. What it leaves
// out: code, stacks, the structure of the model, tensors of the caller, and the pages of the system
// that hold what was written to disk.
typedef struct HyperionMemoryEstimate {
    size_t weights_bytes;          // with packed copies; 0 where a loader provides them
    size_t activations_peak_bytes; // of the memory that holds activations
    size_t workspace_bytes;        // scratch of the layer that needs most
    size_t checkpoints_bytes;      // of the activations at their peak, those that wait for a later
                                   // layer; part of activations_peak_bytes
    size_t total_peak_bytes;       // weights, activations and workspace
    size_t lower_bound_bytes;      // no plan for the model, with these weights, can need less
    uint64_t extra_forward_layers; // layers run again
    double estimated_time_ns;
    bool proved_optimal; // no plan within the cap is faster: proved, by the times it is planned by
    bool valid;          // false: the call failed, see hyperionGetLastError
} HyperionMemoryEstimate;

// Create a layer scheduler for a model, and attach it: runs of the model follow its plan from now
// on. One a model. The caller frees it. NULL on a NULL, a tradeoff outside 0 to 1, a model that has
// a scheduler or is running, or when out of memory. Whether the cap can be kept is known when a
// plan is made: that fails, and says what is needed at least, where it cannot.
HyperionLayerScheduler *hyperionCreateLayerScheduler(HyperionModel *model,
                                                     const HyperionLayerSchedulerConfig *config);

// Free a layer scheduler. NULL is allowed. Nothing but the last error changes while its model runs.
void hyperionFreeLayerScheduler(HyperionLayerScheduler *scheduler);

// --- What is in force. Setters fail, and change nothing, on a NULL, a value out of range, or while
// the model runs; plans are made anew afterwards.
bool hyperionSetLayerSchedulerConfig(HyperionLayerScheduler *scheduler,
                                     const HyperionLayerSchedulerConfig *config);
// All zero, and the last error set, for NULL.
HyperionLayerSchedulerConfig
hyperionGetLayerSchedulerConfig(const HyperionLayerScheduler *scheduler);

// Where results are written to: NULL, as until it is set, is /var/tmp, or else /tmp. The file has
// no name, and is made when the first result is written. Copied.
bool hyperionSetSpillFolder(HyperionLayerScheduler *scheduler, const char *folder);

// LEAST_MEMORY until it is set.
bool hyperionSetScheduleOrder(HyperionLayerScheduler *scheduler, HyperionScheduleOrder order);
HyperionScheduleOrder hyperionGetScheduleOrder(const HyperionLayerScheduler *scheduler);

// Set checkpointing strategy: AUTO until it is set. Plans respect it, whatever it costs.
bool hyperionSetLayerCheckpointingStrategy(HyperionLayerScheduler *scheduler, int layer_index,
                                           HyperionCheckpointStrategy strategy);
// AUTO, and the last error set, where there is no such layer.
HyperionCheckpointStrategy
hyperionGetLayerCheckpointingStrategy(const HyperionLayerScheduler *scheduler, int layer_index);

// Plans are made by predicted times of layers: guesses (40 GFLOP/s, 8 GB/s; 1 GB/s to disk and
// 2 GB/s back), which are the same on every machine, until this call takes the least times of the
// runs so far instead. False where there was no run since the model changed.
bool hyperionUseMeasuredLayerTimes(HyperionLayerScheduler *scheduler);

// What plans for a pass can need, under the strategies and the order in force.
typedef struct HyperionScheduleLimits {
    size_t least_bytes;       // of the plan that needs least
    size_t most_bytes;        // of tradeoff 1: the fastest within the cap; without one, the fastest
                              // no byte of which buys less than 1 % of time per 5 % of memory,
                              // weights counted
    size_t store_all_bytes;   // each activation kept as long as any layer needs it
    size_t lower_bound_bytes; // no plan at all can need less
    double least_bytes_ns;    // predicted times of the first three
    double most_bytes_ns;
    double store_all_ns;
    bool order_proved; // no order has a lower peak where all is kept: proved
    bool measured;     // the times
    bool valid;        // false: the call failed, see hyperionGetLastError
} HyperionScheduleLimits;

HyperionScheduleLimits hyperionGetScheduleLimits(HyperionLayerScheduler *scheduler,
                                                 HyperionPassDirection direction);

// --- Plans: what a pass will do, step by step. A plan is a copy that belongs to the caller; it
// outlives scheduler and model, and later settings do not change it.

typedef enum HyperionStepOp {
    HYPERION_STEP_RUN,       // the layer, for the first time
    HYPERION_STEP_DROP,      // the tensor's memory is given back
    HYPERION_STEP_RECOMPUTE, // the layer, once more
    HYPERION_STEP_SPILL,     // the tensor goes to disk, and its memory is given back
    HYPERION_STEP_RESTORE,   // the tensor is read back
    HYPERION_STEP_VISIT,     // backward: the callback gets the layer
    HYPERION_STEP_OP_COUNT
} HyperionStepOp;

typedef struct HyperionExecutionStep {
    HyperionStepOp op;
    int layer;           // that runs or is visited, or else that makes the tensor
    int tensor;          // what is made, dropped, moved; of VISIT the layer's result
    size_t tensor_bytes; // of its place: a multiple of 64
    size_t offset_bytes; // of its place, in the memory of the plan; SIZE_MAX: it has none there
    int replaced_tensor; // RUN, RECOMPUTE: that the result is written over, which is gone then; -1
    size_t live_bytes;   // places in use after the step
    bool valid;          // false: the call failed, see hyperionGetLastError
} HyperionExecutionStep;

typedef struct HyperionExecutionPlanInfo {
    HyperionPassDirection direction;
    int step_count;
    size_t activation_bytes;    // of the plan's memory; what a pass allocates
    size_t live_peak_bytes;     // most live_bytes of a step; less where places leave gaps
    uint64_t run_layers;        // RUN steps
    uint64_t recomputed_layers; // RECOMPUTE steps
    uint64_t spilled_bytes;     // written to disk in a pass
    uint64_t restored_bytes;    // and read back
    double predicted_ns;
    double forward_ns; // of that, running each layer once
    bool proved_optimal;
    bool valid; // false: the call failed, see hyperionGetLastError
} HyperionExecutionPlanInfo;

// Create an execution plan: of the next forward pass. The caller frees it. NULL on failure: on
// NULL, where the cap is too small, which says what is needed at least, or when out of memory.
HyperionExecutionPlan *hyperionCreateExecutionPlan(HyperionLayerScheduler *scheduler);
// The same for either direction.
HyperionExecutionPlan *hyperionCreatePassPlan(HyperionLayerScheduler *scheduler,
                                              HyperionPassDirection direction);

// Free an execution plan. NULL is allowed.
void hyperionFreeExecutionPlan(HyperionExecutionPlan *plan);

HyperionExecutionPlanInfo hyperionExecutionPlanInfo(const HyperionExecutionPlan *plan);
int hyperionExecutionPlanStepCount(const HyperionExecutionPlan *plan); // 0 for NULL
HyperionExecutionStep hyperionExecutionPlanStep(const HyperionExecutionPlan *plan, int step);
// "run", "drop", ...; "" out of range.
const char *hyperionStepOpName(HyperionStepOp op);

// Writes a plan as JSON: what hyperionExecutionPlanInfo tells, and a list of steps with the names
// of layers and tensors. The file is there whole or not at all. False on a NULL or a file that
// cannot be written.
bool hyperionSaveExecutionPlan(const HyperionExecutionPlan *plan, const char *path);

// Get memory usage estimate: of the next forward pass, with what else is attached to the model. It
// equals what the run then allocates. `valid` false as hyperionCreateExecutionPlan gives NULL.
HyperionMemoryEstimate hyperionEstimateMemoryUsage(HyperionLayerScheduler *scheduler);
// The same for either direction.
HyperionMemoryEstimate hyperionEstimatePassMemory(HyperionLayerScheduler *scheduler,
                                                  HyperionPassDirection direction);

// --- Passes.

// Execute a layer with memory optimization; input and output are the model's: the same pair may be
// given each time. A layer that reads an input of the model needs it as `input`, one that writes an
// output needs it as `output`; else they may be NULL. Both stay in use until the pass is over. The
// activations live in the plan's memory.
//
// Layers are called in the model's order, or in the plan's: where the plan has later layers of the
// model run before this one, they are run with it, and their own call does nothing more. A view,
// which is no work, may be called at any time. A pass ends with its last layer; the next call
// begins another one. hyperionRunModel, hyperionReplayBackward and changes of the model end a pass
// before its time.
//
// False on a NULL, an index out of range, a layer whose turn it is not (the message says what is
// missing), a tensor of another type or shape (the message has the layer, expected and given), or
// as hyperionRunModel gives it; a pass in which a layer fails is over. Models that have outputs
// which no layer writes are refused.
bool hyperionExecuteLayerWithMemoryOptimization(HyperionLayerScheduler *scheduler, int layer_index,
                                                HyperionTensor *input, HyperionTensor *output);

// Ends the pass under way before its time; true also where there is none.
bool hyperionAbandonPass(HyperionLayerScheduler *scheduler);

// A layer at its turn in a backward replay, with all that it read and made in memory. The tensors
// are the library's and valid until the callback returns; inputs are not to be written to.
typedef struct HyperionLayerVisit {
    int layer;
    const HyperionTensor *const *inputs; // by input of the layer; NULL of a weight
    int input_count;
    const HyperionTensor *output;
} HyperionLayerVisit;

// False ends the replay, which then fails.
typedef bool (*HyperionVisitFunction)(void *user_data, const HyperionLayerVisit *visit);

// Runs the model forward, and then visits its layers from the last to the first (views left out),
// each with its inputs and its output in memory, within the cap: what does not fit is computed
// again. `inputs` holds one tensor each per model input, as of hyperionRunModel. Within the
// callback the model is running. False as hyperionRunModel is, where the cap is too small, or where
// the callback gives false: the last error is then its own, if it made a call of the library fail.
//
// The graph is cut into a chain of stages where a single activation is alive. Of the chain the plan
// is the fastest that keeps its checkpoints (rotor's dynamic program, see hyperionPlanCheckpoints),
// and of short ones the fastest of all, in which then everything is kept that there is room for;
// what lies between two cuts is made and visited together. Where that is better, and in graphs that
// are no chains, what is not needed for longest is dropped, layer by layer, and made again when it
// is needed.
bool hyperionReplayBackward(HyperionLayerScheduler *scheduler, HyperionTensor *const *inputs,
                            HyperionVisitFunction visit, void *user_data);

// What the last pass did: measured, not planned.
typedef struct HyperionPassStats {
    HyperionPassDirection direction;
    size_t activation_peak_bytes; // end of the highest place that was in use
    size_t live_peak_bytes;       // most bytes of places that were in use at a time
    uint64_t run_layers;          // for the first time
    uint64_t recomputed_layers;
    uint64_t spilled_bytes, restored_bytes;
    uint64_t layer_ns;    // computing
    uint64_t transfer_ns; // writing to disk and reading back
    bool complete;        // it came to its end
    bool valid;           // false: there was none, or the call failed, see hyperionGetLastError
} HyperionPassStats;

HyperionPassStats hyperionGetPassStats(const HyperionLayerScheduler *scheduler);

#ifdef __cplusplus
}
#endif
#endif
