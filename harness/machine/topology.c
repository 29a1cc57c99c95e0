// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "machine/topology.h"

#include "machine/facts.h"
#include "machine/sysroot.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CACHE_KINDS = 32 };

// hwloc takes the root of a captured tree from the environment only.
static bool choose_source(hwloc_topology_t topology, const char *root, Problem *problem)
{
    if (!root[0])
        return true;
    char xml[PATH_MAX];
    if (snprintf(xml, sizeof xml, "%s/topology.xml", root) >= (int)sizeof xml)
        return problem_set(problem, "%s: name too long", root);
    if (sysroot_exists(root, "/topology.xml"))
        return hwloc_topology_set_xml(topology, xml) == 0 ||
               problem_set(problem, "%s: not a topology as hwloc writes it (%s)", xml,
                           strerror(errno));
    if (!sysroot_exists(root, "/sys/devices/system/cpu"))
        return problem_set(problem, "%s: holds neither topology.xml nor sys/devices/system/cpu",
                           root);
    // Its x86 part would ask the CPU it runs on and mix two machines.
    return (hwloc_topology_set_components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST,
                                          "x86") == 0 &&
            setenv("HWLOC_FSROOT", root, 1) == 0) ||
           problem_set(problem, "hwloc cannot be pointed at %s: %s", root, strerror(errno));
}

hwloc_topology_t topology_load(const char *root, Problem *problem)
{
    hwloc_topology_t topology = NULL;
    if (hwloc_topology_init(&topology) != 0) {
        (void)problem_set(problem, "hwloc: %s", strerror(errno));
        return NULL;
    }
    bool loaded = false;
    if (choose_source(topology, root, problem)) {
        loaded =
            hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) == 0 &&
            hwloc_topology_set_icache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL) == 0 &&
            hwloc_topology_load(topology) == 0;
        if (!loaded)
            (void)problem_set(problem, "hwloc cannot read the topology of %s: %s",
                              root[0] ? root : "this machine", strerror(errno));
    }
    if (root[0])
        (void)unsetenv("HWLOC_FSROOT");
    if (loaded)
        return topology;
    hwloc_topology_destroy(topology);
    return NULL;
}

static bool set_count(json_t *facts, const char *name, hwloc_topology_t topology,
                      hwloc_obj_type_t type)
{
    const int count = hwloc_get_nbobjs_by_type(topology, type);
    if (count > 0)
        return fact_set(facts, name, json_integer(count));
    return fact_unknown(facts, name, "hwloc does not see any");
}

json_t *topology_counts(hwloc_topology_t topology)
{
    json_t *facts = json_object();
    const uint64_t memory = hwloc_get_root_obj(topology)->total_memory;
    if (facts && set_count(facts, "packages", topology, HWLOC_OBJ_PACKAGE) &&
        set_count(facts, "numa_nodes", topology, HWLOC_OBJ_NUMANODE) &&
        set_count(facts, "cores", topology, HWLOC_OBJ_CORE) &&
        set_count(facts, "cpus", topology, HWLOC_OBJ_PU) &&
        (memory ? fact_set(facts, "memory_bytes", json_integer((json_int_t)memory))
                : fact_unknown(facts, "memory_bytes", "hwloc does not know")))
        return facts;
    json_decref(facts);
    return NULL;
}

typedef struct CacheKind {
    hwloc_obj_cache_type_t type;
    HyperionCacheLevel geometry;
    int level;
    int count;
} CacheKind;

// 0 in a field means unknown, in hwloc and here.
static CacheKind kind_of(hwloc_obj_t cache)
{
    const struct hwloc_cache_attr_s *attributes = &cache->attr->cache;
    return (CacheKind){.type = attributes->type,
                       .geometry = {.size_bytes = (size_t)attributes->size,
                                    .line_bytes = (int)attributes->linesize,
                                    .ways = attributes->associativity,
                                    .sharing_cpus = hwloc_bitmap_weight(cache->cpuset)},
                       .level = (int)attributes->depth,
                       .count = 1};
}

static bool same_kind(const CacheKind *a, const CacheKind *b)
{
    return a->type == b->type && a->level == b->level &&
           a->geometry.size_bytes == b->geometry.size_bytes &&
           a->geometry.line_bytes == b->geometry.line_bytes &&
           a->geometry.ways == b->geometry.ways &&
           a->geometry.sharing_cpus == b->geometry.sharing_cpus;
}

// By level, then data before instruction caches; the rest keeps hwloc's order.
static bool comes_before(const CacheKind *a, const CacheKind *b)
{
    if (a->level != b->level)
        return a->level < b->level;
    return a->type != HWLOC_OBJ_CACHE_INSTRUCTION && b->type == HWLOC_OBJ_CACHE_INSTRUCTION;
}

static size_t add_kind(CacheKind *kinds, size_t count, CacheKind kind)
{
    for (size_t i = 0; i < count; i++)
        if (same_kind(&kinds[i], &kind)) {
            kinds[i].count++;
            return count;
        }
    if (count == MOST_CACHE_KINDS)
        return count;
    size_t place = count;
    for (; place > 0 && comes_before(&kind, &kinds[place - 1]); place--)
        kinds[place] = kinds[place - 1];
    kinds[place] = kind;
    return count + 1;
}

