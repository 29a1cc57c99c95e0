// SPDX-License-Identifier: Apache-2.0
#include "workload/loader_log.h"

#include "hyperion/error.h"
#include "hyperion/model.h"
#include "record/sample.h"
#include "stats/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 50 };

static const struct {
    const char *name, *unit, *provenance;
} value_table[LOADER_VALUE_COUNT] = {
    [LOADER_LOAD_NS] = {"loader.load_time", "ns", "clock"},
    [LOADER_COMPUTE_NS] = {"loader.compute_time", "ns", "clock"},
    [LOADER_STALL_NS] = {"loader.stall_time", "ns", "clock"},
    [LOADER_READ_BYTES] = {"loader.read_bytes", "B", "os"},
    [LOADER_LOADS] = {"loader.loads", "", "os"},
    [LOADER_HITS] = {"loader.hits", "", "os"},
    [LOADER_PREFETCHED] = {"loader.prefetched", "", "os"},
    [LOADER_WAITS] = {"loader.waits", "", "os"},
    [LOADER_WASTED] = {"loader.wasted", "", "os"},
    [LOADER_FINISHED_READS] = {"loader.finished_reads", "", "os"},
    [LOADER_WINDOW] = {"loader.window", "layers", "os"},
    [LOADER_PREDICTED_NS] = {"loader.predicted_time", "ns", "model"},
    [LOADER_BOUND_NS] = {"loader.bound_time", "ns", "model"},
    [LOADER_OVER_PREDICTED] = {"loader.over_predicted", "", "clock"},
};

bool loader_log_open(LoaderLog *log, const HyperionProgressiveLoader *loader,
                     const HyperionModel *model, size_t cap_bytes)
{
    const int layer_count = hyperionModelLayerCount(model);
    const size_t room = (size_t)layer_count + 1;
    *log = (LoaderLog){.loader = loader,
                       .model = model,
                       .cap_bytes = cap_bytes,
                       .load_counts = calloc(room, sizeof *log->load_counts),
                       .layers = calloc(room, sizeof *log->layers),
                       .load_ns = calloc(room, sizeof *log->load_ns),
                       .compute_ns = calloc(room, sizeof *log->compute_ns),
                       .size_bytes = calloc(room, sizeof *log->size_bytes)};
    if (!log->load_counts || !log->layers || !log->load_ns || !log->compute_ns || !log->size_bytes)
        return false;
    size_t count = 0;
    for (int i = 0; i < layer_count; i++) {
        const HyperionLoaderLayerTimes times = hyperionGetLoaderLayerTimes(loader, i);
        if (times.size_bytes == 0)
            continue;
        log->layers[count] = i;
        log->size_bytes[count++] = times.size_bytes;
    }
    log->pipeline = (HyperionPipeline){.load = log->load_ns,
                                       .compute = log->compute_ns,
                                       .size_bytes = log->size_bytes,
                                       .layer_count = count};
    return true;
}

void loader_log_close(LoaderLog *log)
{
    free(log->load_counts);
    free(log->layers);
    free(log->load_ns);
    free(log->compute_ns);
    free(log->size_bytes);
    *log = (LoaderLog){.loader = NULL};
}

void loader_log_begin(LoaderLog *log)
{
    log->before = hyperionGetLoaderIOStats(log->loader);
    for (size_t i = 0; i < log->pipeline.layer_count; i++)
        log->load_counts[i] = hyperionGetLoaderLayerTimes(log->loader, log->layers[i]).load_count;
    log->is_open = true;
}

// A layer that was there from an earlier pass took no time to load; what was done of a load before
// the pass began is not of the pass.
static double find_load_ns(const LoaderLog *log, size_t step, const HyperionLoaderLayerTimes *times)
{
    if (times->load_count == log->load_counts[step])
        return 0;
    return fmax((double)times->load_end_ns - fmax((double)times->load_start_ns, log->start_ns), 0);
}

static void note_layers(LoaderLog *log, double *load_ns, double *compute_ns)
{
    for (size_t i = 0; i < log->pipeline.layer_count; i++) {
        const HyperionLoaderLayerTimes times =
            hyperionGetLoaderLayerTimes(log->loader, log->layers[i]);
        log->load_ns[i] = find_load_ns(log, i, &times);
        log->compute_ns[i] = (double)(times.compute_end_ns - times.compute_start_ns);
        *load_ns += log->load_ns[i];
        *compute_ns += log->compute_ns[i];
    }
}

