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
    HypTraffic traffic = {0};
    if (shape->m && shape->n && shape->k)
        traffic = hyp_gemm_traffic(shape, NULL, blocking, NULL, caches, complete.level_count);
    traffic.prefetches = hyp_cache_gemm_prefetches(shape, blocking);
    return hyp_cache_stats_from_traffic(&traffic, &complete);
}
