// SPDX-License-Identifier: Apache-2.0
#include "hyperion/cache.h"

#include "platform/platform.h"

HyperionCacheTopology hyperionGetHostCacheTopology(void)
{
    HyperionCacheTopology topology = {0};
    for (int level = 1; level <= HYPERION_MAX_CACHE_LEVELS; level++) {
        const HypPlatformCache cache = hyp_platform_cache(level);
        if (cache.size_bytes == 0)
            break;
        topology.levels[topology.level_count++] = (HyperionCacheLevel){
            .size_bytes = cache.size_bytes, .line_bytes = cache.line_bytes, .ways = cache.ways};
    }
    return topology;
}
