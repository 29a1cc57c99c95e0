// SPDX-License-Identifier: Apache-2.0
#include "hyperion/simulate.h"

#include "cache/cache_check.h"
#include "cache/cache_stats.h"
#include "cache/gemm_streams.h"

HyperionCacheStats hyperionPredictGemm(const HyperionGemmShape *shape,
                                       const HyperionGemmBlocking *blocking,
                                       const HyperionCacheTopology *topology)
{
    HyperionCacheTopology complete;
    if (!hyp_cache_gemm_arguments(shape, blocking, topology, &complete))
        return (HyperionCacheStats){0};
    HypCacheShape caches[HYPERION_MAX_CACHE_LEVELS];
    hyp_cache_shapes(&complete, caches);
    HypWindowMemo memo;
    hyp_window_memo_clear(&memo);
    HypAccount account = {.caches = caches, .level_count = complete.level_count, .memo = &memo};
    const HypGemmProducts product = {
        .shape = shape, .blocking = blocking, .different_a = 1, .of_one_a = 1};
    hyp_gemm_add_traffic(&account, &product);
    return hyp_cache_stats_from_traffic(&account.traffic, &complete);
}
