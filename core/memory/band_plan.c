// SPDX-License-Identifier: Apache-2.0
#include "memory/band_plan.h"

#include "common/fail.h"
#include "model/band.h"
#include "model/run_plan.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

static const HypLayer *find_layer(const HyperionModel *model, const HypRunPlan *plan, int step)
{
    return &model->layers[plan->steps[step]];
}

int *hyp_band_plan_count_reads(const HyperionModel *model, const HypRunPlan *plan)
{
    int *reads = calloc((size_t)model->tensor_count + 1, sizeof *reads);
    if (!reads)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", model->name);
    for (int step = 0; step < plan->step_count; step++) {
        const HypLayer *layer = find_layer(model, plan, step);
        for (int i = 0; i < layer->input_count; i++)
            reads[layer->inputs[i]]++;
    }
    for (int i = 0; i < model->tensor_count; i++)
        if (plan->offsets[i] == SIZE_MAX)
            reads[i] = INT_MAX;
    for (int i = 0; i < model->tensor_count; i++)
        if (model->tensors[i].view_of >= 0)
            reads[i] = reads[model->tensors[i].view_of] = INT_MAX;
    return reads;
}

static int64_t count_result_rows(const HyperionModel *model, const HypRunPlan *plan, int step)
{
    return hyp_row_count(hyp_layer_output(model, find_layer(model, plan, step)));
}

// The layer of the group whose result the tensor is; -1: none.
static int find_maker(const HyperionModel *model, const HypRunPlan *plan, const HypBandGroup *group,
                      int tensor)
{
    for (int i = 0; i < group->count; i++)
        if (find_layer(model, plan, group->first + i)->outputs[0] == tensor)
            return i;
    return -1;
}

static void cover(HypRows *rows, HypRows more)
{
    const int64_t end = rows->first + rows->count;
    const int64_t more_end = more.first + more.count;
    if (rows->count == 0) {
        *rows = more;
        return;
    }
    rows->first = more.first < rows->first ? more.first : rows->first;
    rows->count = (more_end > end ? more_end : end) - rows->first;
}

// By layer of the group, the rows to make for rows `made` of the last one. False where they are not
// to be had without the others.
static bool find_rows(const HyperionModel *model, const HypRunPlan *plan, const HypBandGroup *group,
                      HypRows made, HypRows rows[HYP_MOST_BAND_LAYERS])
{
    for (int i = 0; i < group->count; i++)
        rows[i] = (HypRows){0};
    rows[group->count - 1] = made;
    for (int i = group->count; i-- > 0;) {
        const HypLayer *layer = find_layer(model, plan, group->first + i);
        for (int j = 0; j < layer->input_count; j++) {
            HypBandInput input;
            const int maker = find_maker(model, plan, group, layer->inputs[j]);
            if (rows[i].count == 0 || !hyp_layer_band(model, layer, j, rows[i], &input) ||
                (maker >= 0 && input.rows.count == 0))
                return false;
            if (maker >= 0)
                cover(&rows[maker], input.rows);
        }
    }
    return true;
}

// The band that begins at row `first`; without rows past the last.
static HypRows find_band(const HyperionModel *model, const HypRunPlan *plan,
                         const HypBandGroup *group, int64_t first)
{
    const int64_t left = count_result_rows(model, plan, group->first + group->count - 1) - first;
    return (HypRows){first, left < group->rows ? left : group->rows};
}

// Whether no other step needs the result of step `step` of the group.
static bool is_inner(const HyperionModel *model, const HypRunPlan *plan, const int *reads,
                     const HypBandGroup *group, int step)
{
    const int result = find_layer(model, plan, step)->outputs[0];
    int inside = 0;
    for (int i = step + 1; i < group->first + group->count; i++) {
        const HypLayer *layer = find_layer(model, plan, i);
        for (int j = 0; j < layer->input_count; j++)
            inside += layer->inputs[j] == result;
    }
    return inside > 0 && inside == reads[result];
}

