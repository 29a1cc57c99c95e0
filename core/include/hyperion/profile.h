// SPDX-License-Identifier: Apache-2.0
// profile.h - what runs of a model do, layer by layer: time, bytes, memory, loads, waits, reuse.
#ifndef HYPERION_PROFILE_H
#define HYPERION_PROFILE_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct HyperionProfile HyperionProfile;

// One layer in one run, or a band of rows of it.
typedef struct HyperionProfileStep {
    int layer;
    uint64_t start_ns;    // of the system's monotonic clock
    uint64_t duration_ns; // computing
    uint64_t wait_ns; // since the step before was done, or the run had begun: for weights, mostly
    size_t loaded_bytes;    // weights read for it; 0 = they were there
    uint64_t load_start_ns; // when that began, perhaps while other layers ran; 0 without
    uint64_t load_ns;
    size_t resident_bytes; // anonymous memory of the process when it was done; 0 = unknown
    bool valid;            // false: the call failed, see hyperionGetLastError
} HyperionProfileStep;

typedef struct HyperionProfileRun {
    uint64_t start_ns;    // of the system's monotonic clock
    uint64_t duration_ns; // waiting and computing, without what the profile itself took
    bool valid;           // false: the call failed, see hyperionGetLastError
} HyperionProfileRun;

// A layer in all runs kept. Times are of one pass through it, which all bands of rows are that it
// is run in; sums over all passes say so.
typedef struct HyperionProfileLayer {
    int pass_count; // 0: a view, which is no work and has zeros below
    uint64_t median_ns;
    uint64_t least_ns;
    uint64_t wait_sum_ns;
    size_t loaded_sum_bytes;
    double flops;          // nominal floating-point operations
    size_t read_bytes;     // of inputs and weights, each once
    size_t written_bytes;  // of the result
    double intensity;      // flops a byte read or written; 0 where no bytes are
    size_t before_bytes;   // activations needed by this layer or a later one, as it begins
    size_t after_bytes;    // and when it is done
    size_t resident_bytes; // anonymous memory of the process after its last pass; 0 = unknown
    int reused_tensor;     // whose memory the result lies in; -1 = nobody's before
    bool in_place;         // that tensor is an input of this layer
    bool valid;            // false: the call failed, see hyperionGetLastError
} HyperionProfileLayer;

// Memory of a run under the plan in force.
typedef struct HyperionProfileMemory {
    size_t weight_bytes;
    size_t activation_bytes; // held for activations
    size_t live_peak_bytes;  // most of them that are needed at a time: no plan of this order
                             // without operations in place can hold less
    size_t workspace_bytes;  // scratch of the step that needs most
    size_t
        resident_peak_bytes; // most anonymous memory of the process seen after a step; 0 = unknown
    bool valid;              // false: the call failed, see hyperionGetLastError
} HyperionProfileMemory;

// Where the plan in force has a tensor in the memory for activations.
typedef struct HyperionProfilePlace {
    bool placed; // false: a view, a weight, or the caller's; zeros and -1 below
    size_t offset_bytes, size_bytes;
    int first_step, last_step; // that write or read it, both included; steps count as they run
    bool valid;                // false: the call failed, see hyperionGetLastError
} HyperionProfilePlace;

// Records runs of `model` from now on, of which it keeps the last `run_capacity` (1 to 1000000).
// One a model. Costs each layer some microseconds, which are in no time it tells. The caller frees.
// NULL on a NULL or running model, one that is profiled already, or when out of memory. Its memory
// for steps is had when a run begins, which fails where there is none.
HyperionProfile *hyperionCreateProfile(HyperionModel *model, int run_capacity);

// Stops recording. NULL is allowed. Refused, with the last error set, while the model runs.
void hyperionFreeProfile(HyperionProfile *profile);

// Forgets the runs so far, those of a warm-up for instance. False on NULL or while the model runs.
bool hyperionClearProfile(HyperionProfile *profile);

// Runs kept, which all succeeded, and steps of each: layers in the order they ran, views left out.
// A change of the model forgets the runs before it. 0 for NULL, and the last error says so. What is
// told below is of the last run's plan; not to be asked while the model runs.
int hyperionProfileRunCount(const HyperionProfile *profile);
int hyperionProfileStepCount(const HyperionProfile *profile);

// Run 0 is the oldest. `valid` false on NULL or a number out of range, or where no run was kept.
HyperionProfileRun hyperionProfileRun(const HyperionProfile *profile, int run);
HyperionProfileStep hyperionProfileStep(const HyperionProfile *profile, int run, int step);
HyperionProfileLayer hyperionProfileLayer(const HyperionProfile *profile, int layer);
HyperionProfileMemory hyperionProfileMemory(const HyperionProfile *profile);

// Tensor 0 to hyperionModelTensorCount - 1. `valid` false as above.
HyperionProfilePlace hyperionProfilePlace(const HyperionProfile *profile, int tensor);

#ifdef __cplusplus
}
#endif
#endif
