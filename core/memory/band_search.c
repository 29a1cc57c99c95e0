// SPDX-License-Identifier: Apache-2.0
#include "memory/band_search.h"

#include "hyperion/parallel.h"

#include "common/fail.h"
#include "common/sort.h"
#include "memory/layer_times.h"
#include "memory/lifetimes.h"
#include "model/band.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BANDS = 32, MOST_TURNS = 64 };

// What a point of the search must be better by than the one before, of its score.
static const double least_gain = 1e-4;

typedef struct Search {
    const HyperionModel *model;
    const HypActivationSettings *settings;
    const HypRunPlan *plan; // without bands
    int *reads;
    int *step_of; // by layer
    HypBandRoom *room;
    void **data;      // room for the places of all tensors
    double *whole_ns; // by step: guessed, without bands
    double all_ns;    // of all of them
} Search;

// What a run needs with some groups.
typedef struct Need {
    size_t activation_bytes, workspace_bytes;
    int activation_step; // that needs most activations, and that which needs most workspace: of the
    int workspace_step;  // plan without bands
    double level;        // of activations: the peak, and more the more steps come near to it
    double score;        // less is better
} Need;

static int compare_groups(const void *a, const void *b, const void *context)
{
    const HypBandGroup *left = a;
    const HypBandGroup *right = b;
    (void)context;
    return (left->first > right->first) - (left->first < right->first);
}

bool hyp_banding_apply(const HyperionModel *model, const HypBanding *banding, int group_count,
                       HypRunPlan *plan)
{
    HypBanding sorted = *banding;
    hyp_sort(sorted.groups, (size_t)group_count, sizeof *sorted.groups, compare_groups, NULL);
    return hyp_band_plan_apply(model, sorted.groups, group_count, plan);
}

static bool overlap(const HypBandGroup *a, const HypBandGroup *b)
{
    return a->first < b->first + b->count && b->first < a->first + a->count;
}

// Takes what the steps of the plan need, `live` by step, to be `most` of the steps that they are of
// the plan without bands.
static void find_level(const Search *search, const HypRunPlan *plan, const size_t *live,
                       double *most, Need *need)
{
    // Of the mean over steps that stands for their peak: half of a plateau counts 4 %.
    static const double power = 16;
    const int base_count = search->plan->step_count;
    double sum = 0;
    memset(most, 0, (size_t)base_count * sizeof *most);
    for (int step = 0; step < plan->step_count; step++) {
        const int base = search->step_of[plan->steps[step]];
        most[base] = fmax(most[base], (double)live[step]);
        if (live[step] > need->activation_bytes) {
            need->activation_bytes = live[step];
            need->activation_step = base;
        }
    }
    const double peak = (double)need->activation_bytes;
    for (int base = 0; base < base_count && peak > 0; base++)
        sum += pow(most[base] / peak, power);
    need->level = peak > 0 ? peak * pow(sum, 1 / power) : 0;
}

