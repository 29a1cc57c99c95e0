// SPDX-License-Identifier: Apache-2.0
// geometry.h - caches of other machines, as the axis geometry names them.
#ifndef HYP_GEOMETRY_H
#define HYP_GEOMETRY_H

#include "common/problem.h"
#include "hyperion/cache.h"

// The default of the axis: this machine's caches.
#define GEOMETRY_HERE "here"

// "here": a copy of `here`. Levels from the first on, "48KiB:12:64+1MiB:16:64": size, ways, bytes
// of a line and, where known, the CPUs that share it. Else the path of a topology as hwloc exports
// it
// (.xml), or of a captured machine's folder: the caches of its first CPU.
bool geometry_choose(const char *text, const HyperionCacheTopology *here,
                     HyperionCacheTopology *chosen, Problem *problem);

#endif
