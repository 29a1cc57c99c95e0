// SPDX-License-Identifier: Apache-2.0
#include "hyperion/simulate.h"

#include "cache/cache_check.h"
#include "common/fail.h"
#include "gemm/gemm_touch.h"
#include "kernel_table.h"

// The arrays lie one after another, each from the next page on: as large allocations do, and with
// lines of any two arrays at fixed distances, as in huge pages.
enum { PAGE_BYTES = 4096 };

static uintptr_t place_array(uintptr_t *end, size_t size_bytes)
{
    const uintptr_t start = (*end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    *end = start + size_bytes;
    return start;
}

static void touch_lines(void *context, uintptr_t address, size_t bytes, bool write)
{
    hyperionSimulatorTouch(context, address, bytes,
                           write ? HYPERION_TOUCH_WRITE : HYPERION_TOUCH_READ);
}

// Places only: hyp_gemm_touch follows no pointer.
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

HyperionCacheStats hyperionReplayGemm(const HyperionGemmShape *shape,
                                      const HyperionGemmBlocking *blocking,
                                      const HyperionCacheTopology *topology)
{
    HyperionCacheStats stats = {0};
    HyperionCacheTopology complete;
    if (!hyp_cache_gemm_arguments(shape, blocking, topology, &complete))
        return stats;
    HyperionSimulator *simulator = hyperionCreateSimulator(&complete, 1, NULL);
    if (!simulator)
        return stats;
    const HypGemmArgs args = place_gemm(shape, blocking);
    const HypTouchSink sink = {.touch = touch_lines, .context = simulator};
    hyp_gemm_touch(&args, &sink);
    stats = hyperionSimulatorStats(simulator);
    stats.prefetches = hyp_cache_gemm_prefetches(shape, blocking);
    hyperionFreeSimulator(simulator);
    return stats;
}
