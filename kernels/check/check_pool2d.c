// SPDX-License-Identifier: Apache-2.0
#include "check/check_support.h"
#include "reference/reference.h"

// Compared elements of a large result.
#define SAMPLE ((size_t)65536)

typedef struct PoolOffsets {
    size_t image, out;
    bool special; // values that are easily mishandled, else uniform ones
} PoolOffsets;

static bool takes_means(const HypKernelVariant *variant)
{
    return variant->op == HYP_OP_AVERAGE_POOL2D;
}

static void run_variant(const HypKernelVariant *variant, const HypPool2dArgs *args)
{
    if (takes_means(variant))
        variant->fn.average_pool2d(args);
    else
        variant->fn.max_pool2d(args);
}

// The greatest value is one of the values: nothing is rounded. Of a mean of values up to 1, each
// addition and the division are.
static bool compare(HypCheckRun *run, const HypKernelVariant *variant, const HypPool2dArgs *args)
{
    const double roundings = (double)args->kernel_h * (double)args->kernel_w + 3;
    const double bound = takes_means(variant) ? roundings * (HYP_CHECK_EPSILON / 2) : 0;
    const size_t total = args->batch * args->channels * args->out_height * args->out_width;
    const size_t compared = hyp_check_sample_count(total, SAMPLE);
    for (size_t s = 0; s < compared; s++) {
        const size_t i = hyp_check_sample(run, total, SAMPLE, s);
        const double want = takes_means(variant) ? hyp_reference_average_pool2d(args, i)
                                                 : hyp_reference_max_pool2d(args, i);
        if (!hyp_check_value(run, (double)args->out[i], want, bound, "out[%zu]", i))
            return false;
    }
    return true;
}

static bool check_case(HypCheckRun *run, const HypKernelVariant *variant,
                       const HypPool2dArgs *problem, const PoolOffsets *offsets)
{
    HypPool2dArgs args = *problem;
    args.parallel = NULL;
    hyp_check_begin_case(run,
                         "planes=%zu image=%zux%zu out=%zux%zu kernel=%zux%zu stride=%zux%zu "
                         "dilation=%zux%zu pad=%zu,%zu%s",
                         args.batch * args.channels, args.height, args.width, args.out_height,
                         args.out_width, args.kernel_h, args.kernel_w, args.stride_h, args.stride_w,
                         args.dilation_h, args.dilation_w, args.pad_top, args.pad_left,
                         offsets->special ? " special" : "");
    const size_t planes = args.batch * args.channels;
    HypCheckBuffer image = {.count = 0};
    HypCheckBuffer out = {.count = 0};
    bool agrees =
        hyp_check_allocate(run, &image, planes * args.height * args.width, offsets->image) &&
        hyp_check_allocate(run, &out, planes * args.out_height * args.out_width, offsets->out);
    if (agrees) {
        if (offsets->special)
            hyp_check_fill_special(run, &image, false);
        else
            hyp_check_fill(run, &image, -1, 1);
        args.image = image.data;
        args.out = out.data;
        run_variant(variant, &args);
        agrees = hyp_check_guards(run, &image, "image") && hyp_check_guards(run, &out, "out") &&
                 compare(run, variant, &args) && hyp_check_split(run, variant, &args, &out, NULL);
    }
    hyp_check_release(&image);
    hyp_check_release(&out);
    return agrees;
}

static bool check_args(const HypKernelVariant *variant, const HypPool2dArgs *args, uint64_t seed,
                       HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    return check_case(&run, variant, args, &(PoolOffsets){.image = 0});
}

bool hyp_check_max_pool2d_args(const HypKernelVariant *variant, const HypPool2dArgs *args,
                               uint64_t seed, HypCheckReport *report)
{
    return check_args(variant, args, seed, report);
}

bool hyp_check_average_pool2d_args(const HypKernelVariant *variant, const HypPool2dArgs *args,
                                   uint64_t seed, HypCheckReport *report)
{
    return check_args(variant, args, seed, report);
}

