// SPDX-License-Identifier: Apache-2.0
// machine_topology.c - the topology as runner and workers use it: caches of one core, CPUs to bind.
#include "machine/machine.h"

#include "machine/topology.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_names[] = {"size_bytes", "line_bytes", "ways", "sharing_cpus"};

static size_t list_worker_cpus(const Topology *topology, TopologyCpu *cpus, size_t capacity)
{
    int *allowed = calloc(topology->cpu_count + 1, sizeof *allowed);
    size_t count = 0;
    if (allowed) {
        count = topology_own_cpus(allowed, topology->cpu_count);
        count = topology_worker_cpus(topology, allowed, count, cpus, capacity);
    }
    free(allowed);
    return count;
}

size_t machine_worker_cpus(TopologyCpu *cpus, size_t capacity)
{
    Problem problem = {0};
    Topology *topology = topology_load("", &problem);
    if (!topology)
        return 0;
    const size_t count = list_worker_cpus(topology, cpus, capacity);
    topology_free(topology);
    return count;
}

bool machine_cache_topology(HyperionCacheTopology *topology, Problem *problem)
{
    Topology *machine = topology_load("", problem);
    if (!machine)
        return false;
    TopologyCpu first = {0};
    if (list_worker_cpus(machine, &first, 1) == 0 && machine->cpu_count > 0)
        first = machine->cpus[0];
    const bool ok = topology_of_cpu(machine, first.cpu, topology, problem);
    topology_free(machine);
    return ok;
}

bool machine_cache_topology_of(const char *path, HyperionCacheTopology *topology, Problem *problem)
{
    Topology *machine = topology_load(path, problem);
    if (!machine)
        return false;
    const bool known = machine->cpu_count > 0
                           ? topology_of_cpu(machine, machine->cpus[0].cpu, topology, problem)
                           : problem_set(problem, "%s: no CPU", path);
    topology_free(machine);
    return known;
}

json_t *machine_cpus_to_json(const TopologyCpu *cpus, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++)
        if (json_array_append_new(array, json_pack("[i, i, i, i]", cpus[i].cpu, cpus[i].core,
                                                   cpus[i].package, cpus[i].node)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

bool machine_cpus_from_json(const json_t *json, TopologyCpu *cpus, size_t capacity, size_t *count,
                            Problem *problem)
{
    if (!json_is_array(json) || json_array_size(json) > capacity)
        return problem_set(problem, "\"cpus\": expected an array of at most %zu", capacity);
    *count = json_array_size(json);
    for (size_t i = 0; i < *count; i++)
        if (json_unpack(json_array_get(json, i), "[i, i, i, i]", &cpus[i].cpu, &cpus[i].core,
                        &cpus[i].package, &cpus[i].node) != 0)
            return problem_set(problem, "\"cpus\": expected [cpu, core, package, node]");
    return true;
}

// Null is unknown; -1 ways are full associativity.
static json_t *to_known(json_int_t value)
{
    return value ? json_integer(value) : json_null();
}

json_t *machine_topology_to_json(const HyperionCacheTopology *topology)
{
    json_t *levels = json_array();
    for (int i = 0; levels && i < topology->level_count; i++) {
        const HyperionCacheLevel *level = &topology->levels[i];
        json_t *object = json_pack(
            "{s:o, s:o, s:o, s:o}", level_names[0], to_known((json_int_t)level->size_bytes),
            level_names[1], to_known(level->line_bytes), level_names[2], to_known(level->ways),
            level_names[3], to_known(level->sharing_cpus));
        if (json_array_append_new(levels, object) != 0) {
            json_decref(levels);
            return NULL;
        }
    }
    return levels;
}

static bool level_from_json(const json_t *json, size_t index, HyperionCacheLevel *level,
                            Problem *problem)
{
    json_int_t values[4];
    for (size_t i = 0; i < 4; i++) {
        const json_t *value = json_object_get(json, level_names[i]);
        values[i] = json_integer_value(value);
        const json_int_t least = strcmp(level_names[i], "ways") == 0 ? -1 : 0;
        const json_int_t most = i == 0 ? (json_int_t)1 << 50 : INT_MAX;
        if ((!json_is_integer(value) && !json_is_null(value)) || values[i] < least ||
            values[i] > most)
            return problem_set(problem,
                               "cache level %zu: %s: expected null or an integer from %lld to %lld",
                               index + 1, level_names[i], (long long)least, (long long)most);
    }
    *level = (HyperionCacheLevel){.size_bytes = (size_t)values[0],
                                  .line_bytes = (int)values[1],
                                  .ways = (int)values[2],
                                  .sharing_cpus = (int)values[3]};
    return true;
}

bool machine_topology_from_json(const json_t *json, HyperionCacheTopology *topology,
                                Problem *problem)
{
    const size_t count = json_array_size(json);
    if (!json_is_array(json) || count > HYPERION_MAX_CACHE_LEVELS)
        return problem_set(problem, "cache topology: expected an array of at most %d levels",
                           HYPERION_MAX_CACHE_LEVELS);
    HyperionCacheTopology read = {.level_count = (int)count};
    for (size_t i = 0; i < count; i++)
        if (!level_from_json(json_array_get(json, i), i, &read.levels[i], problem))
            return false;
    *topology = read;
    return true;
}