// The bytes of activations that steps need; what the offsets of a plan come to is mostly their
// most.
static bool measure_activations(const Search *search, const HypRunPlan *plan, Need *need)
{
    HypLifetimes lifetimes = {0};
    size_t *live = calloc((size_t)plan->step_count + 1, sizeof *live);
    double *most = calloc((size_t)search->plan->step_count + 1, sizeof *most);
    const bool allocated =
        (live && most) ||
        hyp_fail(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", search->model->name);
    const bool created = allocated && hyp_lifetimes_create(&lifetimes, search->model, plan,
                                                           search->settings->in_place);
    if (created) {
        for (size_t i = 0; i < lifetimes.group_count; i++) {
            live[lifetimes.groups[i].lower] += lifetimes.groups[i].size_bytes;
            live[lifetimes.groups[i].upper] -= lifetimes.groups[i].size_bytes; // wraps; sums do not
        }
        for (int step = 1; step < plan->step_count; step++)
            live[step] += live[step - 1];
        find_level(search, plan, live, most, need);
        hyp_lifetimes_free(&lifetimes);
    }
    free(live);
    free(most);
    return created;
}

// Of the smallest blocks.
static void measure_workspace(const Search *search, const HypRunPlan *plan, Need *need)
{
    const HyperionParallel parallel = hyperionThreadPoolParallel(search->model->pool);
    for (int step = 0; step < plan->step_count; step++) {
        const int layer = plan->steps[step];
        const HypLayerRun run = {
            .model = search->model,
            .layer = &search->model->layers[layer],
            .data = search->data,
            .blocking = hyp_layer_variants_shrink(plan->blockings[layer], HYP_BLOCK_SHRINKS - 1),
            .parallel = &parallel};
        const size_t bytes = hyp_step_workspace_bytes(search->room, plan, step, &run);
        if (bytes > need->workspace_bytes) {
            need->workspace_bytes = bytes;
            need->workspace_step = search->step_of[layer];
        }
    }
}

static double guess_extra(const Search *search, const HypRunPlan *plan, const HypBanding *banding)
{
    const HypVariant variant = {.number = 0};
    double ns = 0;
    for (int i = 0; i < banding->group_count; i++)
        for (int j = 0; j < banding->groups[i].count; j++) {
            const int step = banding->groups[i].first + j;
            const int layer = search->plan->steps[step];
            const HypBandShare share = hyp_band_plan_share(search->model, plan, layer);
            ns += hyp_layer_times_guess(search->model, layer, &variant, &share) -
                  search->whole_ns[step];
        }
    return ns;
}

// With groups that are in order. False, last error set, when out of memory.
static bool measure(const Search *search, const HypBanding *banding, Need *need)
{
    static const double time_weight = 0.5;
    const size_t steps_bytes = (size_t)search->plan->step_count * sizeof(int);
    HypRunPlan plan = *search->plan;
    *need = (Need){0};
    plan.steps = malloc(steps_bytes + 1);
    if (!plan.steps)
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", search->model->name);
    memcpy(plan.steps, search->plan->steps, steps_bytes);
    const bool measured =
        hyp_band_plan_apply(search->model, banding->groups, banding->group_count, &plan) &&
        measure_activations(search, &plan, need);
    if (measured) {
        measure_workspace(search, &plan, need);
        need->score = (need->level + (double)need->workspace_bytes) *
                      (1 + time_weight * guess_extra(search, &plan, banding) / search->all_ns);
    }
    free(plan.steps);
    free(plan.bands);
    free(plan.held_rows);
    return measured;
}

// `group` in place of those that it overlaps.
static bool replace_groups(const HypBanding *from, const HypBandGroup *group, HypBanding *to)
{
    *to = (HypBanding){0};
    for (int i = 0; i < from->group_count; i++)
        if (!overlap(&from->groups[i], group))
            to->groups[to->group_count++] = from->groups[i];
    if (to->group_count == HYP_MOST_BAND_GROUPS)
        return false;
    to->groups[to->group_count++] = *group;
    hyp_sort(to->groups, (size_t)to->group_count, sizeof *to->groups, compare_groups, NULL);
    return true;
}

typedef struct Best {
    HypBanding banding;
    Need need;
} Best;

// Tries bands of the steps of a group in several heights.
static bool try_heights(const Search *search, const HypBanding *from, HypBandGroup group,
                        Best *best)
{
    const int last = search->plan->steps[group.first + group.count - 1];
    const int64_t all =
        hyp_row_count(hyp_layer_output(search->model, &search->model->layers[last]));
    for (int bands = 2; bands <= MOST_BANDS && bands < 2 * all; bands *= 2) {
        Best tried;
        group.rows = (all + bands - 1) / bands;
        if (!replace_groups(from, &group, &tried.banding) ||
            !hyp_band_group_is_possible(search->model, search->plan, search->reads, &group))
            return true;
        if (!measure(search, &tried.banding, &tried.need))
            return false;
        if (tried.need.score < best->need.score)
            *best = tried;
    }
    return true;
}

// Tries groups that have step `step`.
static bool try_groups(const Search *search, const HypBanding *from, int step, Best *best)
{
    const int earliest = step < HYP_MOST_BAND_LAYERS ? 0 : step - HYP_MOST_BAND_LAYERS + 1;
    for (int first = earliest; first <= step; first++)
        for (int count = 2; count <= HYP_MOST_BAND_LAYERS; count++)
            if (first + count > step && first + count <= search->plan->step_count &&
                !try_heights(search, from, (HypBandGroup){.first = first, .count = count}, best))
                return false;
    return true;
}

static bool find_groups(const Search *search, HypBanding *banding)
{
    Best best = {.banding = {.group_count = 0}};
    if (!measure(search, &best.banding, &best.need))
        return false;
    for (int turn = 0; turn < MOST_TURNS; turn++) {
        const Best from = best;
        best.need.score *= 1 - least_gain;
        const double limit = best.need.score;
        if (!try_groups(search, &from.banding, from.need.activation_step, &best) ||
            (best.need.score == limit &&
             !try_groups(search, &from.banding, from.need.workspace_step, &best)))
            return false;
        if (best.need.score == limit) {
            best = from;
            break;
        }
    }
    memcpy(banding->groups, best.banding.groups, sizeof banding->groups);
    banding->group_count = best.banding.group_count;
    return true;
}

// Puts first what lowers most beside those before it, and drops what lowers nothing.
static bool order_groups(const Search *search, HypBanding *banding)
{
    HypBanding left = *banding;
    Need none;
    int useful = 0;
    banding->group_count = 0;
    if (!measure(search, banding, &none))
        return false;
    size_t last_bytes = none.activation_bytes + none.workspace_bytes;
    while (left.group_count > 0) {
        Best best = {.need = {.activation_bytes = SIZE_MAX}};
        int chosen = -1;
        for (int i = 0; i < left.group_count; i++) {
            Best tried;
            (void)replace_groups(banding, &left.groups[i], &tried.banding);
            if (!measure(search, &tried.banding, &tried.need))
                return false;
            if (chosen < 0 || tried.need.score < best.need.score) {
                best = tried;
                chosen = i;
            }
        }
        banding->groups[banding->group_count++] = left.groups[chosen];
        left.groups[chosen] = left.groups[--left.group_count];
        const size_t bytes = best.need.activation_bytes + best.need.workspace_bytes;
        useful = bytes < last_bytes ? banding->group_count : useful;
        last_bytes = bytes < last_bytes ? bytes : last_bytes;
    }
    banding->group_count = useful;
    return true;
}

static bool create_search(Search *search)
{
    const HyperionModel *model = search->model;
    const HypVariant variant = {.number = 0};
    const HypBandShare whole = {.bands = 0, .rows = 1};
    search->reads = hyp_band_plan_count_reads(model, search->plan);
    search->step_of = calloc((size_t)model->layer_count + 1, sizeof *search->step_of);
    search->room = hyp_band_room_create(model);
    search->data = (void **)calloc((size_t)model->tensor_count + 1, sizeof *search->data);
    search->whole_ns = calloc((size_t)search->plan->step_count + 1, sizeof *search->whole_ns);
    if (!search->reads || !search->step_of || !search->room || !search->data || !search->whole_ns)
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", model->name);
    for (int step = 0; step < search->plan->step_count; step++) {
        search->step_of[search->plan->steps[step]] = step;
        search->whole_ns[step] =
            hyp_layer_times_guess(model, search->plan->steps[step], &variant, &whole);
        search->all_ns += search->whole_ns[step];
    }
    return true;
}

static bool search_groups(const HyperionModel *model, const HypActivationSettings *settings,
                          const HypRunPlan *plan, HypBanding *banding)
{
    Search search = {.model = model, .settings = settings, .plan = plan};
    const bool found =
        create_search(&search) && find_groups(&search, banding) && order_groups(&search, banding);
    free(search.reads);
    free(search.step_of);
    hyp_band_room_free(search.room);
    free((void *)search.data);
    free(search.whole_ns);
    return found;
}

bool hyp_banding_find(const HyperionModel *model, const HypActivationSettings *settings,
                      const HypRunPlan *plan, HypBanding *banding)
{
    const HypAttachments *attached = &model->attached;
    const bool allowed = settings->share && !plan->placings &&
                         !attached->of[HYP_ATTACHED_SCHEDULER].hooks &&
                         !attached->of[HYP_ATTACHED_LOADER].hooks;
    HypBanding found = {.key = hyp_layer_times_key(model)};
    found.key += (allowed ? 2U : 0U) + (settings->in_place ? 1U : 0U);
    if (banding->key == found.key)
        return true;
    if (allowed && !search_groups(model, settings, plan, &found))
        return false;
    *banding = found;
    return true;
}

bool hyp_banding_equal(const HypBanding *a, const HypBanding *b)
{
    bool equal = a->group_count == b->group_count;
    for (int i = 0; equal && i < a->group_count; i++)
        equal = a->groups[i].first == b->groups[i].first &&
                a->groups[i].count == b->groups[i].count && a->groups[i].rows == b->groups[i].rows;
    return equal;
}
