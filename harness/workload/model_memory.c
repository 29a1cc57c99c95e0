// SPDX-License-Identifier: Apache-2.0
#include "workload/model_memory.h"

#include "hyperion/error.h"
#include "record/sample.h"

#include <math.h>

void model_memory_begin(ModelContext *context)
{
    context->idle = usage_resident();
}

void model_memory_settle(ModelContext *context)
{
    context->peak_is_of_runs = usage_forget_peak();
}

bool model_memory_read(const ModelContext *context, HyperionProfileMemory *memory)
{
    const ModelInstance *instance = &context->instances[0];
    HyperionProfile *own = context->profile ? NULL : hyperionCreateProfile(instance->model, 1);
    if (!context->profile && !(own && model_instance_run(instance))) {
        hyperionFreeProfile(own);
        return false;
    }
    *memory = hyperionProfileMemory(own ? own : context->profile);
    hyperionFreeProfile(own);
    return memory->valid;
}

static bool add_planned(const ModelContext *context, Sample *sample)
{
    const ModelInstance *instance = &context->instances[0];
    const HyperionMemoryStats stats = hyperionGetMemoryOptimizerStats(instance->optimizer);
    HyperionProfileMemory memory;
    const bool known = stats.valid && model_memory_read(context, &memory);
    const char *reason = known ? "" : hyperionGetLastError();
    if (!known)
        memory = (HyperionProfileMemory){.valid = false};
    const struct {
        const char *name;
        size_t bytes;
    } values[] = {
        {"memory.planned_bytes", stats.planned_bytes},
        {"memory.lower_bound_bytes", stats.lower_bound_bytes},
        {"memory.naive_bytes", stats.naive_bytes},
        {"memory.weight_bytes", memory.weight_bytes},
        {"memory.packed_bytes", hyperionModelPackedBytes(instance->model)},
        {"memory.activation_bytes", memory.activation_bytes},
        {"memory.workspace_bytes", memory.workspace_bytes},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (!sample_add_value(sample, values[i].name, known ? (double)values[i].bytes : (double)NAN,
                              "B", "model", reason))
            return false;
    return true;
}

// Of what is resident, what came since the workload was opened, less the copies that are there to
// keep the caches cold: all their pages were touched.
static double subtract_idle(const ModelContext *context, long now_kib, long idle_kib)
{
    if (now_kib < 0 || idle_kib < 0)
        return NAN;
    return fmax((double)(now_kib - idle_kib) * 1024 - (double)context->copy_bytes, 0);
}

static bool add_measured(const ModelContext *context, Sample *sample)
{
    static const char unknown[] = "not reported by the operating system";
    const double peak = subtract_idle(context, usage_peak_rss_kib(), context->idle.all_kib);
    const double anonymous =
        subtract_idle(context, usage_resident().anonymous_kib, context->idle.anonymous_kib);
    const char *doubt = context->peak_is_of_runs ? "" : "what preparing took may be in it";
    return sample_add_value(sample, "memory.peak_bytes", peak, "B", "os",
                            isnan(peak) ? unknown : doubt) &&
           sample_add_value(sample, "memory.anonymous_bytes", anonymous, "B", "os",
                            isnan(anonymous) ? unknown : "");
}

bool model_memory_add(const ModelContext *context, Sample *sample)
{
    return add_measured(context, sample) &&
           (!context->instances[0].optimizer || add_planned(context, sample));
}
