// SPDX-License-Identifier: Apache-2.0
// workload_profile.c - the workload `model` under a profile: its samples bring the times of layers.
// Recording costs each layer a microsecond or so, which is in the time of the pass and in none of
// theirs.
#include "hyperion/error.h"
#include "record/sample.h"
#include "workload/model_memory.h"
#include "workload/workloads.h"

#include <stdio.h>
#include <string.h>

// The last ones of each sample: more than a median needs, and few bytes beside a model's.
enum { KEPT_RUNS = 100, LONGEST_NAME = 50 };

static void *open_profile(const struct Cell *cell, const WorkloadMachine *machine, Problem *problem)
{
    ModelContext *context = model_context_open(cell, machine, problem);
    if (!context)
        return NULL;
    context->profile = hyperionCreateProfile(context->instances[0].model, KEPT_RUNS);
    // A profile has the next run prepare anew: that is done before anything is timed.
    if (context->profile && model_instance_run(&context->instances[0]) &&
        hyperionClearProfile(context->profile))
        return context;
    (void)problem_set(problem, "%s", hyperionGetLastError());
    model_context_close(context);
    return NULL;
}

static bool add_layer_value(Sample *sample, int layer, const char *what, double value,
                            const char *unit, const char *provenance)
{
    char name[sizeof sample->values->name];
    (void)snprintf(name, sizeof name, "layer%d.%.78s", layer, what);
    return sample_add_value(sample, name, value, unit, provenance, "");
}

// What a layer is and how much it does: layer<i>.is.<operator>.<name>, with its operations. Of a
// long name the end tells more than the beginning.
static bool add_facts(const ModelContext *context, int layer, Sample *sample)
{
    const HyperionLayerInfo info = hyperionModelLayer(context->instances[0].model, layer);
    const HyperionProfileLayer told = hyperionProfileLayer(context->profile, layer);
    const size_t length = strlen(info.name);
    char what[LONGEST_NAME + 32];
    (void)snprintf(what, sizeof what, "is.%.24s.%s", info.op_name,
                   info.name + (length > LONGEST_NAME ? length - LONGEST_NAME : 0));
    return told.pass_count == 0 ||
           (add_layer_value(sample, layer, what, told.flops, "FLOP", "model") &&
            add_layer_value(sample, layer, "bytes",
                            (double)told.read_bytes + (double)told.written_bytes, "B", "model") &&
            add_layer_value(sample, layer, "needed_bytes", (double)told.after_bytes, "B", "model"));
}

static bool add_times(const ModelContext *context, int layer, Sample *sample)
{
    const HyperionProfileLayer told = hyperionProfileLayer(context->profile, layer);
    return told.pass_count == 0 ||
           (add_layer_value(sample, layer, "time", (double)told.median_ns, "ns", "clock") &&
            add_layer_value(sample, layer, "wait",
                            (double)told.wait_sum_ns / (double)told.pass_count, "ns", "clock"));
}

// Where an activation lies, from which step to which: place<i>.at<offset>.from<step>.to<step>, with
// its size.
static bool add_place(const ModelContext *context, int tensor, Sample *sample)
{
    const HyperionProfilePlace place = hyperionProfilePlace(context->profile, tensor);
    char name[sizeof sample->values->name];
    (void)snprintf(name, sizeof name, "place%d.at%zu.from%d.to%d", tensor, place.offset_bytes,
                   place.first_step, place.last_step);
    return !place.placed ||
           sample_add_value(sample, name, (double)place.size_bytes, "B", "model", "");
}

static bool add_places(const ModelContext *context, Sample *sample)
{
    const int tensor_count = hyperionModelTensorCount(context->instances[0].model);
    for (int i = 0; i < tensor_count; i++)
        if (!add_place(context, i, sample))
            return false;
    return true;
}

static bool add_values(void *opened, Sample *sample, Problem *problem)
{
    (void)problem;
    const ModelContext *context = opened;
    const int layer_count = hyperionModelLayerCount(context->instances[0].model);
    for (int i = 0; i < layer_count; i++)
        if (!(sample->task == SAMPLE_VERIFY ? add_facts(context, i, sample)
                                            : add_times(context, i, sample)))
            return false;
    return sample->task == SAMPLE_VERIFY ? add_places(context, sample)
                                         : model_memory_add(context, sample);
}

const Workload workload_profile = {
    .name = "profile",
    .help = "the workload model with the time of each layer, at the cost of taking it",
    .uses = model_context_uses,
    .check = model_context_check,
    .guess = model_context_guess,
    .open = open_profile,
    .verify = model_context_verify,
    .run = model_context_run,
    .facts = model_context_facts,
    .predict = model_context_predict,
    .add_values = add_values,
    .placement = model_context_placement,
    .fallback = model_context_fallback,
    .close = model_context_close,
};
