// SPDX-License-Identifier: Apache-2.0
#include "hyperion/cache.h"

#include "cache/cache_check.h"
#include "cache/cache_stats.h"
#include "cache/model_traffic.h"
#include "cache/replay.h"
#include "common/fail.h"
#include "model/executor.h"
#include "model/graph.h"

bool hyperionSetCacheTopology(HyperionModel *model, const HyperionCacheTopology *topology)
{
    if (!topology)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "set cache topology: topology is NULL");
    if (!hyp_cache_topology_is_valid(topology) ||
        !hyp_model_begin_change(model, "set cache topology"))
        return false;
    model->settings.topology = *topology;
    hyp_model_end_change(model);
    return true;
}

bool hyperionConfigureCacheOptimization(HyperionModel *model, const HyperionCacheConfig *config)
{
    if (!config)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "configure cache optimization: config is NULL");
    if (!hyp_cache_config_is_valid(config) ||
        !hyp_model_begin_change(model, "configure cache optimization"))
        return false;
    model->settings.cache = *config;
    hyp_model_end_change(model);
    return true;
}

HyperionCacheConfig hyperionGetCacheConfiguration(const HyperionModel *model)
{
    if (!model) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get cache configuration: model is NULL");
        return (HyperionCacheConfig){0};
    }
    return model->settings.cache;
}

bool hyperionConfigureCachePrediction(HyperionModel *model, const HyperionPredictionConfig *config)
{
    if (!config)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "configure cache prediction: config is NULL");
    // Whether it is the outermost level shows when the geometry is known.
    const int levels = config->assumptions.victim_level;
    if (levels > HYPERION_MAX_CACHE_LEVELS)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "configure cache prediction: victim_level at most %d, given %d",
                        HYPERION_MAX_CACHE_LEVELS, levels);
    // What runs do stays as it is.
    if (!hyp_prediction_config_is_valid(config, levels) ||
        !hyp_model_hold(model, "configure cache prediction"))
        return false;
    model->settings.prediction = *config;
    hyp_model_end_change(model);
    return true;
}

HyperionPredictionConfig hyperionGetCachePrediction(const HyperionModel *model)
{
    if (!model) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get cache prediction: model is NULL");
        return (HyperionPredictionConfig){.tier = HYPERION_CACHE_TIER_NONE};
    }
    return model->settings.prediction;
}

// The model's geometry, with the line size that the configuration may overrule.
static bool complete_topology(const HypModelSettings *settings, HyperionCacheTopology *complete)
{
    HyperionCacheTopology topology = settings->topology;
    if (settings->cache.cache_line_size)
        for (int i = 0; i < topology.level_count; i++)
            topology.levels[i].line_bytes = settings->cache.cache_line_size;
    return hyp_cache_topology_complete(&topology, complete);
}

static HyperionCacheStats predict_by_formulas(HyperionModel *model,
                                              const HyperionCacheTopology *complete)
{
    HypClosedForm form;
    hyp_closed_form_start(&form, complete);
    return hyp_model_add_traffic(model, model->settings.prediction.warm, &form.account)
               ? hyp_closed_form_stats(&form, complete)
               : (HyperionCacheStats){.valid = false};
}

HyperionCacheStats hyperionGetCacheStats(const HyperionModel *model)
{
    HyperionCacheStats stats = {.valid = false};
    HyperionCacheTopology complete;
    // Held, it plans its next run; then it is as it was, which is what const promises.
    HyperionModel *held = (HyperionModel *)(uintptr_t)model;
    if (!hyp_model_hold(held, "get cache statistics"))
        return stats;
    if (complete_topology(&model->settings, &complete))
        stats = model->settings.prediction.tier == HYPERION_CACHE_TIER_REPLAY
                    ? hyp_replay_model(held, &complete)
                    : predict_by_formulas(held, &complete);
    if (stats.valid)
        stats.layers_modelled = stats.layers_total = model->layer_count;
    hyp_model_end_change(held);
    return stats;
}
