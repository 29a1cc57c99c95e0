// SPDX-License-Identifier: Apache-2.0
// workload_kernel.c - one operation of the kernel table on random operands.
#include "check/check.h"
#include "hyperion/error.h"
#include "scenario/plan.h"
#include "workload/kernel_case.h"
#include "workload/operand_memory.h"
#include "workload/random_fill.h"
#include "workload/simd_choice.h"
#include "workload/thread_team.h"
#include "workload/workloads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct KernelContext {
    KernelCase problem;
    const HypKernelVariant *variant;
    HyperionGemmBlocking blocking; // where problem.has_product
    HyperionCacheTopology topology;
    uint64_t seed;
    OperandMemory memory;
    HyperionThreadPool *pool;
    HyperionParallel parallel; // of the pool
} KernelContext;

static bool choose_variant(KernelContext *context, const AxisValue *values, bool emulated,
                           Problem *problem)
{
    const char *word = axis_table[AXIS_SIMD_LEVEL].words[values[AXIS_SIMD_LEVEL].integer];
    HyperionSIMDLevel level;
    if (!simd_choice_resolve(word, emulated, &level, problem))
        return false;
    context->variant = hyp_kernel_find(context->problem.op, level);
    if (!context->variant)
        return problem_set(problem, "op %s has no kernel in this build",
                           hyp_kernel_op_name(context->problem.op));
    // A cell that says avx512 must not report what avx2 did.
    return context->variant->level == level || strcmp(word, "best") == 0 ||
           problem_set(problem, "op %s has no kernel at SIMD level %s",
                       hyp_kernel_op_name(context->problem.op), word);
}

static bool choose_blocking(KernelContext *context, const AxisValue *values, Problem *problem)
{
    if (!context->problem.has_product)
        return true;
    const HyperionCacheConfig config = {
        .block_size = (int)values[AXIS_BLOCK_SIZE].integer,
        .enable_prefetch = values[AXIS_PREFETCH].integer != 0,
        .prefetch_distance = (int)values[AXIS_PREFETCH_DISTANCE].integer,
    };
    if (!hyperionResolveGemmBlocking(&context->problem.product, &config, &context->topology,
                                     (int)context->variant->level, &context->blocking))
        return problem_set(problem, "blocking: %s", hyperionGetLastError());
    if (context->problem.op == HYP_OP_CONV2D)
        context->problem.args.conv2d.blocking = context->blocking;
    else
        context->problem.args.gemm.blocking = context->blocking;
    return true;
}

static void set_parallel(KernelArgs *args, HypKernelOp op, const HyperionParallel *parallel)
{
    switch (op) {
#define OP(name, args_type, ENUM)                                                                  \
    case HYP_OP_##ENUM: args->name.parallel = parallel; break;
        HYP_KERNEL_OPS(OP)
#undef OP
    case HYP_OP_COUNT: break;
    }
}

static bool start_threads(KernelContext *context, const AxisValue *values,
                          const WorkloadMachine *machine, Problem *problem)
{
    context->pool = thread_team_open(values, machine, problem);
    if (!context->pool)
        return false;
    context->parallel = hyperionThreadPoolParallel(context->pool);
    set_parallel(&context->problem.args, context->problem.op, &context->parallel);
    return true;
}

// Bytes of workspace, and the member that points to it; NULL for operations without one.
static void **find_workspace(KernelArgs *args, HypKernelOp op, size_t *size_bytes)
{
    switch (op) {
    case HYP_OP_GEMM:
        *size_bytes = hyp_gemm_workspace_bytes(&args->gemm);
        return &args->gemm.workspace;
    case HYP_OP_CONV2D:
        *size_bytes = hyp_conv2d_workspace_bytes(&args->conv2d);
        return &args->conv2d.workspace;
    case HYP_OP_ATTENTION:
        *size_bytes = hyp_attention_workspace_bytes(&args->attention);
        return &args->attention.workspace;
    default: *size_bytes = 0; return NULL;
    }
}

static bool allocate_operands(KernelContext *context, bool huge_pages, Problem *problem)
{
    KernelCase *kernel_case = &context->problem;
    size_t workspace_bytes = 0;
    void **workspace = find_workspace(&kernel_case->args, kernel_case->op, &workspace_bytes);
    size_t needed_bytes = operand_memory_need(workspace_bytes);
    for (size_t i = 0; i < kernel_case->operand_count; i++)
        needed_bytes += operand_memory_need(kernel_case->operands[i].count * sizeof(float));
    if (!operand_memory_open(&context->memory, needed_bytes, huge_pages, problem))
        return false;
    uint64_t seed = context->seed;
    for (size_t i = 0; i < kernel_case->operand_count; i++) {
        const KernelOperand *operand = &kernel_case->operands[i];
        float *array = operand_memory_take(&context->memory, operand->count * sizeof(float));
        if (!operand->is_output)
            seed = random_fill(array, operand->count, seed);
        memcpy((char *)&kernel_case->args + operand->pointer_offset, &array, sizeof(float *));
    }
    if (workspace)
        *workspace = operand_memory_take(&context->memory, workspace_bytes);
    return true;
}

