// SPDX-License-Identifier: Apache-2.0
// Resizing as ONNX 11 to 17 has it, one axis after another: those that shrink first, so that what
// lies between is never larger than both input and result.
#include "model/layer_op.h"

#include "model/resize_taps.h"

#include "common/size_math.h"
#include "hyperion/tensor.h"

#include "parallel_for.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

// One axis resized: out[outer][j][inner] from in[outer][.][inner].
typedef struct Pass {
    const HypResizeTap *taps; // by place in the result
    size_t outer, in_extent, out_extent, inner;
    size_t element_bytes;
    int tap_count; // 1: elements are copied
    const char *in;
    char *out;
} Pass;

static bool check_modes(const HypLayer *layer)
{
    const HyperionLayerAttributes *attributes = &layer->attributes;
    return ((unsigned)attributes->resize < HYPERION_RESIZE_COUNT &&
            (unsigned)attributes->coordinates < HYPERION_COORDINATES_COUNT &&
            (unsigned)attributes->nearest < HYPERION_NEAREST_COUNT) ||
           hyp_layer_fail(layer, "unknown mode %d, coordinates %d or nearest %d",
                          (int)attributes->resize, (int)attributes->coordinates,
                          (int)attributes->nearest);
}

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    HyperionLayerAttributes *attributes = &layer->attributes;
    if (!check_modes(layer) || !hyp_layer_expect_dims(layer, in->rank))
        return false;
    if (in->type != HYPERION_TYPE_F32 && (attributes->resize != HYPERION_RESIZE_NEAREST ||
                                          attributes->coordinates == HYPERION_COORDINATES_CROP))
        return hyp_layer_fail(layer, "input is %s, expected f32", hyperionTypeName(in->type));
    if (attributes->cubic_coefficient == 0)
        attributes->cubic_coefficient = -0.75F;
    for (int axis = 0; axis < in->rank; axis++) {
        float *scale = &attributes->scales[axis];
        const int64_t extent = attributes->dims[axis];
        if (*scale == 0 && in->dims[axis] > 0)
            *scale = (float)((double)extent / (double)in->dims[axis]);
        if (extent > 0 && (in->dims[axis] == 0 || !(*scale > 0) || !isfinite(*scale)))
            return hyp_layer_fail(layer, "axis %d, of %" PRId64 ", to %" PRId64 " by %g", axis,
                                  in->dims[axis], extent, (double)*scale);
    }
    return hyp_shape_create(result, layer->name, in->type, in->rank, attributes->dims);
}

// Whether resizing leaves the axis as it is.
static bool keeps_axis(const HypLayer *layer, const HypShape *in, const HypShape *out, int axis)
{
    const HyperionLayerAttributes *attributes = &layer->attributes;
    const bool rounds_up = attributes->coordinates == HYPERION_COORDINATES_HALF_PIXEL_FOR_NEAREST;
    return in->dims[axis] == out->dims[axis] && attributes->scales[axis] == 1 && !rounds_up &&
           attributes->coordinates != HYPERION_COORDINATES_CROP;
}

static bool keeps_memory(const HyperionModel *model, const HypLayer *layer, const HypShape *result)
{
    for (int axis = 0; axis < result->rank; axis++)
        if (!keeps_axis(layer, hyp_layer_input(model, layer, 0), result, axis))
            return false;
    return true;
}

// The axes to resize, in order; returns how many.
static int order_axes(const HypLayer *layer, const HypShape *in, const HypShape *out,
                      int axes[HYPERION_MAX_RANK])
{
    int count = 0;
    for (int grow = 0; grow < 2; grow++)
        for (int axis = 0; axis < in->rank; axis++)
            if (grow == (out->dims[axis] > in->dims[axis]) && !keeps_axis(layer, in, out, axis))
                axes[count++] = axis;
    return count;
}

// Taps of the longest axis, then two buffers for what lies between.
static size_t count_workspace_bytes(const HypLayerRun *run)
{
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    size_t longest = 0;
    size_t bytes;
    if (out->element_count == 0)
        return 0;
    for (int axis = 0; axis < out->rank; axis++)
        if ((size_t)out->dims[axis] > longest)
            longest = (size_t)out->dims[axis];
    const size_t between = in->size_bytes > out->size_bytes ? in->size_bytes : out->size_bytes;
    if (!hyp_size_multiply(longest, sizeof(HypResizeTap), &bytes) ||
        !hyp_size_add(bytes, between, &bytes) || !hyp_size_add(bytes, between, &bytes))
        return SIZE_MAX;
    return bytes;
}

static void weigh_run(const Pass *pass, const HypResizeTap *tap, const float *in, float *out)
{
    const size_t inner = pass->inner;
    const float *a = in + tap->places[0] * inner;
    const float *b = in + tap->places[1] * inner;
    if (pass->tap_count == 2) {
        for (size_t i = 0; i < inner; i++)
            out[i] = tap->weights[0] * a[i] + tap->weights[1] * b[i];
        return;
    }
    const float *c = in + tap->places[2] * inner;
    const float *d = in + tap->places[3] * inner;
    for (size_t i = 0; i < inner; i++)
        out[i] = tap->weights[0] * a[i] + tap->weights[1] * b[i] + tap->weights[2] * c[i] +
                 tap->weights[3] * d[i];
}