static size_t collect_kinds(hwloc_topology_t topology, CacheKind *kinds)
{
    size_t count = 0;
    for (int depth = 0; depth < hwloc_topology_get_depth(topology); depth++) {
        if (!hwloc_obj_type_is_cache(hwloc_get_depth_type(topology, depth)))
            continue;
        hwloc_obj_t cache = NULL;
        while ((cache = hwloc_get_next_obj_by_depth(topology, depth, cache)) != NULL)
            count = add_kind(kinds, count, kind_of(cache));
    }
    return count;
}

static bool set_positive(json_t *facts, const char *name, json_int_t value)
{
    return value > 0 ? fact_set(facts, name, json_integer(value))
                     : fact_unknown(facts, name, "hwloc does not know");
}

static bool set_geometry(json_t *facts, const HyperionCacheLevel *geometry)
{
    return set_positive(facts, "size_bytes", (json_int_t)geometry->size_bytes) &&
           set_positive(facts, "line_bytes", geometry->line_bytes) &&
           (geometry->ways == -1 ? fact_set(facts, "ways", json_integer(-1))
                                 : set_positive(facts, "ways", geometry->ways)) &&
           set_positive(facts, "sharing_cpus", geometry->sharing_cpus);
}

static json_t *kind_to_json(const CacheKind *kind)
{
    static const char *const names[] = {[HWLOC_OBJ_CACHE_UNIFIED] = "unified",
                                        [HWLOC_OBJ_CACHE_DATA] = "data",
                                        [HWLOC_OBJ_CACHE_INSTRUCTION] = "instruction"};
    json_t *facts = json_object();
    if (facts && fact_set(facts, "level", json_integer(kind->level)) &&
        fact_set(facts, "type", json_string(names[kind->type])) &&
        set_geometry(facts, &kind->geometry) && fact_set(facts, "count", json_integer(kind->count)))
        return facts;
    json_decref(facts);
    return NULL;
}

json_t *topology_caches(hwloc_topology_t topology)
{
    CacheKind kinds[MOST_CACHE_KINDS];
    const size_t count = collect_kinds(topology, kinds);
    json_t *caches = json_array();
    for (size_t i = 0; caches && i < count; i++)
        if (json_array_append_new(caches, kind_to_json(&kinds[i])) != 0) {
            json_decref(caches);
            return NULL;
        }
    return caches;
}

bool topology_of_cpu(hwloc_topology_t topology, unsigned cpu, HyperionCacheTopology *caches,
                     Problem *problem)
{
    hwloc_obj_t object = hwloc_get_pu_obj_by_os_index(topology, cpu);
    if (!object)
        return problem_set(problem, "hwloc does not know CPU %u", cpu);
    HyperionCacheTopology found = {0};
    for (; object; object = object->parent) {
        if (!hwloc_obj_type_is_dcache(object->type))
            continue;
        const CacheKind kind = kind_of(object);
        if (kind.level < 1 || kind.level > HYPERION_MAX_CACHE_LEVELS)
            continue;
        found.levels[kind.level - 1] = kind.geometry;
        if (found.level_count < kind.level)
            found.level_count = kind.level;
    }
    if (!found.level_count)
        return problem_set(problem, "hwloc knows no data cache of CPU %u", cpu);
    *caches = found;
    return true;
}

size_t topology_one_cpu_a_core(hwloc_topology_t topology, hwloc_const_bitmap_t allowed, int *cpus,
                               size_t capacity)
{
    size_t count = 0;
    bool with_zero = false;
    // A machine that tells no cores is taken as one CPU a core.
    const hwloc_obj_type_t type =
        hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
    hwloc_bitmap_t usable = hwloc_bitmap_alloc();
    hwloc_obj_t core = NULL;
    while (usable && (core = hwloc_get_next_obj_by_type(topology, type, core)) != NULL) {
        if (hwloc_bitmap_and(usable, core->cpuset, allowed) != 0)
            break;
        const int cpu = hwloc_bitmap_first(usable);
        if (cpu == 0)
            with_zero = true;
        else if (cpu > 0 && count < capacity)
            cpus[count++] = cpu;
    }
    hwloc_bitmap_free(usable);
    if (with_zero && count < capacity)
        cpus[count++] = 0;
    return count;
}

char *topology_to_xml(hwloc_topology_t topology, Problem *problem)
{
    char *buffer = NULL;
    int length = 0;
    if (hwloc_topology_export_xmlbuffer(topology, &buffer, &length, 0) != 0) {
        (void)problem_set(problem, "hwloc cannot export the topology: %s", strerror(errno));
        return NULL;
    }
    char *xml = length > 0 ? strndup(buffer, (size_t)length) : NULL;
    hwloc_free_xmlbuffer(topology, buffer);
    if (!xml)
        (void)problem_set(problem, "out of memory");
    return xml;
}
