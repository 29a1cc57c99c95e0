// SPDX-License-Identifier: Apache-2.0
// pipeline.c - times of layers that stream, and hits of repeated passes: pure functions.
#include "hyperion/planners.h"

#include "common/fail.h"

#include <math.h>
#include <stdlib.h>

static bool check_times(const HyperionPipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->layer_count; i++) {
        const double load = pipeline->load[i];
        const double compute = pipeline->compute[i];
        if (!(load >= 0 && isfinite(load) && compute >= 0 && isfinite(compute)))
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "plan pipeline: layer %zu: times are finite and not negative, given "
                            "load %g and compute %g",
                            i, load, compute);
    }
    return true;
}

static bool check_pipeline(const HyperionPipeline *pipeline, size_t byte_cap)
{
    if (!pipeline || (pipeline->layer_count && (!pipeline->load || !pipeline->compute ||
                                                (byte_cap && !pipeline->size_bytes))))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "plan pipeline: %s NULL",
                        !pipeline                               ? "the pipeline is"
                        : !pipeline->load || !pipeline->compute ? "load or compute is"
                                                                : "sizes under a byte cap are");
    return check_times(pipeline);
}

// The largest, over k, of loads up to k and computes from k on.
static double find_bound(const HyperionPipeline *pipeline)
{
    double sum = 0;
    double bound = 0;
    for (size_t i = 0; i < pipeline->layer_count; i++)
        sum += pipeline->compute[i];
    for (size_t i = 0; i < pipeline->layer_count; i++) {
        sum += pipeline->load[i];
        bound = fmax(bound, sum);
        sum -= pipeline->compute[i];
    }
    return bound;
}

// `ends` is scratch of layer_count + 1: ends[i] is when layers below i are computed.
static double find_makespan(const HyperionPipeline *pipeline, size_t window, size_t byte_cap,
                            double *ends)
{
    size_t oldest = 0; // of the layers whose memory is taken while layer i loads
    size_t taken_bytes = 0;
    double loaded = 0;
    ends[0] = 0;
    for (size_t i = 0; i < pipeline->layer_count; i++) {
        if (byte_cap) {
            const size_t size_bytes = pipeline->size_bytes[i];
            if (size_bytes > byte_cap)
                return INFINITY;
            while (taken_bytes > byte_cap - size_bytes)
                taken_bytes -= pipeline->size_bytes[oldest++];
            taken_bytes += size_bytes;
        }
        for (; i > window && oldest < i - window; oldest++)
            taken_bytes -= byte_cap ? pipeline->size_bytes[oldest] : 0;
        loaded = fmax(loaded, ends[oldest]) + pipeline->load[i];
        ends[i + 1] = fmax(loaded, ends[i]) + pipeline->compute[i];
    }
    return ends[pipeline->layer_count];
}

static double *allocate_ends(const HyperionPipeline *pipeline)
{
    double *ends = calloc(pipeline->layer_count + 1, sizeof *ends);
    if (!ends)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan pipeline: out of memory");
    return ends;
}

HyperionPipelineTime hyperionPlanPipeline(const HyperionPipeline *pipeline, size_t window,
                                          size_t byte_cap)
{
    double *ends = check_pipeline(pipeline, byte_cap) ? allocate_ends(pipeline) : NULL;
    if (!ends)
        return (HyperionPipelineTime){.valid = false};
    const double makespan = find_makespan(pipeline, window, byte_cap, ends);
    free(ends);
    return (HyperionPipelineTime){
        .makespan = makespan, .bound = find_bound(pipeline), .valid = true};
}

size_t hyperionChoosePrefetchWindow(const HyperionPipeline *pipeline, size_t most_window,
                                    size_t byte_cap)
{
    const double slack = 1.02;
    double *ends = check_pipeline(pipeline, byte_cap) ? allocate_ends(pipeline) : NULL;
    if (!ends)
        return SIZE_MAX;
    const double best = find_makespan(pipeline, most_window, byte_cap, ends);
    size_t low = 0;
    size_t high = most_window;
    // A window more than there are layers changes nothing; a wider one is never slower.
    if (isfinite(best) && high > pipeline->layer_count)
        high = pipeline->layer_count;
    while (isfinite(best) && low < high) {
        const size_t middle = low + (high - low) / 2;
        if (find_makespan(pipeline, middle, byte_cap, ends) <= slack * best)
            high = middle;
        else
            low = middle + 1;
    }
    free(ends);
    return high;
}

// With forced load Belady's victim is always the layer that was in use last: of those in memory it
// is the one that comes again after all others, or, in the last pass, never.
uint64_t hyperionCountCyclicHits(size_t layer_count, size_t capacity, size_t pass_count)
{
    if (capacity == 0) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "count cyclic hits: there is room for no layer");
        return UINT64_MAX;
    }
    if (layer_count == 0 || pass_count == 0)
        return 0;
    if (capacity >= layer_count)
        return (uint64_t)layer_count * (pass_count - 1);
    bool *is_loaded = calloc(layer_count, sizeof *is_loaded);
    if (!is_loaded) {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "count cyclic hits: out of memory");
        return UINT64_MAX;
    }
    uint64_t hits = 0;
    size_t loaded_count = 0;
    for (size_t pass = 0; pass < pass_count; pass++)
        for (size_t layer = 0; layer < layer_count; layer++) {
            if (is_loaded[layer]) {
                hits++;
                continue;
            }
            if (loaded_count == capacity)
                is_loaded[(layer ? layer : layer_count) - 1] = false;
            else
                loaded_count++;
            is_loaded[layer] = true;
        }
    free(is_loaded);
    return hits;
}
