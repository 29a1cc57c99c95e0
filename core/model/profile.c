// SPDX-License-Identifier: Apache-2.0
// Records runs: facts of the plan when it is made, and then, run by run, a row a step. Runs are
// kept in a ring with one more place than is kept, so that a run that fails costs none of them.
#include "hyperion/profile.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/band.h"
#include "model/run_plan.h"
#include "model/tensor_places.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 1000000 };

// What the plan says of a step.
typedef struct StepFacts {
    int layer;
    size_t before_bytes, during_bytes, after_bytes; // activations needed
    int reused_tensor;
    bool in_place;
    bool is_band;
} StepFacts;

// All that the plan gives its sizes to.
typedef struct Record {
    StepFacts *facts;             // by step
    HyperionProfilePlace *places; // by tensor
    HypLoad *loads;               // by layer, of the run under way
    HyperionProfileStep *steps;   // by place in the ring, then step
    int step_count;
} Record;

struct HyperionProfile {
    HyperionModel *model; // NULL: it is gone
    Record record;
    HyperionProfileRun *runs; // by place in the ring
    int place_count;          // of the ring: one more than runs are kept
    int first, run_count;
    size_t activation_bytes, workspace_bytes;
    HypMemoryGauge *gauge;
    uint64_t idle_since_ns; // in a run: when the step before was done
};

static void free_record(Record *record)
{
    free(record->facts);
    free(record->places);
    free(record->loads);
    free(record->steps);
    *record = (Record){0};
}

static HyperionProfileStep *find_steps(const HyperionProfile *profile, int run)
{
    const size_t place = (size_t)((profile->first + run) % profile->place_count);
    return profile->record.steps + place * (size_t)profile->record.step_count;
}

static HyperionProfileRun *find_run(const HyperionProfile *profile, int run)
{
    return &profile->runs[(profile->first + run) % profile->place_count];
}

// Where the result of a step lies: the tensor whose place it is.
static int find_result(const HyperionModel *model, const HypRunPlan *plan, int step)
{
    return hyp_model_root(model, model->layers[plan->steps[step]].outputs[0]);
}

static bool places_overlap(const HyperionModel *model, const HypRunPlan *plan, int a, int b)
{
    const size_t a_start = plan->offsets[a];
    const size_t b_start = plan->offsets[b];
    return a_start != SIZE_MAX && b_start != SIZE_MAX &&
           a_start < b_start + hyp_run_plan_tensor_bytes(model, plan, b) &&
           b_start < a_start + hyp_run_plan_tensor_bytes(model, plan, a);
}

static void find_reuse(const HyperionModel *model, const HypRunPlan *plan, int step,
                       StepFacts *facts)
{
    const HypLayer *layer = &model->layers[plan->steps[step]];
    const int result = find_result(model, plan, step);
    facts->reused_tensor = -1;
    for (int earlier = step; earlier-- > 0 && facts->reused_tensor < 0;) {
        const int before = find_result(model, plan, earlier);
        if (before != result && places_overlap(model, plan, result, before))
            facts->reused_tensor = before;
    }
    for (int i = 0; facts->reused_tensor >= 0 && i < layer->input_count; i++)
        facts->in_place |= hyp_model_root(model, layer->inputs[i]) == facts->reused_tensor;
}

static void describe_step(const HyperionModel *model, const HypRunPlan *plan, int step,
                          StepFacts *facts)
{
    const int result = find_result(model, plan, step);
    facts->layer = plan->steps[step];
    facts->is_band = hyp_step_is_band(plan, step);
    find_reuse(model, plan, step, facts);
    facts->during_bytes = facts->before_bytes;
    if (!facts->in_place && plan->offsets[result] != SIZE_MAX &&
        !hyp_run_plan_goes_on(model, plan, step))
        facts->during_bytes += hyp_run_plan_tensor_bytes(model, plan, result);
}

