// SPDX-License-Identifier: Apache-2.0
// pool2d_nest.h - greatest value or mean of windows, written once over the vector vocabulary of a
// level: in vectors along the output row where neighbouring windows are one column apart, along the
// image where one window is all of it, else one by one.
// Included by level/<level>/*_pool2d_<level>.c after its vec_<level>.h.
#ifndef HYP_POOL2D_NEST_H
#define HYP_POOL2D_NEST_H

#include "kernel.h"
#include "parallel_for.h"

#include <math.h>

// Kernel places first .. end - 1 lie on the image.
typedef struct PoolSpan {
    size_t first, end;
} PoolSpan;

// Kernel places before `end`, for a window that begins at `origin`; both from the padded edge.
VEC_FN size_t pool_places(size_t origin, size_t end, size_t kernel, size_t dilation)
{
    const size_t places = origin < end ? (end - origin + dilation - 1) / dilation : 0;
    return places < kernel ? places : kernel;
}

// Along one axis; `origin` is where the window begins, counted from the padded edge.
VEC_FN PoolSpan pool_span(size_t origin, size_t pad, size_t size, size_t kernel, size_t dilation)
{
    if (origin >= pad && origin + (kernel - 1) * dilation < pad + size)
        return (PoolSpan){0, kernel};
    return (PoolSpan){origin < pad ? (pad - origin + dilation - 1) / dilation : 0,
                      pool_places(origin, pad + size, kernel, dilation)};
}

// One output row: where its windows lie in one image plane.
typedef struct PoolRow {
    const float *plane;
    size_t top; // of the windows, counted from the padded edge
    PoolSpan rows;
    size_t counted_rows; // that a mean is divided by
} PoolRow;

// What a window is folded from and with: `mean` is a constant wherever this is called.
VEC_FN float pool_start(bool mean)
{
    return mean ? 0 : -INFINITY;
}
VEC_FN float pool_fold(bool mean, float folded, float value)
{
    if (mean)
        return folded + value;
    return value > folded ? value : folded;
}
VEC_FN vec pool_fold_vec(bool mean, vec folded, vec values)
{
    return mean ? vec_add(folded, values) : vec_max(folded, values);
}

VEC_FN const float *pool_source(const HypPool2dArgs *args, const PoolRow *row, size_t ky)
{
    return row->plane + (row->top + ky * args->dilation_h - args->pad_top) * args->width;
}

VEC_FN float pool_window(const HypPool2dArgs *args, const PoolRow *row, size_t out_x, bool mean)
{
    const size_t left = out_x * args->stride_w;
    const PoolSpan columns =
        pool_span(left, args->pad_left, args->width, args->kernel_w, args->dilation_w);
    float folded = pool_start(mean);
    for (size_t ky = row->rows.first; ky < row->rows.end; ky++) {
        const float *source = pool_source(args, row, ky);
        for (size_t kx = columns.first; kx < columns.end; kx++)
            folded = pool_fold(mean, folded,
                               one_load(source + left + kx * args->dilation_w - args->pad_left));
    }
    if (!mean)
        return folded;
    const size_t counted = args->count_padding
                               ? pool_places(left, args->pad_left + args->width + args->pad_right,
                                             args->kernel_w, args->dilation_w)
                               : columns.end - columns.first;
    return folded / (float)(row->counted_rows * counted);
}

// `count` windows side by side from out_x on, all columns of them on the image.
VEC_FN vec pool_windows(const HypPool2dArgs *args, const PoolRow *row, size_t out_x, size_t count,
                        bool mean)
{
    vec folded = vec_set(pool_start(mean));
    for (size_t ky = row->rows.first; ky < row->rows.end; ky++) {
        const float *source = pool_source(args, row, ky) + out_x - args->pad_left;
        for (size_t kx = 0; kx < args->kernel_w; kx++, source += args->dilation_w)
            folded = pool_fold_vec(
                mean, folded, count == VEC_LANES ? vec_load(source) : vec_load_part(source, count));
    }
    return mean ? vec_div(folded, vec_set((float)(row->counted_rows * args->kernel_w))) : folded;
}

