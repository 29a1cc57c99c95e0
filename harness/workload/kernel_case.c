// SPDX-License-Identifier: Apache-2.0
#include "workload/kernel_case.h"

#include "workload/cold_copies.h"
#include "workload/kernel_case_row.h"
#include "workload/placement_axes.h"

#include <math.h>

// Sum of the operands: above any machine's memory, far below where sizes overflow.
static const double largest_operands_bytes = 0x1p44;

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

// The same product, without the nest.
static void make_gemv(const AxisValue *values, KernelCase *kernel_case)
{
    make_gemm(values, kernel_case);
    kernel_case->has_product = false;
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

static const AxisId common_axes[] = {AXIS_OP,          AXIS_SIMD_LEVEL, AXIS_PAGES,
                                     AXIS_CACHE_STATE, AXIS_GEOMETRY,   AXIS_COUNT};
static const AxisId gemm_axes[] = {PRODUCT_AXES,     AXIS_M,    AXIS_N,        AXIS_K,
                                   AXIS_TRANSPOSE_B, AXIS_BIAS, AXIS_FUNCTION, AXIS_COUNT};
static const AxisId gemv_axes[] = {AXIS_M,    AXIS_N,        AXIS_K,    AXIS_TRANSPOSE_B,
                                   AXIS_BIAS, AXIS_FUNCTION, AXIS_COUNT};
static const AxisId activation_axes[] = {AXIS_FUNCTION, AXIS_SIZE, AXIS_COUNT};
static const AxisId binary_axes[] = {AXIS_BINARY, AXIS_SIZE, AXIS_COUNT};
static const AxisId reduce_axes[] = {AXIS_REDUCTION, AXIS_ROWS, AXIS_COLUMNS, AXIS_COUNT};
static const AxisId scale_shift_axes[] = {AXIS_BATCH, AXIS_CHANNELS, AXIS_HEIGHT, AXIS_WIDTH,
                                          AXIS_COUNT};
static const AxisId softmax_axes[] = {AXIS_ROWS, AXIS_COLUMNS, AXIS_COUNT};
static const AxisId layernorm_axes[] = {AXIS_ROWS, AXIS_COLUMNS, AXIS_BIAS, AXIS_COUNT};
static const AxisId attention_axes[] = {AXIS_BATCH, AXIS_HEADS,  AXIS_QUERIES, AXIS_KEYS,
                                        AXIS_DIM,   AXIS_CAUSAL, AXIS_COUNT};

static const CaseRow *const case_table[HYP_OP_COUNT] = {
    [HYP_OP_CONV2D] = &case_row_conv2d,
    [HYP_OP_DEPTHWISE2D] = &case_row_depthwise2d,
    [HYP_OP_MAX_POOL2D] = &case_row_pool2d,
    [HYP_OP_AVERAGE_POOL2D] = &case_row_pool2d,
    [HYP_OP_GEMM] = &(const CaseRow){gemm_axes, accept_all, count_gemm, make_gemm},
    [HYP_OP_GEMV] = &(const CaseRow){gemv_axes, accept_all, count_gemm, make_gemv},
    [HYP_OP_ACTIVATION] =
        &(const CaseRow){activation_axes, check_activation, count_activation, make_activation},
    [HYP_OP_BINARY] = &(const CaseRow){binary_axes, accept_all, count_binary, make_binary},
    [HYP_OP_REDUCE] = &(const CaseRow){reduce_axes, accept_all, count_rows, make_reduce},
    [HYP_OP_SCALE_SHIFT] =
        &(const CaseRow){scale_shift_axes, accept_all, count_scale_shift, make_scale_shift},
    [HYP_OP_SOFTMAX] = &(const CaseRow){softmax_axes, accept_all, count_rows, make_softmax},
    [HYP_OP_LAYERNORM] = &(const CaseRow){layernorm_axes, accept_all, count_rows, make_layernorm},
    [HYP_OP_ATTENTION] =
        &(const CaseRow){attention_axes, check_attention, count_attention, make_attention},
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
            list_holds(case_table[op]->axes, axis))
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
    const CaseRow *row = case_table[values[AXIS_OP].integer];
    const double bytes = 4 * row->count_elements(values);
    if (bytes > largest_operands_bytes)
        return problem_set(problem, "the operands need %.3g bytes, more than any memory", bytes);
    return placement_axes_check(values, problem) && row->check(values, problem) &&
           check_cache_state(values, problem);
}

KernelCase kernel_case_make(const AxisValue *values)
{
    KernelCase kernel_case = {.op = (HypKernelOp)values[AXIS_OP].integer, .flops = NAN};
    case_table[kernel_case.op]->make(values, &kernel_case);
    return kernel_case;
}

double kernel_case_bytes(const KernelCase *kernel_case)
{
    double bytes = 0;
    for (size_t i = 0; i < kernel_case->operand_count; i++)
        bytes += (double)kernel_case->operands[i].count * sizeof(float);
    return bytes;
}
