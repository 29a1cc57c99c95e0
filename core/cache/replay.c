// SPDX-License-Identifier: Apache-2.0
#include "cache/replay.h"

#include "cache/cache_check.h"
#include "cache/cache_simulator.h"
#include "common/fail.h"

bool hyp_prediction_config_is_valid(const HyperionPredictionConfig *config, int level_count)
{
    if ((unsigned)config->tier > HYPERION_CACHE_TIER_REPLAY)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "cache prediction: tier 0 to %d, given %d",
                        HYPERION_CACHE_TIER_REPLAY, (int)config->tier);
    return hyp_cache_assumptions_are_valid(&config->assumptions, level_count);
}

static HyperionCacheStats replay_once(const HyperionCacheTopology *topology, int threads,
                                      const HyperionCacheAssumptions *assumptions, bool warm,
                                      HypReplaySource source, void *context)
{
    HyperionCacheStats stats = {.valid = false};
    HyperionSimulator *simulator = hyperionCreateSimulator(topology, threads, assumptions);
    bool told = simulator != NULL;
    if (told && warm) {
        told = source(simulator, context);
        hyperionSimulatorResetCounters(simulator);
    }
    if (told && source(simulator, context))
        stats = hyperionSimulatorStats(simulator);
    hyperionFreeSimulator(simulator);
    return stats;
}

static void widen_intervals(HyperionCacheStats *stats, const HyperionCacheStats *other)
{
    for (int i = 0; i < stats->level_count; i++) {
        HyperionCacheLevelStats *level = &stats->levels[i];
        const uint64_t misses = other->levels[i].misses;
        level->misses_low = misses < level->misses_low ? misses : level->misses_low;
        level->misses_high = misses > level->misses_high ? misses : level->misses_high;
    }
}

HyperionCacheStats hyp_replay(const HyperionCacheTopology *topology, int threads,
                              const HyperionPredictionConfig *config, HypReplaySource source,
                              void *context)
{
    const HyperionCacheStats failure = {.valid = false};
    HyperionCacheStats stats =
        replay_once(topology, threads, &config->assumptions, config->warm, source, context);
    const int policies = stats.valid && config->interval ? HYPERION_REPLACEMENT_COUNT : 0;
    for (int i = 0; i < policies * HYPERION_PLACEMENT_COUNT; i++) {
        HyperionCacheAssumptions other = config->assumptions;
        other.replacement = (HyperionReplacement)(i / HYPERION_PLACEMENT_COUNT);
        other.placement = (HyperionPlacement)(i % HYPERION_PLACEMENT_COUNT);
        const HyperionCacheStats result =
            replay_once(topology, threads, &other, config->warm, source, context);
        if (!result.valid)
            return failure;
        widen_intervals(&stats, &result);
    }
    return stats;
}

static void touch_run(void *context, uintptr_t address, size_t bytes, HyperionTouch kind)
{
    hyperionSimulatorTouch(context, address, bytes, kind);
}

HypTouchSink hyp_replay_sink(HyperionSimulator *simulator)
{
    return (HypTouchSink){
        .touch = touch_run, .context = simulator, .line_bytes = (size_t)1 << simulator->line_shift};
}

void hyp_replay_kernel(HyperionSimulator *simulator, const HypKernelVariant *variant,
                       const HypKernelArgs *args)
{
    HypKernelArgs threaded = *args;
    const HyperionParallel parallel = hyperionSimulatorParallel(simulator);
    const HypTouchSink sink = hyp_replay_sink(simulator);
    *hyp_kernel_parallel(variant->op, &threaded) = &parallel;
    hyp_kernel_touch(variant, &threaded, &sink);
}