static bool describe_plan(const HyperionModel *model, const HypRunPlan *plan, StepFacts *facts)
{
    // One more than needed: calloc(0) may be NULL.
    const size_t step_count = (size_t)plan->step_count + 1;
    bool *live = calloc((size_t)model->tensor_count + 1, sizeof *live);
    size_t *bytes = calloc(step_count, 2 * sizeof *bytes);
    const bool described = live && bytes;
    if (described)
        hyp_run_plan_live_bytes(model, plan, live, bytes, bytes + step_count);
    for (int i = 0; described && i < plan->step_count; i++) {
        facts[i].before_bytes = bytes[i];
        facts[i].after_bytes = bytes[step_count + (size_t)i];
        describe_step(model, plan, i, &facts[i]);
    }
    free(live);
    free(bytes);
    return described;
}

static bool begin_record(void *context, const HyperionModel *model, HypRunPlan *plan)
{
    HyperionProfile *profile = context;
    const size_t step_count = (size_t)plan->step_count;
    size_t row_count;
    Record record = {.step_count = plan->step_count};
    record.facts = calloc(step_count + 1, sizeof *record.facts);
    record.places = calloc((size_t)model->tensor_count + 1, sizeof *record.places);
    record.loads = calloc((size_t)model->layer_count + 1, sizeof *record.loads);
    if (hyp_size_multiply(step_count, (size_t)profile->place_count, &row_count))
        record.steps = calloc(row_count + 1, sizeof *record.steps);
    if (!record.facts || !record.places || !record.loads || !record.steps ||
        !describe_plan(model, plan, record.facts)) {
        free_record(&record);
        return hyp_fail(HYPERION_ERROR_MEMORY,
                        "profile model %s: out of memory for %d steps of %d runs", model->name,
                        plan->step_count, profile->place_count);
    }
    hyp_tensor_places_find(model, plan, record.places);
    free_record(&profile->record);
    profile->record = record;
    profile->run_count = 0;
    return true;
}

static bool begin_run(void *context, const HypRun *run)
{
    HyperionProfile *profile = context;
    profile->activation_bytes = run->plan->activation_bytes;
    profile->workspace_bytes = run->plan->workspace_bytes;
    memset(profile->record.loads, 0,
           (size_t)run->model->layer_count * sizeof *profile->record.loads);
    profile->idle_since_ns = hyp_platform_now_ns();
    *find_run(profile, profile->run_count) =
        (HyperionProfileRun){.start_ns = profile->idle_since_ns};
    return true;
}

static void note_load(void *context, const HypLoad *load)
{
    HypLoad *known = &((HyperionProfile *)context)->record.loads[load->layer];
    if (!known->size_bytes || load->start_ns < known->start_ns)
        known->start_ns = load->start_ns;
    if (load->end_ns > known->end_ns)
        known->end_ns = load->end_ns;
    known->size_bytes += load->size_bytes;
}

static bool begin_step(void *context, const HypRun *run)
{
    HyperionProfile *profile = context;
    HypLoad *load = &profile->record.loads[run->layer];
    HyperionProfileStep *step = find_steps(profile, profile->run_count) + run->step;
    *step = (HyperionProfileStep){.layer = run->layer,
                                  .loaded_bytes = load->size_bytes,
                                  .load_start_ns = load->start_ns,
                                  .load_ns = load->end_ns - load->start_ns,
                                  .valid = true};
    *load = (HypLoad){0};
    step->start_ns = hyp_platform_now_ns();
    step->wait_ns = step->start_ns - profile->idle_since_ns;
    return true;
}

static void end_step(void *context, const HypRun *run)
{
    HyperionProfile *profile = context;
    const uint64_t end_ns = hyp_platform_now_ns();
    HyperionProfileStep *step = find_steps(profile, profile->run_count) + run->step;
    step->duration_ns = end_ns - step->start_ns;
    step->resident_bytes = hyp_platform_anonymous_bytes(profile->gauge);
    find_run(profile, profile->run_count)->duration_ns += step->wait_ns + step->duration_ns;
    profile->idle_since_ns = hyp_platform_now_ns();
}

static void end_run(void *context, bool succeeded)
{
    HyperionProfile *profile = context;
    if (!succeeded)
        return;
    HyperionProfileRun *run = find_run(profile, profile->run_count);
    run->valid = true;
    if (profile->run_count + 1 < profile->place_count)
        profile->run_count++;
    else
        profile->first = (profile->first + 1) % profile->place_count;
}

static void forget_model(void *context)
{
    ((HyperionProfile *)context)->model = NULL;
}

