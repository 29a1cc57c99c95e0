// SPDX-License-Identifier: Apache-2.0
// model_replay.c - one forward pass of a model, told to a simulator: the layers run as always, but
// with kernels that only tell what they would touch.
#include "cache/layer_traffic.h"
#include "cache/replay.h"
#include "common/fail.h"
#include "model/layer_op.h"
#include "model/thread_pool.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 4096 };

typedef struct ModelReplay {
    HyperionModel *model;                   // a copy that has `kernels` for its own
    HypKernelVariant kernels[HYP_OP_COUNT]; // whose functions are those that touch
    void **data;                            // by tensor: where it lies
    void **packed;                          // by layer
    void *workspace;                        // real: some kernels write offsets there
    uintptr_t end;                          // of what has been placed
} ModelReplay;

static void *place(ModelReplay *replay, size_t bytes)
{
    const uintptr_t start = replay->end;
    replay->end += (bytes / PAGE_BYTES + 1) * PAGE_BYTES;
    return (void *)start;
}

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

static bool describe_run(const ModelReplay *replay, int index, HypLayerRun *run)
{
    const HypLayer *layer = &replay->model->layers[index];
    *run = (HypLayerRun){.model = replay->model,
                         .layer = layer,
                         .data = replay->data,
                         .packed = replay->packed[index],
                         .workspace = replay->workspace};
    return hyp_layer_blocking(replay->model, layer, &run->blocking);
}

// Memory that is passed over from front to back.
typedef struct Stream {
    uintptr_t start;
    size_t bytes;
} Stream;

// One line of it, the `step`-th of `steps` on the way.
static void tell_line(HyperionSimulator *simulator, const Stream *stream, size_t step, size_t steps,
                      HyperionTouch kind)
{
    const size_t place = (size_t)((double)stream->bytes * (double)step / (double)steps);
    if (place < stream->bytes)
        hyperionSimulatorTouch(simulator, stream->start + place, 1, kind);
}

static Stream input_stream(const ModelReplay *replay, const HypLayer *layer, int input)
{
    return (Stream){(uintptr_t)replay->data[layer->inputs[input]],
                    hyp_layer_read_bytes(replay->model, layer, input)};
}

// All tensors side by side.
static void tell_streams(const ModelReplay *replay, const HypLayer *layer,
                         HyperionSimulator *simulator, size_t line_bytes)
{
    const Stream out = {(uintptr_t)replay->data[layer->outputs[0]],
                        hyp_layer_output(replay->model, layer)->size_bytes};
    size_t most_bytes = out.bytes;
    for (int i = 0; i < layer->input_count; i++) {
        const size_t bytes = input_stream(replay, layer, i).bytes;
        most_bytes = bytes > most_bytes ? bytes : most_bytes;
    }
    const size_t steps = most_bytes / line_bytes + 1;
    for (size_t step = 0; step < steps; step++) {
        for (int i = 0; i < layer->input_count; i++) {
            const Stream in = input_stream(replay, layer, i);
            tell_line(simulator, &in, step, steps, HYPERION_TOUCH_READ);
        }
        tell_line(simulator, &out, step, steps, HYPERION_TOUCH_WRITE);
    }
}

static bool tell_model(HyperionSimulator *simulator, const void *context)
{
    const ModelReplay *replay = context;
    const HyperionModel *model = replay->model;
    const HyperionParallel parallel = hyperionSimulatorParallel(simulator);
    const HypTouchSink sink = hyp_replay_sink(simulator);
    for (int i = 0; i < model->layer_count; i++) {
        HypLayerRun run;
        if (hyp_layer_is_view(model, &model->layers[i]))
            continue;
        if (!is_of_kernels(model, &model->layers[i])) {
            tell_streams(replay, &model->layers[i], simulator, sink.line_bytes);
            continue;
        }
        if (!describe_run(replay, i, &run))
            return false;
        run.parallel = &parallel;
        hyp_touch_begin(&sink);
        hyp_layer_op(model->layers[i].op)->execute(&run);
    }
    return true;
}

static void place_tensors(ModelReplay *replay)
{
    const HyperionModel *model = replay->model;
    for (int i = 0; i < model->tensor_count; i++)
        if (model->tensors[i].view_of < 0)
            replay->data[i] = model->tensors[i].data
                                  ? model->tensors[i].data
                                  : place(replay, model->tensors[i].shape.size_bytes);
    for (int i = 0; i < model->tensor_count; i++)
        replay->data[i] = replay->data[hyp_model_root(model, i)];
}

// Packed weights, and the largest workspace of a layer on as many threads as there will be.
static bool place_scratch(ModelReplay *replay, const HyperionModel *original)
{
    const HyperionParallel parallel = {.threads = (size_t)replay->model->settings.thread_count,
                                       .least_work = HYP_LEAST_WORK};
    size_t most_bytes = 0;
    for (int i = 0; i < replay->model->layer_count; i++) {
        const HypLayerOp *op = hyp_layer_op(replay->model->layers[i].op);
        HypLayerRun run;
        if (!describe_run(replay, i, &run))
            return false;
        run.parallel = &parallel;
        if (hyp_model_layer_is_packed(original, i) && op->packed_bytes)
            run.packed = replay->packed[i] = place(replay, op->packed_bytes(&run));
        const size_t bytes = hyp_layer_workspace_bytes(&run);
        most_bytes = bytes > most_bytes ? bytes : most_bytes;
    }
    replay->workspace = aligned_alloc(PAGE_BYTES, (most_bytes / PAGE_BYTES + 1) * PAGE_BYTES);
    return replay->workspace ||
           hyp_fail(HYPERION_ERROR_MEMORY, "replay of a model: out of memory for %zu bytes",
                    most_bytes);
}

static bool open_replay(ModelReplay *replay, const HyperionModel *model)
{
    replay->end = PAGE_BYTES;
    replay->model = malloc(sizeof *replay->model);
    replay->data = calloc((size_t)model->tensor_count + 1, sizeof *replay->data);
    replay->packed = calloc((size_t)model->layer_count + 1, sizeof *replay->packed);
    if (!replay->model || !replay->data || !replay->packed)
        return hyp_fail(HYPERION_ERROR_MEMORY, "replay of a model: out of memory");
    memcpy(replay->model, model, sizeof *model);
    for (int op = 0; op < HYP_OP_COUNT; op++) {
        replay->kernels[op] = *model->settings.dispatch.best[op];
        replay->kernels[op].fn = replay->kernels[op].touch;
        replay->model->settings.dispatch.best[op] = &replay->kernels[op];
    }
    place_tensors(replay);
    return place_scratch(replay, model);
}

HyperionCacheStats hyp_replay_model(const HyperionModel *model,
                                    const HyperionCacheTopology *topology)
{
    HyperionCacheStats stats = {.valid = false};
    ModelReplay replay = {.model = NULL};
    if (open_replay(&replay, model))
        stats = hyp_replay(topology, model->settings.thread_count, &model->settings.prediction,
                           tell_model, &replay);
    if (stats.valid)
        stats.layers_modelled = stats.layers_total = model->layer_count;
    free(replay.model);
    free((void *)replay.data);
    free((void *)replay.packed);
    free(replay.workspace);
    return stats;
}
