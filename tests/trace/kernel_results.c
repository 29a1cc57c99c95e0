// SPDX-License-Identifier: Apache-2.0
#include "kernel_results.h"

#include "hyperion/parallel.h"
#include "hyperion/simd.h"
#include "scenario/plan.h"

#include <stdio.h>
#include <stdlib.h>

// Sizes that leave tails at every level; every element of every input is needed.
static const char *const cells[] = {
    "{'op': 'gemm', 'm': 31, 'n': 71, 'k': 45, 'bias': true, 'function': 'relu'}",
    "{'op': 'gemm', 'm': 29, 'n': 33, 'k': 70, 'transpose_b': true, 'block_size': 32}",
    "{'op': 'gemv', 'm': 3, 'n': 77, 'k': 61}",
    "{'op': 'gemv', 'm': 2, 'n': 37, 'k': 93, 'transpose_b': true, 'bias': true}",
    "{'op': 'conv2d', 'channels': 6, 'height': 11, 'width': 13, 'out_channels': 10, 'padding': 1,"
    " 'groups': 2, 'batch': 2, 'bias': true}",
    "{'op': 'conv2d', 'channels': 5, 'height': 9, 'width': 19, 'out_channels': 7, 'window': 1}",
    "{'op': 'depthwise2d', 'channels': 5, 'height': 13, 'width': 29, 'padding': 1}",
    "{'op': 'max_pool2d', 'channels': 3, 'height': 9, 'width': 27}",
    "{'op': 'average_pool2d', 'channels': 3, 'height': 9, 'width': 28, 'window': 2, 'stride': 2,"
    " 'padding': 1}",
    "{'op': 'activation', 'function': 'gelu', 'size': 1003}",
    "{'op': 'activation', 'function': 'relu', 'size': 63}",
    "{'op': 'binary', 'size': 1013}",
    "{'op': 'scale_shift', 'channels': 5, 'height': 7, 'width': 9}",
    "{'op': 'scale_shift', 'channels': 37, 'height': 1, 'width': 1, 'batch': 3}",
    "{'op': 'softmax', 'rows': 7, 'columns': 67}",
    "{'op': 'softmax', 'rows': 3, 'columns': 11}",
    "{'op': 'layernorm', 'rows': 7, 'columns': 71, 'bias': true}",
    "{'op': 'reduce', 'rows': 9, 'columns': 77}",
    "{'op': 'attention', 'heads': 2, 'queries': 9, 'keys': 70, 'dim': 20}",
    "{'op': 'attention', 'heads': 3, 'queries': 37, 'keys': 41, 'dim': 35, 'causal': true}",
};

static void give_up(const char *cell, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", cell, why);
    exit(EXIT_FAILURE);
}

static json_t *read_cell(const char *text, Cell *cell)
{
    char plain[512];
    Problem problem = {0};
    size_t i = 0;
    for (; text[i] && i < sizeof plain - 1; i++)
        plain[i] = text[i] == '\'' ? '"' : text[i];
    plain[i] = '\0';
    json_t *json =
        json_pack("{s:s, s:o}", "workload", "kernel", "axes", json_loads(plain, 0, NULL));
    if (!json || !cell_from_json(json, cell, &problem))
        give_up(text, json ? problem.text : "no JSON");
    return json;
}

static void resolve_blocking(KernelRun *run, const AxisValue *values)
{
    static const HyperionCacheTopology topology = {
        .level_count = 2, .levels = {{48 << 10, 64, 12, 1}, {1 << 20, 64, 16, 1}}};
    const HyperionCacheConfig config = {.block_size = (int)values[AXIS_BLOCK_SIZE].integer,
                                        .enable_prefetch = true,
                                        .prefetch_distance = 8};
    HyperionGemmBlocking *blocking = run->problem.op == HYP_OP_CONV2D
                                         ? &run->problem.args.conv2d.blocking
                                         : &run->problem.args.gemm.blocking;
    if (run->problem.has_product &&
        !hyperionResolveGemmBlocking(&run->problem.product, &config, &topology,
                                     (int)run->variant->level, blocking))
        give_up(run->name, "no blocking");
}

static void run_variant(const HypKernelVariant *variant, const char *text,
                        void (*visit)(KernelRun *run, void *context), void *context)
{
    Cell cell;
    Problem problem = {0};
    json_t *json = read_cell(text, &cell);
    KernelRun run = {.variant = variant, .problem = kernel_case_make(cell.values)};
    (void)snprintf(run.name, sizeof run.name, "%s on %s", variant->name, text);
    if (run.problem.op == variant->op) {
        resolve_blocking(&run, cell.values);
        (void)hyp_kernel_workspace(run.problem.op, &run.problem.args, &run.workspace_bytes);
        HyperionThreadPool *pool = hyperionCreateThreadPool(1, NULL);
        if (!pool)
            give_up(run.name, "no pool");
        const OperandOrder order = {.parallel = hyperionThreadPoolParallel(pool), .seed = 3};
        if (!kernel_operands_open(&run.operands, &run.problem, &order, &problem))
            give_up(run.name, problem.text);
        visit(&run, context);
        kernel_operands_close(&run.operands);
        hyperionFreeThreadPool(pool);
    }
    cell_clear(&cell);
    json_decref(json);
}

void kernel_results_each(void (*visit)(KernelRun *run, void *context), void *context)
{
    const unsigned levels = hyperionGetSIMDCapabilities().levels;
    for (size_t i = 0; i < hyp_kernel_count; i++)
        for (size_t j = 0; j < sizeof cells / sizeof cells[0]; j++)
            if (levels >> hyp_kernel_table[i].level & 1)
                run_variant(&hyp_kernel_table[i], cells[j], visit, context);
}

void kernel_run_call(KernelRun *run)
{
    switch (run->variant->op) {
#define OP(name, args_type, ENUM)                                                                  \
    case HYP_OP_##ENUM: run->variant->fn.name(&run->problem.args.name); break;
        HYP_KERNEL_OPS(OP)
#undef OP
    case HYP_OP_COUNT: break;
    }
}
