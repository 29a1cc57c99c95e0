// SPDX-License-Identifier: Apache-2.0
#include "cache/cache_check.h"
#include "cache/cache_simulator.h"
#include "common/fail.h"
#include "hyperion/parallel.h"

#include <stdlib.h>

enum { PAGE_BYTES = 4096 };

void hyperionSimulatorEmpty(HyperionSimulator *simulator)
{
    for (int i = 0; i < simulator->level_count; i++)
        for (int k = 0; k < simulator->levels[i].instance_count; k++)
            hyp_cache_sets_empty(&simulator->levels[i].instances[k].sets);
    for (int t = 0; t < simulator->thread_count; t++)
        simulator->threads[t].last_line = UINT64_MAX;
}

void hyperionSimulatorResetCounters(HyperionSimulator *simulator)
{
    for (int i = 0; i < simulator->level_count; i++)
        for (int k = 0; k < simulator->levels[i].instance_count; k++)
            simulator->levels[i].instances[k].counters = (HypCacheCounters){0};
    simulator->memory_reads = 0;
    simulator->memory_writes = 0;
    simulator->prefetches = 0;
}

static HyperionCacheLevelStats level_statistics(const HypSimulatorLevel *level)
{
    HyperionCacheLevelStats stats = {.geometry = level->geometry,
                                     .shared = level->cores > 1,
                                     .instances = level->instance_count};
    for (int k = 0; k < level->instance_count; k++) {
        const HypCacheCounters *c = &level->instances[k].counters;
        stats.accesses += c->accesses;
        stats.misses += c->misses;
        stats.fills += c->fills;
        stats.write_backs += c->write_backs;
        if (k > 0 && c->fills <= stats.busiest_fills)
            continue;
        stats.busiest_accesses = c->accesses;
        stats.busiest_misses = c->misses;
        stats.busiest_fills = c->fills;
    }
    stats.hits = stats.accesses - stats.misses;
    stats.misses_low = stats.misses_high = stats.misses;
    stats.hit_rate = stats.accesses ? (double)stats.hits / (double)stats.accesses : 0;
    return stats;
}

HyperionCacheStats hyperionSimulatorStats(const HyperionSimulator *simulator)
{
    if (!simulator) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "simulator statistics: simulator is NULL");
        return (HyperionCacheStats){.valid = false};
    }
    HyperionCacheStats stats = {
        .level_count = simulator->level_count,
        .memory_read_bytes = simulator->memory_reads << simulator->line_shift,
        .memory_write_bytes = simulator->memory_writes << simulator->line_shift,
        .prefetches = simulator->prefetches,
        .tier = HYPERION_CACHE_TIER_REPLAY,
        .valid = true};
    for (int i = 0; i < simulator->level_count; i++)
        stats.levels[i] = level_statistics(&simulator->levels[i]);
    return stats;
}

static bool open_level(HyperionSimulator *simulator, int index, const HyperionCacheLevel *geometry)
{
    HypSimulatorLevel *level = &simulator->levels[index];
    level->geometry = *geometry;
    level->instances = calloc((size_t)level->instance_count, sizeof *level->instances);
    for (int k = 0; level->instances && k < level->instance_count; k++)
        if (!hyp_cache_sets_open(&level->instances[k].sets, geometry,
                                 simulator->assumptions.replacement))
            return false;
    return level->instances != NULL;
}

static bool open_threads(HyperionSimulator *simulator)
{
    const size_t count = (size_t)simulator->thread_count;
    simulator->threads = calloc(count, sizeof *simulator->threads);
    if (!simulator->threads)
        return false;
    for (size_t t = 0; t < count; t++) {
        HypSimulatorThread *thread = &simulator->threads[t];
        thread->last_line = UINT64_MAX;
        for (int i = 0; i < simulator->level_count; i++)
            thread->path[i] =
                &simulator->levels[i].instances[t / (size_t)simulator->levels[i].cores];
    }
    simulator->current = simulator->threads;
    return true;
}

static bool is_direct(const HyperionSimulator *simulator)
{
    const HyperionCacheAssumptions *assumptions = &simulator->assumptions;
    return simulator->thread_count == 1 && simulator->levels[0].instances[0].sets.orders &&
           assumptions->victim_level != 2 &&
           assumptions->placement == HYPERION_PLACEMENT_CONTIGUOUS;
}

static bool open_caches(HyperionSimulator *simulator, const HyperionCacheTopology *topology,
                        int threads)
{
    simulator->thread_count = threads;
    simulator->level_count = topology->level_count;
    for (int bytes = topology->levels[0].line_bytes; bytes > 1; bytes /= 2)
        simulator->line_shift++;
    for (int bytes = topology->levels[0].line_bytes; bytes < PAGE_BYTES; bytes *= 2)
        simulator->page_shift++;
    simulator->page = UINT64_MAX;
    for (int i = 0; i < topology->level_count; i++) {
        HypSimulatorLevel *level = &simulator->levels[i];
        level->cores = hyp_cache_level_cores(topology, i);
        level->instance_count = (threads - 1) / level->cores + 1;
        if (level->cores == 1 || threads == 1)
            simulator->private_levels = i + 1;
        if (!open_level(simulator, i, &topology->levels[i]))
            return hyp_fail(HYPERION_ERROR_MEMORY,
                            "cache simulator: out of memory for L%d of %zu bytes", i + 1,
                            topology->levels[i].size_bytes);
    }
    simulator->direct = is_direct(simulator);
    return open_threads(simulator) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "cache simulator: out of memory for %d threads",
                    threads);
}

HyperionSimulator *hyperionCreateSimulator(const HyperionCacheTopology *topology, int threads,
                                           const HyperionCacheAssumptions *assumptions)
{
    const HyperionCacheAssumptions defaults = {0};
    HyperionCacheTopology complete;
    if (!topology)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "create simulator: topology is NULL");
    if (threads < 1 || threads > HYPERION_MAX_THREADS)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "create simulator: 1 to %d threads, given %d",
                             HYPERION_MAX_THREADS, threads);
    if (!hyp_cache_topology_complete(topology, &complete) ||
        !hyp_cache_assumptions_are_valid(assumptions ? assumptions : &defaults,
                                         complete.level_count))
        return NULL;
    HyperionSimulator *simulator = calloc(1, sizeof *simulator);
    if (!simulator)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "cache simulator: out of memory");
    simulator->assumptions = assumptions ? *assumptions : defaults;
    if (open_caches(simulator, &complete, threads))
        return simulator;
    hyperionFreeSimulator(simulator);
    return NULL;
}

void hyperionFreeSimulator(HyperionSimulator *simulator)
{
    if (!simulator)
        return;
    for (int i = 0; i < simulator->level_count; i++) {
        HypSimulatorLevel *level = &simulator->levels[i];
        for (int k = 0; level->instances && k < level->instance_count; k++)
            hyp_cache_sets_close(&level->instances[k].sets);
        free(level->instances);
    }
    for (int t = 0; simulator->threads && t < simulator->thread_count; t++)
        free(simulator->threads[t].events);
    free(simulator->threads);
    free(simulator);
}
