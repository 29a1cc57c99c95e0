// SPDX-License-Identifier: Apache-2.0
// depthwise2d_nest.h - convolution of each channel with filters of its own, written once over the
// vector vocabulary of a level. Included by level/<level>/depthwise2d_<level>.c after its
// vec_<level>.h.
#ifndef HYP_DEPTHWISE2D_NEST_H
#define HYP_DEPTHWISE2D_NEST_H

#include "activation/activation_math.h"
#include "conv/depthwise2d_layout.h"
#include "conv/image_lines.h"

// Some rows of one plane of the result.
typedef struct DepthwiseBand {
    const float *plane; // of the image
    const float *filter;
    float bias;
    size_t first, rows;
    float *out; // its first row
} DepthwiseBand;

// The workspace of a thread.
typedef struct DepthwiseMemory {
    size_t *offsets; // by tap: where in the slots its run begins
    float *slots;
    float *sums;
} DepthwiseMemory;

static DepthwiseMemory depthwise_memory(const HypConv2dArgs *args, const DepthwiseLayout *layout,
                                        size_t thread)
{
    const size_t taps = args->kernel_h * args->kernel_w;
    float *own = (float *)args->workspace + thread * layout->thread_floats;
    DepthwiseMemory memory = {.offsets = (size_t *)(void *)own,
                              .slots =
                                  own + depthwise_round_up(taps * sizeof(size_t) / sizeof(float)),
                              .sums = own + layout->thread_floats - layout->sums_floats};
    for (size_t tap = 0; tap < taps; tap++) {
        size_t row_shift;
        size_t column_shift;
        const size_t row_slot =
            depthwise_slot(&layout->rows, tap / args->kernel_w, args->dilation_h, &row_shift);
        const size_t column_slot =
            depthwise_slot(&layout->columns, tap % args->kernel_w, args->dilation_w, &column_shift);
        one_store_offset(memory.offsets + tap,
                         (row_slot * layout->columns.slots + column_slot) * layout->slot_floats +
                             row_shift * layout->pitch + column_shift);
    }
    return memory;
}

static void depthwise_fill_slots(const HypConv2dArgs *args, const DepthwiseLayout *layout,
                                 const DepthwiseBand *band, float *slots)
{
    const size_t columns = layout->columns.slots;
    const size_t count = layout->rows.slots * columns;
    for (size_t slot = 0; slot < count; slot++) {
        const size_t row_start = slot / columns * layout->rows.slot_step;
        const size_t column_start = slot % columns * layout->columns.slot_step;
        float *to = slots + slot * layout->slot_floats;
        for (size_t q = 0; q < band->rows + layout->rows.reach; q++, to += layout->pitch) {
            // Above the image it wraps to past its end.
            const size_t y = (band->first + q) * args->stride_h + row_start - args->pad_top;
            if (y < args->height)
                gather_line(band->plane + y * args->width, args->width, column_start,
                            args->pad_left, args->stride_w, layout->pitch, to);
            else
                zero_floats(layout->pitch, to);
        }
    }
    for (size_t i = 0; i < DEPTHWISE_SLACK_FLOATS; i++) // read with the last sums, never used
        one_store(slots + count * layout->slot_floats + i, 0);
}

// sums[i] = sum over taps of filter[tap] * slots[offsets[tap] + i] for `vectors` vectors.
VEC_FN void depthwise_sum(const float *slots, const size_t *offsets, const float *filter,
                          size_t taps, size_t vectors, float *sums)
{
    vec sum[4];
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++)
        sum[v] = vec_zero();
    for (size_t tap = 0; tap < taps; tap++) {
        const vec weight = vec_set(one_load(filter + tap));
        const float *from = slots + one_load_offset(offsets + tap);
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            sum[v] = vec_fma(weight, vec_load(from + v * VEC_LANES), sum[v]);
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++)
        vec_store(sums + v * VEC_LANES, sum[v]);
}

VEC_FN void depthwise_store(const HypConv2dArgs *args, const DepthwiseLayout *layout,
                            const DepthwiseBand *band, const float *sums)
{
    const vec bias = vec_set(band->bias);
    const vec alpha = vec_set(args->alpha);
    const vec beta = vec_set(args->beta);
    const size_t width = args->out_width;
    for (size_t y = 0; y < band->rows; y++) {
        const float *from = sums + y * layout->pitch;
        float *to = band->out + y * width;
        size_t x = 0;
        for (; x + VEC_LANES <= width; x += VEC_LANES)
            vec_store(to + x, vec_activate(args->activation, alpha, beta,
                                           vec_add(vec_load(from + x), bias)));
        if (x < width)
            vec_store_part(
                to + x,
                vec_activate(args->activation, alpha, beta, vec_add(vec_load(from + x), bias)),
                width - x);
    }
}

static void depthwise_band(const HypConv2dArgs *args, const DepthwiseLayout *layout,
                           const DepthwiseBand *band, const DepthwiseMemory *memory)
{
    const size_t taps = args->kernel_h * args->kernel_w;
    const size_t count = (band->rows - 1) * layout->pitch + args->out_width;
    depthwise_fill_slots(args, layout, band, memory->slots);
    size_t i = 0;
    for (; i + 4 * VEC_LANES <= count; i += 4 * VEC_LANES)
        depthwise_sum(memory->slots + i, memory->offsets, band->filter, taps, 4, memory->sums + i);
    for (; i < count; i += VEC_LANES)
        depthwise_sum(memory->slots + i, memory->offsets, band->filter, taps, 1, memory->sums + i);
    depthwise_store(args, layout, band, memory->sums);
}

// What threads work on together: bands of all images and channels are one range.
typedef struct DepthwiseCall {
    const HypConv2dArgs *args;
    DepthwiseLayout layout;
} DepthwiseCall;

static void depthwise2d_part(void *shared, size_t thread)
{
    const DepthwiseCall *call = shared;
    const HypConv2dArgs args = *call->args;
    const DepthwiseLayout *layout = &call->layout;
    const size_t planes = args.batch * args.out_channels;
    const size_t multiplier = args.out_channels / args.channels;
    const HypRange part = hyp_parallel_part(planes * layout->bands, 1, layout->threads, thread);
    if (part.first == part.end || args.out_width == 0)
        return;
    const DepthwiseMemory memory = depthwise_memory(&args, layout, thread);
    for (size_t i = part.first; i < part.end; i++) {
        const size_t plane = i / layout->bands;
        const size_t channel = plane % args.out_channels;
        const size_t first = i % layout->bands * layout->band;
        const size_t left = args.out_height - first;
        const DepthwiseBand band = {
            .plane = args.image + plane / multiplier * args.height * args.width,
            .filter = args.filter + channel * args.kernel_h * args.kernel_w,
            .bias = args.bias ? one_load(args.bias + channel) : 0,
            .first = first,
            .rows = left < layout->band ? left : layout->band,
            .out = args.out + (plane * args.out_height + first) * args.out_width};
        depthwise_band(&args, layout, &band, &memory);
    }
}

static void depthwise2d_nest(const HypConv2dArgs *args)
{
    DepthwiseCall call = {.args = args, .layout = depthwise_layout(args)};
    hyp_parallel_run(args->parallel, call.layout.threads, depthwise2d_part, &call);
}

#endif
