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

static bool add_planned(const ModelContext *context, Sample *sample)
{
    const HyperionMemoryOptimizer *optimizer = context->instances[0].optimizer;
    const HyperionMemoryStats stats = hyperionGetMemoryOptimizerStats(optimizer);
    const HyperionMemoryPlan plan = hyperionGetMemoryPlan(optimizer);
    const bool known = stats.valid && plan.valid;
    const char *reason = known ? "" : hyperionGetLastError();
    const struct {
        const char *name;
        double value;
        const char *unit;
    } values[] = {
        {"memory.planned_bytes", (double)plan.total_bytes, "B"},
        {"memory.lower_bound_bytes", (double)stats.lower_bound_bytes, "B"},
        {"memory.naive_bytes", (double)stats.naive_bytes, "B"},
        {"memory.least_bytes", (double)plan.least_bytes, "B"},
        {"memory.most_bytes", (double)plan.most_bytes, "B"},
        {"memory.weight_bytes", (double)plan.weight_bytes, "B"},
        {"memory.packed_bytes", (double)plan.packed_bytes, "B"},
        {"memory.activation_bytes", (double)plan.activation_bytes, "B"},
        {"memory.workspace_bytes", (double)plan.workspace_bytes, "B"},
        {"memory.predicted_time", plan.measured ? plan.predicted_ns : (double)NAN, "ns"},
    };
    if (known && !plan.measured)
        reason = "the times of the layers were not measured";
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (!sample_add_value(sample, values[i].name, known ? values[i].value : (double)NAN,
                              values[i].unit, "model",
                              isnan(values[i].value) || !known ? reason : ""))
            return false;
    return true;
}

// Of what is resident, what came since the workload was opened, less the copies that are there to
// keep the caches cold: all their pages were touched.
static double subtract_idle(size_t copy_bytes, long now_kib, long idle_kib)
{
    if (now_kib < 0 || idle_kib < 0)
        return NAN;
    return fmax((double)(now_kib - idle_kib) * 1024 - (double)copy_bytes, 0);
}

bool model_memory_add_measured(const Resident *idle, size_t copy_bytes, bool is_of_runs,
                               Sample *sample)
{
    static const char unknown[] = "not reported by the operating system";
    const double peak = subtract_idle(copy_bytes, usage_peak_rss_kib(), idle->all_kib);
    const double anonymous =
        subtract_idle(copy_bytes, usage_resident().anonymous_kib, idle->anonymous_kib);
    const char *doubt = is_of_runs ? "" : "what preparing took may be in it";
    return sample_add_value(sample, "memory.peak_bytes", peak, "B", "os",
                            isnan(peak) ? unknown : doubt) &&
           sample_add_value(sample, "memory.anonymous_bytes", anonymous, "B", "os",
                            isnan(anonymous) ? unknown : "");
}

bool model_memory_add(const ModelContext *context, Sample *sample)
{
    return model_memory_add_measured(&context->idle, context->copy_bytes, context->peak_is_of_runs,
                                     sample) &&
           (!context->instances[0].optimizer || add_planned(context, sample));
}
