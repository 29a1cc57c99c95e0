// SPDX-License-Identifier: Apache-2.0
// predict_kernel.c - predictions for one call of a kernel, and for a product by its shape alone.
#include "cache/cache_check.h"
#include "cache/cache_stats.h"
#include "cache/kernel_memory.h"
#include "cache/kernel_traffic.h"
#include "cache/replay.h"
#include "common/fail.h"
#include "hyperion/parallel.h"

typedef struct KernelCall {
    const HypKernelVariant *variant;
    const HypKernelArgs *args;
} KernelCall;

static bool tell_kernel(HyperionSimulator *simulator, void *context)
{
    const KernelCall *call = context;
    hyp_replay_kernel(simulator, call->variant, call->args);
    return true;
}

// The formulas are of arrays apart, in cold caches: what comes back of them is taken off.
static bool add_call(const KernelCall *call, bool warm, HypAccount *account)
{
    HypMemory memory[HYP_MOST_KERNEL_MEMORY];
    const HypKernelVariant *variant = call->variant;
    const int count = hyp_kernel_memory(variant->op, call->args, memory);
    const HypTraffic before = account->traffic;
    HypCarried carried;
    hyp_carried_open(&carried, account->caches[0].line_floats * sizeof(float));
    bool added = !warm || hyp_carried_take(&carried, memory, count, &before, account);
    if (added) {
        hyp_kernel_traffic(variant->op, variant->level, call->args, 1, account);
        added = hyp_carried_take(&carried, memory, count, &before, account);
    }
    if (added && warm)
        hyp_carried_finish(&carried, account);
    hyp_carried_close(&carried);
    return added;
}

static HyperionCacheStats predict_by_formula(const KernelCall *call, bool warm,
                                             const HyperionCacheTopology *complete)
{
    HypClosedForm form;
    hyp_closed_form_start(&form, complete);
    return add_call(call, warm, &form.account) ? hyp_closed_form_stats(&form, complete)
                                               : (HyperionCacheStats){.valid = false};
}

HyperionCacheStats hyperionPredictKernel(const HypKernelVariant *variant, const HypKernelArgs *args,
                                         const HyperionCacheTopology *topology,
                                         const HyperionPredictionConfig *config)
{
    const HyperionCacheStats failure = {.valid = false};
    const HyperionPredictionConfig defaults = {0};
    KernelCall call = {variant, args};
    HyperionCacheTopology complete;
    if (!variant || !args || !topology) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "predict kernel: %s is NULL",
                       !variant ? "variant"
                       : !args  ? "args"
                                : "topology");
        return failure;
    }
    if (!config)
        config = &defaults;
    if (!hyp_cache_topology_complete(topology, &complete) ||
        !hyp_prediction_config_is_valid(config, complete.level_count))
        return failure;
    HypKernelArgs copy = *args;
    const HyperionParallel *parallel = *hyp_kernel_parallel(variant->op, &copy);
    const size_t threads = parallel ? parallel->threads : 1;
    if (threads < 1 || threads > HYPERION_MAX_THREADS) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "predict kernel: 1 to %d threads, given %zu",
                       HYPERION_MAX_THREADS, threads);
        return failure;
    }
    if (config->tier == HYPERION_CACHE_TIER_REPLAY)
        return hyp_replay(&complete, (int)threads, config, tell_kernel, &call);
    return predict_by_formula(&call, config->warm, &complete);
}

// The arrays lie one after another, each from the next page on: as large allocations do, and with
// lines of any two arrays at fixed distances, as in huge pages.
enum { PAGE_BYTES = 4096 };

static uintptr_t place_array(uintptr_t *end, size_t size_bytes)
{
    const uintptr_t start = (*end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    *end = start + size_bytes;
    return start;
}

static HypGemmArgs place_gemm(const HyperionGemmShape *shape, const HyperionGemmBlocking *blocking)
{
    const size_t ldb = shape->b_transposed ? shape->k : shape->n;
    HypGemmArgs args = {.m = shape->m,
                        .n = shape->n,
                        .k = shape->k,
                        .lda = shape->k,
                        .ldb = ldb,
                        .b_transposed = shape->b_transposed,
                        .ldc = shape->n,
                        .blocking = *blocking};
    uintptr_t end = PAGE_BYTES;
    args.a = (const float *)place_array(&end, shape->m * shape->k * sizeof(float));
    args.b = (const float *)place_array(&end, shape->k * shape->n * sizeof(float));
    args.c = (float *)place_array(&end, shape->m * shape->n * sizeof(float));
    args.workspace = (void *)place_array(&end, hyp_gemm_workspace_bytes(&args));
    return args;
}

// The variant whose register tile the blocking is for.
static const HypKernelVariant *find_gemm(const HyperionGemmBlocking *blocking)
{
    for (size_t i = 0; i < hyp_kernel_count; i++) {
        const HypKernelVariant *variant = &hyp_kernel_table[i];
        if (variant->op == HYP_OP_GEMM && variant->mr == blocking->mr &&
            variant->nr == blocking->nr)
            return variant;
    }
    return hyp_fail_null(HYPERION_ERROR_UNSUPPORTED,
                         "replay of a product: no gemm kernel with a register tile of %zu x %zu",
                         blocking->mr, blocking->nr);
}

HyperionCacheStats hyperionReplayGemm(const HyperionGemmShape *shape,
                                      const HyperionGemmBlocking *blocking,
                                      const HyperionCacheTopology *topology)
{
    const HyperionCacheStats failure = {.valid = false};
    const HyperionPredictionConfig config = {.tier = HYPERION_CACHE_TIER_REPLAY};
    HyperionCacheTopology complete;
    if (!hyp_cache_gemm_arguments(shape, blocking, topology, &complete))
        return failure;
    const HypKernelVariant *variant = find_gemm(blocking);
    if (!variant)
        return failure;
    const HypKernelArgs args = {.gemm = place_gemm(shape, blocking)};
    KernelCall call = {variant, &args};
    return hyp_replay(&complete, 1, &config, tell_kernel, &call);
}
