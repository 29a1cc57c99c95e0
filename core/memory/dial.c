// SPDX-License-Identifier: Apache-2.0
#include "memory/dial.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "memory/choice_front.h"
#include "model/memory_layout.h"
#include "model/run_plan.h"
#include "model/weight_bytes.h"

#include <assert.h>
#include <stdlib.h>

// What a variant must gain in time on one that needs less, to be told from noise of measurements.
static const double least_gain = 0.01;

// Each takes a front of its own: groups are thinned out evenly.
enum { MOST_PLANS = 4 };

static_assert((int)HYP_VARIANT_COUNT <= (int)HYP_MOST_OPTIONS, "each variant is an option");

// What is chosen from, for one plan.
typedef struct Choice {
    const HyperionModel *model;
    const HypLayerTimes *times; // NULL: guesses
    HypRunPlan plan;            // with the activations placed
    HypActivationFacts activations;
    bool times_fit;             // its bands are those that were measured
    HypLayerVariants *variants; // by layer
    HypChoiceItem *items;       // by layer; option ids are indices of its variants
} Choice;

// All plans, from the one without bands to the one with all groups, and what they give together:
// bytes of points are all but those of weights.
typedef struct Choices {
    Choice of[MOST_PLANS];
    int count;
    HypChoiceFront front;
    double whole_ns; // of layers run whole, at the knee of their front
} Choices;

// Of a layer in bands. One whose bands were not measured so is guessed by the rows it computes.
static double find_time_in_bands(const Choice *choice, int layer, const HypVariant *variant,
                                 const HypBandShare *share)
{
    static const HypBandShare alone = {.bands = 0, .rows = 1};
    const double *whole = hyp_layer_times_of(choice->times, layer, false);
    const double *bands = hyp_layer_times_of(choice->times, layer, true);
    if (choice->times_fit && bands[0] > 0)
        return bands[variant->number] > 0 ? bands[variant->number] : bands[0];
    return (whole[variant->number] > 0 ? whole[variant->number] : whole[0]) *
           hyp_layer_times_guess(choice->model, layer, variant, share) /
           hyp_layer_times_guess(choice->model, layer, variant, &alone);
}

