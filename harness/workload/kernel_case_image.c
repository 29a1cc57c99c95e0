// SPDX-License-Identifier: Apache-2.0
// Convolutions and pools.
#include "workload/kernel_case_row.h"

// Places of a window along one side of the image.
static size_t count_places(size_t length, size_t window, size_t stride, size_t padding)
{
    return (length + 2 * padding - window) / stride + 1;
}

static bool check_window(const AxisValue *values, Problem *problem)
{
    const long long window = values[AXIS_WINDOW].integer;
    const long long padding = values[AXIS_PADDING].integer;
    const long long height = values[AXIS_HEIGHT].integer;
    const long long width = values[AXIS_WIDTH].integer;
    if (window > height + 2 * padding || window > width + 2 * padding)
        return problem_set(problem,
                           "window %lld is larger than the image, %lld x %lld with padding %lld",
                           window, height, width, padding);
    return padding < window ||
           problem_set(problem, "padding %lld must be below the window, %lld", padding, window);
}

static bool check_conv2d(const AxisValue *values, Problem *problem)
{
    const long long groups = values[AXIS_GROUPS].integer;
    const long long channels = values[AXIS_CHANNELS].integer;
    const long long out_channels = values[AXIS_OUT_CHANNELS].integer;
    if (channels % groups || out_channels % groups)
        return problem_set(problem, "groups %lld must divide channels %lld and out_channels %lld",
                           groups, channels, out_channels);
    return check_window(values, problem);
}

// An output side has at most length + 2 padding + 1 places.
static double count_places_bound(const AxisValue *values)
{
    const double border = 2 * number_of(values, AXIS_PADDING) + 1;
    return number_of(values, AXIS_BATCH) * (number_of(values, AXIS_HEIGHT) + border) *
           (number_of(values, AXIS_WIDTH) + border);
}

static double count_conv2d(const AxisValue *values)
{
    const double window = number_of(values, AXIS_WINDOW);
    return count_image(values) +
           number_of(values, AXIS_OUT_CHANNELS) *
               (count_places_bound(values) + number_of(values, AXIS_CHANNELS) * window * window);
}

static double count_pool2d(const AxisValue *values)
{
    return count_image(values) + number_of(values, AXIS_CHANNELS) * count_places_bound(values);
}

static double count_depthwise2d(const AxisValue *values)
{
    const double window = number_of(values, AXIS_WINDOW);
    return count_pool2d(values) + number_of(values, AXIS_CHANNELS) * window * window;
}

static void make_convolution(const AxisValue *values, size_t out_channels, size_t groups,
                             KernelCase *kernel_case)
{
    const size_t window = size_of(values, AXIS_WINDOW);
    const size_t stride = size_of(values, AXIS_STRIDE);
    const size_t padding = size_of(values, AXIS_PADDING);
    HypConv2dArgs args = {
        .batch = size_of(values, AXIS_BATCH),
        .channels = size_of(values, AXIS_CHANNELS),
        .height = size_of(values, AXIS_HEIGHT),
        .width = size_of(values, AXIS_WIDTH),
        .out_channels = out_channels,
        .kernel_h = window,
        .kernel_w = window,
        .stride_h = stride,
        .stride_w = stride,
        .dilation_h = 1,
        .dilation_w = 1,
        .pad_top = padding,
        .pad_left = padding,
        .groups = groups,
        .activation = (HyperionActivation)values[AXIS_FUNCTION].integer,
    };
    args.out_height = count_places(args.height, window, stride, padding);
    args.out_width = count_places(args.width, window, stride, padding);
    kernel_case->args.conv2d = args;
    const size_t places = args.out_height * args.out_width;
    const size_t depth = args.channels / args.groups * window * window;
    add_operand(kernel_case, args.batch * args.channels * args.height * args.width,
                offsetof(HypConv2dArgs, image), OPERAND_INPUT);
    add_operand(kernel_case, args.out_channels * depth, offsetof(HypConv2dArgs, filter),
                OPERAND_WEIGHT);
    if (values[AXIS_BIAS].integer)
        add_operand(kernel_case, args.out_channels, offsetof(HypConv2dArgs, bias), OPERAND_WEIGHT);
    add_operand(kernel_case, args.batch * args.out_channels * places, offsetof(HypConv2dArgs, out),
                OPERAND_OUTPUT);
    kernel_case->elements = (double)args.batch * (double)args.out_channels * (double)places;
    kernel_case->flops = 2 * kernel_case->elements * (double)depth;
}

