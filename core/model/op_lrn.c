// SPDX-License-Identifier: Apache-2.0
#include "model/band.h"

#include "parallel_for.h"

#include <inttypes.h>
#include <math.h>

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    HyperionLayerAttributes *attributes = &layer->attributes;
    if (in->rank < 2)
        return hyp_layer_fail(layer, "input '%s' has %d dimensions, expected at least 2",
                              model->tensors[layer->inputs[0]].name, in->rank);
    if (attributes->size == 0)
        attributes->size = 1;
    if (attributes->size < 1 || attributes->size > INT32_MAX)
        return hyp_layer_fail(layer, "size is %" PRId64 ", expected 1 to %d", attributes->size,
                              INT32_MAX);
    *result = *in;
    return true;
}

// Nominally a square and a sum for each channel of a window, and a power.
static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return (2.0 * (double)layer->attributes.size + 2.0) *
           (double)hyp_layer_output(model, layer)->element_count;
}

typedef struct LrnPlane {
    const HyperionLayerAttributes *attributes;
    const float *image; // all channels of it
    float *out;         // one channel
    size_t channel, channels, size;
} LrnPlane;

static void normalise_plane(const LrnPlane *plane)
{
    const size_t size = (size_t)plane->attributes->size;
    const size_t before = (size - 1) / 2;
    const size_t first = plane->channel > before ? plane->channel - before : 0;
    const size_t last = plane->channel + (size - 1 - before);
    const size_t end = last < plane->channels ? last + 1 : plane->channels;
    const float factor = plane->attributes->alpha / (float)size;
    for (size_t i = 0; i < plane->size; i++)
        plane->out[i] = 0.0F;
    for (size_t c = first; c < end; c++)
        for (size_t i = 0; i < plane->size; i++) {
            const float x = plane->image[c * plane->size + i];
            plane->out[i] += x * x;
        }
    const float *in = plane->image + plane->channel * plane->size;
    for (size_t i = 0; i < plane->size; i++)
        plane->out[i] =
            in[i] / powf(plane->attributes->bias + factor * plane->out[i], plane->attributes->beta);
}

static void normalise_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypLayerRun *run = call->args;
    const HypShape *shape = hyp_layer_output(run->model, run->layer);
    const float *image = hyp_run_input_bytes(run, 0);
    const size_t channels = (size_t)shape->dims[1];
    const size_t size = hyp_shape_product(shape, 2, shape->rank);
    if (channels == 0)
        return;
    const HypRange planes =
        hyp_parallel_part((size_t)shape->dims[0] * channels, 1, call->threads, thread);
    for (size_t p = planes.first; p < planes.end; p++) {
        const LrnPlane plane = {.attributes = &run->layer->attributes,
                                .image = image + p / channels * channels * size,
                                .out = hyp_run_output(run) + p * size,
                                .channel = p % channels,
                                .channels = channels,
                                .size = size};
        normalise_plane(&plane);
    }
}

static void execute(const HypLayerRun *run)
{
    hyp_parallel_call(run->parallel, HYP_WORK_EXPONENTIAL * count_flops(run->model, run->layer),
                      normalise_part, run);
}

// Sums go over axis 1, the channels.
static bool find_band(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                      HypBandInput *input)
{
    return hyp_layer_output(model, layer)->rank != 3 &&
           hyp_band_alike(model, layer, index, made, input);
}

const HypLayerOp hyp_layer_op_lrn = {
    .name = "lrn",
    .least_inputs = 1,
    .most_inputs = 1,
    .band = find_band,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