static double find_time(const Choice *choice, int layer, const HypVariant *variant)
{
    const HypBandShare share = hyp_band_plan_share(choice->model, &choice->plan, layer);
    if (!choice->times)
        return hyp_layer_times_guess(choice->model, layer, variant, &share);
    if (share.bands > 0)
        return find_time_in_bands(choice, layer, variant, &share);
    // One that was not measured gains nothing.
    const double *measured = hyp_layer_times_of(choice->times, layer, false);
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

// The plan with the first `group_count` groups; one without any is moved here.
static bool plan_choice(Choice *choice, const HypActivationSettings *settings,
                        const HypBanding *banding, int group_count, HypRunPlan *plan)
{
    if (group_count == 0) {
        choice->plan = *plan;
        *plan = (HypRunPlan){0};
    } else if (!hyp_run_plan_create(choice->model, &choice->plan) ||
               !hyp_banding_apply(choice->model, banding, group_count, &choice->plan)) {
        return false;
    }
    choice->times_fit = choice->times && hyp_banding_equal(banding, &choice->times->banding);
    return hyp_activation_plan_make(choice->model, settings, &choice->plan, &choice->activations);
}

// Adds what a choice gives to the front of all of them.
static bool list_points(Choices *choices, int number, size_t weight_bytes)
{
    const Choice *choice = &choices->of[number];
    const size_t activation_bytes = choice->activations.planned_bytes;
    HypChoiceFront front;
    bool listed = hyp_choice_front_create(&front, choice->items, choice->model->layer_count);
    if (listed && number == 0) {
        const int knee = hyp_choice_front_knee(&front, weight_bytes + activation_bytes);
        choices->whole_ns = front.points[knee].time_ns;
    }
    listed = listed && hyp_choice_front_merge(&choices->front, &front, activation_bytes, number);
    hyp_choice_front_free(&front);
    return listed;
}

static bool create_items(Choice *choice)
{
    const HyperionModel *model = choice->model;
    choice->items = calloc((size_t)model->layer_count + 1, sizeof *choice->items);
    if (!choice->items)
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", model->name);
    choice->variants = hyp_layer_variants_create(model, &choice->plan);
    if (!choice->variants)
        return false;
    for (int i = 0; i < model->layer_count; i++)
        list_options(choice, i, &choice->items[i]);
    return true;
}

static bool create_choices(Choices *choices, const HyperionModel *model,
                           const HypDialSettings *settings, const HypLayerTimes *times,
                           const HypBanding *banding, size_t weight_bytes, HypRunPlan *plan)
{
    const int groups = banding->group_count;
    const int plans = groups < MOST_PLANS ? groups + 1 : MOST_PLANS;
    while (choices->count < plans) {
        const int number = choices->count++;
        Choice *choice = &choices->of[number];
        *choice = (Choice){.model = model, .times = times};
        // None and all of them among the numbers.
        const int group_count = plans > 1 ? number * groups / (plans - 1) : 0;
        if (!plan_choice(choice, &settings->activations, banding, group_count, plan) ||
            !create_items(choice) || !list_points(choices, number, weight_bytes))
            return false;
    }
    return true;
}

static void free_choices(Choices *choices)
{
    for (int i = 0; i < choices->count; i++) {
        hyp_run_plan_free(&choices->of[i].plan);
        free(choices->of[i].variants);
        free(choices->of[i].items);
    }
    hyp_choice_front_free(&choices->front);
}

static bool fail_budget(const Choices *choices, const HypDialSettings *settings,
                        const HypDialFacts *facts)
{
    const HypFrontPoint *least = &choices->front.points[0];
    const Choice *choice = &choices->of[least->source];
    return hyp_fail(HYPERION_ERROR_MEMORY,
                    "plan model %s: it needs %zu bytes at least (weights %zu, activations %zu, "
                    "workspace %zu), the budget has %zu; lower bound %zu",
                    choice->model->name, facts->least_bytes, facts->weight_bytes,
                    choice->activations.planned_bytes,
                    least->bytes - choice->activations.planned_bytes, settings->budget_bytes,
                    facts->lower_bound_bytes);
}

// Of all that is no weight.
static size_t find_lower_bound(const Choices *choices)
{
    size_t saved_bytes = 0; // by better places than were found
    for (int i = 0; i < choices->count; i++) {
        const HypActivationFacts *facts = &choices->of[i].activations;
        const size_t bytes = facts->planned_bytes - facts->lower_bound_bytes;
        saved_bytes = bytes > saved_bytes ? bytes : saved_bytes;
    }
    return choices->front.points[0].bytes - saved_bytes;
}

// The point of the dial at 1: in the fewest bytes, as fast as layers that run whole with all that
// is worth its bytes. Memory that bands save counts for nothing there.
static int find_most(const Choices *choices)
{
    int point = 0;
    while (choices->front.points[point].time_ns > choices->whole_ns)
        point++; // at the latest that of the layers run whole, which is never beaten by a slower
                 // one
    return point;
}

// Fills in the limits; the index of the point of the front, -1 and last error set without one.
static int choose_point(const Choices *choices, const HypDialSettings *settings,
                        HypDialFacts *facts)
{
    const HypChoiceFront *front = &choices->front;
    assert(front->points && front->count > 0);
    const size_t least_bytes = front->points[0].bytes;
    const size_t most_bytes = front->points[find_most(choices)].bytes;
    facts->least_bytes = facts->weight_bytes + least_bytes;
    facts->most_bytes = facts->weight_bytes + most_bytes;
    facts->lower_bound_bytes = facts->weight_bytes + find_lower_bound(choices);
    if (settings->budget_bytes && settings->budget_bytes < facts->least_bytes) {
        (void)fail_budget(choices, settings, facts);
        return -1;
    }
    const double share = (double)settings->tradeoff * (double)(most_bytes - least_bytes);
    size_t limit_bytes = settings->tradeoff < 1 ? least_bytes + (size_t)share : most_bytes;
    if (settings->budget_bytes && settings->budget_bytes - facts->weight_bytes < limit_bytes)
        limit_bytes = settings->budget_bytes - facts->weight_bytes;
    return hyp_choice_front_within(front, limit_bytes);
}

// Moves the plan of the point to `plan`.
static void apply_point(Choices *choices, const HypFrontPoint *point, HypRunPlan *plan,
                        HypDialFacts *facts)
{
    Choice *choice = &choices->of[point->source];
    const size_t apart_bytes = choices->of[0].activations.apart_bytes; // of whole results
    *plan = choice->plan;
    choice->plan = (HypRunPlan){0};
    facts->activations = choice->activations;
    facts->activations.apart_bytes = apart_bytes;
    facts->predicted_ns = point->time_ns;
    for (int i = 0; i < choice->model->layer_count; i++) {
        const int id = choice->items[i].options[point->options[i]].id;
        if (id < 0)
            continue;
        const HypVariant *variant = &choice->variants[i].of[id];
        hyp_layer_variant_apply(variant, i, plan);
        facts->packed_layer_count += variant->packed;
        facts->banded_layer_count += hyp_band_plan_share(choice->model, plan, i).bands > 0;
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
                   const HypLayerTimes *times, const HypBanding *banding, HypRunPlan *plan,
                   HypDialFacts *facts)
{
    *facts = (HypDialFacts){.measured = hyp_layer_times_match(times, model)};
    Choices *choices = count_weights(model, facts) ? calloc(1, sizeof *choices) : NULL;
    if (!choices)
        return facts->weight_bytes != SIZE_MAX &&
               hyp_fail(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", model->name);
    const bool listed = create_choices(choices, model, settings, facts->measured ? times : NULL,
                                       banding, facts->weight_bytes, plan);
    const int point = listed ? choose_point(choices, settings, facts) : -1;
    if (point >= 0)
        apply_point(choices, &choices->front.points[point], plan, facts);
    free_choices(choices);
    free(choices);
    return point >= 0 &&
           (is_loaded(model) || hyp_memory_layout_plan_bytes(model, plan, &facts->packed_bytes));
}

size_t hyp_dial_total_bytes(const HypDialFacts *facts)
{
    return facts->weight_bytes + facts->packed_bytes + facts->activations.planned_bytes +
           facts->workspace_bytes;
}
