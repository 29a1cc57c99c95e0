// SPDX-License-Identifier: Apache-2.0
// hooks.h - the seam between the executor and what is attached to a model: a scheduler says what
// runs when, an optimizer where results live, a loader has weights there in time, a profile looks
// on. The executor knows none of them.
#ifndef HYP_HOOKS_H
#define HYP_HOOKS_H

#include "hyperion/types.h"

// From this step on, an activation lies at `offset` of the memory for activations.
typedef struct HypPlacing {
    int step;
    int tensor; // no view; also one that the caller has memory for
    size_t offset;
} HypPlacing;

// Rows of a tensor: indices on its last axis but one.
typedef struct HypRows {
    int64_t first, count;
} HypRows;

// What each run of a model does. The executor makes one for many runs: layers in the model's order
// and every activation in memory of its own; then what is attached changes it.
typedef struct HypRunPlan {
    int *steps; // by step: the layer that runs; never a view, which is no work; one may come again
    int step_count;
    HyperionGemmBlocking *blockings; // by layer, of those made of products
    bool *packed; // by layer: its weight is packed once where it can be, see memory_layout.h
    bool *packed_on_load; // by layer: instead, a loader brings it packed, see HypRun.packed
    size_t *offsets;      // by tensor: its place in the memory for activations, a multiple of 64;
                          // SIZE_MAX where hyp_run_plan_places is false. Who finds places later
                          // keeps those that need less
    size_t activation_bytes; // of that memory
    // By steps, where activations move during a run, or NULL: none does. Where there are some, each
    // activation that a step reads or writes was placed at that step or before, and the plan is of
    // one piece: nobody who comes later changes steps, offsets or placings.
    HypPlacing *placings;
    int placing_count;
    // Where layers run in bands of rows, see band.h, or both NULL: none does. The steps of such a
    // layer make all rows of its result, from the first to the last; with it nothing moves.
    HypRows *bands;         // by step: the rows of the result that it makes; count 0: all
    int64_t *held_rows;     // by tensor: rows that its place has room for, which are those that the
                            // last step to write it made; 0: all
    size_t workspace_bytes; // of the step that needs most; known when a run begins
} HypRunPlan;

// A run under way, as hooks see it.
typedef struct HypRun {
    const HyperionModel *model;
    const HypRunPlan *plan;
    void *activations; // plan->activation_bytes
    void **data; // by tensor: its bytes; before a step, a hook may change those of weights and
                 // activations that the step reads or writes
    const float **packed; // by layer: before a step that the plan says so of, a loader sets it
    int step;             // about to run, or just run
    int layer;            // plan->steps[step]
} HypRun;

// Weights that a layer needs were read; while other layers ran, or while nothing did.
typedef struct HypLoad {
    int layer;
    size_t size_bytes;
    uint64_t start_ns, end_ns; // hyp_platform_now_ns
} HypLoad;

// Called with the model held, by the thread that runs it. Each may be NULL. Those that give false
// set the last error; the run then fails with it.
typedef struct HypExecutorHooks {
    // Changes the plan. `steps` is the executor's to free, so that one with more steps is made by
    // realloc. Asked again after every change of the graph, the settings or what is attached.
    bool (*plan)(void *context, const HyperionModel *model, HypRunPlan *plan);
    bool (*begin_run)(void *context, const HypRun *run); // step and layer are -1
    bool (*before_step)(void *context, const HypRun *run);
    void (*after_step)(void *context, const HypRun *run);
    void (*end_run)(void *context, bool succeeded); // after every begin_run that gave true
    void (*loaded)(void *context, const HypLoad *load);
    void (*detached)(void *context); // the model is being freed
    // The executor reads no weights of layers: before_step points data[] at them, for that step.
    bool provides_weights;
} HypExecutorHooks;

// One of each a model. In this order they change the plan, begin a run and see each step come, in
// the opposite order they see it done: so a profile has nothing of the others in its times.
typedef enum HypAttachmentKind {
    HYP_ATTACHED_SCHEDULER,
    HYP_ATTACHED_OPTIMIZER,
    HYP_ATTACHED_LOADER,
    HYP_ATTACHED_PROFILE,
    HYP_ATTACHMENT_KIND_COUNT
} HypAttachmentKind;

typedef struct HypAttachments {
    struct {
        const HypExecutorHooks *hooks; // NULL: none attached
        void *context;
    } of[HYP_ATTACHMENT_KIND_COUNT];
    bool any;
} HypAttachments;

// `hooks` stay the caller's and outlive the attachment. False, last error set and nothing changed,
// on a NULL or running model or one that has such an attachment.
bool hyp_model_attach(HyperionModel *model, HypAttachmentKind kind, const HypExecutorHooks *hooks,
                      void *context);
// False, last error set and nothing changed, on a running model.
bool hyp_model_detach(HyperionModel *model, HypAttachmentKind kind);

// For whoever has weights read for a run: tells what is attached. From the thread that runs the
// model, after begin_run and before the profile sees that layer's step come.
void hyp_run_note_load(const HyperionModel *model, const HypLoad *load);

// What the executor and the model call: the hooks of all that is attached, in order.
bool hyp_hooks_plan(const HyperionModel *model, HypRunPlan *plan);
// The same without the profile, which takes a plan for the beginning of other runs.
bool hyp_hooks_plan_unseen(const HyperionModel *model, HypRunPlan *plan);
bool hyp_hooks_begin_run(const HypRun *run);
bool hyp_hooks_before_step(const HypRun *run);
void hyp_hooks_after_step(const HypRun *run);
void hyp_hooks_end_run(const HyperionModel *model, bool succeeded);
void hyp_hooks_detach_all(HyperionModel *model);

#endif