// One axis with `out` windows, and everything else about it at random.
typedef struct PoolAxis {
    size_t size, out, kernel, stride, dilation, pad, pad_after;
} PoolAxis;

static PoolAxis draw_axis(HypCheckRun *run, size_t out, size_t stride)
{
    PoolAxis axis = {.out = out, .stride = stride, .kernel = 1 + hyp_check_below(run, 4)};
    axis.dilation = 1 + hyp_check_below(run, 2);
    axis.pad = hyp_check_below(run, axis.kernel);
    axis.pad_after = hyp_check_below(run, axis.kernel);
    const size_t covered =
        (out > 0 ? (out - 1) * stride : 0) + (axis.kernel - 1) * axis.dilation + 1;
    const size_t padding = axis.pad + axis.pad_after;
    if (padding < covered)
        axis.size = covered - padding;
    else {
        axis.pad = axis.pad_after = 0;
        axis.size = covered;
    }
    axis.size += hyp_check_below(run, stride);
    return axis;
}

static bool check_width(HypCheckRun *run, const HypKernelVariant *variant, size_t out_width,
                        size_t stride, size_t offset)
{
    const PoolAxis x = draw_axis(run, out_width, stride);
    const PoolAxis y = draw_axis(run, hyp_check_below(run, 4), 1 + hyp_check_below(run, 3));
    const HypPool2dArgs args = {.batch = 1 + hyp_check_below(run, 2),
                                .channels = 1 + hyp_check_below(run, 2),
                                .height = y.size,
                                .width = x.size,
                                .out_height = y.out,
                                .out_width = x.out,
                                .kernel_h = y.kernel,
                                .kernel_w = x.kernel,
                                .stride_h = y.stride,
                                .stride_w = x.stride,
                                .dilation_h = y.dilation,
                                .dilation_w = x.dilation,
                                .pad_top = y.pad,
                                .pad_left = x.pad,
                                .count_padding = hyp_check_below(run, 2),
                                .pad_bottom = y.pad_after,
                                .pad_right = x.pad_after};
    const PoolOffsets offsets = {.image = offset,
                                 .out = hyp_check_below(run, HYP_CHECK_WIDEST_LANES),
                                 .special = !takes_means(variant) && hyp_check_below(run, 2) > 0};
    return check_case(run, variant, &args, &offsets);
}

// One window over all of the image has a path of its own.
static bool check_global(HypCheckRun *run, const HypKernelVariant *variant, size_t width)
{
    const size_t height = 1 + hyp_check_below(run, 4);
    const HypPool2dArgs args = {.batch = 1 + hyp_check_below(run, 2),
                                .channels = 1 + hyp_check_below(run, 3),
                                .height = height,
                                .width = width,
                                .out_height = 1,
                                .out_width = 1,
                                .kernel_h = height,
                                .kernel_w = width,
                                .stride_h = 1 + hyp_check_below(run, 2),
                                .stride_w = 1,
                                .dilation_h = 1,
                                .dilation_w = 1};
    const PoolOffsets offsets = {.image = hyp_check_below(run, HYP_CHECK_WIDEST_LANES)};
    return check_case(run, variant, &args, &offsets);
}

static bool check_all(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    for (size_t out_width = 0; out_width <= 2 * HYP_CHECK_WIDEST_LANES + 1; out_width++)
        for (size_t stride = 1; stride <= 3; stride++)
            for (size_t offset = 0; offset < HYP_CHECK_WIDEST_LANES; offset++)
                if (!check_width(&run, variant, out_width, stride, offset))
                    return false;
    for (size_t width = 1; width <= 4 * HYP_CHECK_WIDEST_LANES + 1; width++)
        if (!check_global(&run, variant, width))
            return false;
    return true;
}

bool hyp_check_max_pool2d_all(const HypKernelVariant *variant, uint64_t seed,
                              HypCheckReport *report)
{
    return check_all(variant, seed, report);
}

bool hyp_check_average_pool2d_all(const HypKernelVariant *variant, uint64_t seed,
                                  HypCheckReport *report)
{
    return check_all(variant, seed, report);
}
