// SPDX-License-Identifier: Apache-2.0
// scheduler.h - the inside of a layer scheduler.
#ifndef HYP_SCHEDULER_H
#define HYP_SCHEDULER_H

#include "scheduler/execution_plan.h"

enum { HYP_DIRECTION_COUNT = HYPERION_PASS_BACKWARD + 1 };

// What was planned for a direction.
typedef struct HypSchedule {
    HypScheduleFront front;
    bool known;
    uint64_t change_count; // of the model, when it was planned
} HypSchedule;

// A pass under way, as the steps of its plan go by.
typedef struct HypScheduledPass {
    int next_step;          // of the plan's
    size_t *places;         // by tensor: in the memory for activations, once it was there
    uint64_t *file_offsets; // by tensor: in the scratch file
    uint64_t file_bytes;    // of the scratch file that are in use
    bool *ran;              // by layer
    size_t live_bytes;
    uint64_t start_ns; // of the layer that runs
    HyperionPassStats stats;
    HyperionVisitFunction visit; // of a replay; NULL: none
    void *user_data;
    bool *called; // by layer, of a pass that runs layer by layer
    int called_count;
    bool by_layers; // it is one
} HypScheduledPass;

struct HyperionLayerScheduler {
    HyperionModel *model; // NULL: it is gone
    HyperionLayerSchedulerConfig config;
    HyperionScheduleOrder order;
    HyperionCheckpointStrategy *strategies; // by layer
    double *layer_ns;                       // by layer: least of the runs so far; 0: none
    double *planned_ns;                     // by layer: that plans are made by; 0: a guess
    int layer_count;                        // that these have room for
    uint64_t measured_change_count;         // of the model, when layer_ns were begun
    double write_ns, read_ns;               // of the runs so far: transfers, and of how much
    uint64_t write_bytes, read_bytes;
    double write_ns_per_byte, read_ns_per_byte; // that plans are made by
    bool measured;                              // planned_ns are
    char *folder;                               // for the scratch file; NULL: the system's
    HypScratch *scratch;                        // NULL until it is needed
    HypSchedule schedules[HYP_DIRECTION_COUNT];
    HyperionPassDirection direction; // of the pass that is prepared next
    bool estimating;                 // the plan that is asked for is not run
    HyperionExecutionPlan *plan;     // of the pass that is prepared
    HyperionExecutionPlanInfo estimated;
    size_t estimated_waiting_bytes;
    HypScheduledPass pass;
};

extern const HypExecutorHooks hyp_scheduler_hooks;

// Takes the model of a scheduler for one call. False, last error set, on a NULL scheduler, where
// the model is gone, or in use.
bool hyp_scheduler_hold(const HyperionLayerScheduler *scheduler, const char *call);
void hyp_scheduler_release(const HyperionLayerScheduler *scheduler);

// Room for what is kept by layer, of a model that may have grown. False, last error set, when out
// of memory.
bool hyp_scheduler_fit(HyperionLayerScheduler *scheduler);

// The schedules of a direction, planned if need be. The model is held. NULL, last error set, when
// out of memory.
const HypScheduleFront *hyp_scheduler_front(HyperionLayerScheduler *scheduler,
                                            HyperionPassDirection direction);

// The memory that a tradeoff of 1 takes.
size_t hyp_scheduler_most_bytes(const HyperionLayerScheduler *scheduler,
                                const HypScheduleFront *front);

// The plan that the settings choose. The model is held. NULL, last error set, where the cap is too
// small, or when out of memory.
HyperionExecutionPlan *hyp_scheduler_plan(HyperionLayerScheduler *scheduler,
                                          HyperionPassDirection direction);

// Goes on in the plan of the pass under way until the layer that runs next, or to its end. False,
// last error set, where a transfer or a visit fails.
bool hyp_scheduled_pass_advance(HyperionLayerScheduler *scheduler, const HypRun *run);
void hyp_scheduled_pass_free(HypScheduledPass *pass);

#endif