static void close_kernel(void *opened)
{
    KernelContext *context = opened;
    if (!context)
        return;
    operand_memory_close(&context->memory);
    hyperionFreeThreadPool(context->pool);
    free(context);
}

static void *open_kernel(const struct Cell *cell, const WorkloadMachine *machine, Problem *problem)
{
    KernelContext *context = calloc(1, sizeof *context);
    if (!context) {
        (void)problem_set(problem, "out of memory");
        return NULL;
    }
    context->problem = kernel_case_make(cell->values);
    context->topology = machine->topology;
    context->seed = machine->seed;
    const bool huge_pages =
        strcmp(axis_table[AXIS_PAGES].words[cell->values[AXIS_PAGES].integer], "thp") == 0;
    if (!choose_variant(context, cell->values, machine->emulated, problem) ||
        !choose_blocking(context, cell->values, problem) ||
        !start_threads(context, cell->values, machine, problem) ||
        !allocate_operands(context, huge_pages, problem)) {
        close_kernel(context);
        return NULL;
    }
    return context;
}

// First the cell's own problem, then the variant's tails and edges, which that problem may not have:
// a kernel that is wrong anywhere is not worth a timing. The checker has operands of its own.
static bool verify_kernel(void *opened, Problem *problem)
{
    const KernelContext *context = opened;
    const HypKernelVariant *variant = context->variant;
    HypCheckReport report = {0};
    bool passed = false;
    switch (variant->op) {
#define OP(name, args_type, ENUM)                                                                  \
    case HYP_OP_##ENUM:                                                                            \
        passed =                                                                                   \
            hyp_check_##name##_args(variant, &context->problem.args.name, context->seed, &report); \
        break;
        HYP_KERNEL_OPS(OP)
#undef OP
    case HYP_OP_COUNT: break;
    }
    return (passed && hyp_check_variant(variant, context->seed, &report)) ||
           problem_set(problem, "%s differs from the reference: %s", variant->name, report.failure);
}

static void run_kernel(void *opened)
{
    const KernelContext *context = opened;
    switch (context->variant->op) {
#define OP(name, args_type, ENUM)                                                                  \
    case HYP_OP_##ENUM: context->variant->fn.name(&context->problem.args.name); break;
        HYP_KERNEL_OPS(OP)
#undef OP
    case HYP_OP_COUNT: break;
    }
}

static void predict_product(const KernelContext *context, WorkloadFacts *facts)
{
    const KernelCase *kernel_case = &context->problem;
    const char *reason = kernel_case->unpredicted;
    if (!kernel_case->has_product)
        reason = "no prediction for operations that are no matrix product";
    if (!reason && context->parallel.threads > 1)
        reason = "predictions are of one thread, and the cell has several";
    if (!reason) {
        facts->predicted =
            hyperionPredictGemm(&kernel_case->product, &context->blocking, &context->topology);
        reason = facts->predicted.valid ? "" : hyperionGetLastError();
    }
    (void)snprintf(facts->predicted_reason, sizeof facts->predicted_reason, "%s", reason);
}

static WorkloadFacts describe_kernel(void *opened)
{
    const KernelContext *context = opened;
    WorkloadFacts facts = {
        .flops = context->problem.flops,
        .bytes = kernel_case_bytes(&context->problem),
        .elements = context->problem.elements,
        .has_blocking = context->problem.has_product,
        .blocking = context->blocking,
        .operand_bytes = (double)context->memory.size_bytes,
        .anonymous_huge_bytes = operand_memory_huge_bytes(&context->memory),
    };
    (void)snprintf(facts.kernel, sizeof facts.kernel, "%s", context->variant->name);
    predict_product(context, &facts);
    return facts;
}

// From the sustained rate of large products on one core of a recent server; others differ by a
// factor of two or so, and so may the duration of a sweep that products dominate.
static double guess_kernel_ns(const AxisValue *values)
{
    static const double rates_gflops[HYPERION_SIMD_LEVEL_COUNT] = {9, 45, 90, 190};
    const long long word = values[AXIS_SIMD_LEVEL].integer;
    // Other words are no level: "best" or neon.
    const double rate = rates_gflops[word < HYPERION_SIMD_LEVEL_COUNT ? word : HYPERION_SIMD_AVX2];
    const double flops = kernel_case_make(values).flops;
    return isnan(flops) ? 0 : flops / rate;
}

const Workload workload_kernel = {
    .name = "kernel",
    .help = "one operation of the kernel table on random operands",
    .uses = kernel_case_uses,
    .check = kernel_case_check,
    .guess_ns = guess_kernel_ns,
    .open = open_kernel,
    .verify = verify_kernel,
    .run = run_kernel,
    .facts = describe_kernel,
    .close = close_kernel,
};
