// SPDX-License-Identifier: Apache-2.0
// model_replay.c - one forward pass of a model, told to a simulator: the layers run as always, but
// with kernels that only tell what they would touch.
#include "cache/layer_traffic.h"
#include "cache/model_pass.h"
#include "cache/replay.h"
#include "common/fail.h"

#include <stdlib.h>

typedef struct ModelReplay {
    HypModelPass pass;
    void *workspace; // real: some kernels write offsets there
} ModelReplay;

// Whether all memory that the layer touches is touched by kernels.
static bool is_of_kernels(const HyperionModel *model, const HypLayer *layer)
{
    enum { IMAGE_RANK = 4 }; // with depth, planes are copied around the kernel
    const HypShape *out = hyp_layer_output(model, layer);
    switch (layer->op) {
    case HYPERION_LAYER_GEMM:
    case HYPERION_LAYER_MATMUL:
    case HYPERION_LAYER_ACTIVATION:
    case HYPERION_LAYER_SOFTMAX:
    case HYPERION_LAYER_LAYERNORM:
    case HYPERION_LAYER_ATTENTION:
    case HYPERION_LAYER_SCALE_SHIFT:
    case HYPERION_LAYER_BINARY: return out->type == HYPERION_TYPE_F32;
    case HYPERION_LAYER_CONV2D:
    case HYPERION_LAYER_MAX_POOL:
    case HYPERION_LAYER_AVERAGE_POOL: return out->rank <= IMAGE_RANK;
    default: return false;
    }
}

// Memory that is passed over from front to back.
typedef struct Stream {
    uintptr_t start;
    size_t bytes;
    size_t touched_bytes; // of these
} Stream;

// One line of it, the `step`-th of `steps` on the way.
static void tell_line(HyperionSimulator *simulator, const Stream *stream, size_t step, size_t steps,
                      HyperionTouch kind)
{
    const size_t place = (size_t)((double)stream->bytes * (double)step / (double)steps);
    if (place < stream->bytes)
        hyperionSimulatorTouch(simulator, stream->start + place, 1, kind);
}

static Stream input_stream(const HypLayerRun *run, int input)
{
    const HypReach reach = hyp_layer_reach(run->model, run->layer, input);
    return (Stream){(uintptr_t)hyp_run_required(run, input) + reach.first_byte, reach.span_bytes,
                    reach.read_bytes};
}

// All tensors side by side.
static void tell_streams(const HypLayerRun *run, HyperionSimulator *simulator)
{
    const size_t line_bytes = hyp_replay_sink(simulator).line_bytes;
    const Stream out = {(uintptr_t)hyp_run_output(run),
                        hyp_layer_output(run->model, run->layer)->size_bytes,
                        hyp_layer_output(run->model, run->layer)->size_bytes};
    const int inputs = run->layer->input_count;
    size_t most_bytes = out.bytes;
    for (int i = 0; i < inputs; i++) {
        const size_t bytes = input_stream(run, i).touched_bytes;
        most_bytes = bytes > most_bytes ? bytes : most_bytes;
    }
    const size_t steps = most_bytes / line_bytes + 1;
    for (size_t step = 0; step < steps; step++) {
        for (int i = 0; i < inputs; i++) {
            const Stream in = input_stream(run, i);
            tell_line(simulator, &in, step, steps, HYPERION_TOUCH_READ);
        }
        tell_line(simulator, &out, step, steps, HYPERION_TOUCH_WRITE);
    }
}

// Pieces of rows, one after another.
static void tell_copy(const HypBandCopy *copy)
{
    const HypStridedCopy *pieces = &copy->pieces;
    const size_t bytes = pieces->extents[1] * pieces->element_bytes;
    for (size_t piece = 0; piece < pieces->extents[0]; piece++) {
        const size_t from = piece * (size_t)pieces->in_strides[0] * pieces->element_bytes;
        const size_t to = piece * (size_t)pieces->out_strides[0] * pieces->element_bytes;
        hyp_touch_copy((void *)((uintptr_t)copy->to + to),
                       (const void *)((uintptr_t)copy->from + from), bytes);
    }
}

static void tell_part(HyperionSimulator *simulator, const HypLayerRun *part)
{
    const HyperionParallel parallel = hyperionSimulatorParallel(simulator);
    HypLayerRun told = *part;
    told.parallel = &parallel;
    told.copy = hyp_touch_copy;
    if (is_of_kernels(part->model, part->layer))
        hyp_layer_op(part->layer->op)->execute(&told);
    else
        tell_streams(part, simulator);
}

static bool tell_model(HyperionSimulator *simulator, void *context)
{
    ModelReplay *replay = context;
    HypModelPass *pass = &replay->pass;
    const HypTouchSink sink = hyp_replay_sink(simulator);
    hyp_touch_begin(&sink);
    hyp_model_pass_rewind(pass);
    for (int step = 0; step < pass->plan->step_count; step++) {
        HypBandCopy copy;
        const HypLayerRun run = hyp_model_pass_step(pass, step);
        const HypLayerRun part = hyp_model_pass_part(pass, step, &run);
        const int inputs = run.layer->input_count;
        for (int i = 0; i < inputs; i++)
            if (hyp_model_pass_copy(pass, step, &run, i, &copy))
                tell_copy(&copy);
        tell_part(simulator, &part);
        if (hyp_model_pass_copy(pass, step, &run, inputs, &copy))
            tell_copy(&copy);
    }
    return true;
}

static bool open_replay(ModelReplay *replay, HyperionModel *model,
                        HypKernelVariant kernels[HYP_OP_COUNT])
{
    enum { ALIGNMENT = 4096 };
    HypDispatch dispatch = model->settings.dispatch;
    for (int op = 0; op < HYP_OP_COUNT; op++) {
        kernels[op] = *model->settings.dispatch.best[op];
        kernels[op].fn = kernels[op].touch;
        dispatch.best[op] = &kernels[op];
    }
    if (!hyp_model_pass_open(&replay->pass, model, model->settings.thread_count, &dispatch))
        return false;
    const size_t bytes = replay->pass.workspace_bytes;
    replay->workspace = aligned_alloc(ALIGNMENT, (bytes / ALIGNMENT + 1) * ALIGNMENT);
    replay->pass.workspace = replay->workspace;
    return replay->workspace ||
           hyp_fail(HYPERION_ERROR_MEMORY, "replay of a model: out of memory for %zu bytes", bytes);
}

HyperionCacheStats hyp_replay_model(HyperionModel *model, const HyperionCacheTopology *topology)
{
    HyperionCacheStats stats = {.valid = false};
    HypKernelVariant kernels[HYP_OP_COUNT]; // whose functions are those that touch
    ModelReplay replay = {.workspace = NULL};
    if (open_replay(&replay, model, kernels))
        stats = hyp_replay(topology, model->settings.thread_count, &model->settings.prediction,
                           tell_model, &replay);
    hyp_model_pass_close(&replay.pass);
    free(replay.workspace);
    return stats;
}
