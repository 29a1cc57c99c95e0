// SPDX-License-Identifier: Apache-2.0
#include "cache/cache_stats.h"

#include <math.h>

// Error of the closed form against replay, as a share of the predicted misses, by the share that is
// in doubt: the 5 % and 95 % quantiles over products, convolutions, attention and functions, L1 and
// L2, the wider of those that `test_random_formulas` prints for 120 11 and 500 5.
static const struct {
    double doubt_below;
    double low, high;
} error_quantiles[] = {
    {0.001, 0.003, 0.003}, {0.01, 0.026, 0.021},  {0.05, 0.043, 0.036},
    {0.1, 0.065, 0.042},   {1e300, 0.115, 0.083},
};

void hyp_cache_shapes(const HyperionCacheTopology *complete,
                      HypCacheShape caches[HYPERION_MAX_CACHE_LEVELS])
{
    for (int i = 0; i < complete->level_count; i++) {
        const HyperionCacheLevel *level = &complete->levels[i];
        const size_t lines = level->size_bytes / (size_t)level->line_bytes;
        const size_t ways = level->ways > 0 ? (size_t)level->ways : lines;
        const size_t sets = lines / ways;
        caches[i] = (HypCacheShape){.sets = (double)sets,
                                    .ways = (double)ways,
                                    .line_floats = (double)level->line_bytes / sizeof(float)};
    }
}

static uint64_t to_count(double lines)
{
    return lines > 0 ? (uint64_t)(lines + 0.5) : 0;
}

static void set_interval(HyperionCacheLevelStats *level, double misses, double doubt)
{
    int regime = 0;
    while (doubt >= error_quantiles[regime].doubt_below * misses && doubt > 0)
        regime++;
    const double high = misses * (1 + error_quantiles[regime].high);
    level->misses_low = to_count(misses * (1 - error_quantiles[regime].low));
    level->misses_high = to_count(fmin(high, (double)level->accesses));
}

HyperionCacheStats hyp_cache_stats_from_traffic(const HypTraffic *traffic,
                                                const HyperionCacheTopology *complete)
{
    HyperionCacheStats stats = {.level_count = complete->level_count,
                                .prefetches = traffic->prefetches,
                                .tier = HYPERION_CACHE_TIER_CLOSED_FORM,
                                .valid = true};
    double accesses = traffic->accesses;
    uint64_t line_bytes = 0;
    for (int i = 0; i < complete->level_count; i++) {
        HyperionCacheLevelStats *level = &stats.levels[i];
        const double misses = fmin(traffic->misses[i], accesses);
        level->geometry = complete->levels[i];
        level->shared = level->geometry.sharing_cpus > 1;
        level->accesses = to_count(accesses);
        level->misses = to_count(misses);
        level->hits = level->accesses - level->misses;
        level->fills = level->misses;
        level->write_backs = to_count(fmin(traffic->write_backs[i], misses));
        level->hit_rate = level->accesses ? (double)level->hits / (double)level->accesses : 0;
        set_interval(level, misses, traffic->doubt[i]);
        accesses = misses;
        line_bytes = (uint64_t)level->geometry.line_bytes;
        stats.memory_read_bytes = level->fills * line_bytes;
        stats.memory_write_bytes = level->write_backs * line_bytes;
    }
    return stats;
}

void hyp_closed_form_start(HypClosedForm *form, const HyperionCacheTopology *complete)
{
    hyp_cache_shapes(complete, form->caches);
    hyp_window_memo_clear(&form->memo);
    form->account = (HypAccount){
        .caches = form->caches, .level_count = complete->level_count, .memo = &form->memo};
}

HyperionCacheStats hyp_closed_form_stats(const HypClosedForm *form,
                                         const HyperionCacheTopology *complete)
{
    if (form->account.failed)
        return (HyperionCacheStats){.valid = false};
    return hyp_cache_stats_from_traffic(&form->account.traffic, complete);
}
