// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "machine/geometry.h"

#include "common/quantity.h"
#include "machine/machine.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 512 };

static bool read_count(const char *text, int *count)
{
    long long value = 0;
    if (!text || !quantity_parse_integer(text, &value) || value < 1 || value > INT_MAX)
        return false;
    *count = (int)value;
    return true;
}

// "1MiB:16:64" or "1MiB:16:64:2", which is taken apart.
static bool read_level(char *text, HyperionCacheLevel *level)
{
    char *rest = NULL;
    long long size_bytes = 0;
    const char *size = strtok_r(text, ":", &rest);
    const char *ways = strtok_r(NULL, ":", &rest);
    const char *line = strtok_r(NULL, ":", &rest);
    const char *sharing = strtok_r(NULL, ":", &rest);
    *level = (HyperionCacheLevel){0};
    if (!size || !quantity_parse_bytes(size, &size_bytes) || size_bytes < 1 ||
        !read_count(ways, &level->ways) || !read_count(line, &level->line_bytes) ||
        (sharing && !read_count(sharing, &level->sharing_cpus)) || strtok_r(NULL, ":", &rest))
        return false;
    level->size_bytes = (size_t)size_bytes;
    return true;
}

static bool read_levels(const char *text, HyperionCacheTopology *chosen, Problem *problem)
{
    char copy[TEXT_BYTES + 1];
    char *rest = NULL;
    bool read = snprintf(copy, sizeof copy, "%s", text) < (int)sizeof copy;
    *chosen = (HyperionCacheTopology){0};
    for (char *level = strtok_r(copy, "+", &rest); read && level;
         level = strtok_r(NULL, "+", &rest))
        read = chosen->level_count < HYPERION_MAX_CACHE_LEVELS &&
               read_level(level, &chosen->levels[chosen->level_count++]);
    return read || problem_set(problem,
                               "geometry %.200s: expected size, ways and line of 1 to %d levels, "
                               "such as 48KiB:12:64+1MiB:16:64",
                               text, HYPERION_MAX_CACHE_LEVELS);
}

bool geometry_choose(const char *text, const HyperionCacheTopology *here,
                     HyperionCacheTopology *chosen, Problem *problem)
{
    if (strcmp(text, GEOMETRY_HERE) == 0) {
        *chosen = *here;
        return true;
    }
    if (text[0] >= '0' && text[0] <= '9')
        return read_levels(text, chosen, problem);
    return machine_cache_topology_of(text, chosen, problem);
}
