// SPDX-License-Identifier: Apache-2.0
// workload_kernel.c - one operation of the kernel table on random operands.
#include "check/check.h"
#include "hyperion/error.h"
#include "scenario/plan.h"
#include "workload/kernel_case.h"
#include "workload/kernel_operands.h"
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
    KernelOperands operands;
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

static void set_parallel(HypKernelArgs *args, HypKernelOp op, const HyperionParallel *parallel)
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
    if (machine->parallel) {
        context->parallel = *machine->parallel;
    } else {
        context->pool = thread_team_open(values, machine, problem);
        if (!context->pool)
            return false;
        context->parallel = hyperionThreadPoolParallel(context->pool);
    }
    set_parallel(&context->problem.args, context->problem.op, &context->parallel);
    return true;
}

static bool open_operands(KernelContext *context, const AxisValue *values,
                          const WorkloadMachine *machine, Problem *problem)
{
    const int levels = machine->topology.level_count;
    const OperandOrder order = {
        .pages = (OperandPages)values[AXIS_PAGES].integer,
        .cache_state = machine->keeps_cold ? cold_copies_state(values) : CACHE_WARM,
        .last_level_bytes = levels ? machine->topology.levels[levels - 1].size_bytes : 0,
        .parallel = context->parallel,
        .seed = machine->seed,
    };
    return kernel_operands_open(&context->operands, &context->problem, &order, problem);
}

static void close_kernel(void *opened)
{
    KernelContext *context = opened;
    if (!context)
        return;
    kernel_operands_close(&context->operands);
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
    if (!choose_variant(context, cell->values, machine->emulated, problem) ||
        !choose_blocking(context, cell->values, problem) ||
        !start_threads(context, cell->values, machine, problem) ||
        !open_operands(context, cell->values, machine, problem)) {
        close_kernel(context);
        return NULL;
    }
    return context;
}

// First the cell's own problem, then the variant's tails and edges, which that problem may not
// have: a kernel that is wrong anywhere is not worth a timing. The checker has operands of its own.
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
    KernelContext *context = opened;
    if (context->operands.copies > 1)
        kernel_operands_rotate(&context->operands, &context->problem.args);
    switch (context->variant->op) {
#define OP(name, args_type, ENUM)                                                                  \
    case HYP_OP_##ENUM: context->variant->fn.name(&context->problem.args.name); break;
        HYP_KERNEL_OPS(OP)
#undef OP
    case HYP_OP_COUNT: break;
    }
}

static HyperionCacheStats predict_kernel(void *opened, const HyperionPredictionConfig *config)
{
    const KernelContext *context = opened;
    return hyperionPredictKernel(context->variant, &context->problem.args, &context->topology,
                                 config);
}

static void add_prediction(void *opened, WorkloadFacts *facts)
{
    const HyperionPredictionConfig closed_form = {.tier = HYPERION_CACHE_TIER_CLOSED_FORM};
    facts->predicted = predict_kernel(opened, &closed_form);
    (void)snprintf(facts->predicted_reason, sizeof facts->predicted_reason, "%s",
                   facts->predicted.valid ? "" : hyperionGetLastError());
}

// A product fills its register tiles up, whatever is left of rows and columns.
static double count_executed(const KernelContext *context)
{
    const HyperionGemmShape *product = &context->problem.product;
    const double m = (double)product->m;
    const double n = (double)product->n;
    const double mr = (double)context->blocking.mr;
    const double nr = (double)context->blocking.nr;
    if (!context->problem.has_product)
        return NAN;
    return context->problem.flops * (ceil(m / mr) * mr / m) * (ceil(n / nr) * nr / n);
}

static WorkloadFacts describe_kernel(void *opened)
{
    const KernelContext *context = opened;
    WorkloadFacts facts = {
        .flops = context->problem.flops,
        .executed_flops = count_executed(context),
        .bytes = kernel_case_bytes(&context->problem),
        .elements = context->problem.elements,
        .has_blocking = context->problem.has_product,
        .blocking = context->blocking,
        .operand_bytes = (double)context->operands.memory.size_bytes,
    };
    (void)snprintf(facts.kernel, sizeof facts.kernel, "%s", context->variant->name);
    add_prediction(opened, &facts);
    return facts;
}

static WorkloadPlacement place_kernel(void *opened)
{
    const KernelContext *context = opened;
    const KernelOperands *operands = &context->operands;
    return (WorkloadPlacement){
        .pool = context->pool,
        .data = operands->memory.base,
        .data_bytes = operands->memory.size_bytes,
        .copies = operands->copies,
        .copy_bytes = (operands->copies - 1) * operands->stride_bytes,
    };
}

// From the sustained rate of large products on one core of a recent server; others differ by a
// factor of two or so, and so may the duration of a sweep that products dominate.
static WorkloadGuess guess_kernel(const AxisValue *values)
{
    static const double rates_gflops[HYPERION_SIMD_LEVEL_COUNT] = {9, 45, 90, 190};
    const long long word = values[AXIS_SIMD_LEVEL].integer;
    // Other words are no level: "best" or neon.
    const double rate = rates_gflops[word < HYPERION_SIMD_LEVEL_COUNT ? word : HYPERION_SIMD_AVX2];
    const double flops = kernel_case_make(values).flops;
    return (WorkloadGuess){.iteration_ns = isnan(flops) ? 0 : flops / rate};
}

const Workload workload_kernel = {
    .name = "kernel",
    .help = "one operation of the kernel table on random operands",
    .uses = kernel_case_uses,
    .check = kernel_case_check,
    .guess = guess_kernel,
    .open = open_kernel,
    .verify = verify_kernel,
    .run = run_kernel,
    .facts = describe_kernel,
    .predict = predict_kernel,
    .placement = place_kernel,
    .close = close_kernel,
};
