// SPDX-License-Identifier: Apache-2.0
// max_pool2d_nest.h - maximum over windows, written once over the vector vocabulary of a level: in
// vectors along the output row where neighbouring windows are one column apart, else one by one.
// Included by level/<level>/max_pool2d_<level>.c after its vec_<level>.h.
#ifndef HYP_MAX_POOL2D_NEST_H
#define HYP_MAX_POOL2D_NEST_H

#include "kernel.h"
#include "parallel_for.h"

#include <math.h>

// Kernel places first .. end - 1 lie on the image.
typedef struct PoolSpan {
    size_t first, end;
} PoolSpan;

// Along one axis; `origin` is where the window begins, counted from the padded edge.
VEC_FN PoolSpan pool_span(size_t origin, size_t pad, size_t size, size_t kernel, size_t dilation)
{
    const size_t image_end = pad + size;
    if (origin >= pad && origin + (kernel - 1) * dilation < image_end)
        return (PoolSpan){0, kernel};
    const size_t first = origin < pad ? (pad - origin + dilation - 1) / dilation : 0;
    const size_t end = origin < image_end ? (image_end - origin + dilation - 1) / dilation : 0;
    return (PoolSpan){first, end < kernel ? end : kernel};
}

// One output row: where its windows lie in one image plane.
typedef struct PoolRow {
    const float *plane;
    size_t top; // of the windows, counted from the padded edge
    PoolSpan rows;
} PoolRow;

VEC_FN const float *pool_source(const HypMaxPool2dArgs *args, const PoolRow *row, size_t ky)
{
    return row->plane + (row->top + ky * args->dilation_h - args->pad_top) * args->width;
}

VEC_FN float pool_window(const HypMaxPool2dArgs *args, const PoolRow *row, size_t out_x)
{
    const size_t left = out_x * args->stride_w;
    const PoolSpan columns =
        pool_span(left, args->pad_left, args->width, args->kernel_w, args->dilation_w);
    float greatest = -INFINITY;
    for (size_t ky = row->rows.first; ky < row->rows.end; ky++) {
        const float *source = pool_source(args, row, ky);
        for (size_t kx = columns.first; kx < columns.end; kx++) {
            const float value = source[left + kx * args->dilation_w - args->pad_left];
            greatest = value > greatest ? value : greatest;
        }
    }
    return greatest;
}

// `count` windows side by side from out_x on, all columns of them on the image.
VEC_FN vec pool_windows(const HypMaxPool2dArgs *args, const PoolRow *row, size_t out_x,
                        size_t count)
{
    vec greatest = vec_set(-INFINITY);
    for (size_t ky = row->rows.first; ky < row->rows.end; ky++) {
        const float *source = pool_source(args, row, ky) + out_x - args->pad_left;
        for (size_t kx = 0; kx < args->kernel_w; kx++, source += args->dilation_w)
            greatest = vec_max(greatest, count == VEC_LANES ? vec_load(source)
                                                            : vec_load_part(source, count));
    }
    return greatest;
}

VEC_FN void pool_row(const HypMaxPool2dArgs *args, const PoolRow *row, float *out)
{
    size_t x = 0;
    if (args->stride_w == 1) {
        const size_t reach = (args->kernel_w - 1) * args->dilation_w;
        const size_t image_end = args->pad_left + args->width;
        const size_t inner_end = image_end > reach ? image_end - reach : 0;
        const size_t end = inner_end < args->out_width ? inner_end : args->out_width;
        for (; x < args->pad_left && x < end; x++)
            out[x] = pool_window(args, row, x);
        for (; x + VEC_LANES <= end; x += VEC_LANES)
            vec_store(out + x, pool_windows(args, row, x, VEC_LANES));
        if (x < end) {
            vec_store_part(out + x, pool_windows(args, row, x, end - x), end - x);
            x = end;
        }
    }
    for (; x < args->out_width; x++)
        out[x] = pool_window(args, row, x);
}

// Output rows of all images and channels are one range.
static void max_pool2d_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypMaxPool2dArgs *args = call->args;
    const HypRange rows = hyp_parallel_part(args->batch * args->channels * args->out_height, 1,
                                            call->threads, thread);
    for (size_t i = rows.first; i < rows.end; i++) {
        const size_t top = i % args->out_height * args->stride_h;
        const PoolRow row = {
            args->image + i / args->out_height * (args->height * args->width), top,
            pool_span(top, args->pad_top, args->height, args->kernel_h, args->dilation_h)};
        pool_row(args, &row, args->out + i * args->out_width);
    }
}

static void max_pool2d_nest(const HypMaxPool2dArgs *args)
{
    const double results = (double)args->batch * (double)args->channels * (double)args->out_height *
                           (double)args->out_width;
    const double window = (double)args->kernel_h * (double)args->kernel_w;
    hyp_parallel_call(args->parallel, results * (window + HYP_WORK_STREAMED), max_pool2d_part,
                      args);
}

#endif
