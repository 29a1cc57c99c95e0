// SPDX-License-Identifier: Apache-2.0
// Operators that give a tensor another shape or name, at no cost, and those that tell its shape.
#include "model/onnx/map_support.h"

#include "common/fail.h"

#include <inttypes.h>
#include <string.h>

// The node's output as a view of `x` of these dims.
static bool add_view(OnnxImport *import, const OnnxNode *node, int x, int rank, const int64_t *dims)
{
    HyperionLayerAttributes attributes = {.rank = rank, .zero_dims = true};
    memcpy(attributes.dims, dims, (size_t)rank * sizeof *dims);
    return hyp_onnx_layer(import, node, HYPERION_LAYER_RESHAPE, &attributes, &x, 1);
}

bool hyp_onnx_map_flatten(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    const HypShape *shape = hyp_onnx_shape(import, x);
    const int axis = hyp_onnx_axis(node, "axis", 1, shape->rank, shape->rank);
    if (axis < 0)
        return false;
    const int64_t dims[] = {(int64_t)hyp_shape_product(shape, 0, axis),
                            (int64_t)hyp_shape_product(shape, axis, shape->rank)};
    return add_view(import, node, x, 2, dims);
}

bool hyp_onnx_map_reshape(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    HyperionLayerAttributes attributes = {.zero_dims = hyp_onnx_int(node, "allowzero", 0) != 0};
    size_t rank;
    if (!hyp_onnx_constant_ints(import, node, 1, attributes.dims, HYPERION_MAX_RANK, &rank))
        return false;
    attributes.rank = (int)rank;
    return hyp_onnx_layer(import, node, HYPERION_LAYER_RESHAPE, &attributes, &x, 1);
}

// The axes, of `rank`, that the node names, as bits; *given is false where it names none.
static bool read_axes(OnnxImport *import, const OnnxNode *node, int rank, unsigned *axes,
                      bool *given)
{
    int64_t values[HYPERION_MAX_RANK];
    size_t count;
    if (!hyp_onnx_int_list(import, node, "axes", 1, values, HYPERION_MAX_RANK, &count, given))
        return false;
    *axes = 0;
    for (size_t i = 0; *given && i < count; i++) {
        const int64_t axis = values[i] < 0 ? values[i] + rank : values[i];
        if (axis < 0 || axis >= rank || *axes & 1U << axis)
            return hyp_fail(HYPERION_ERROR_FORMAT, "axis %" PRId64 " of %d, or a second time",
                            values[i], rank);
        *axes |= 1U << axis;
    }
    return true;
}

bool hyp_onnx_map_squeeze(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    const HypShape shape = *hyp_onnx_shape(import, x);
    unsigned axes;
    bool given;
    if (!read_axes(import, node, shape.rank, &axes, &given))
        return false;
    int64_t dims[HYPERION_MAX_RANK];
    int rank = 0;
    for (int axis = 0; axis < shape.rank; axis++) {
        const bool named = axes & 1U << axis;
        if (named && shape.dims[axis] != 1)
            return hyp_fail(HYPERION_ERROR_FORMAT, "axis %d has extent %" PRId64 ", expected 1",
                            axis, shape.dims[axis]);
        if (given ? !named : shape.dims[axis] != 1)
            dims[rank++] = shape.dims[axis];
    }
    return add_view(import, node, x, rank, dims);
}

bool hyp_onnx_map_unsqueeze(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    int64_t values[HYPERION_MAX_RANK];
    size_t count;
    bool given;
    if (x < 0 ||
        !hyp_onnx_int_list(import, node, "axes", 1, values, HYPERION_MAX_RANK, &count, &given))
        return false;
    const HypShape shape = *hyp_onnx_shape(import, x);
    const int rank = shape.rank + (int)count;
    unsigned axes;
    if (!given || rank > HYPERION_MAX_RANK)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "%s", given ? "too many axes" : "no axes");
    if (!read_axes(import, node, rank, &axes, &given))
        return false;
    int64_t dims[HYPERION_MAX_RANK];
    int next = 0;
    for (int axis = 0; axis < rank; axis++)
        dims[axis] = axes & 1U << axis ? 1 : shape.dims[next++];
    return add_view(import, node, x, rank, dims);
}

bool hyp_onnx_map_identity(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    return x >= 0 && hyp_onnx_bind_output(import, node, 0, x);
}

// All that was kept: everything.
static bool add_mask(OnnxImport *import, const OnnxNode *node, const HypShape *shape)
{
    // Up to opset 9 the mask has the type of the data.
    const bool is_bool = hyp_onnx_opset(import) >= 10;
    const int one = is_bool ? hyp_onnx_inner_constant(import, node, "/kept", HYPERION_TYPE_BOOL, 0,
                                                      NULL, &(unsigned char){1})
                            : hyp_onnx_inner_constant(import, node, "/kept", HYPERION_TYPE_F32, 0,
                                                      NULL, &(float){1});
    HyperionLayerAttributes attributes = {.rank = shape->rank};
    memcpy(attributes.dims, shape->dims, sizeof shape->dims);
    return one >= 0 &&
           hyp_onnx_layer_at(import, node, 1, HYPERION_LAYER_EXPAND, &attributes, &one, 1);
}

// Whether the node drops nothing: it is not for training, or its ratio is 0.
static bool keeps_all(OnnxImport *import, const OnnxNode *node)
{
    const bool *training;
    const float *ratio;
    if (!hyp_onnx_has_input(node, 2))
        return true;
    training = hyp_onnx_constant_value(import, node, 2, HYPERION_TYPE_BOOL);
    if (!training || !*training)
        return training != NULL;
    ratio = hyp_onnx_has_input(node, 1)
                ? hyp_onnx_constant_value(import, node, 1, HYPERION_TYPE_F32)
                : NULL;
    return (ratio && *ratio == 0.0F) || hyp_onnx_unsupported("random dropout");
}

bool hyp_onnx_map_dropout(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0 || !keeps_all(import, node))
        return false;
    const HypShape shape = *hyp_onnx_shape(import, x);
    return hyp_onnx_bind_output(import, node, 0, x) &&
           (!hyp_onnx_has_output(node, 1) || add_mask(import, node, &shape));
}

// The node's output as a constant of i64.
static bool add_int64s(OnnxImport *import, const OnnxNode *node, int rank, int64_t count,
                       const int64_t *values)
{
    const int id =
        hyp_onnx_inner_constant(import, node, "/value", HYPERION_TYPE_I64, rank, &count, values);
    return id >= 0 && hyp_onnx_bind_output(import, node, 0, id);
}

// `index` of a vector of `count`, from the end where negative, brought into it.
static int64_t limit_index(int64_t index, int count)
{
    const int64_t from_begin = index < 0 ? index + count : index;
    return from_begin < 0 ? 0 : from_begin > count ? count : from_begin;
}

bool hyp_onnx_map_shape(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    const HypShape shape = *hyp_onnx_shape(import, x);
    const int64_t start = limit_index(hyp_onnx_int(node, "start", 0), shape.rank);
    const int64_t end = limit_index(hyp_onnx_int(node, "end", shape.rank), shape.rank);
    return add_int64s(import, node, 1, end > start ? end - start : 0,
                      shape.dims + (start < HYPERION_MAX_RANK ? start : 0));
}

bool hyp_onnx_map_size(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    const int64_t count = (int64_t)hyp_onnx_shape(import, x)->element_count;
    return add_int64s(import, node, 0, 1, &count);
}
