// SPDX-License-Identifier: Apache-2.0
// topology_files.c - the topology as Linux lists it under /sys/devices/system, for programs without
// hwloc. Where /sys tells of no caches (virtual machines), the C library's sysconf does.
#include "machine/topology_sources.h"

#include "machine/sysroot.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU_FOLDER "/sys/devices/system/cpu"
#define NODE_FOLDER "/sys/devices/system/node"

enum { PATH_BYTES = 160, TEXT_BYTES = 4096 };

// A file whose path is made as by printf, as text of TEXT_BYTES. False if it is not there.
__attribute__((format(printf, 3, 4))) static bool read_text(const char *root, char *text,
                                                            const char *path, ...)
{
    char whole[PATH_BYTES];
    va_list args;
    va_start(args, path);
    (void)vsnprintf(whole, sizeof whole, path, args);
    va_end(args);
    return sysroot_read(root, whole, text, TEXT_BYTES);
}

// The CPUs of a mask, "00000000,00000003"; returns how many.
static size_t read_mask(const char *text, int *cpus, size_t capacity)
{
    size_t count = 0;
    int bit = 0;
    for (size_t i = strlen(text); i-- > 0;) {
        const char digit[2] = {text[i], '\0'};
        if (text[i] == ',')
            continue;
        const long nibble = strtol(digit, NULL, 16);
        for (int j = 0; j < 4; j++, bit++)
            if (nibble >> j & 1 && count++ < capacity)
                cpus[count - 1] = bit;
    }
    return count;
}

// The CPUs in <folder>/<list>, or where a captured tree has the mask alone, in <folder>/<mask>; 0
// where neither is.
static size_t read_cpus(const char *root, const char *folder, const char *list, const char *mask,
                        int *cpus, size_t capacity)
{
    char text[TEXT_BYTES];
    if (read_text(root, text, "%s/%s", folder, list))
        return cpu_list_read(text, cpus, capacity);
    return read_text(root, text, "%s/%s", folder, mask) ? read_mask(text, cpus, capacity) : 0;
}

// CPUs of this machine where there is no /sys: those that this thread may use.
static bool list_own_cpus(Topology *topology, Problem *problem)
{
    int cpus[TEXT_BYTES];
    const size_t count = topology_own_cpus(cpus, TEXT_BYTES);
    topology->cpus = calloc(count + 1, sizeof *topology->cpus);
    if (!topology->cpus)
        return problem_set(problem, "out of memory");
    for (size_t i = 0; i < count; i++)
        topology->cpus[topology->cpu_count++] = (TopologyCpu){cpus[i], -1, -1, -1};
    return true;
}

static bool list_cpus(Topology *topology, const char *root, Problem *problem)
{
    char text[TEXT_BYTES];
    if (!sysroot_read(root, CPU_FOLDER "/online", text, sizeof text))
        return root[0] ? problem_set(problem, "%s%s", root, text)
                       : list_own_cpus(topology, problem);
    const size_t count = cpu_list_read(text, NULL, 0);
    int *numbers = calloc(count + 1, sizeof *numbers);
    topology->cpus = calloc(count + 1, sizeof *topology->cpus);
    if (numbers && topology->cpus) {
        (void)cpu_list_read(text, numbers, count);
        for (size_t i = 0; i < count; i++)
            topology->cpus[topology->cpu_count++] = (TopologyCpu){numbers[i], -1, -1, -1};
    }
    free(numbers);
    return topology->cpus
               ? count > 0 || problem_set(problem, "%s" CPU_FOLDER "/online: empty", root)
               : problem_set(problem, "out of memory");
}

// A core is known by its lowest CPU: its own number repeats in each package. Kernels before 5.2
// know it as thread_siblings.
static void find_cores(Topology *topology, const char *root)
{
    for (size_t i = 0; i < topology->cpu_count; i++) {
        TopologyCpu *at = &topology->cpus[i];
        char folder[PATH_BYTES / 2];
        char text[TEXT_BYTES];
        (void)snprintf(folder, sizeof folder, CPU_FOLDER "/cpu%d/topology", at->cpu);
        if (!read_cpus(root, folder, "core_cpus_list", "core_cpus", &at->core, 1))
            (void)read_cpus(root, folder, "thread_siblings_list", "thread_siblings", &at->core, 1);
        if (read_text(root, text, "%s/physical_package_id", folder))
            at->package = (int)strtol(text, NULL, 10);
    }
}

static int compare_cpus(const void *first, const void *second)
{
    const TopologyCpu *a = first;
    const TopologyCpu *b = second;
    if (a->package != b->package)
        return a->package < b->package ? -1 : 1;
    if (a->core != b->core)
        return a->core < b->core ? -1 : 1;
    return (a->cpu > b->cpu) - (a->cpu < b->cpu);
}

// Sorted by package and core: gives both numbers from 0 up, and counts them.
static void number_cores(Topology *topology)
{
    qsort(topology->cpus, topology->cpu_count, sizeof *topology->cpus, compare_cpus);
    int last_core = -1;
    int last_package = -1;
    for (size_t i = 0; i < topology->cpu_count; i++) {
        TopologyCpu *at = &topology->cpus[i];
        if (at->package >= 0 && at->package != last_package) {
            last_package = at->package;
            topology->packages++;
        }
        if (at->core >= 0 && at->core != last_core) {
            last_core = at->core;
            topology->cores++;
        }
        at->package = at->package >= 0 ? topology->packages - 1 : -1;
        at->core = at->core >= 0 ? topology->cores - 1 : -1;
    }
}

