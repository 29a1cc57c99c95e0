// SPDX-License-Identifier: Apache-2.0
// Trace Event Format: times in microseconds; "X" has a beginning and a duration, "C" is a counter,
// "M" names a lane.
#include "profile/profile_report.h"

enum { PROCESS = 1, LANE_LAYERS = 1, LANE_WAITS = 2, LANE_LOADS = 3 };
static const uint64_t least_wait_ns = 1000; // shorter ones are the seam between two layers

typedef struct Trace {
    const HyperionModel *model;
    const HyperionProfile *profile;
    json_t *events;
    uint64_t zero_ns; // beginning of the first run, or of what was loaded for it before
} Trace;

static double since_zero_us(const Trace *trace, uint64_t at_ns)
{
    return (double)(at_ns - trace->zero_ns) / 1e3;
}

// Takes `arguments` over.
static void add_span(Trace *trace, const char *name, const char *category, int lane,
                     uint64_t start_ns, uint64_t duration_ns, json_t *arguments)
{
    (void)json_array_append_new(
        trace->events,
        json_pack("{s:s, s:s, s:s, s:f, s:f, s:i, s:i, s:o}", "name", name, "cat", category, "ph",
                  "X", "ts", since_zero_us(trace, start_ns), "dur", (double)duration_ns / 1e3,
                  "pid", PROCESS, "tid", lane, "args", arguments ? arguments : json_object()));
}

static void add_counter(Trace *trace, const char *name, uint64_t at_ns, size_t bytes)
{
    (void)json_array_append_new(trace->events,
                                json_pack("{s:s, s:s, s:f, s:i, s:{s:I}}", "name", name, "ph", "C",
                                          "ts", since_zero_us(trace, at_ns), "pid", PROCESS, "args",
                                          "bytes", (json_int_t)bytes));
}

static void add_name(Trace *trace, const char *what, int lane, const char *name)
{
    (void)json_array_append_new(trace->events,
                                json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}", "name", what, "ph", "M",
                                          "pid", PROCESS, "tid", lane, "args", "name", name));
}

static void add_step(Trace *trace, const HyperionProfileStep *step)
{
    const HyperionLayerInfo info = hyperionModelLayer(trace->model, step->layer);
    const HyperionProfileLayer layer = hyperionProfileLayer(trace->profile, step->layer);
    add_span(trace, info.name, info.op_name, LANE_LAYERS, step->start_ns, step->duration_ns,
             json_pack("{s:i, s:s, s:f, s:I, s:I, s:f}", "layer", step->layer, "operator",
                       info.op_name, "flops", layer.flops, "read_bytes",
                       (json_int_t)layer.read_bytes, "written_bytes",
                       (json_int_t)layer.written_bytes, "intensity", layer.intensity));
    if (step->wait_ns >= least_wait_ns)
        add_span(trace, info.name, "wait", LANE_WAITS, step->start_ns - step->wait_ns,
                 step->wait_ns, NULL);
    if (step->loaded_bytes)
        add_span(trace, info.name, "load", LANE_LOADS, step->load_start_ns, step->load_ns,
                 json_pack("{s:I}", "bytes", (json_int_t)step->loaded_bytes));
    add_counter(trace, "activations needed", step->start_ns, layer.before_bytes);
    add_counter(trace, "activations needed", step->start_ns + step->duration_ns, layer.after_bytes);
    if (step->resident_bytes)
        add_counter(trace, "anonymous memory", step->start_ns + step->duration_ns,
                    step->resident_bytes);
}

static void add_run(Trace *trace, int run)
{
    const HyperionProfileRun whole = hyperionProfileRun(trace->profile, run);
    const int step_count = hyperionProfileStepCount(trace->profile);
    uint64_t end_ns = whole.start_ns;
    for (int i = 0; i < step_count; i++) {
        const HyperionProfileStep step = hyperionProfileStep(trace->profile, run, i);
        add_step(trace, &step);
        end_ns = step.start_ns + step.duration_ns;
    }
    add_span(trace, "run", "run", LANE_LAYERS, whole.start_ns, end_ns - whole.start_ns,
             json_pack("{s:i}", "run", run));
}

static uint64_t find_zero(const HyperionProfile *profile)
{
    uint64_t zero_ns = hyperionProfileRun(profile, 0).start_ns;
    for (int i = 0; i < hyperionProfileStepCount(profile); i++) {
        const HyperionProfileStep step = hyperionProfileStep(profile, 0, i);
        if (step.loaded_bytes && step.load_start_ns < zero_ns)
            zero_ns = step.load_start_ns;
    }
    return zero_ns;
}

json_t *profile_trace_make(const HyperionModel *model, const HyperionProfile *profile)
{
    Trace trace = {model, profile, json_array(), find_zero(profile)};
    add_name(&trace, "process_name", LANE_LAYERS, hyperionModelName(model));
    add_name(&trace, "thread_name", LANE_LAYERS, "layers");
    add_name(&trace, "thread_name", LANE_WAITS, "waits");
    add_name(&trace, "thread_name", LANE_LOADS, "loads");
    for (int i = 0; i < hyperionProfileRunCount(profile); i++)
        add_run(&trace, i);
    return json_pack("{s:s, s:o}", "displayTimeUnit", "ms", "traceEvents", trace.events);
}