// One filter a channel.
static void make_depthwise2d(const AxisValue *values, KernelCase *kernel_case)
{
    const size_t channels = size_of(values, AXIS_CHANNELS);
    make_convolution(values, channels, channels, kernel_case);
}

static void make_conv2d(const AxisValue *values, KernelCase *kernel_case)
{
    make_convolution(values, size_of(values, AXIS_OUT_CHANNELS), size_of(values, AXIS_GROUPS),
                     kernel_case);
    const HypConv2dArgs args = kernel_case->args.conv2d;
    kernel_case->has_product = true;
    kernel_case->product =
        (HyperionGemmShape){.m = args.out_channels / args.groups,
                            .n = args.out_height * args.out_width,
                            .k = args.channels / args.groups * args.kernel_h * args.kernel_w};
}

static void make_pool2d(const AxisValue *values, KernelCase *kernel_case)
{
    const size_t window = size_of(values, AXIS_WINDOW);
    const size_t stride = size_of(values, AXIS_STRIDE);
    const size_t padding = size_of(values, AXIS_PADDING);
    HypPool2dArgs args = {
        .batch = size_of(values, AXIS_BATCH),
        .channels = size_of(values, AXIS_CHANNELS),
        .height = size_of(values, AXIS_HEIGHT),
        .width = size_of(values, AXIS_WIDTH),
        .kernel_h = window,
        .kernel_w = window,
        .stride_h = stride,
        .stride_w = stride,
        .dilation_h = 1,
        .dilation_w = 1,
        .pad_top = padding,
        .pad_left = padding,
    };
    args.out_height = count_places(args.height, window, stride, padding);
    args.out_width = count_places(args.width, window, stride, padding);
    kernel_case->args.max_pool2d = args; // of either pool
    const size_t images = args.batch * args.channels;
    add_operand(kernel_case, images * args.height * args.width, offsetof(HypPool2dArgs, image),
                OPERAND_INPUT);
    add_operand(kernel_case, images * args.out_height * args.out_width,
                offsetof(HypPool2dArgs, out), OPERAND_OUTPUT);
    kernel_case->elements = (double)(images * args.out_height * args.out_width);
}

#define IMAGE_AXES                                                                                 \
    AXIS_BATCH, AXIS_CHANNELS, AXIS_HEIGHT, AXIS_WIDTH, AXIS_WINDOW, AXIS_STRIDE, AXIS_PADDING

static const AxisId conv2d_axes[] = {PRODUCT_AXES, IMAGE_AXES,    AXIS_OUT_CHANNELS, AXIS_GROUPS,
                                     AXIS_BIAS,    AXIS_FUNCTION, AXIS_COUNT};
static const AxisId depthwise2d_axes[] = {IMAGE_AXES, AXIS_BIAS, AXIS_FUNCTION, AXIS_COUNT};
static const AxisId pool2d_axes[] = {IMAGE_AXES, AXIS_COUNT};

const CaseRow case_row_conv2d = {conv2d_axes, check_conv2d, count_conv2d, make_conv2d};
const CaseRow case_row_depthwise2d = {depthwise2d_axes, check_window, count_depthwise2d,
                                      make_depthwise2d};
const CaseRow case_row_pool2d = {pool2d_axes, check_window, count_pool2d, make_pool2d};
