// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "hyperion/tensor.h"

#include "parallel_for.h"

#include <inttypes.h>
#include <string.h>

// The rows, along the last axis, of the result.
typedef struct Pad {
    const HyperionLayerAttributes *attributes;
    const HypShape *in_shape;
    const HypShape *out_shape;
    size_t element_bytes;
    size_t rows;
    int64_t in_extent, out_extent, start; // of the last axis; 1, 1 and 0 of a scalar
    const char *in;
    char *out;
    unsigned char value[8]; // element_bytes of them
} Pad;

// Far below what an i64 holds, so that sums of a few cannot overflow.
enum { FURTHEST_EXPONENT = 60 };

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    const HyperionLayerAttributes *attributes = &layer->attributes;
    const int64_t furthest = INT64_C(1) << FURTHEST_EXPONENT;
    if (!hyp_layer_expect_dims(layer, in->rank))
        return false;
    if ((unsigned)attributes->pad_mode >= HYPERION_PADDING_COUNT)
        return hyp_layer_fail(layer, "unknown mode %d", (int)attributes->pad_mode);
    if (layer->input_count == 2) {
        const HypShape *value = hyp_layer_input(model, layer, 1);
        char text[HYP_SHAPE_TEXT_BYTES];
        if (value->type != in->type || value->element_count != 1)
            return hyp_layer_fail(layer, "the value, %s, is not one %s",
                                  hyp_shape_text(value, text), hyperionTypeName(in->type));
    }
    for (int axis = 0; axis < in->rank; axis++) {
        const int64_t start = attributes->starts[axis];
        if (start < -furthest || start > furthest || attributes->dims[axis] > furthest)
            return hyp_layer_fail(layer, "start %" PRId64 " and extent %" PRId64 " of axis %d",
                                  start, attributes->dims[axis], axis);
        if (attributes->pad_mode != HYPERION_PADDING_CONSTANT && in->dims[axis] == 0 &&
            attributes->dims[axis] != 0)
            return hyp_layer_fail(layer, "axis %d has no elements to pad with", axis);
    }
    return hyp_shape_create(result, layer->name, in->type, in->rank, attributes->dims);
}

static bool keeps_memory(const HyperionModel *model, const HypLayer *layer, const HypShape *result)
{
    bool same = hyp_shape_equal(hyp_layer_input(model, layer, 0), result);
    for (int axis = 0; axis < result->rank; axis++)
        same = same && layer->attributes.starts[axis] == 0;
    return same;
}

// Where in an axis of `extent` elements the element of index `index` is; -1: nowhere.
static int64_t find_source(HyperionPadding mode, int64_t index, int64_t extent)
{
    if (index >= 0 && index < extent)
        return index;
    if (mode == HYPERION_PADDING_CONSTANT)
        return -1;
    if (mode == HYPERION_PADDING_EDGE)
        return index < 0 ? 0 : extent - 1;
    if (extent == 1)
        return 0;
    const int64_t period = 2 * (extent - 1);
    const int64_t place = ((index % period) + period) % period;
    return place < extent ? place : period - place;
}

// The row of the input that row `row` of the result is from; NULL: none.
static const char *find_row(const Pad *pad, size_t row)
{
    const HyperionLayerAttributes *attributes = pad->attributes;
    size_t offset = 0;
    size_t stride = (size_t)pad->in_extent * pad->element_bytes;
    for (int axis = pad->out_shape->rank - 1; axis-- > 0;) {
        const int64_t extent = pad->in_shape->dims[axis];
        const size_t out_extent = (size_t)pad->out_shape->dims[axis];
        const int64_t source = find_source(
            attributes->pad_mode, attributes->starts[axis] + (int64_t)(row % out_extent), extent);
        if (source < 0)
            return NULL;
        offset += (size_t)source * stride;
        stride *= (size_t)extent;
        row /= out_extent;
    }
    return pad->in + offset;
}

// Elements first up to end of a row, none of which is at its place in the input.
static void fill_outside(const Pad *pad, const char *in, char *out, int64_t first, int64_t end)
{
    const size_t element_bytes = pad->element_bytes;
    for (int64_t i = first; i < end; i++) {
        const int64_t source =
            in ? find_source(pad->attributes->pad_mode, pad->start + i, pad->in_extent) : -1;
        memcpy(out + (size_t)i * element_bytes,
               source < 0 ? (const char *)pad->value : in + (size_t)source * element_bytes,
               element_bytes);
    }
}

static int64_t limit(int64_t value, int64_t most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

static void pad_rows(void *context, size_t thread)
{
    const HypParallelCall *call = context;
    const Pad *pad = call->args;
    const size_t element_bytes = pad->element_bytes;
    const HypRange range = hyp_parallel_part(pad->rows, 1, call->threads, thread);
    const int64_t begin = limit(-pad->start, pad->out_extent);
    const int64_t end = limit(pad->in_extent - pad->start, pad->out_extent);
    for (size_t row = range.first; row < range.end; row++) {
        const char *in = find_row(pad, row);
        char *out = pad->out + row * (size_t)pad->out_extent * element_bytes;
        if (!in || begin >= end) {
            fill_outside(pad, in, out, 0, pad->out_extent);
            continue;
        }
        fill_outside(pad, in, out, 0, begin);
        memcpy(out + (size_t)begin * element_bytes,
               in + (size_t)(begin + pad->start) * element_bytes,
               (size_t)(end - begin) * element_bytes);
        fill_outside(pad, in, out, end, pad->out_extent);
    }
}

static void execute(const HypLayerRun *run)
{
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    const int last = out->rank - 1;
    Pad pad = {
        .attributes = &run->layer->attributes,
        .in_shape = in,
        .out_shape = out,
        .element_bytes = hyperionTypeBytes(in->type),
        .in_extent = last < 0 ? 1 : in->dims[last],
        .out_extent = last < 0 ? 1 : out->dims[last],
        .start = last < 0 ? 0 : run->layer->attributes.starts[last],
        .in = hyp_run_required(run, 0),
        .out = (char *)hyp_run_output(run),
    };
    if (out->element_count == 0)
        return;
    pad.rows = out->element_count / (size_t)pad.out_extent;
    if (run->layer->input_count == 2)
        memcpy(pad.value, hyp_run_required(run, 1), pad.element_bytes);
    hyp_parallel_call(run->parallel, (double)out->element_count * HYP_WORK_STREAMED, pad_rows,
                      &pad);
}

const HypLayerOp hyp_layer_op_pad = {
    .name = "pad",
    .least_inputs = 1,
    .most_inputs = 2,
    .any_type = true,
    .keeps_memory = keeps_memory,
    .infer = infer,
    .execute = execute,
};