VEC_FN void pool_row(const HypPool2dArgs *args, const PoolRow *row, float *out, bool mean)
{
    size_t x = 0;
    if (args->stride_w == 1) {
        const size_t reach = (args->kernel_w - 1) * args->dilation_w;
        const size_t image_end = args->pad_left + args->width;
        const size_t inner_end = image_end > reach ? image_end - reach : 0;
        const size_t end = inner_end < args->out_width ? inner_end : args->out_width;
        for (; x < args->pad_left && x < end; x++)
            one_store(out + x, pool_window(args, row, x, mean));
        for (; x + VEC_LANES <= end; x += VEC_LANES)
            vec_store(out + x, pool_windows(args, row, x, VEC_LANES, mean));
        if (x < end) {
            vec_store_part(out + x, pool_windows(args, row, x, end - x, mean), end - x);
            x = end;
        }
    }
    for (; x < args->out_width; x++)
        one_store(out + x, pool_window(args, row, x, mean));
}

// Whether one window is the image, which then is one run of floats.
VEC_FN bool pool_is_global(const HypPool2dArgs *args)
{
    return args->out_height == 1 && args->out_width == 1 && args->kernel_h == args->height &&
           args->kernel_w == args->width && args->dilation_h == 1 && args->dilation_w == 1 &&
           args->pad_top == 0 && args->pad_left == 0;
}

// Two sums: one would wait for each addition.
VEC_FN float pool_run(const float *values, size_t count, bool mean)
{
    vec folded = vec_set(pool_start(mean));
    vec other = folded;
    size_t i = 0;
    for (; i + 2 * VEC_LANES <= count; i += 2 * VEC_LANES) {
        folded = pool_fold_vec(mean, folded, vec_load(values + i));
        other = pool_fold_vec(mean, other, vec_load(values + i + VEC_LANES));
    }
    folded = pool_fold_vec(mean, folded, other);
    float result = mean ? vec_sum(folded) : vec_greatest(folded);
    for (; i < count; i++)
        result = pool_fold(mean, result, one_load(values + i));
    return mean ? result / (float)count : result;
}

VEC_FN void pool_rows(const HypPool2dArgs *args, HypRange rows, bool mean)
{
    const size_t plane_floats = args->height * args->width;
    const bool global = pool_is_global(args);
    for (size_t i = rows.first; i < rows.end; i++) {
        if (global) {
            one_store(args->out + i, pool_run(args->image + i * plane_floats, plane_floats, mean));
            continue;
        }
        const size_t top = i % args->out_height * args->stride_h;
        PoolRow row = {
            .plane = args->image + i / args->out_height * plane_floats,
            .top = top,
            .rows = pool_span(top, args->pad_top, args->height, args->kernel_h, args->dilation_h)};
        row.counted_rows = args->count_padding
                               ? pool_places(top, args->pad_top + args->height + args->pad_bottom,
                                             args->kernel_h, args->dilation_h)
                               : row.rows.end - row.rows.first;
        pool_row(args, &row, args->out + i * args->out_width, mean);
    }
}

// Output rows of all images and channels are one range.
VEC_FN HypRange pool_part(const HypParallelCall *call, size_t thread)
{
    const HypPool2dArgs *args = call->args;
    return hyp_parallel_part(args->batch * args->channels * args->out_height, 1, call->threads,
                             thread);
}

VEC_FN void pool2d_nest(const HypPool2dArgs *args, HyperionParallelTask part)
{
    const double results = (double)args->batch * (double)args->channels * (double)args->out_height *
                           (double)args->out_width;
    const double window = (double)args->kernel_h * (double)args->kernel_w;
    hyp_parallel_call(args->parallel, results * (window + HYP_WORK_STREAMED), part, args);
}

#endif
