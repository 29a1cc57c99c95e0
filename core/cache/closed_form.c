// SPDX-License-Identifier: Apache-2.0
#include "hyperion/simulate.h"

#include "cache/cache_check.h"
#include "cache/cache_stats.h"
#include "cache/gemm_streams.h"
#include "cache/kernel_traffic.h"

// Of the kernel that has the blocking's register tile; none: the widest.
static size_t lanes_of(const HyperionGemmBlocking *blocking)
{
    for (size_t i = 0; i < hyp_kernel_count; i++) {
        const HypKernelVariant *variant = &hyp_kernel_table[i];
        if (variant->op == HYP_OP_GEMM && variant->mr == blocking->mr &&
            variant->nr == blocking->nr)
            return hyp_level_lanes(variant->level);
    }
    return hyp_level_lanes(HYPERION_SIMD_LEVEL_COUNT - 1);
}

HyperionCacheStats hyperionPredictGemm(const HyperionGemmShape *shape,
                                       const HyperionGemmBlocking *blocking,
                                       const HyperionCacheTopology *topology)
{
    HyperionCacheTopology complete;
    if (!hyp_cache_gemm_arguments(shape, blocking, topology, &complete))
        return (HyperionCacheStats){0};
    HypClosedForm form;
    hyp_closed_form_start(&form, &complete);
    const HypGemmProducts product = {.shape = shape,
                                     .blocking = blocking,
                                     .different_a = 1,
                                     .of_one_a = 1,
                                     .lanes = lanes_of(blocking)};
    hyp_gemm_add_traffic(&form.account, &product);
    return hyp_closed_form_stats(&form, &complete);
}
