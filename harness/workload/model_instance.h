// SPDX-License-Identifier: Apache-2.0
// model_instance.h - one loaded model with tensors to run it on.
#ifndef HYP_MODEL_INSTANCE_H
#define HYP_MODEL_INSTANCE_H

#include "hyperion/memory_optimizer.h"
#include "hyperion/model.h"
#include "hyperion/simd.h"
#include "hyperion/tensor.h"
#include "workload/workload.h"

#define MODEL_BUILTIN_PREFIX "builtin:"

// An axis that sets a size of a model: a key of those built-in generators that have it, and a size
// that files leave open under one of several names.
typedef struct ModelSize {
    AxisId axis;
    const char *key;
    long long own;             // value that leaves it to the model
    bool goes_in_name;         // may be a key of the model's name instead
    const char *file_names[7]; // ended by NULL
} ModelSize;
extern const ModelSize model_sizes[]; // ended by a NULL key

typedef struct ModelInstance {
    HyperionModel *model;
    HyperionSIMDLevel level;
    bool packed;    // weights are packed once
    bool optimized; // runs with a memory optimizer, set up as below
    HyperionMemoryOptimizerConfig memory;
    char times_path[512]; // of the times of its layers on this machine; "" = nowhere to keep them
    HyperionMemoryOptimizer *optimizer; // NULL: none now
    HyperionTensor **inputs;            // NULL-terminated, as the others
    HyperionTensor **outputs;
} ModelInstance;

// The model of values[AXIS_MODEL] in the sizes that the axes say; the caller frees. NULL with the
// reason.
HyperionModel *model_instance_load(const AxisValue *values, Problem *problem);

// Loads the model of values[AXIS_MODEL], sets it up as the axes say and fills the inputs. False
// with the reason; the caller closes in every case.
bool model_instance_set_up(ModelInstance *instance, const AxisValue *values,
                           const WorkloadMachine *machine, HyperionThreadPool *pool,
                           Problem *problem);

// That, and runs it once, which reads the weights and places the activations.
bool model_instance_open(ModelInstance *instance, const AxisValue *values,
                         const WorkloadMachine *machine, HyperionThreadPool *pool,
                         Problem *problem);
void model_instance_close(ModelInstance *instance); // a zeroed one is allowed

// Packs the weights where the axis `layout` says so.
bool model_instance_lay_out(const ModelInstance *instance);

// Plans the memory of the model, anew where that was done before, where the axes ask for an
// optimizer; and lets go of it, which a run on plain kernels needs. False, last error set.
bool model_instance_optimize(ModelInstance *instance);
void model_instance_end_optimizing(ModelInstance *instance);

// Whether the axes ask for a memory optimizer.
bool model_instance_wants_optimizer(const AxisValue *values);

bool model_instance_run(const ModelInstance *instance);

// Makes inputs and outputs for instance->model: inputs of f32 are seeded noise from -1 to 1, others
// zeros, which are an index or flag wherever one is wanted. The caller closes in every case.
bool model_instance_create_tensors(ModelInstance *instance, uint64_t seed, Problem *problem);

// Tensors like the model's outputs; NULL: out of memory. The caller frees.
HyperionTensor **model_instance_outputs(const ModelInstance *instance);
void model_instance_free_tensors(HyperionTensor **tensors); // NULL is allowed

// Bytes of tensors, NULL-terminated.
size_t model_instance_bytes(HyperionTensor *const *tensors);

// Whether both gave the same outputs, to the bit; false with the reason, "output x differs from
// that `of_expected`".
bool model_instance_same(const ModelInstance *given, const ModelInstance *expected,
                         const char *of_expected, Problem *problem);

// What is so of one pass wherever its memory is: nominal work, results, and each operand once,
// which are all that `operand_bytes` has: memory for activations and copies of weights is to be
// added.
WorkloadFacts model_instance_facts(const ModelInstance *instance);

#endif
