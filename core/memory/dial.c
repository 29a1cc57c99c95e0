// SPDX-License-Identifier: Apache-2.0
#include "memory/dial.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "memory/choice_front.h"
#include "model/memory_layout.h"
#include "model/weight_bytes.h"

#include <assert.h>
#include <stdlib.h>

// What a variant must gain in time on one that needs less, to be told from noise of measurements.
static const double least_gain = 0.01;

static_assert((int)HYP_VARIANT_COUNT <= (int)HYP_MOST_OPTIONS, "each variant is an option");

// What is chosen from, for one plan.
typedef struct Choice {
    const HyperionModel *model;
    const HypLayerTimes *times; // NULL: guesses
    HypLayerVariants *variants; // by layer
    HypChoiceItem *items;       // by layer; option ids are indices of its variants
    HypChoiceFront *front;
    size_t base_bytes; // weights and activations, which every choice needs
} Choice;

static double find_time(const Choice *choice, int layer, const HypVariant *variant)
{
    if (!choice->times)
        return hyp_layer_times_guess(choice->model, layer, variant);
    // One that was not measured gains nothing.
    const double *measured = &choice->times->ns[(size_t)layer * HYP_VARIANT_COUNT];
    return measured[variant->number] > 0 ? measured[variant->number] : measured[0];
}

// One that needs more than another and gains nothing to speak of is left out.
static bool is_worth(const HypChoiceItem *item, const HypChoiceOption *option)
{
    for (int i = 0; i < item->option_count; i++) {
        const HypChoiceOption *other = &item->options[i];
        if (other->kept_bytes <= option->kept_bytes &&
            other->scratch_bytes <= option->scratch_bytes &&
            option->time_ns > other->time_ns * (1 - least_gain))
            return false;
    }
    return true;
}

// Whether a loader has the weights, the packed ones too: they count against its cap.
static bool is_loaded(const HyperionModel *model)
{
    const HypExecutorHooks *loader = model->attached.of[HYP_ATTACHED_LOADER].hooks;
    return loader && loader->provides_weights;
}

// From those that need least to those that need most, so that each is held against all that need
// less.
static void list_options(const Choice *choice, int layer, HypChoiceItem *item)
{
    const HypLayerVariants *variants = &choice->variants[layer];
    for (int packed = 0; packed < 2; packed++)
        for (int i = variants->count; i-- > 0;) {
            const HypVariant *variant = &variants->of[i];
            const HypChoiceOption option = {
                .kept_bytes = is_loaded(choice->model) ? 0 : variant->packed_bytes,
                .scratch_bytes = variant->workspace_bytes,
                .time_ns = find_time(choice, layer, variant),
                .id = i};
            if (variant->packed == packed && is_worth(item, &option))
                item->options[item->option_count++] = option;
        }
    if (variants->count == 0)
        item->options[item->option_count++] = (HypChoiceOption){.id = -1};
}

static bool create_choice(Choice *choice, const HypRunPlan *plan)
{
    const HyperionModel *model = choice->model;
    choice->items = calloc((size_t)model->layer_count + 1, sizeof *choice->items);
    if (!choice->items) {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", model->name);
        return false;
    }
    choice->variants = hyp_layer_variants_create(model, plan);
    if (!choice->variants)
        return false;
    for (int i = 0; i < model->layer_count; i++)
        list_options(choice, i, &choice->items[i]);
    return hyp_choice_front_create(choice->front, choice->items, model->layer_count);
}

static void free_choice(Choice *choice)
{
    hyp_choice_front_free(choice->front);
    free(choice->variants);
    free(choice->items);
}

static bool fail_budget(const Choice *choice, const HypDialSettings *settings,
                        const HypDialFacts *facts)
{
    return hyp_fail(HYPERION_ERROR_MEMORY,
                    "plan model %s: it needs %zu bytes at least (weights %zu, activations %zu, "
                    "workspace %zu), the budget has %zu; lower bound %zu",
                    choice->model->name, facts->least_bytes, facts->weight_bytes,
                    facts->activations.planned_bytes, choice->front->points[0].bytes,
                    settings->budget_bytes, facts->lower_bound_bytes);
}

// Fills in the limits; the index of the point of the front, -1 and last error set without one.
static int choose_point(const Choice *choice, const HypDialSettings *settings, HypDialFacts *facts)
{
    const HypChoiceFront *front = choice->front;
    assert(front->points && front->count > 0);
    const int knee = hyp_choice_front_knee(front, choice->base_bytes);
    const size_t least_bytes = front->points[0].bytes;
    const size_t most_bytes = front->points[knee].bytes;
    facts->least_bytes = choice->base_bytes + least_bytes;
    facts->most_bytes = choice->base_bytes + most_bytes;
    facts->lower_bound_bytes =
        facts->weight_bytes + facts->activations.lower_bound_bytes + least_bytes;
    if (settings->budget_bytes && settings->budget_bytes < facts->least_bytes) {
        (void)fail_budget(choice, settings, facts);
        return -1;
    }
    const double share = (double)settings->tradeoff * (double)(most_bytes - least_bytes);
    size_t limit_bytes = settings->tradeoff < 1 ? least_bytes + (size_t)share : most_bytes;
    if (settings->budget_bytes && settings->budget_bytes - choice->base_bytes < limit_bytes)
        limit_bytes = settings->budget_bytes - choice->base_bytes;
    return hyp_choice_front_within(front, limit_bytes);
}

static void apply_point(const Choice *choice, const HypFrontPoint *point, HypRunPlan *plan,
                        HypDialFacts *facts)
{
    facts->predicted_ns = point->time_ns;
    for (int i = 0; i < choice->model->layer_count; i++) {
        const int id = choice->items[i].options[point->options[i]].id;
        if (id < 0)
            continue;
        const HypVariant *variant = &choice->variants[i].of[id];
        hyp_layer_variant_apply(variant, i, plan);
        facts->packed_layer_count += variant->packed;
        if (variant->workspace_bytes > facts->workspace_bytes)
            facts->workspace_bytes = variant->workspace_bytes;
    }
}

static bool count_weights(const HyperionModel *model, HypDialFacts *facts)
{
    if (is_loaded(model))
        return true;
    facts->weight_bytes = hyp_weights_needed_bytes(model);
    return facts->weight_bytes != SIZE_MAX;
}

bool hyp_dial_plan(const HyperionModel *model, const HypDialSettings *settings,
                   const HypLayerTimes *times, HypRunPlan *plan, HypDialFacts *facts)
{
    *facts = (HypDialFacts){.measured = hyp_layer_times_match(times, model)};
    if (!hyp_activation_plan_make(model, &settings->activations, plan, &facts->activations) ||
        !count_weights(model, facts))
        return false;
    HypChoiceFront front = {0};
    Choice choice = {.model = model,
                     .front = &front,
                     .times = facts->measured ? times : NULL,
                     .base_bytes = facts->weight_bytes + facts->activations.planned_bytes};
    const int point = create_choice(&choice, plan) ? choose_point(&choice, settings, facts) : -1;
    if (point >= 0)
        apply_point(&choice, &front.points[point], plan, facts);
    free_choice(&choice);
    return point >= 0 &&
           (is_loaded(model) || hyp_memory_layout_plan_bytes(model, plan, &facts->packed_bytes));
}

size_t hyp_dial_total_bytes(const HypDialFacts *facts)
{
    return facts->weight_bytes + facts->packed_bytes + facts->activations.planned_bytes +
           facts->workspace_bytes;
}
