// SPDX-License-Identifier: Apache-2.0
// platform_cache.c - data cache geometry from sysconf, where the C library offers it.
#include "platform/platform.h"

#include <limits.h>
#include <unistd.h>

// A value that is not positive, or too large to be a line or a way count, is unknown.
static int to_int_or_unknown(long value)
{
    return value > 0 && value <= INT_MAX ? (int)value : 0;
}

HypPlatformCache hyp_platform_cache(int level)
{
    HypPlatformCache cache = {0};
#ifdef _SC_LEVEL1_DCACHE_SIZE // glibc; other C libraries know nothing of caches
    static const struct {
        int size, line, ways;
    } names[] = {
        {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL1_DCACHE_LINESIZE, _SC_LEVEL1_DCACHE_ASSOC},
        {_SC_LEVEL2_CACHE_SIZE, _SC_LEVEL2_CACHE_LINESIZE, _SC_LEVEL2_CACHE_ASSOC},
        {_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL3_CACHE_LINESIZE, _SC_LEVEL3_CACHE_ASSOC},
        {_SC_LEVEL4_CACHE_SIZE, _SC_LEVEL4_CACHE_LINESIZE, _SC_LEVEL4_CACHE_ASSOC},
    };
    if (level < 1 || level > (int)(sizeof names / sizeof names[0]))
        return cache;
    const long size = sysconf(names[level - 1].size);
    cache.size_bytes = size > 0 ? (size_t)size : 0;
    cache.line_bytes = to_int_or_unknown(sysconf(names[level - 1].line));
    cache.ways = to_int_or_unknown(sysconf(names[level - 1].ways));
#else
    (void)level;
    (void)to_int_or_unknown;
#endif
    return cache;
}