static void set_node(Topology *topology, int node, const char *list)
{
    int cpus[TEXT_BYTES];
    size_t count = cpu_list_read(list, cpus, TEXT_BYTES);
    count = count < TEXT_BYTES ? count : TEXT_BYTES;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < topology->cpu_count; j++)
            if (topology->cpus[j].cpu == cpus[i])
                topology->cpus[j].node = node;
}

// A kernel without NUMA is one node.
static void find_nodes(Topology *topology, const char *root)
{
    char text[TEXT_BYTES];
    int nodes[256];
    size_t count = 0;
    if (sysroot_read(root, NODE_FOLDER "/online", text, sizeof text))
        count = cpu_list_read(text, nodes, sizeof nodes / sizeof nodes[0]);
    topology->numa_nodes = count > 0 ? (int)count : 1;
    for (size_t i = 0; i < topology->cpu_count; i++)
        topology->cpus[i].node = count > 0 ? -1 : 0;
    for (size_t i = 0; i < count && i < sizeof nodes / sizeof nodes[0]; i++) {
        if (read_text(root, text, NODE_FOLDER "/node%d/cpulist", nodes[i]))
            set_node(topology, nodes[i], text);
    }
}

static void find_memory(Topology *topology, const char *root)
{
    char text[TEXT_BYTES];
    // "65684532 kB"
    if (sysroot_read_field(root, "/proc/meminfo", "MemTotal", text, sizeof text))
        topology->memory_bytes = (uint64_t)strtoull(text, NULL, 10) * 1024;
}

// "48K" or "32M"
static size_t read_size(const char *text)
{
    char *end = NULL;
    const unsigned long long number = strtoull(text, &end, 10);
    const unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 0;
    return number > SIZE_MAX >> 20 ? 0 : (size_t)number << shift;
}

// 0 unknown
static int read_cache_number(const char *root, const char *folder, const char *name)
{
    char text[TEXT_BYTES];
    const long number = read_text(root, text, "%s/%s", folder, name) ? strtol(text, NULL, 10) : 0;
    return number > 0 && number < INT_MAX ? (int)number : 0;
}

// The cache in that folder, if this CPU is the first of those it serves. False: out of memory.
static bool add_cache(Topology *topology, const char *root, int cpu, const char *folder, int level)
{
    char type[TEXT_BYTES];
    char size[TEXT_BYTES];
    int sharers[TEXT_BYTES];
    const size_t count =
        read_cpus(root, folder, "shared_cpu_list", "shared_cpu_map", sharers, TEXT_BYTES);
    if (count > TEXT_BYTES || (count > 0 && sharers[0] != cpu) ||
        !read_text(root, type, "%s/type", folder))
        return true;
    if (!read_text(root, size, "%s/size", folder))
        size[0] = '\0';
    TopologyCache *cache = topology_add_cache(topology, count > 0 ? count : 1);
    if (!cache)
        return false;
    cache->cpus[0] = cpu;
    for (size_t i = 0; i < count; i++)
        cache->cpus[i] = sharers[i];
    cache->level = level;
    cache->type = strcmp(type, "Data") == 0          ? TOPOLOGY_DATA
                  : strcmp(type, "Instruction") == 0 ? TOPOLOGY_INSTRUCTION
                                                     : TOPOLOGY_UNIFIED;
    cache->geometry =
        (HyperionCacheLevel){.size_bytes = read_size(size),
                             .line_bytes = read_cache_number(root, folder, "coherency_line_size"),
                             .ways = read_cache_number(root, folder, "ways_of_associativity"),
                             .sharing_cpus = (int)count};
    return true;
}

static bool find_caches(Topology *topology, const char *root)
{
    for (size_t i = 0; i < topology->cpu_count; i++)
        for (int index = 0;; index++) {
            char folder[PATH_BYTES / 2];
            const int cpu = topology->cpus[i].cpu;
            (void)snprintf(folder, sizeof folder, CPU_FOLDER "/cpu%d/cache/index%d", cpu, index);
            const int level = read_cache_number(root, folder, "level");
            if (!level)
                break;
            if (!add_cache(topology, root, cpu, folder, level))
                return false;
        }
    return true;
}

// One cache a level and CPU: who shares it is not told. False: out of memory.
static bool ask_library(Topology *topology)
{
    const HyperionCacheTopology host = hyperionGetHostCacheTopology();
    for (int level = 0; level < host.level_count; level++)
        for (size_t i = 0; i < topology->cpu_count; i++) {
            TopologyCache *cache = topology_add_cache(topology, 1);
            if (!cache)
                return false;
            cache->cpus[0] = topology->cpus[i].cpu;
            cache->level = level + 1;
            cache->type = level ? TOPOLOGY_UNIFIED : TOPOLOGY_DATA;
            cache->geometry = host.levels[level];
        }
    return true;
}

bool topology_fill_from_files(Topology *topology, const char *root, Problem *problem)
{
    topology->source = "/sys";
    if (root[0] && !sysroot_exists(root, CPU_FOLDER "/online"))
        return problem_set(problem, "%s: %s", root,
                           sysroot_exists(root, "/topology.xml")
                               ? "topology.xml cannot be read: built without hwloc"
                               : "holds no sys/devices/system/cpu/online");
    if (!list_cpus(topology, root, problem))
        return false;
    find_cores(topology, root);
    number_cores(topology);
    find_nodes(topology, root);
    find_memory(topology, root);
    if (!find_caches(topology, root))
        return problem_set(problem, "out of memory");
    if (!root[0] && !topology->cache_count && !ask_library(topology))
        return problem_set(problem, "out of memory");
    return true;
}
