// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding (Su et al. 2021): pair i of a head of dim elements at position p is
// turned by the angle p * base^(-2 i / dim).
#include "model/layer_op.h"

#include "common/size_math.h"

#include "parallel_for.h"

#include <inttypes.h>
#include <math.h>

typedef struct Rope {
    const HyperionLayerAttributes *attributes;
    size_t rows, seq; // rows are positions of all sequences
    size_t half;      // pairs of a head
    const float *in;
    float *out;
    double *frequencies; // half of them
    float *turns;        // of each thread: half cosines, half sines
} Rope;

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    HyperionLayerAttributes *attributes = &layer->attributes;
    char text[HYP_SHAPE_TEXT_BYTES];
    if (attributes->heads == 0)
        attributes->heads = 1;
    if (!(attributes->rotary_base != 0.0F))
        attributes->rotary_base = 10000.0F;
    if (!(attributes->rotary_base > 0) || !isfinite(attributes->rotary_base))
        return hyp_layer_fail(layer, "base %g, expected more than 0",
                              (double)attributes->rotary_base);
    if (in->rank < 2 || attributes->heads < 1 || attributes->heads > INT32_MAX ||
        in->dims[in->rank - 1] % (2 * attributes->heads) != 0)
        return hyp_layer_fail(layer, "'%s' is %s, expected %" PRId64 " heads of an even length",
                              model->tensors[layer->inputs[0]].name, hyp_shape_text(in, text),
                              attributes->heads);
    return hyp_layer_result(layer, result, in->rank, in->dims);
}

// Nominally a complex product a pair.
static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return 3.0 * (double)hyp_layer_output(model, layer)->element_count;
}

static size_t count_pairs(const HypLayerRun *run)
{
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    return (size_t)(in->dims[in->rank - 1] / run->layer->attributes.heads / 2);
}

static size_t count_workspace_bytes(const HypLayerRun *run)
{
    const size_t half = count_pairs(run);
    size_t bytes;
    if (!hyp_size_multiply(run->parallel->threads, 2 * sizeof(float), &bytes) ||
        !hyp_size_add(bytes, sizeof(double), &bytes) || !hyp_size_multiply(bytes, half, &bytes))
        return SIZE_MAX;
    return bytes;
}

// Element i of a pair is `step` x i elements into the head, the other `distance` behind it.
static void turn_head(const float *in, float *out, size_t half, size_t step, size_t distance,
                      const float *cosines, const float *sines)
{
    for (size_t i = 0; i < half; i++) {
        const float a = in[i * step];
        const float b = in[i * step + distance];
        out[i * step] = a * cosines[i] - b * sines[i];
        out[i * step + distance] = b * cosines[i] + a * sines[i];
    }
}

static void turn_rows(void *context, size_t thread)
{
    const HypParallelCall *call = context;
    const Rope *rope = call->args;
    const size_t half = rope->half;
    const size_t heads = (size_t)rope->attributes->heads;
    const bool interleaved = rope->attributes->rotary_interleaved;
    float *cosines = rope->turns + thread * 2 * half;
    float *sines = cosines + half;
    const HypRange range = hyp_parallel_part(rope->rows, 1, call->threads, thread);
    for (size_t row = range.first; row < range.end; row++) {
        const double position =
            (double)rope->attributes->first_position + (double)(row % rope->seq);
        for (size_t i = 0; i < half; i++) {
            const double angle = position * rope->frequencies[i];
            cosines[i] = (float)cos(angle);
            sines[i] = (float)sin(angle);
        }
        for (size_t head = 0; head < heads; head++) {
            const size_t offset = (row * heads + head) * 2 * half;
            turn_head(rope->in + offset, rope->out + offset, half, interleaved ? 2 : 1,
                      interleaved ? 1 : half, cosines, sines);
        }
    }
}

static void execute(const HypLayerRun *run)
{
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    Rope rope = {
        .attributes = &run->layer->attributes,
        .rows = hyp_shape_product(in, 0, in->rank - 1),
        .seq = (size_t)in->dims[in->rank - 2],
        .half = count_pairs(run),
        .in = hyp_run_required(run, 0),
        .out = hyp_run_output(run),
        .frequencies = run->workspace,
    };
    if (in->element_count == 0)
        return;
    rope.turns = (float *)(rope.frequencies + rope.half);
    for (size_t i = 0; i < rope.half; i++)
        rope.frequencies[i] =
            pow((double)rope.attributes->rotary_base, -(double)i / (double)rope.half);
    // A cosine and a sine a pair, whatever the heads.
    const double work = (double)in->element_count * HYP_WORK_STREAMED +
                        (double)rope.rows * (double)rope.half * 2 * HYP_WORK_EXPONENTIAL;
    hyp_parallel_call(run->parallel, work, turn_rows, &rope);
}

const HypLayerOp hyp_layer_op_rope = {
    .name = "rope",
    .least_inputs = 1,
    .most_inputs = 1,
    .infer = infer,
    .flops = count_flops,
    .workspace_bytes = count_workspace_bytes,
    .execute = execute,
};