bool hyp_band_group_is_possible(const HyperionModel *model, const HypRunPlan *plan,
                                const int *reads, const HypBandGroup *group)
{
    HypRows rows[HYP_MOST_BAND_LAYERS];
    if (group->rows < 1)
        return false;
    for (int i = 0; i < group->count; i++)
        if (!hyp_layer_op(find_layer(model, plan, group->first + i)->op)->band)
            return false;
    for (int i = 0; i + 1 < group->count; i++)
        if (!is_inner(model, plan, reads, group, group->first + i))
            return false;
    HypRows band = find_band(model, plan, group, 0);
    bool possible = band.count > 0;
    for (; possible && band.count > 0;
         band = find_band(model, plan, group, band.first + band.count))
        possible = find_rows(model, plan, group, band, rows);
    return possible;
}

// Steps, bands and held rows of a plan that is being written.
typedef struct Unrolled {
    int *steps;
    HypRows *bands;
    int64_t *held_rows;
    int count;
} Unrolled;

int hyp_band_group_bands(const HyperionModel *model, const HypRunPlan *plan,
                         const HypBandGroup *group)
{
    const int64_t rows = count_result_rows(model, plan, group->first + group->count - 1);
    return (int)((rows + group->rows - 1) / group->rows);
}

static void add_group(const HyperionModel *model, const HypRunPlan *plan, const HypBandGroup *group,
                      Unrolled *unrolled)
{
    HypRows rows[HYP_MOST_BAND_LAYERS];
    for (HypRows band = find_band(model, plan, group, 0); band.count > 0;
         band = find_band(model, plan, group, band.first + band.count)) {
        const bool found = find_rows(model, plan, group, band, rows);
        assert(found);
        (void)found;
        for (int i = 0; i < group->count; i++) {
            int64_t *held =
                &unrolled->held_rows[find_layer(model, plan, group->first + i)->outputs[0]];
            if (i + 1 < group->count && rows[i].count > *held)
                *held = rows[i].count;
            unrolled->steps[unrolled->count] = plan->steps[group->first + i];
            unrolled->bands[unrolled->count++] = rows[i];
        }
    }
}

bool hyp_band_plan_apply(const HyperionModel *model, const HypBandGroup *groups, int group_count,
                         HypRunPlan *plan)
{
    size_t count = (size_t)plan->step_count;
    if (group_count == 0)
        return true;
    for (int i = 0; i < group_count; i++)
        count +=
            (size_t)groups[i].count * (size_t)(hyp_band_group_bands(model, plan, &groups[i]) - 1);
    // One more than needed: calloc(0) may be NULL.
    Unrolled made = {.steps = calloc(count + 1, sizeof *made.steps),
                     .bands = calloc(count + 1, sizeof *made.bands),
                     .held_rows = calloc((size_t)model->tensor_count + 1, sizeof *made.held_rows)};
    if (!made.steps || !made.bands || !made.held_rows) {
        free(made.steps);
        free(made.bands);
        free(made.held_rows);
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan model %s: out of memory", model->name);
    }
    int group = 0;
    for (int step = 0; step < plan->step_count;) {
        if (group < group_count && groups[group].first == step) {
            add_group(model, plan, &groups[group], &made);
            step += groups[group++].count;
        } else {
            made.steps[made.count++] = plan->steps[step++];
        }
    }
    assert((size_t)made.count == count && group == group_count);
    free(plan->steps);
    plan->steps = made.steps;
    plan->step_count = made.count;
    plan->bands = made.bands;
    plan->held_rows = made.held_rows;
    return true;
}

HypBandShare hyp_band_plan_share(const HyperionModel *model, const HypRunPlan *plan, int layer)
{
    HypBandShare share = {.bands = 0, .rows = 1};
    int64_t rows = 0;
    for (int step = 0; plan->bands && step < plan->step_count; step++)
        if (plan->steps[step] == layer && hyp_step_is_band(plan, step)) {
            share.bands++;
            rows += plan->bands[step].count;
        }
    if (share.bands > 0)
        share.rows =
            (double)rows / (double)hyp_row_count(hyp_layer_output(model, &model->layers[layer]));
    return share;
}
