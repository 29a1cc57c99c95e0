// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE // sched_getaffinity
#include "machine/topology.h"

#include "machine/facts.h"
#include "machine/topology_sources.h"

#include <sched.h>
#include <stdlib.h>

enum { MOST_CACHE_KINDS = 32 };

static bool fill(Topology *topology, const char *root, Problem *problem)
{
#if HYPERION_HAVE_HWLOC
    return topology_fill_from_hwloc(topology, root, problem);
#else
    return topology_fill_from_files(topology, root, problem);
#endif
}

Topology *topology_load(const char *root, Problem *problem)
{
    Topology *topology = calloc(1, sizeof *topology);
    if (!topology)
        (void)problem_set(problem, "out of memory");
    if (topology && fill(topology, root, problem))
        return topology;
    topology_free(topology);
    return NULL;
}

void topology_free(Topology *topology)
{
    if (!topology)
        return;
    for (size_t i = 0; i < topology->cache_count; i++)
        free(topology->caches[i].cpus);
    free(topology->caches);
    free(topology->cpus);
    free(topology->xml);
    free(topology);
}

TopologyCache *topology_add_cache(Topology *topology, size_t cpu_count)
{
    TopologyCache *grown =
        realloc(topology->caches, (topology->cache_count + 1) * sizeof *topology->caches);
    if (!grown)
        return NULL;
    topology->caches = grown;
    TopologyCache *cache = &grown[topology->cache_count];
    *cache =
        (TopologyCache){.cpus = calloc(cpu_count, sizeof *cache->cpus), .cpu_count = cpu_count};
    if (!cache->cpus)
        return NULL;
    topology->cache_count++;
    return cache;
}

static bool set_positive(json_t *facts, const char *name, json_int_t value, const char *source)
{
    return value > 0 ? fact_set(facts, name, json_integer(value))
                     : fact_unknown(facts, name, "%s does not tell", source);
}

json_t *topology_counts(const Topology *topology)
{
    const char *source = topology->source;
    json_t *facts = json_object();
    if (facts && fact_set(facts, "source", json_string(source)) &&
        (topology->xml ? fact_set(facts, "xml", json_true())
                       : fact_unknown(facts, "xml", "built without hwloc: no topology.xml")) &&
        set_positive(facts, "packages", topology->packages, source) &&
        set_positive(facts, "numa_nodes", topology->numa_nodes, source) &&
        set_positive(facts, "cores", topology->cores, source) &&
        set_positive(facts, "cpus", (json_int_t)topology->cpu_count, source) &&
        set_positive(facts, "memory_bytes", (json_int_t)topology->memory_bytes, source))
        return facts;
    json_decref(facts);
    return NULL;
}

typedef struct CacheKind {
    const TopologyCache *first;
    int count;
} CacheKind;

static bool same_kind(const TopologyCache *a, const TopologyCache *b)
{
    return a->type == b->type && a->level == b->level &&
           a->geometry.size_bytes == b->geometry.size_bytes &&
           a->geometry.line_bytes == b->geometry.line_bytes &&
           a->geometry.ways == b->geometry.ways &&
           a->geometry.sharing_cpus == b->geometry.sharing_cpus;
}

// By level, then data before instruction caches; the rest keeps its order.
static bool comes_before(const TopologyCache *a, const TopologyCache *b)
{
    if (a->level != b->level)
        return a->level < b->level;
    return a->type != TOPOLOGY_INSTRUCTION && b->type == TOPOLOGY_INSTRUCTION;
}

static size_t add_kind(CacheKind *kinds, size_t count, const TopologyCache *cache)
{
    for (size_t i = 0; i < count; i++)
        if (same_kind(kinds[i].first, cache)) {
            kinds[i].count++;
            return count;
        }
    if (count == MOST_CACHE_KINDS)
        return count;
    size_t place = count;
    for (; place > 0 && comes_before(cache, kinds[place - 1].first); place--)
        kinds[place] = kinds[place - 1];
    kinds[place] = (CacheKind){cache, 1};
    return count + 1;
}

static bool set_geometry(json_t *facts, const HyperionCacheLevel *geometry, const char *source)
{
    return set_positive(facts, "size_bytes", (json_int_t)geometry->size_bytes, source) &&
           set_positive(facts, "line_bytes", geometry->line_bytes, source) &&
           (geometry->ways == -1 ? fact_set(facts, "ways", json_integer(-1))
                                 : set_positive(facts, "ways", geometry->ways, source)) &&
           set_positive(facts, "sharing_cpus", geometry->sharing_cpus, source);
}

static json_t *kind_to_json(const CacheKind *kind, const char *source)
{
    static const char *const names[] = {[TOPOLOGY_UNIFIED] = "unified",
                                        [TOPOLOGY_DATA] = "data",
                                        [TOPOLOGY_INSTRUCTION] = "instruction"};
    const TopologyCache *cache = kind->first;
    json_t *facts = json_object();
    if (facts && fact_set(facts, "level", json_integer(cache->level)) &&
        fact_set(facts, "type", json_string(names[cache->type])) &&
        set_geometry(facts, &cache->geometry, source) &&
        fact_set(facts, "count", json_integer(kind->count)))
        return facts;
    json_decref(facts);
    return NULL;
}

