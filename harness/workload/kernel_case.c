// SPDX-License-Identifier: Apache-2.0
#include "workload/kernel_case.h"

#include "workload/cold_copies.h"
#include "workload/placement_axes.h"

#include <assert.h>
#include <math.h>

// Sum of the operands: above any machine's memory, far below where sizes overflow.
static const double largest_operands_bytes = 0x1p44;

typedef struct CaseRow {
    const AxisId *axes; // beside those of every kernel; ended by AXIS_COUNT
    bool (*check)(const AxisValue *values, Problem *problem);
    double (*count_elements)(const AxisValue *values); // of all operands; no overflow
    void (*make)(const AxisValue *values, KernelCase *kernel_case);
} CaseRow;

static size_t size_of(const AxisValue *values, AxisId axis)
{
    assert(values[axis].integer >= 0);
    return (size_t)values[axis].integer;
}

static double number_of(const AxisValue *values, AxisId axis)
{
    return (double)values[axis].integer;
}

static void add_operand(KernelCase *kernel_case, size_t count, size_t pointer_offset,
                        OperandRole role)
{
    assert(kernel_case->operand_count < KERNEL_MOST_OPERANDS);
    kernel_case->operands[kernel_case->operand_count++] =
        (KernelOperand){count, pointer_offset, role};
}

static bool accept_all(const AxisValue *values, Problem *problem)
{
    (void)values;
    (void)problem;
    return true;
}

// --- gemm

static double count_gemm(const AxisValue *values)
{
    const double m = number_of(values, AXIS_M);
    const double n = number_of(values, AXIS_N);
    const double k = number_of(values, AXIS_K);
    return m * k + k * n + m * n + n;
}

static void make_gemm(const AxisValue *values, KernelCase *kernel_case)
{
    const size_t m = size_of(values, AXIS_M);
    const size_t n = size_of(values, AXIS_N);
    const size_t k = size_of(values, AXIS_K);
    const bool transposed = values[AXIS_TRANSPOSE_B].integer != 0;
    kernel_case->args.gemm = (HypGemmArgs){
        .m = m,
        .n = n,
        .k = k,
        .lda = k,
        .ldb = transposed ? k : n,
        .b_transposed = transposed,
        .ldc = n,
        .epilogue.activation = (HyperionActivation)values[AXIS_FUNCTION].integer,
    };
    add_operand(kernel_case, m * k, offsetof(HypGemmArgs, a), OPERAND_INPUT);
    add_operand(kernel_case, k * n, offsetof(HypGemmArgs, b), OPERAND_WEIGHT);
    if (values[AXIS_BIAS].integer)
        add_operand(kernel_case, n, offsetof(HypGemmArgs, epilogue.column_bias), OPERAND_WEIGHT);
    add_operand(kernel_case, m * n, offsetof(HypGemmArgs, c), OPERAND_OUTPUT);
    kernel_case->elements = (double)m * (double)n;
    kernel_case->flops = 2 * kernel_case->elements * (double)k;
    kernel_case->has_product = true;
    kernel_case->product = (HyperionGemmShape){m, n, k, transposed};
}

// --- conv2d and pools

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