static const HypExecutorHooks hooks = {
    .plan = begin_record,
    .begin_run = begin_run,
    .before_step = begin_step,
    .after_step = end_step,
    .end_run = end_run,
    .loaded = note_load,
    .detached = forget_model,
};

static void free_profile(HyperionProfile *profile)
{
    free_record(&profile->record);
    hyp_platform_close_gauge(profile->gauge);
    free(profile->runs);
    free(profile);
}

HyperionProfile *hyperionCreateProfile(HyperionModel *model, int run_capacity)
{
    if (!model)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "create profile: model is NULL");
    if (run_capacity < 1 || run_capacity > MOST_RUNS)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT,
                             "create profile: it keeps 1 to %d runs, given %d", MOST_RUNS,
                             run_capacity);
    HyperionProfile *profile = calloc(1, sizeof *profile);
    if (!profile)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "create profile: out of memory");
    profile->place_count = run_capacity + 1;
    profile->gauge = hyp_platform_open_gauge();
    profile->runs = calloc((size_t)profile->place_count, sizeof *profile->runs);
    bool created = profile->gauge != NULL;
    if (created && !profile->runs)
        created = hyp_fail(HYPERION_ERROR_MEMORY, "create profile: out of memory for %d runs",
                           run_capacity);
    if (!created || !hyp_model_attach(model, HYP_ATTACHED_PROFILE, &hooks, profile)) {
        free_profile(profile);
        return NULL;
    }
    profile->model = model;
    return profile;
}

void hyperionFreeProfile(HyperionProfile *profile)
{
    if (!profile || (profile->model && !hyp_model_detach(profile->model, HYP_ATTACHED_PROFILE)))
        return;
    free_profile(profile);
}

bool hyperionClearProfile(HyperionProfile *profile)
{
    if (!profile)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "clear profile: profile is NULL");
    if (profile->model && hyp_model_is_running(profile->model))
        return hyp_fail(HYPERION_ERROR_BUSY, "clear profile: model %s is in use by another call",
                        profile->model->name);
    profile->run_count = 0;
    return true;
}

static bool check_profile(const HyperionProfile *profile)
{
    if (!profile)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "profile: it is NULL");
    return profile != NULL;
}

// Whether `index` is one of `count` of a profile that knows a model and at least one run.
static bool check_index(const HyperionProfile *profile, const char *what, int index, int count)
{
    if (!check_profile(profile))
        return false;
    if (!profile->model) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "profile: its model was freed");
        return false;
    }
    if (!profile->run_count)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "profile: no run of model %s was recorded",
                        profile->model->name);
    return (index >= 0 && index < count) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "profile: %s %d of %d", what, index, count);
}

int hyperionProfileRunCount(const HyperionProfile *profile)
{
    return check_profile(profile) ? profile->run_count : 0;
}

int hyperionProfileStepCount(const HyperionProfile *profile)
{
    return check_profile(profile) ? profile->record.step_count : 0;
}

HyperionProfileRun hyperionProfileRun(const HyperionProfile *profile, int run)
{
    if (!check_index(profile, "run", run, profile ? profile->run_count : 0))
        return (HyperionProfileRun){.valid = false};
    return *find_run(profile, run);
}

HyperionProfileStep hyperionProfileStep(const HyperionProfile *profile, int run, int step)
{
    if (!check_index(profile, "run", run, profile ? profile->run_count : 0) ||
        !check_index(profile, "step", step, profile->record.step_count))
        return (HyperionProfileStep){.valid = false};
    return find_steps(profile, run)[step];
}