json_t *topology_caches(const Topology *topology)
{
    CacheKind kinds[MOST_CACHE_KINDS];
    size_t count = 0;
    for (size_t i = 0; i < topology->cache_count; i++)
        count = add_kind(kinds, count, &topology->caches[i]);
    json_t *caches = json_array();
    for (size_t i = 0; caches && i < count; i++)
        if (json_array_append_new(caches, kind_to_json(&kinds[i], topology->source)) != 0) {
            json_decref(caches);
            return NULL;
        }
    return caches;
}

static bool holds(const int *cpus, size_t count, int cpu)
{
    for (size_t i = 0; i < count; i++)
        if (cpus[i] == cpu)
            return true;
    return false;
}

static bool knows_cpu(const Topology *topology, int cpu)
{
    for (size_t i = 0; i < topology->cpu_count; i++)
        if (topology->cpus[i].cpu == cpu)
            return true;
    return false;
}

bool topology_of_cpu(const Topology *topology, int cpu, HyperionCacheTopology *caches,
                     Problem *problem)
{
    if (!knows_cpu(topology, cpu))
        return problem_set(problem, "%s does not know CPU %d", topology->source, cpu);
    HyperionCacheTopology found = {0};
    for (size_t i = 0; i < topology->cache_count; i++) {
        const TopologyCache *cache = &topology->caches[i];
        if (cache->type == TOPOLOGY_INSTRUCTION || cache->level < 1 ||
            cache->level > HYPERION_MAX_CACHE_LEVELS || !holds(cache->cpus, cache->cpu_count, cpu))
            continue;
        found.levels[cache->level - 1] = cache->geometry;
        if (found.level_count < cache->level)
            found.level_count = cache->level;
    }
    if (!found.level_count)
        return problem_set(problem, "%s knows no data cache of CPU %d", topology->source, cpu);
    *caches = found;
    return true;
}

// How many allowed CPUs of its core come before the i-th CPU; one of an unknown core is alone.
static size_t find_sibling(const Topology *topology, const int *allowed, size_t allowed_count,
                           size_t i)
{
    size_t before = 0;
    for (size_t j = i; j-- > 0 && topology->cpus[j].core == topology->cpus[i].core;)
        before += holds(allowed, allowed_count, topology->cpus[j].cpu);
    return topology->cpus[i].core < 0 ? 0 : before;
}

static int find_core(const Topology *topology, int cpu)
{
    for (size_t i = 0; i < topology->cpu_count; i++)
        if (topology->cpus[i].cpu == cpu)
            return topology->cpus[i].core;
    return -1;
}

size_t topology_worker_cpus(const Topology *topology, const int *allowed, size_t allowed_count,
                            TopologyCpu *cpus, size_t capacity)
{
    const int busy_core = find_core(topology, 0); // takes interrupts
    size_t count = 0;
    bool more = true;
    for (size_t sibling = 0; more; sibling++) {
        more = false;
        for (int last = 0; last < 2; last++)
            for (size_t i = 0; i < topology->cpu_count && count < capacity; i++) {
                const TopologyCpu *at = &topology->cpus[i];
                const bool busy = at->cpu == 0 || (busy_core >= 0 && at->core == busy_core);
                if (busy != (last == 1) || !holds(allowed, allowed_count, at->cpu) ||
                    find_sibling(topology, allowed, allowed_count, i) != sibling)
                    continue;
                cpus[count++] = *at;
                more = true;
            }
    }
    return count;
}

size_t topology_own_cpus(int *cpus, size_t capacity)
{
    enum { MOST_CPUS = 1 << 16 };
    cpu_set_t *set = CPU_ALLOC(MOST_CPUS);
    const size_t set_bytes = CPU_ALLOC_SIZE(MOST_CPUS);
    size_t count = 0;
    if (set && sched_getaffinity(0, set_bytes, set) == 0)
        for (size_t cpu = 0; cpu < MOST_CPUS && count < capacity; cpu++)
            if (CPU_ISSET_S(cpu, set_bytes, set))
                cpus[count++] = (int)cpu;
    CPU_FREE(set);
    return count;
}

size_t cpu_list_read(const char *text, int *cpus, size_t capacity)
{
    size_t count = 0;
    for (const char *at = text;;) {
        char *end = NULL;
        const long first = strtol(at, &end, 10);
        if (end == at || first < 0 || first > 1 << 20)
            return count;
        long last = first;
        if (*end == '-') {
            at = end + 1;
            last = strtol(at, &end, 10);
            if (end == at || last < first || last > 1 << 20)
                return count;
        }
        for (long cpu = first; cpu <= last; cpu++, count++)
            if (count < capacity)
                cpus[count] = (int)cpu;
        if (*end != ',')
            return count;
        at = end + 1;
    }
}