// Places first up to end of the last axis.
static void copy_elements(const Pass *pass, const char *in, char *out, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        const size_t from = pass->taps[i].places[0];
        if (pass->element_bytes == 4)
            memcpy(out + i * 4, in + from * 4, 4);
        else if (pass->element_bytes == 8)
            memcpy(out + i * 8, in + from * 8, 8);
        else
            out[i] = in[from];
    }
}

static void weigh_elements(const Pass *pass, const float *in, float *out, size_t first, size_t end)
{
    if (pass->tap_count == 2) {
        for (size_t i = first; i < end; i++) {
            const HypResizeTap *tap = &pass->taps[i];
            out[i] = tap->weights[0] * in[tap->places[0]] + tap->weights[1] * in[tap->places[1]];
        }
        return;
    }
    for (size_t i = first; i < end; i++) {
        const HypResizeTap *tap = &pass->taps[i];
        out[i] = tap->weights[0] * in[tap->places[0]] + tap->weights[1] * in[tap->places[1]] +
                 tap->weights[2] * in[tap->places[2]] + tap->weights[3] * in[tap->places[3]];
    }
}

// Rows of `inner` elements, those of one thread.
static void run_rows(void *context, size_t thread)
{
    const HypParallelCall *call = context;
    const Pass *pass = call->args;
    assert(pass->out_extent > 0);
    const size_t run_bytes = pass->inner * pass->element_bytes;
    const size_t in_bytes = pass->in_extent * run_bytes;
    const HypRange range =
        hyp_parallel_part(pass->outer * pass->out_extent, 1, call->threads, thread);
    size_t place = range.first % pass->out_extent;
    const char *in = pass->in + range.first / pass->out_extent * in_bytes;
    for (size_t row = range.first; row < range.end;) {
        const size_t left = range.end - row;
        char *out = pass->out + row * run_bytes;
        if (pass->inner == 1) {
            const size_t end = place + left < pass->out_extent ? place + left : pass->out_extent;
            char *line = out - place * run_bytes;
            if (pass->tap_count == 1)
                copy_elements(pass, in, line, place, end);
            else
                weigh_elements(pass, (const float *)in, (float *)line, place, end);
            row += end - place;
            place = end;
        } else {
            const HypResizeTap *tap = &pass->taps[place];
            if (pass->tap_count == 1)
                memcpy(out, in + tap->places[0] * run_bytes, run_bytes);
            else
                weigh_run(pass, tap, (const float *)in, (float *)out);
            row++;
            place++;
        }
        if (place == pass->out_extent) {
            place = 0;
            in += in_bytes;
        }
    }
}

// What lies outside of the input in any axis becomes the extrapolation value.
static void extrapolate(const HypLayerRun *run)
{
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    const HyperionLayerAttributes *attributes = &run->layer->attributes;
    for (int axis = 0; axis < out->rank; axis++) {
        const HypResizeAxis resized = hyp_resize_axis(attributes, in, axis);
        const size_t outer = hyp_shape_product(out, 0, axis);
        const size_t extent = (size_t)out->dims[axis];
        const size_t inner = hyp_shape_product(out, axis + 1, out->rank);
        for (size_t place = 0; place < extent; place++)
            for (size_t i = 0; i < outer && hyp_resize_is_outside(&resized, place); i++)
                for (size_t j = 0; j < inner; j++)
                    hyp_run_output(run)[(i * extent + place) * inner + j] =
                        attributes->extrapolation;
    }
}

static void execute(const HypLayerRun *run)
{
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    const HyperionLayerAttributes *attributes = &run->layer->attributes;
    int axes[HYPERION_MAX_RANK];
    const int count = order_axes(run->layer, in, out, axes);
    if (out->element_count == 0)
        return;
    size_t longest = 0;
    for (int axis = 0; axis < out->rank; axis++)
        if ((size_t)out->dims[axis] > longest)
            longest = (size_t)out->dims[axis];
    HypResizeTap *taps = run->workspace;
    char *between[2] = {(char *)(taps + longest)};
    between[1] = between[0] + (in->size_bytes > out->size_bytes ? in->size_bytes : out->size_bytes);
    HypShape shape = *in; // of what has been made so far
    const char *from = hyp_run_required(run, 0);
    for (int i = 0; i < count; i++) {
        const int axis = axes[i];
        const HypResizeAxis resized = hyp_resize_axis(attributes, in, axis);
        Pass pass = {
            .taps = taps,
            .outer = hyp_shape_product(&shape, 0, axis),
            .in_extent = (size_t)in->dims[axis],
            .out_extent = (size_t)out->dims[axis],
            .inner = hyp_shape_product(&shape, axis + 1, shape.rank),
            .element_bytes = hyperionTypeBytes(in->type),
            .tap_count = hyp_resize_taps(&resized, taps),
            .in = from,
            .out = i + 1 < count ? between[i % 2] : (char *)hyp_run_output(run),
        };
        const double elements = (double)pass.outer * (double)pass.out_extent * (double)pass.inner;
        hyp_parallel_call(run->parallel, elements * HYP_WORK_STREAMED, run_rows, &pass);
        shape.dims[axis] = out->dims[axis];
        from = pass.out;
    }
    if (attributes->coordinates == HYPERION_COORDINATES_CROP)
        extrapolate(run);
}

const HypLayerOp hyp_layer_op_resize = {
    .name = "resize",
    .least_inputs = 1,
    .most_inputs = 1,
    .any_type = true,
    .keeps_memory = keeps_memory,
    .infer = infer,
    .workspace_bytes = count_workspace_bytes,
    .execute = execute,
};
