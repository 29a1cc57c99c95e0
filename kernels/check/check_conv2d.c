// SPDX-License-Identifier: Apache-2.0
#include "check/check_product.h"
#include "reference/reference_conv2d.h"

#include <stdio.h>

typedef struct ConvBuffers {
    HypCheckBuffer image, filter, bias, out, workspace;
} ConvBuffers;

static bool is_depthwise(const HypKernelVariant *variant)
{
    return variant->op == HYP_OP_DEPTHWISE2D;
}

static size_t count_taps(const HypConv2dArgs *args)
{
    return args->channels / args->groups * args->kernel_h * args->kernel_w;
}

static size_t count_outputs(const HypConv2dArgs *args)
{
    return args->batch * args->out_channels * args->out_height * args->out_width;
}

// Replaces the pointers of `args`: the bias by a present one where it was not NULL.
static bool allocate_buffers(HypCheckRun *run, ConvBuffers *buffers, HypConv2dArgs *args,
                             size_t misalignment, size_t workspace_bytes)
{
    const size_t image_floats = args->batch * args->channels * args->height * args->width;
    if (!hyp_check_allocate(run, &buffers->image, image_floats, misalignment) ||
        !hyp_check_allocate(run, &buffers->filter, args->out_channels * count_taps(args),
                            misalignment) ||
        !hyp_check_allocate(run, &buffers->bias, args->out_channels, misalignment) ||
        !hyp_check_allocate(run, &buffers->out, count_outputs(args), misalignment) ||
        !hyp_check_allocate(run, &buffers->workspace, workspace_bytes / sizeof(float), 0))
        return false;
    args->image = buffers->image.data;
    args->filter = buffers->filter.data;
    args->out = buffers->out.data;
    args->workspace = buffers->workspace.data;
    if (args->bias)
        args->bias = buffers->bias.data;
    return true;
}

static void release_buffers(ConvBuffers *buffers)
{
    hyp_check_release(&buffers->image);
    hyp_check_release(&buffers->filter);
    hyp_check_release(&buffers->bias);
    hyp_check_release(&buffers->out);
    hyp_check_release(&buffers->workspace);
}

static bool check_guards(HypCheckRun *run, const ConvBuffers *buffers)
{
    return hyp_check_guards(run, &buffers->image, "image") &&
           hyp_check_guards(run, &buffers->filter, "filter") &&
           hyp_check_guards(run, &buffers->bias, "bias") &&
           hyp_check_guards(run, &buffers->out, "out") &&
           hyp_check_guards(run, &buffers->workspace, "workspace");
}

static bool check_values(HypCheckRun *run, const HypConv2dArgs *args)
{
    const HypEpilogue epilogue = {
        .activation = args->activation, .alpha = args->alpha, .beta = args->beta};
    const size_t total = count_outputs(args);
    const size_t count = hyp_check_sample_count(total, HYP_CHECK_PRODUCT_SAMPLE);
    for (size_t i = 0; i < count; i++) {
        const size_t place = hyp_check_sample(run, total, HYP_CHECK_PRODUCT_SAMPLE, i);
        const size_t x = place % args->out_width;
        const size_t y = place / args->out_width % args->out_height;
        const size_t plane = place / args->out_width / args->out_height;
        const size_t channel = plane % args->out_channels;
        const size_t image = plane / args->out_channels;
        const HypReferenceSum sum = hyp_reference_conv2d(args, image, channel, y, x);
        char name[96];
        (void)snprintf(name, sizeof name, "out[%zu][%zu][%zu][%zu]", image, channel, y, x);
        if (!hyp_check_product(run, args->out[place], &sum, count_taps(args), &epilogue, name))
            return false;
    }
    return true;
}

// The same with filters packed before, which must not be read themselves then.
static bool check_packed_once(HypCheckRun *run, const HypKernelVariant *variant,
                              const HypConv2dArgs *args, const HypCheckBuffer *out)
{
    HypConv2dArgs packed = *args;
    HypCheckBuffer filter = {.count = 0};
    bool agrees =
        hyp_check_allocate(run, &filter, hyp_conv2d_packed_filter_bytes(args) / sizeof(float), 0);
    if (agrees) {
        hyp_conv2d_pack_filter(args, filter.data);
        packed.packed_filter = filter.data;
        packed.filter = NULL;
        agrees = hyp_check_guards(run, &filter, "filter packed once") &&
                 hyp_check_split(run, variant, &packed, out, NULL);
    }
    hyp_check_release(&filter);
    return agrees;
}

