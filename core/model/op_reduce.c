// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "model/integer_math.h"

#include <inttypes.h>
#include <math.h>

// Bit i: axis i is reduced. False where the attributes name none that exists, or one twice.
static bool read_axes(const HyperionModel *model, const HypLayer *layer, unsigned *axes)
{
    const HyperionLayerAttributes *attributes = &layer->attributes;
    const int rank = hyp_layer_input(model, layer, 0)->rank;
    if (attributes->axis_count < 0 || attributes->axis_count > rank)
        return hyp_layer_fail(layer, "%d axes of %d", attributes->axis_count, rank);
    *axes = attributes->axis_count ? 0 : (1U << rank) - 1U;
    for (int i = 0; i < attributes->axis_count; i++) {
        const int64_t given = attributes->axes[i];
        const int64_t axis = given < 0 ? given + rank : given;
        if (axis < 0 || axis >= rank || *axes >> axis & 1)
            return hyp_layer_fail(layer, "axis %" PRId64 " of %d does not exist or is given twice",
                                  given, rank);
        *axes |= 1U << axis;
    }
    return true;
}

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    unsigned reduced;
    if ((unsigned)layer->attributes.reduce >= HYPERION_REDUCE_COUNT)
        return hyp_layer_fail(layer, "no reduction %d", (int)layer->attributes.reduce);
    if (in->type == HYPERION_TYPE_BOOL)
        return hyp_layer_fail(layer, "input '%s' is bool", model->tensors[layer->inputs[0]].name);
    if (!read_axes(model, layer, &reduced))
        return false;
    int rank = 0;
    int64_t dims[HYPERION_MAX_RANK] = {0};
    for (int axis = 0; axis < in->rank; axis++)
        if (!(reduced >> axis & 1))
            dims[rank++] = in->dims[axis];
        else if (layer->attributes.keep_dims)
            dims[rank++] = 1;
    return hyp_shape_create(result, layer->name, in->type, rank, dims);
}

// Nominally one operation for each element that is read.
static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return (double)hyp_layer_input(model, layer, 0)->element_count;
}

// Neighbouring axes that are all reduced, or all kept, as one.
typedef struct AxisGroup {
    bool reduced;
    size_t extent;
} AxisGroup;

static int group_axes(const HypLayerRun *run, AxisGroup groups[HYPERION_MAX_RANK])
{
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    unsigned axes = 0;
    (void)read_axes(run->model, run->layer, &axes); // infer has accepted them
    int count = 0;
    for (int axis = 0; axis < in->rank; axis++) {
        const size_t extent = (size_t)in->dims[axis];
        const bool reduced = axes >> axis & 1;
        if (extent == 1)
            continue;
        if (count > 0 && groups[count - 1].reduced == reduced)
            groups[count - 1].extent *= extent;
        else
            groups[count++] = (AxisGroup){reduced, extent};
    }
    return count;
}

// Whether one kernel call does it: kept, reduced, kept, each of which may be missing.
static bool fill_kernel_args(const AxisGroup *groups, int count, HypReduceArgs *args)
{
    int next = 0;
    args->outer = args->middle = args->inner = 1;
    if (next < count && !groups[next].reduced)
        args->outer = groups[next++].extent;
    if (next < count)
        args->middle = groups[next++].extent;
    if (next < count)
        args->inner = groups[next++].extent;
    return next == count;
}

// Offset in the input of the `index`-th combination of the reduced, or the kept, groups.
static size_t find_offset(const AxisGroup *groups, int count, bool reduced, size_t index)
{
    size_t offset = 0;
    size_t step = 1;
    for (int i = count; i-- > 0;) {
        if (groups[i].reduced == reduced) {
            offset += index % groups[i].extent * step;
            index /= groups[i].extent;
        }
        step *= groups[i].extent;
    }
    return offset;
}

static double join_floats(HyperionReduce function, double so_far, double x)
{
    switch (function) {
    case HYPERION_REDUCE_MAX: return so_far > x || isnan(so_far) ? so_far : x;
    case HYPERION_REDUCE_MIN: return so_far < x || isnan(so_far) ? so_far : x;
    case HYPERION_REDUCE_PROD: return so_far * x;
    default: return so_far + x;
    }
}