void loader_log_end(LoaderLog *log)
{
    const HyperionLoaderIOStats now = hyperionGetLoaderIOStats(log->loader);
    const HyperionLoaderIOStats *before = &log->before;
    if (!log->is_open)
        return;
    log->is_open = false;
    double values[LOADER_VALUE_COUNT] = {
        [LOADER_STALL_NS] = (double)(now.stall_ns - before->stall_ns),
        [LOADER_READ_BYTES] = (double)(now.loaded_bytes - before->loaded_bytes),
        [LOADER_LOADS] = (double)(now.load_count - before->load_count),
        [LOADER_HITS] = (double)(now.hit_count - before->hit_count),
        [LOADER_PREFETCHED] = (double)(now.prefetched_count - before->prefetched_count),
        [LOADER_WAITS] = (double)(now.wait_count - before->wait_count),
        [LOADER_WASTED] = (double)(now.wasted_count - before->wasted_count),
        [LOADER_FINISHED_READS] = (double)(now.short_count - before->short_count) +
                                  (double)(now.retry_count - before->retry_count),
        [LOADER_WINDOW] = now.window,
    };
    note_layers(log, &values[LOADER_LOAD_NS], &values[LOADER_COMPUTE_NS]);
    const HyperionPipelineTime time =
        hyperionPlanPipeline(&log->pipeline, (size_t)now.window, log->cap_bytes);
    values[LOADER_PREDICTED_NS] =
        time.valid && isfinite(time.makespan) ? time.makespan : (double)NAN;
    values[LOADER_OVER_PREDICTED] = (log->end_ns - log->start_ns) / values[LOADER_PREDICTED_NS];
    values[LOADER_BOUND_NS] = time.valid ? time.bound : (double)NAN;
    for (int i = 0; i < LOADER_VALUE_COUNT; i++)
        log->values[i][log->pass_count % LOADER_KEPT_PASSES] = values[i];
    log->pass_count++;
}

bool loader_log_add(const LoaderLog *log, Sample *sample)
{
    const size_t kept =
        log->pass_count < LOADER_KEPT_PASSES ? log->pass_count : (size_t)LOADER_KEPT_PASSES;
    for (int i = 0; i < LOADER_VALUE_COUNT; i++) {
        const double value = stat_median(log->values[i], kept);
        if (!sample_add_value(
                sample, value_table[i].name, value, value_table[i].unit, value_table[i].provenance,
                isnan(value) ? "no pass, or none that the planner has a time for" : ""))
            return false;
    }
    return true;
}

static bool add_step(Sample *sample, size_t step, const char *what, double value, const char *unit,
                     const char *provenance)
{
    char name[sizeof sample->values->name];
    (void)snprintf(name, sizeof name, "step%zu.%.70s", step, what);
    return sample_add_value(sample, name, value, unit, provenance, "");
}

bool loader_log_add_timeline(const LoaderLog *log, Sample *sample)
{
    for (size_t i = 0; i < log->pipeline.layer_count; i++) {
        const HyperionLoaderLayerTimes times =
            hyperionGetLoaderLayerTimes(log->loader, log->layers[i]);
        if (log->load_ns[i] > 0 &&
            !(add_step(sample, i, "load_at",
                       (double)times.load_end_ns - log->load_ns[i] - log->start_ns, "ns",
                       "clock") &&
              add_step(sample, i, "load", log->load_ns[i], "ns", "clock")))
            return false;
        if (!(add_step(sample, i, "compute_at", (double)times.compute_start_ns - log->start_ns,
                       "ns", "clock") &&
              add_step(sample, i, "compute", log->compute_ns[i], "ns", "clock")))
            return false;
    }
    return true;
}

bool loader_log_add_layers(const LoaderLog *log, Sample *sample)
{
    for (size_t i = 0; i < log->pipeline.layer_count; i++) {
        const HyperionLayerInfo info = hyperionModelLayer(log->model, log->layers[i]);
        const size_t length = strlen(info.name);
        char what[LONGEST_NAME + 48];
        // Of a long name the end tells more than the beginning.
        (void)snprintf(what, sizeof what, "is.%d.%.24s.%s", log->layers[i], info.op_name,
                       info.name + (length > LONGEST_NAME ? length - LONGEST_NAME : 0));
        if (!add_step(sample, i, what, (double)log->size_bytes[i], "B", "model"))
            return false;
    }
    return true;
}
