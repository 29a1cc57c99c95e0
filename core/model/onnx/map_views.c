// SPDX-License-Identifier: Apache-2.0
// Operators that give a tensor another shape or name, at no cost.
#include "model/onnx/map_support.h"

bool hyp_onnx_map_flatten(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    const HypShape *shape = hyp_onnx_shape(import, x);
    const int axis = hyp_onnx_axis(node, "axis", 1, shape->rank, shape->rank);
    if (axis < 0)
        return false;
    HyperionLayerAttributes attributes = {.rank = 2};
    attributes.dims[0] = (int64_t)hyp_shape_product(shape, 0, axis);
    attributes.dims[1] = (int64_t)hyp_shape_product(shape, axis, shape->rank);
    return hyp_onnx_layer(import, node, HYPERION_LAYER_RESHAPE, &attributes, &x, 1);
}

bool hyp_onnx_map_reshape(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    if (hyp_onnx_int(node, "allowzero", 0) != 0)
        return hyp_onnx_unsupported("allowzero");
    HyperionLayerAttributes attributes = {0};
    size_t rank;
    if (!hyp_onnx_constant_ints(import, node, 1, attributes.dims, HYPERION_MAX_RANK, &rank))
        return false;
    attributes.rank = (int)rank;
    return hyp_onnx_layer(import, node, HYPERION_LAYER_RESHAPE, &attributes, &x, 1);
}

bool hyp_onnx_map_identity(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    return x >= 0 && hyp_onnx_bind_output(import, node, 0, x);
}