static int64_t join_integers(HyperionReduce function, int64_t so_far, int64_t x)
{
    switch (function) {
    case HYPERION_REDUCE_MAX: return so_far > x ? so_far : x;
    case HYPERION_REDUCE_MIN: return so_far < x ? so_far : x;
    case HYPERION_REDUCE_PROD: return hyp_integer_multiply(so_far, x);
    default: return hyp_integer_add(so_far, x);
    }
}

// What the reduction of no elements gives, as the kernel does; the limits of the type for integers.
static const struct {
    double of_floats;
    int64_t of_integers;
} starts[HYPERION_REDUCE_COUNT] = {
    [HYPERION_REDUCE_MAX] = {-INFINITY, INT64_MIN},
    [HYPERION_REDUCE_MIN] = {INFINITY, INT64_MAX},
    [HYPERION_REDUCE_PROD] = {1, 1},
};

typedef struct Plane {
    const AxisGroup *groups;
    int group_count;
    size_t reduced_count; // elements that make one of the result
} Plane;

static float reduce_floats(const Plane *plane, HyperionReduce function, const float *in)
{
    double result = starts[function].of_floats;
    for (size_t r = 0; r < plane->reduced_count; r++)
        result = join_floats(function, result,
                             (double)in[find_offset(plane->groups, plane->group_count, true, r)]);
    return (float)(function == HYPERION_REDUCE_MEAN ? result / (double)plane->reduced_count
                                                    : result);
}

static int64_t reduce_integers(const Plane *plane, HyperionReduce function, HyperionType type,
                               const void *in, size_t first)
{
    int64_t result = starts[function].of_integers;
    for (size_t r = 0; r < plane->reduced_count; r++) {
        const size_t place = first + find_offset(plane->groups, plane->group_count, true, r);
        result = join_integers(function, result, hyp_integer_load(type, in, place));
    }
    return function == HYPERION_REDUCE_MEAN
               ? hyp_integer_divide(result, (int64_t)plane->reduced_count)
               : result;
}

// What no kernel does, element by element: integers, and reduced axes on both sides of a kept one.
static void execute_any(const HypLayerRun *run, const AxisGroup *groups, int group_count)
{
    const HyperionReduce function = run->layer->attributes.reduce;
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    Plane plane = {.groups = groups, .group_count = group_count, .reduced_count = 1};
    for (int i = 0; i < group_count; i++)
        if (groups[i].reduced)
            plane.reduced_count *= groups[i].extent;
    for (size_t i = 0; i < out->element_count; i++) {
        const size_t first = find_offset(groups, group_count, false, i);
        if (out->type == HYPERION_TYPE_F32)
            hyp_run_output(run)[i] = reduce_floats(&plane, function, hyp_run_input(run, 0) + first);
        else
            hyp_integer_store(
                out->type, hyp_run_output_bytes(run), i,
                reduce_integers(&plane, function, out->type, hyp_run_input_bytes(run, 0), first));
    }
}

static void execute(const HypLayerRun *run)
{
    AxisGroup groups[HYPERION_MAX_RANK];
    const int group_count = group_axes(run, groups);
    HypReduceArgs args = {.function = run->layer->attributes.reduce, .parallel = run->parallel};
    const bool has_kernel = hyp_layer_output(run->model, run->layer)->type == HYPERION_TYPE_F32 &&
                            fill_kernel_args(groups, group_count, &args);
    if (!has_kernel) {
        execute_any(run, groups, group_count);
        return;
    }
    args.in = hyp_run_input(run, 0);
    args.out = hyp_run_output(run);
    run->model->settings.dispatch.best[HYP_OP_REDUCE]->fn.reduce(&args);
}

const HypLayerOp hyp_layer_op_reduce = {
    .name = "reduce",
    .least_inputs = 1,
    .most_inputs = 1,
    .any_type = true,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
