// SPDX-License-Identifier: Apache-2.0
// topology_hwloc.c - the only file that knows hwloc.
#define _POSIX_C_SOURCE 200809L
#include "machine/topology_sources.h"

#include "machine/sysroot.h"

#include <errno.h>
#include <hwloc.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool set_xml(hwloc_topology_t machine, const char *path, Problem *problem)
{
    return hwloc_topology_set_xml(machine, path) == 0 ||
           problem_set(problem, "%s: not a topology as hwloc writes it (%s)", path,
                       strerror(errno));
}

// hwloc takes the root of a captured tree from the environment only.
static bool choose_source(hwloc_topology_t machine, const char *root, Problem *problem)
{
    struct stat status;
    char xml[PATH_MAX];
    if (!root[0])
        return true;
    if (stat(root, &status) == 0 && S_ISREG(status.st_mode))
        return set_xml(machine, root, problem);
    if (snprintf(xml, sizeof xml, "%s/topology.xml", root) >= (int)sizeof xml)
        return problem_set(problem, "%s: name too long", root);
    if (sysroot_exists(root, "/topology.xml"))
        return set_xml(machine, xml, problem);
    if (!sysroot_exists(root, "/sys/devices/system/cpu"))
        return problem_set(problem, "%s: holds neither topology.xml nor sys/devices/system/cpu",
                           root);
    // Its x86 part would ask the CPU it runs on and mix two machines.
    return (hwloc_topology_set_components(machine, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST,
                                          "x86") == 0 &&
            setenv("HWLOC_FSROOT", root, 1) == 0) ||
           problem_set(problem, "hwloc cannot be pointed at %s: %s", root, strerror(errno));
}

static bool load(hwloc_topology_t machine, const char *root, Problem *problem)
{
    bool loaded = false;
    if (choose_source(machine, root, problem)) {
        loaded = hwloc_topology_set_flags(machine, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) == 0 &&
                 hwloc_topology_set_icache_types_filter(machine, HWLOC_TYPE_FILTER_KEEP_ALL) == 0 &&
                 hwloc_topology_load(machine) == 0;
        if (!loaded)
            (void)problem_set(problem, "hwloc cannot read the topology of %s: %s",
                              root[0] ? root : "this machine", strerror(errno));
    }
    if (root[0])
        (void)unsetenv("HWLOC_FSROOT");
    return loaded;
}

static int count_of(hwloc_topology_t machine, hwloc_obj_type_t type)
{
    const int count = hwloc_get_nbobjs_by_type(machine, type);
    return count > 0 ? count : 0;
}

static int index_above(hwloc_topology_t machine, hwloc_obj_t object, hwloc_obj_type_t type)
{
    const hwloc_obj_t above = hwloc_get_ancestor_obj_by_type(machine, type, object);
    return above ? (int)above->logical_index : -1;
}

static bool copy_cpus(Topology *topology, hwloc_topology_t machine)
{
    const int count = count_of(machine, HWLOC_OBJ_PU);
    topology->cpus = calloc((size_t)count + 1, sizeof *topology->cpus);
    hwloc_obj_t object = NULL;
    while (topology->cpus &&
           (object = hwloc_get_next_obj_by_type(machine, HWLOC_OBJ_PU, object)) != NULL)
        topology->cpus[topology->cpu_count++] =
            (TopologyCpu){.cpu = (int)object->os_index,
                          .core = index_above(machine, object, HWLOC_OBJ_CORE),
                          .package = index_above(machine, object, HWLOC_OBJ_PACKAGE),
                          .node = hwloc_bitmap_first(object->nodeset)};
    return topology->cpus != NULL;
}

// 0 in a field means unknown, in hwloc and here.
static bool copy_cache(Topology *topology, hwloc_obj_t object)
{
    static const TopologyCacheType types[] = {[HWLOC_OBJ_CACHE_UNIFIED] = TOPOLOGY_UNIFIED,
                                              [HWLOC_OBJ_CACHE_DATA] = TOPOLOGY_DATA,
                                              [HWLOC_OBJ_CACHE_INSTRUCTION] = TOPOLOGY_INSTRUCTION};
    const struct hwloc_cache_attr_s *attributes = &object->attr->cache;
    const int sharing = hwloc_bitmap_weight(object->cpuset);
    TopologyCache *cache = topology_add_cache(topology, sharing > 0 ? (size_t)sharing : 0);
    if (!cache)
        return false;
    cache->level = (int)attributes->depth;
    cache->type = types[attributes->type];
    cache->geometry = (HyperionCacheLevel){.size_bytes = (size_t)attributes->size,
                                           .line_bytes = (int)attributes->linesize,
                                           .ways = attributes->associativity,
                                           .sharing_cpus = sharing};
    int cpu = -1;
    for (size_t i = 0; i < cache->cpu_count; i++)
        cache->cpus[i] = cpu = hwloc_bitmap_next(object->cpuset, cpu);
    return true;
}

static bool copy_caches(Topology *topology, hwloc_topology_t machine)
{
    // Deepest first: those are the nearest.
    for (int depth = hwloc_topology_get_depth(machine) - 1; depth >= 0; depth--) {
        if (!hwloc_obj_type_is_cache(hwloc_get_depth_type(machine, depth)))
            continue;
        hwloc_obj_t object = NULL;
        while ((object = hwloc_get_next_obj_by_depth(machine, depth, object)) != NULL)
            if (!copy_cache(topology, object))
                return false;
    }
    return true;
}

static bool copy_xml(Topology *topology, hwloc_topology_t machine, Problem *problem)
{
    char *buffer = NULL;
    int length = 0;
    if (hwloc_topology_export_xmlbuffer(machine, &buffer, &length, 0) != 0)
        return problem_set(problem, "hwloc cannot export the topology: %s", strerror(errno));
    topology->xml = length > 0 ? strndup(buffer, (size_t)length) : NULL;
    hwloc_free_xmlbuffer(machine, buffer);
    return topology->xml || problem_set(problem, "out of memory");
}

static bool copy(Topology *topology, hwloc_topology_t machine, Problem *problem)
{
    topology->source = "hwloc";
    topology->packages = count_of(machine, HWLOC_OBJ_PACKAGE);
    topology->numa_nodes = count_of(machine, HWLOC_OBJ_NUMANODE);
    topology->cores = count_of(machine, HWLOC_OBJ_CORE);
    topology->memory_bytes = hwloc_get_root_obj(machine)->total_memory;
    if (!copy_cpus(topology, machine) || !copy_caches(topology, machine))
        return problem_set(problem, "out of memory");
    return copy_xml(topology, machine, problem);
}

bool topology_fill_from_hwloc(Topology *topology, const char *root, Problem *problem)
{
    hwloc_topology_t machine = NULL;
    if (hwloc_topology_init(&machine) != 0)
        return problem_set(problem, "hwloc: %s", strerror(errno));
    const bool filled = load(machine, root, problem) && copy(topology, machine, problem);
    hwloc_topology_destroy(machine);
    return filled;
}
