// SPDX-License-Identifier: Apache-2.0
// model_context.h - an open workload `model`, for those that are made of it.
#ifndef HYP_MODEL_CONTEXT_H
#define HYP_MODEL_CONTEXT_H

#include "hyperion/profile.h"
#include "run/usage.h"
#include "workload/model_instance.h"

typedef struct ModelContext {
    HyperionThreadPool *pool;
    ModelInstance *instances; // run in turn; one but where all is to be cold
    size_t instance_count, next;
    size_t copies, copy_bytes; // of what is kept cold, as WorkloadPlacement has them
    HyperionTensor **expected; // outputs of the scalar kernels on one thread; NULL until verified
    Resident idle;             // before anything was allocated
    bool peak_is_of_runs;      // the largest resident memory was forgotten before the first
    HyperionProfile *profile;  // of the first instance; NULL of the workload `model`
} ModelContext;

// The functions of the workload `model`.
bool model_context_uses(const AxisValue *values, AxisId axis);
bool model_context_check(const AxisValue *values, Problem *problem);
void *model_context_open(const struct Cell *cell, const WorkloadMachine *machine, Problem *problem);
bool model_context_verify(void *opened, Problem *problem);
void model_context_run(void *opened);
WorkloadGuess model_context_guess(const AxisValue *values);
WorkloadFacts model_context_facts(void *opened);
HyperionCacheStats model_context_predict(void *opened, const HyperionPredictionConfig *config);
bool model_context_add_values(void *opened, struct Sample *sample, Problem *problem);
WorkloadPlacement model_context_placement(void *opened);
const char *model_context_fallback(AxisId axis);
void model_context_close(void *opened); // NULL is allowed

#endif
