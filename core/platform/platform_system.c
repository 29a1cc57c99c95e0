// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "platform/platform.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

// sysconf's "unknown" is 0 or -1; both are 0 here.
static long query_number(int name)
{
    const long value = sysconf(name);
    return value > 0 ? value : 0;
}

HypPlatformCache hyp_platform_cache(int level)
{
    static const struct {
        int size, line, ways;
    } names[] = {
        {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL1_DCACHE_LINESIZE, _SC_LEVEL1_DCACHE_ASSOC},
        {_SC_LEVEL2_CACHE_SIZE, _SC_LEVEL2_CACHE_LINESIZE, _SC_LEVEL2_CACHE_ASSOC},
        {_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL3_CACHE_LINESIZE, _SC_LEVEL3_CACHE_ASSOC},
        {_SC_LEVEL4_CACHE_SIZE, _SC_LEVEL4_CACHE_LINESIZE, _SC_LEVEL4_CACHE_ASSOC},
    };
    assert(level >= 1 && level <= (int)(sizeof names / sizeof names[0]));
    return (HypPlatformCache){
        .size_bytes = (size_t)query_number(names[level - 1].size),
        .line_bytes = (int)query_number(names[level - 1].line),
        .ways = (int)query_number(names[level - 1].ways),
    };
}

const char *hyp_platform_environment(const char *name)
{
    return getenv(name);
}
