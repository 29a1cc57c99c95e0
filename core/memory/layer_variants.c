// SPDX-License-Identifier: Apache-2.0
#include "memory/layer_variants.h"

#include "hyperion/parallel.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/band.h"
#include "model/memory_layout.h"
#include "model/run_plan.h"

#include <stdlib.h>

typedef struct Survey {
    const HyperionModel *model;
    const HypRunPlan *plan;
    void **data; // room for the places of all tensors
    HypBandRoom *room;
    HyperionParallel parallel;
} Survey;

static size_t shrink_extent(size_t extent, int shrink, size_t step)
{
    const size_t steps = (extent >> shrink) / step;
    return steps ? steps * step : step;
}

HyperionGemmBlocking hyp_layer_variants_shrink(HyperionGemmBlocking blocking, int shrink)
{
    if (shrink > 0 && blocking.mr > 0) {
        blocking.mc = shrink_extent(blocking.mc, shrink, blocking.mr);
        blocking.nc = shrink_extent(blocking.nc, shrink, blocking.nr);
    }
    return blocking;
}

// Whether the layer can be run as `variant`, whose bytes are filled in.
static bool measure_bytes(const Survey *survey, int layer, HypVariant *variant)
{
    const float place = 0;
    HypLayerRun run = {.model = survey->model,
                       .layer = &survey->model->layers[layer],
                       .data = survey->data,
                       .blocking = variant->blocking,
                       .replaces = hyp_run_plan_replaces(survey->model, survey->plan, layer),
                       .parallel = &survey->parallel};
    if (variant->packed) {
        const size_t bytes =
            hyp_memory_layout_layer_bytes(survey->model, layer, &variant->blocking, survey->data);
        if (bytes == 0 || !hyp_size_round_up(bytes, 64, &variant->packed_bytes))
            return false;
        run.packed = &place;
    }
    variant->workspace_bytes = 0;
    for (int step = 0; step < survey->plan->step_count; step++) {
        if (survey->plan->steps[step] != layer)
            continue;
        const size_t bytes = hyp_step_workspace_bytes(survey->room, survey->plan, step, &run);
        if (bytes > variant->workspace_bytes)
            variant->workspace_bytes = bytes;
        if (!hyp_step_is_band(survey->plan, step))
            break; // others are like it
    }
    return true;
}

// One that needs as much as a larger one is as fast at best.
static bool is_new(const HypLayerVariants *variants, const HypVariant *variant)
{
    for (int i = 0; i < variants->count; i++)
        if (variants->of[i].packed == variant->packed &&
            variants->of[i].workspace_bytes <= variant->workspace_bytes &&
            variants->of[i].packed_bytes <= variant->packed_bytes)
            return false;
    return true;
}

static void list_variants(const Survey *survey, int layer, const HyperionGemmBlocking *blocking,
                          HypLayerVariants *variants)
{
    for (int number = 0; number < HYP_VARIANT_COUNT; number++) {
        HypVariant variant = {.number = number,
                              .packed = number % 2,
                              .blocking = hyp_layer_variants_shrink(*blocking, number / 2)};
        if (!measure_bytes(survey, layer, &variant))
            continue;
        if (is_new(variants, &variant))
            variants->of[variants->count++] = variant;
    }
}

HypLayerVariants *hyp_layer_variants_create(const HyperionModel *model, const HypRunPlan *plan)
{
    Survey survey = {.model = model,
                     .plan = plan,
                     .data = (void **)calloc((size_t)model->tensor_count + 1, sizeof *survey.data),
                     .room = hyp_band_room_create(model),
                     .parallel = hyperionThreadPoolParallel(model->pool)};
    HypLayerVariants *variants = calloc((size_t)model->layer_count + 1, sizeof *variants);
    if (!survey.data || !survey.room || !variants) {
        free((void *)survey.data);
        hyp_band_room_free(survey.room);
        free(variants);
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "variants of model %s: out of memory",
                             model->name);
    }
    for (int i = 0; i < model->layer_count; i++)
        if (!hyp_layer_is_view(model, &model->layers[i]))
            list_variants(&survey, i, &plan->blockings[i], &variants[i]);
    free((void *)survey.data);
    hyp_band_room_free(survey.room);
    return variants;
}

const HypVariant *hyp_layer_variants_nearest(const HypLayerVariants *variants, int number)
{
    const HypVariant *nearest = &variants->of[0];
    int least = HYP_VARIANT_COUNT * HYP_VARIANT_COUNT;
    for (int i = 0; i < variants->count; i++) {
        const int shrinks = abs(variants->of[i].number / 2 - number / 2);
        const int other = variants->of[i].number % 2 != number % 2;
        const int distance = other * HYP_VARIANT_COUNT + shrinks;
        if (distance < least) {
            least = distance;
            nearest = &variants->of[i];
        }
    }
    return nearest;
}

void hyp_layer_variant_apply(const HypVariant *variant, int layer, HypRunPlan *plan)
{
    plan->blockings[layer] = variant->blocking;
    plan->packed[layer] = variant->packed;
}
