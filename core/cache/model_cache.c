// SPDX-License-Identifier: Apache-2.0
#include "hyperion/cache.h"

#include "cache/cache_check.h"
#include "cache/cache_stats.h"
#include "cache/carried.h"
#include "cache/layer_traffic.h"
#include "cache/replay.h"
#include "common/fail.h"
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
    if (!hyp_prediction_config_is_valid(config, levels) ||
        !hyp_model_begin_change(model, "configure cache prediction"))
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

// Adds the layers that have formulas, and counts them; false, and the last error is set: one fails.
static bool add_layers(const HyperionModel *model, HypAccount *account, int *modelled)
{
    HypCarried carried;
    const double line_bytes = account->caches[0].line_floats * sizeof(float);
    bool added = hyp_carried_open(&carried, model, line_bytes);
    for (int i = 0; added && i < model->layer_count; i++) {
        const HypLayer *layer = &model->layers[i];
        const HypTraffic before = account->traffic;
        if (!hyp_layer_has_traffic(layer->op) || hyp_model_layer_is_packed(model, i))
            continue;
        added = hyp_layer_add_traffic(model, layer, account) && !account->failed &&
                hyp_carried_take(&carried, i, &before, account);
        ++*modelled;
    }
    hyp_carried_close(&carried);
    return added;
}

static HyperionCacheStats predict_by_formulas(const HyperionModel *model,
                                              const HyperionCacheTopology *complete)
{
    HypClosedForm form;
    hyp_closed_form_start(&form, complete);
    int modelled = 0;
    if (!add_layers(model, &form.account, &modelled))
        return (HyperionCacheStats){.valid = false};
    HyperionCacheStats stats = hyp_closed_form_stats(&form, complete);
    stats.layers_modelled = modelled;
    stats.layers_total = model->layer_count;
    return stats;
}

HyperionCacheStats hyperionGetCacheStats(const HyperionModel *model)
{
    const HyperionCacheStats failure = {.valid = false};
    HyperionCacheTopology complete;
    if (!model) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get cache statistics: model is NULL");
        return failure;
    }
    if (!complete_topology(&model->settings, &complete))
        return failure;
    if (model->settings.prediction.tier == HYPERION_CACHE_TIER_REPLAY)
        return hyp_replay_model(model, &complete);
    return predict_by_formulas(model, &complete);
}