static int compare_times(const void *a, const void *b)
{
    const uint64_t first = *(const uint64_t *)a;
    const uint64_t second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

// Bytes of what the layer reads, the same tensor once. A layer that computes nothing picks: it
// reads no more of an input than it writes.
static size_t count_read_bytes(const HyperionModel *model, const HypLayer *layer, double flops,
                               size_t written_bytes)
{
    size_t sum_bytes = 0;
    for (int i = 0; i < layer->input_count; i++) {
        const int root = hyp_model_root(model, layer->inputs[i]);
        size_t bytes = model->tensors[root].shape.size_bytes;
        for (int j = 0; j < i; j++)
            if (hyp_model_root(model, layer->inputs[j]) == root)
                bytes = 0;
        sum_bytes += flops <= 0 && bytes > written_bytes ? written_bytes : bytes;
    }
    return sum_bytes;
}

// Times go to `times_ns`, one a pass; room for as many as there are runs and steps. All bands of a
// layer in a run are one pass.
static void add_passes(const HyperionProfile *profile, int step, uint64_t *times_ns,
                       HyperionProfileLayer *told)
{
    const StepFacts *facts = &profile->record.facts[step];
    const bool goes_on = facts->is_band && told->pass_count > 0;
    if (!goes_on)
        told->before_bytes = facts->before_bytes;
    told->after_bytes = facts->after_bytes;
    told->reused_tensor = facts->reused_tensor;
    told->in_place = facts->in_place;
    for (int run = 0; run < profile->run_count; run++) {
        const HyperionProfileStep *pass = &find_steps(profile, run)[step];
        if (goes_on)
            times_ns[run] += pass->duration_ns;
        else
            times_ns[told->pass_count++] = pass->duration_ns;
        told->wait_sum_ns += pass->wait_ns;
        told->loaded_sum_bytes += pass->loaded_bytes;
        told->resident_bytes = pass->resident_bytes;
    }
}

static void add_bytes(const HyperionModel *model, int layer, HyperionProfileLayer *told)
{
    const HypLayer *asked = &model->layers[layer];
    told->flops = hyperionModelLayer(model, layer).flops;
    told->written_bytes = model->tensors[asked->outputs[0]].shape.size_bytes;
    told->read_bytes = count_read_bytes(model, asked, told->flops, told->written_bytes);
    const double bytes = (double)told->read_bytes + (double)told->written_bytes;
    told->intensity = bytes > 0 ? told->flops / bytes : 0;
}

HyperionProfileLayer hyperionProfileLayer(const HyperionProfile *profile, int layer)
{
    HyperionProfileLayer told = {.reused_tensor = -1};
    if (!check_index(profile, "layer", layer,
                     profile && profile->model ? profile->model->layer_count : 0))
        return told;
    const size_t most_passes = (size_t)profile->run_count * (size_t)profile->record.step_count;
    uint64_t *times_ns = calloc(most_passes + 1, sizeof *times_ns);
    if (!times_ns) {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "profile: out of memory");
        return told;
    }
    for (int i = 0; i < profile->record.step_count; i++)
        if (profile->record.facts[i].layer == layer)
            add_passes(profile, i, times_ns, &told);
    if (told.pass_count) {
        qsort(times_ns, (size_t)told.pass_count, sizeof *times_ns, compare_times);
        told.least_ns = times_ns[0];
        told.median_ns = times_ns[told.pass_count / 2];
        add_bytes(profile->model, layer, &told);
    }
    free(times_ns);
    told.valid = true;
    return told;
}

HyperionProfileMemory hyperionProfileMemory(const HyperionProfile *profile)
{
    if (!check_index(profile, "model", 0, 1))
        return (HyperionProfileMemory){.valid = false};
    HyperionProfileMemory memory = {.weight_bytes = hyperionModelWeightBytes(profile->model),
                                    .activation_bytes = profile->activation_bytes,
                                    .workspace_bytes = profile->workspace_bytes,
                                    .valid = true};
    for (int i = 0; i < profile->record.step_count; i++) {
        const StepFacts *facts = &profile->record.facts[i];
        if (facts->during_bytes > memory.live_peak_bytes)
            memory.live_peak_bytes = facts->during_bytes;
    }
    for (int run = 0; run < profile->run_count; run++)
        for (int i = 0; i < profile->record.step_count; i++) {
            const size_t bytes = find_steps(profile, run)[i].resident_bytes;
            if (bytes > memory.resident_peak_bytes)
                memory.resident_peak_bytes = bytes;
        }
    return memory;
}

HyperionProfilePlace hyperionProfilePlace(const HyperionProfile *profile, int tensor)
{
    if (!check_index(profile, "tensor", tensor,
                     profile && profile->model ? profile->model->tensor_count : 0))
        return (HyperionProfilePlace){.first_step = -1, .last_step = -1};
    return profile->record.places[tensor];
}