static double count_image(const AxisValue *values)
{
    return number_of(values, AXIS_BATCH) * number_of(values, AXIS_CHANNELS) *
           number_of(values, AXIS_HEIGHT) * number_of(values, AXIS_WIDTH);
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

static void make_conv2d(const AxisValue *values, KernelCase *kernel_case)
{
    const size_t window = size_of(values, AXIS_WINDOW);
    const size_t stride = size_of(values, AXIS_STRIDE);
    const size_t padding = size_of(values, AXIS_PADDING);
    HypConv2dArgs args = {
        .batch = size_of(values, AXIS_BATCH),
        .channels = size_of(values, AXIS_CHANNELS),
        .height = size_of(values, AXIS_HEIGHT),
        .width = size_of(values, AXIS_WIDTH),
        .out_channels = size_of(values, AXIS_OUT_CHANNELS),
        .kernel_h = window,
        .kernel_w = window,
        .stride_h = stride,
        .stride_w = stride,
        .dilation_h = 1,
        .dilation_w = 1,
        .pad_top = padding,
        .pad_left = padding,
        .groups = size_of(values, AXIS_GROUPS),
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
    kernel_case->has_product = true;
    kernel_case->product =
        (HyperionGemmShape){.m = args.out_channels / args.groups, .n = places, .k = depth};
    if (window != 1 || stride != 1 || padding != 0 || args.batch != 1 || args.groups != 1)
        kernel_case->unpredicted =
            "a convolution is predicted only where it is one plain product: window 1, stride 1, "
            "padding 0, one image, one group";
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

// --- element-wise

static bool check_activation(const AxisValue *values, Problem *problem)
{
    return values[AXIS_FUNCTION].integer != HYPERION_ACTIVATION_NONE ||
           problem_set(problem, "op activation needs a function other than none");
}

static double count_activation(const AxisValue *values)
{
    return 2 * number_of(values, AXIS_SIZE);
}

// Parameters that the functions which have some are used with.
static void set_parameters(HypActivationArgs *args)
{
    switch (args->function) {
    case HYPERION_ACTIVATION_LEAKY_RELU: args->alpha = 0.01F; break;
    case HYPERION_ACTIVATION_CLIP: args->beta = 6; break;
    case HYPERION_ACTIVATION_HARD_SIGMOID:
        args->alpha = 0.2F;
        args->beta = 0.5F;
        break;
    default: break;
    }
}

static void make_activation(const AxisValue *values, KernelCase *kernel_case)
{
    const size_t count = size_of(values, AXIS_SIZE);
    kernel_case->args.activation = (HypActivationArgs){
        .function = (HyperionActivation)values[AXIS_FUNCTION].integer, .count = count};
    set_parameters(&kernel_case->args.activation);
    add_operand(kernel_case, count, offsetof(HypActivationArgs, in), OPERAND_INPUT);
    add_operand(kernel_case, count, offsetof(HypActivationArgs, out), OPERAND_OUTPUT);
    kernel_case->elements = (double)count;
}

static double count_binary(const AxisValue *values)
{
    return 3 * number_of(values, AXIS_SIZE);
}

static void make_binary(const AxisValue *values, KernelCase *kernel_case)
{
    const size_t count = size_of(values, AXIS_SIZE);
    kernel_case->args.binary =
        (HypBinaryArgs){.function = (HyperionBinary)values[AXIS_BINARY].integer,
                        .outer = 1,
                        .middle = count,
                        .inner = 1};
    add_operand(kernel_case, count, offsetof(HypBinaryArgs, a), OPERAND_INPUT);
    add_operand(kernel_case, count, offsetof(HypBinaryArgs, b), OPERAND_INPUT);
    add_operand(kernel_case, count, offsetof(HypBinaryArgs, out), OPERAND_OUTPUT);
    kernel_case->elements = (double)count;
    kernel_case->flops = (double)count;
}

static double count_scale_shift(const AxisValue *values)
{
    return 2 * count_image(values) + 2 * number_of(values, AXIS_CHANNELS);
}

static void make_scale_shift(const AxisValue *values, KernelCase *kernel_case)
{
    const HypScaleShiftArgs args = {.batch = size_of(values, AXIS_BATCH),
                                    .channels = size_of(values, AXIS_CHANNELS),
                                    .inner =
                                        size_of(values, AXIS_HEIGHT) * size_of(values, AXIS_WIDTH)};
    kernel_case->args.scale_shift = args;
    const size_t count = args.batch * args.channels * args.inner;
    add_operand(kernel_case, count, offsetof(HypScaleShiftArgs, in), OPERAND_INPUT);
    add_operand(kernel_case, args.channels, offsetof(HypScaleShiftArgs, scale), OPERAND_WEIGHT);
    add_operand(kernel_case, args.channels, offsetof(HypScaleShiftArgs, shift), OPERAND_WEIGHT);
    add_operand(kernel_case, count, offsetof(HypScaleShiftArgs, out), OPERAND_OUTPUT);
    kernel_case->elements = (double)count;
    kernel_case->flops = 2 * (double)count;
}

// --- rows

static double count_rows(const AxisValue *values)
{
    return (2 * number_of(values, AXIS_ROWS) + 2) * number_of(values, AXIS_COLUMNS);
}

static void make_softmax(const AxisValue *values, KernelCase *kernel_case)
{
    const size_t rows = size_of(values, AXIS_ROWS);
    const size_t columns = size_of(values, AXIS_COLUMNS);
    kernel_case->args.softmax = (HypSoftmaxArgs){.rows = rows, .columns = columns, .inner = 1};
    add_operand(kernel_case, rows * columns, offsetof(HypSoftmaxArgs, in), OPERAND_INPUT);
    add_operand(kernel_case, rows * columns, offsetof(HypSoftmaxArgs, out), OPERAND_OUTPUT);
    kernel_case->elements = (double)(rows * columns);
}

static void make_reduce(const AxisValue *values, KernelCase *kernel_case)
{
    const size_t rows = size_of(values, AXIS_ROWS);
    const size_t columns = size_of(values, AXIS_COLUMNS);
    kernel_case->args.reduce =
        (HypReduceArgs){.function = (HyperionReduce)values[AXIS_REDUCTION].integer,
                        .outer = rows,
                        .middle = columns,
                        .inner = 1};
    add_operand(kernel_case, rows * columns, offsetof(HypReduceArgs, in), OPERAND_INPUT);
    add_operand(kernel_case, rows, offsetof(HypReduceArgs, out), OPERAND_OUTPUT);
    kernel_case->elements = (double)(rows * columns);
    kernel_case->flops = kernel_case->elements;
}

static void make_layernorm(const AxisValue *values, KernelCase *kernel_case)
{
    const size_t rows = size_of(values, AXIS_ROWS);
    const size_t columns = size_of(values, AXIS_COLUMNS);
    kernel_case->args.layernorm =
        (HypLayernormArgs){.rows = rows, .columns = columns, .epsilon = 1e-5F};
    add_operand(kernel_case, rows * columns, offsetof(HypLayernormArgs, in), OPERAND_INPUT);
    add_operand(kernel_case, columns, offsetof(HypLayernormArgs, scale), OPERAND_WEIGHT);
    if (values[AXIS_BIAS].integer)
        add_operand(kernel_case, columns, offsetof(HypLayernormArgs, bias), OPERAND_WEIGHT);
    add_operand(kernel_case, rows * columns, offsetof(HypLayernormArgs, out), OPERAND_OUTPUT);
    kernel_case->elements = (double)(rows * columns);
}

// --- attention

static bool check_attention(const AxisValue *values, Problem *problem)
{
    const long long queries = values[AXIS_QUERIES].integer;
    const long long keys = values[AXIS_KEYS].integer;
    return !values[AXIS_CAUSAL].integer || keys >= queries ||
           problem_set(problem, "causal attention needs as many keys as queries, %lld; given %lld",
                       queries, keys);
}

static double count_attention(const AxisValue *values)
{
    return 2 * number_of(values, AXIS_BATCH) * number_of(values, AXIS_HEADS) *
           number_of(values, AXIS_DIM) *
           (number_of(values, AXIS_QUERIES) + number_of(values, AXIS_KEYS));
}

static void make_attention(const AxisValue *values, KernelCase *kernel_case)
{
    const HypAttentionArgs args = {
        .batch = size_of(values, AXIS_BATCH),
        .heads = size_of(values, AXIS_HEADS),
        .queries = size_of(values, AXIS_QUERIES),
        .keys = size_of(values, AXIS_KEYS),
        .dim = size_of(values, AXIS_DIM),
        .scale = 1 / sqrtf((float)values[AXIS_DIM].integer),
        .causal = values[AXIS_CAUSAL].integer != 0,
    };
    kernel_case->args.attention = args;
    const size_t width = args.heads * args.dim;
    add_operand(kernel_case, args.batch * args.queries * width, offsetof(HypAttentionArgs, q),
                OPERAND_INPUT);
    add_operand(kernel_case, args.batch * args.keys * width, offsetof(HypAttentionArgs, k),
                OPERAND_INPUT);
    add_operand(kernel_case, args.batch * args.keys * width, offsetof(HypAttentionArgs, v),
                OPERAND_INPUT);
    add_operand(kernel_case, args.batch * args.queries * width, offsetof(HypAttentionArgs, out),
                OPERAND_OUTPUT);
    const double queries = (double)args.queries;
    const double hidden = args.causal ? queries * (queries - 1) / 2 : 0;
    kernel_case->elements = (double)(args.batch * args.queries * width);
    // Two products over every pair of a query and a key it sees.
    kernel_case->flops = 4 * (double)(args.batch * width) * (queries * (double)args.keys - hidden);
}

// --- The table

#define PRODUCT_AXES AXIS_BLOCK_SIZE, AXIS_PREFETCH, AXIS_PREFETCH_DISTANCE
#define IMAGE_AXES                                                                                 \
    AXIS_BATCH, AXIS_CHANNELS, AXIS_HEIGHT, AXIS_WIDTH, AXIS_WINDOW, AXIS_STRIDE, AXIS_PADDING

static const AxisId common_axes[] = {AXIS_OP, AXIS_SIMD_LEVEL, AXIS_PAGES, AXIS_CACHE_STATE,
                                     AXIS_COUNT};
static const AxisId gemm_axes[] = {PRODUCT_AXES,     AXIS_M,    AXIS_N,        AXIS_K,
                                   AXIS_TRANSPOSE_B, AXIS_BIAS, AXIS_FUNCTION, AXIS_COUNT};
static const AxisId conv2d_axes[] = {PRODUCT_AXES, IMAGE_AXES,    AXIS_OUT_CHANNELS, AXIS_GROUPS,
                                     AXIS_BIAS,    AXIS_FUNCTION, AXIS_COUNT};
static const AxisId activation_axes[] = {AXIS_FUNCTION, AXIS_SIZE, AXIS_COUNT};
static const AxisId pool2d_axes[] = {IMAGE_AXES, AXIS_COUNT};
static const AxisId binary_axes[] = {AXIS_BINARY, AXIS_SIZE, AXIS_COUNT};
static const AxisId reduce_axes[] = {AXIS_REDUCTION, AXIS_ROWS, AXIS_COLUMNS, AXIS_COUNT};
static const AxisId scale_shift_axes[] = {AXIS_BATCH, AXIS_CHANNELS, AXIS_HEIGHT, AXIS_WIDTH,
                                          AXIS_COUNT};
static const AxisId softmax_axes[] = {AXIS_ROWS, AXIS_COLUMNS, AXIS_COUNT};
static const AxisId layernorm_axes[] = {AXIS_ROWS, AXIS_COLUMNS, AXIS_BIAS, AXIS_COUNT};
static const AxisId attention_axes[] = {AXIS_BATCH, AXIS_HEADS,  AXIS_QUERIES, AXIS_KEYS,
                                        AXIS_DIM,   AXIS_CAUSAL, AXIS_COUNT};

static const CaseRow case_table[HYP_OP_COUNT] = {
    [HYP_OP_GEMM] = {gemm_axes, accept_all, count_gemm, make_gemm},
    [HYP_OP_CONV2D] = {conv2d_axes, check_conv2d, count_conv2d, make_conv2d},
    [HYP_OP_ACTIVATION] = {activation_axes, check_activation, count_activation, make_activation},
    [HYP_OP_MAX_POOL2D] = {pool2d_axes, check_window, count_pool2d, make_pool2d},
    [HYP_OP_AVERAGE_POOL2D] = {pool2d_axes, check_window, count_pool2d, make_pool2d},
    [HYP_OP_BINARY] = {binary_axes, accept_all, count_binary, make_binary},
    [HYP_OP_REDUCE] = {reduce_axes, accept_all, count_rows, make_reduce},
    [HYP_OP_SCALE_SHIFT] = {scale_shift_axes, accept_all, count_scale_shift, make_scale_shift},
    [HYP_OP_SOFTMAX] = {softmax_axes, accept_all, count_rows, make_softmax},
    [HYP_OP_LAYERNORM] = {layernorm_axes, accept_all, count_rows, make_layernorm},
    [HYP_OP_ATTENTION] = {attention_axes, check_attention, count_attention, make_attention},
};

static bool list_holds(const AxisId *axes, AxisId axis)
{
    for (; *axes != AXIS_COUNT; axes++)
        if (*axes == axis)
            return true;
    return false;
}

// One bit an axis.
static uint64_t find_axes(HypKernelOp op)
{
    static_assert(AXIS_COUNT <= 64, "a word has a bit for every axis");
    uint64_t axes = 0;
    for (AxisId axis = 0; axis < AXIS_COUNT; axis++)
        if (list_holds(common_axes, axis) || placement_axes_use(axis) ||
            list_holds(case_table[op].axes, axis))
            axes |= UINT64_C(1) << axis;
    return axes;
}

// Every cell of a plan asks for every axis, several times: the lists are searched once a thread.
bool kernel_case_uses(const AxisValue *values, AxisId axis)
{
    static _Thread_local uint64_t axes[HYP_OP_COUNT];
    const HypKernelOp op = (HypKernelOp)values[AXIS_OP].integer;
    if (!axes[op])
        axes[op] = find_axes(op);
    return axes[op] >> axis & 1;
}

static bool check_cache_state(const AxisValue *values, Problem *problem)
{
    if (cold_copies_state(values) != CACHE_WEIGHTS_COLD)
        return true;
    const KernelCase kernel_case = kernel_case_make(values);
    for (size_t i = 0; i < kernel_case.operand_count; i++)
        if (kernel_case.operands[i].role == OPERAND_WEIGHT)
            return true;
    return problem_set(problem, "op %s has no weights: cache_state weights-cold means nothing",
                       hyp_kernel_op_name(kernel_case.op));
}

bool kernel_case_check(const AxisValue *values, Problem *problem)
{
    const CaseRow *row = &case_table[values[AXIS_OP].integer];
    const double bytes = 4 * row->count_elements(values);
    if (bytes > largest_operands_bytes)
        return problem_set(problem, "the operands need %.3g bytes, more than any memory", bytes);
    return placement_axes_check(values, problem) && row->check(values, problem) &&
           check_cache_state(values, problem);
}

KernelCase kernel_case_make(const AxisValue *values)
{
    KernelCase kernel_case = {.op = (HypKernelOp)values[AXIS_OP].integer, .flops = NAN};
    case_table[kernel_case.op].make(values, &kernel_case);
    return kernel_case;
}

double kernel_case_bytes(const KernelCase *kernel_case)
{
    double bytes = 0;
    for (size_t i = 0; i < kernel_case->operand_count; i++)
        bytes += (double)kernel_case->operands[i].count * sizeof(float);
    return bytes;
}
