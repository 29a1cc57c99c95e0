// SPDX-License-Identifier: Apache-2.0
// Where the greatest values stand: the second output of ONNX's MaxPool, which few networks use.
#include "model/layer_op.h"

#include "model/window.h"

#include <math.h>

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    HypShape values;
    return hyp_layer_op_max_pool.infer(model, layer, &values) &&
           hyp_shape_create(result, layer->name, HYPERION_TYPE_I64, values.rank, values.dims);
}

static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return hyp_layer_op_max_pool.flops(model, layer);
}

// An image, and a window or a place of it as a number along each axis.
typedef struct Search {
    HypWindowAxis axes[HYP_MOST_WINDOW_AXES];
    size_t steps[HYP_MOST_WINDOW_AXES];  // between neighbours in memory
    size_t counts[HYP_MOST_WINDOW_AXES]; // between their numbers
} Search;

static Search prepare_search(const HypLayerRun *run)
{
    Search search;
    const HyperionLayerAttributes *attributes = &run->layer->attributes;
    hyp_window_axes(run->layer, hyp_layer_input(run->model, run->layer, 0),
                    hyp_layer_output(run->model, run->layer), attributes->kernel, search.axes);
    const HypWindowAxis *axes = search.axes;
    search.steps[2] = 1;
    search.steps[1] = axes[2].size;
    search.steps[0] = axes[1].size * axes[2].size;
    for (int axis = 0; axis < HYP_MOST_WINDOW_AXES; axis++)
        search.counts[axis] = search.steps[axis];
    if (attributes->column_major) {
        search.counts[0] = 1;
        search.counts[1] = axes[0].size;
        search.counts[2] = axes[0].size * axes[1].size;
    }
    return search;
}

// Number of the place of the greatest value of a window, the first where several are.
static size_t find_greatest(const Search *search, const float *plane,
                            const size_t window[HYP_MOST_WINDOW_AXES])
{
    const HypWindowAxis *axes = search->axes;
    const size_t taps = axes[0].kernel * axes[1].kernel * axes[2].kernel;
    float greatest = -INFINITY;
    size_t found = 0;
    bool any = false;
    for (size_t tap = 0; tap < taps; tap++) {
        size_t rest = tap;
        size_t place = 0;
        size_t number = 0;
        bool inside = true;
        for (int axis = HYP_MOST_WINDOW_AXES - 1; axis >= 0; axis--) {
            const HypWindowAxis *along = &axes[axis];
            // Before the image it wraps to past its end.
            const size_t at = window[axis] * along->stride +
                              rest % along->kernel * along->dilation - along->before;
            rest /= along->kernel;
            inside = inside && at < along->size;
            place += at * search->steps[axis];
            number += at * search->counts[axis];
        }
        if (inside && (!any || plane[place] > greatest)) {
            greatest = plane[place];
            found = number;
            any = true;
        }
    }
    return found;
}

static void execute(const HypLayerRun *run)
{
    const Search search = prepare_search(run);
    const HypWindowAxis *axes = search.axes;
    const size_t plane_floats = axes[0].size * axes[1].size * axes[2].size;
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    int64_t *indices = run->data[run->layer->outputs[0]];
    for (size_t i = 0; i < out->element_count; i++) {
        const size_t window[HYP_MOST_WINDOW_AXES] = {
            i / axes[2].windows / axes[1].windows % axes[0].windows,
            i / axes[2].windows % axes[1].windows, i % axes[2].windows};
        const size_t plane = i / axes[2].windows / axes[1].windows / axes[0].windows;
        indices[i] =
            (int64_t)(plane * plane_floats +
                      find_greatest(&search, hyp_run_input(run, 0) + plane * plane_floats, window));
    }
}

const HypLayerOp hyp_layer_op_max_pool_indices = {
    .name = "max_pool_indices",
    .least_inputs = 1,
    .most_inputs = 1,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