static bool check_problem(HypCheckRun *run, const HypKernelVariant *variant,
                          const HypConv2dArgs *problem, size_t misalignment)
{
    HypConv2dArgs args = *problem;
    args.parallel = NULL;
    hyp_check_begin_case(run,
                         "%zux%zux%zux%zu -> %zux%zux%zu kernel %zux%zu stride %zux%zu dilation "
                         "%zux%zu pad %zu,%zu groups %zu activation %d",
                         args.batch, args.channels, args.height, args.width, args.out_channels,
                         args.out_height, args.out_width, args.kernel_h, args.kernel_w,
                         args.stride_h, args.stride_w, args.dilation_h, args.dilation_w,
                         args.pad_top, args.pad_left, args.groups, (int)args.activation);
    ConvBuffers buffers = {.image = {.count = 0}};
    bool agrees = allocate_buffers(run, &buffers, &args, misalignment,
                                   is_depthwise(variant) ? hyp_depthwise2d_workspace_bytes(&args)
                                                         : hyp_conv2d_workspace_bytes(&args));
    if (agrees) {
        hyp_check_fill(run, &buffers.image, -1, 1);
        hyp_check_fill(run, &buffers.filter, -1, 1);
        hyp_check_fill(run, &buffers.bias, -1, 1);
        (is_depthwise(variant) ? variant->fn.depthwise2d : variant->fn.conv2d)(&args);
        agrees = check_guards(run, &buffers) && check_values(run, &args) &&
                 hyp_check_split(run, variant, &args, &buffers.out, NULL) &&
                 (is_depthwise(variant) || check_packed_once(run, variant, &args, &buffers.out));
    }
    release_buffers(&buffers);
    return agrees;
}

bool hyp_check_conv2d_args(const HypKernelVariant *variant, const HypConv2dArgs *args,
                           uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    return hyp_check_tile(&run, variant, &args->blocking) && check_problem(&run, variant, args, 0);
}

bool hyp_check_depthwise2d_args(const HypKernelVariant *variant, const HypConv2dArgs *args,
                                uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    run.parallel = args->parallel;
    return check_problem(&run, variant, args, 0);
}

// A few pixels of everything that is not given; the output may reach past the padded image.
static bool check_sizes(HypCheckRun *run, const HypKernelVariant *variant,
                        size_t group_out_channels, size_t out_width)
{
    static const float present = 0;
    const size_t groups = 1 + hyp_check_below(run, 3);
    HypConv2dArgs args = {.batch = 1 + hyp_check_below(run, 2),
                          .channels = groups * (1 + hyp_check_below(run, 3)),
                          .out_channels = groups * group_out_channels,
                          .out_height = 1 + hyp_check_below(run, 4),
                          .out_width = out_width,
                          .kernel_h = 1 + hyp_check_below(run, 3),
                          .kernel_w = 1 + hyp_check_below(run, 3),
                          .stride_h = 1 + hyp_check_below(run, 3),
                          .stride_w = 1 + hyp_check_below(run, 3),
                          .dilation_h = 1 + hyp_check_below(run, 2),
                          .dilation_w = 1 + hyp_check_below(run, 2),
                          .pad_top = hyp_check_below(run, 3),
                          .pad_left = hyp_check_below(run, 3),
                          .groups = groups,
                          .bias = hyp_check_below(run, 2) ? &present : NULL,
                          .activation =
                              (HyperionActivation)hyp_check_below(run, HYPERION_ACTIVATION_COUNT),
                          .alpha = HYP_CHECK_ALPHA,
                          .beta = HYP_CHECK_BETA};
    if (is_depthwise(variant)) {
        args.channels = groups;
        args.kernel_w += 2 * hyp_check_below(run, 3);
        if (hyp_check_below(run, 8) == 0)
            args.dilation_h = 70; // taps that far apart are laid out each by itself
    } else {
        args.blocking = hyp_check_random_blocking(run, variant);
    }
    args.height = 1 + hyp_check_below(run, args.out_height * args.stride_h + 2);
    args.width = 1 + hyp_check_below(run, out_width * args.stride_w + 2);
    if (hyp_check_below(run, 4) == 0) { // the plain window of one pixel has a path of its own
        args.kernel_h = args.kernel_w = args.stride_h = args.stride_w = 1;
        args.pad_top = args.pad_left = 0;
        args.height = args.out_height + hyp_check_below(run, 2);
        args.width = args.out_width;
    }
    return check_problem(run, variant, &args, hyp_check_below(run, HYP_CHECK_WIDEST_LANES));
}

bool hyp_check_conv2d_all(const HypKernelVariant *variant, uint64_t seed, HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    const size_t last_m = 2 * variant->mr + 1;
    const size_t last_n = 2 * variant->nr + 1;
    for (size_t m = 0; m <= last_m; m++)
        for (size_t n = 0; n <= last_n; n++)
            if (!check_sizes(&run, variant, m, n))
                return false;
    for (int repeat = 0; repeat < 500; repeat++) // small tiles have few tails but as many windows
        if (!check_sizes(&run, variant, 1 + hyp_check_below(&run, 5), 1 + hyp_check_below(&run, 5)))
            return false;
    return true;
}

bool hyp_check_depthwise2d_all(const HypKernelVariant *variant, uint64_t seed,
                               HypCheckReport *report)
{
    HypCheckRun run = hyp_check_start(report, seed);
    for (size_t out_width = 0; out_width <= 4 * HYP_CHECK_WIDEST_LANES + 1; out_width++)
        for (int repeat = 0; repeat < 30; repeat++)
            if (!check_sizes(&run, variant, hyp_check_below(&run, 3), out_width))
                return false;
    // Wide enough for several bands.
    for (int repeat = 0; repeat < 8; repeat++)
        if (!check_sizes(&run, variant, 1, 1500 + hyp_check_below(&run, 1500)))
            return false;
    return true;
}
