// SPDX-License-Identifier: Apache-2.0
// memory_optimizer.h - run in less memory: reuse, in-place operations, a budget, a dial.
// An optimizer serves one thread at a time, but for hyperionExecuteWithTensorReuse; its statistics
// may be asked for while such calls run.
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

// Free a memory optimizer, and tensors that outlived hyperionExecuteWithTensorReuse and were not
// freed. NULL is allowed. Nothing but the last error changes while such a call runs.
void hyperionFreeMemoryOptimizer(HyperionMemoryOptimizer *optimizer);

// Get current memory statistics; `valid` false on failure. Of the attached model: current is what
// it holds of weights, packed copies, activations and workspace, peak the most of it after a run,
// planned what a run allocates; lower bound and naive are the same with activations placed as low
// as any placement could, and each in memory of its own. Of tensors of
// hyperionExecuteWithTensorReuse: current, to which what is kept for later ones belongs, and the
// most of it are added to current and peak, what a call's tensors take each in memory of its own,
// the most of all calls, to naive.
HyperionMemoryStats hyperionGetMemoryOptimizerStats(const HyperionMemoryOptimizer *optimizer);

// Set memory/speed tradeoff, clamped to 0..1: the attached model runs in the least time predicted
// within least_bytes + tradeoff x (most_bytes - least_bytes) of HyperionMemoryPlan, and within the
// budget. From 0 to 1 bytes never fall and predicted time never rises; results are the same to the
// bit. What it spends bytes on are weights packed once, larger blocks, and whole results: with few,
// groups of layers run in bands of rows, all for the first rows of an image and then for the next,
// so that what lies between them is held a band at a time; rows that two bands need are computed
// twice. At 1 nothing is slower for the memory that bands save. Layers run whole where a scheduler
// or a loader is attached, and without enable_tensor_reuse. Unchanged, and the last error says so,
// where the model runs.
void hyperionSetMemorySpeedTradeoff(HyperionMemoryOptimizer *optimizer, float tradeoff);

// The one in force; -1 for NULL.
float hyperionGetMemorySpeedTradeoff(const HyperionMemoryOptimizer *optimizer);

// Enable or disable in-place operations: results written over an input that nothing needs any more,
// never over memory of the caller. Element by element are activations, sums, normalisations and
// softmax; where it does not raise the peak also 1 x 1 convolutions, and plane by plane pooling and
// depthwise convolutions, whose result may differ from the input in size. in_place_count of the
// statistics tells how many are so.
void hyperionEnableInPlaceOperations(HyperionMemoryOptimizer *optimizer, bool enable);

// Calls func(user_data) with the optimizer's pool behind hyperionCreateTensor of this thread:
// memory of a tensor that is freed serves later ones, in this call and the next. The pool never
// holds more than max_memory_budget bytes, sizes rounded up to 64; a tensor past it is not created,
// and the message has needed, available and budget. Calls nest, also of several optimizers: a
// tensor is of the innermost call. Several threads may call with one optimizer and share pool and
// budget; threads that the function starts create tensors as ever. A tensor that is not freed when
// its call ends, be it by failure, gives its memory back and becomes invalid: whatever touches it
// fails and says so; it can still be freed, until the optimizer is. Without enable_tensor_reuse no
// memory is used again. False on a NULL, or where func gives false: the last error is then func's
// own, if it made a call of the library fail.
bool hyperionExecuteWithTensorReuse(HyperionMemoryOptimizer *optimizer,
                                    HyperionTensorReuseFunction func, void *user_data);

// Optimize memory usage: plan `model` within memory_budget bytes (0 = none) and the
// configuration's, the smaller counting, and attach the optimizer to it, one a model. The budget is
// for weights, packed copies of them, activations and workspace together, as a run allocates them;
// code, stacks, the structure of the model and tensors of the caller are not in it.
//
// Unless times of the model are known (hyperionLoadLayerTimes, or from before), it is run some
// thirty to eight hundred times to measure how long each layer takes in each way that it can be
// run, which needs the memory of them all and no budget keeps within.
//
// False, and the model unchanged, on a NULL, where another optimizer or model is attached, where
// the model runs, a weight cannot be read, or memory or budget do not do: the last error then says
// what is needed, what there is, and the lower bound. Later changes of the model plan anew at the
// next run, which fails where the budget does not do any longer.
bool hyperionOptimizeMemoryUsage(HyperionMemoryOptimizer *optimizer, HyperionModel *model,
                                 size_t memory_budget);

// The plan in force for the attached model.
typedef struct HyperionMemoryPlan {
    size_t weight_bytes; // 0 where a loader provides them
    size_t packed_bytes; // of weights packed once, beside the weights; 0 where a loader packs them
    size_t activation_bytes;
    size_t workspace_bytes;   // scratch of the step that needs most, rows that bands copy with it
    size_t total_bytes;       // of these, which is what a run allocates
    size_t least_bytes;       // the least total the model can run in, planned so
    size_t most_bytes;        // the total at tradeoff 1
    size_t lower_bound_bytes; // no total can be less
    size_t activation_lower_bound_bytes;
    size_t activation_naive_bytes; // each in memory of its own
    double predicted_ns;           // of a run
    int packed_layer_count;
    int banded_layer_count; // run in bands of rows
    bool measured; // predicted_ns comes from measured times; false: the model or its settings have
                   // changed since, and it is guessed
    bool valid;    // false: the call failed, see hyperionGetLastError
} HyperionMemoryPlan;

// `valid` false on NULL or where no model is attached.
HyperionMemoryPlan hyperionGetMemoryPlan(const HyperionMemoryOptimizer *optimizer);

// Writes the measured times of layers to a file, and takes them from one, so that
// hyperionOptimizeMemoryUsage need not measure. They hold for the machine they were measured on and
// for a model of the same layers, shapes, level, blocking and threads; of another they are not
// used. False, and nothing changed, on a NULL, where there are none to write, where a model is
// attached when they are to be taken, or on a file that cannot be written, read or understood.
bool hyperionSaveLayerTimes(const HyperionMemoryOptimizer *optimizer, const char *path);
bool hyperionLoadLayerTimes(HyperionMemoryOptimizer *optimizer, const char *path);

#ifdef __cplusplus
}
#endif
#endif
