// SPDX-License-Identifier: Apache-2.0
// Normalisations and softmax.
#include "model/onnx/map_support.h"

#include <string.h>

bool hyp_onnx_map_softmax(OnnxImport *import, const OnnxNode *node)
{
    int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    const HypShape shape = *hyp_onnx_shape(import, x);
    // Before opset 13 all axes from `axis` on were one.
    const bool merges = hyp_onnx_opset(import) < 13;
    const int axis = hyp_onnx_axis(node, "axis", merges ? 1 : -1, shape.rank, shape.rank - 1);
    if (axis < 0)
        return false;
    if (axis == shape.rank - 1)
        return hyp_onnx_layer(import, node, HYPERION_LAYER_SOFTMAX, NULL, &x, 1);
    if (!merges)
        return hyp_onnx_unsupported("softmax over another than the last axis");
    const int64_t rows[2] = {(int64_t)hyp_shape_product(&shape, 0, axis),
                             (int64_t)hyp_shape_product(&shape, axis, shape.rank)};
    x = hyp_onnx_inner_view(import, node, "/rows", x, 2, rows);
    if (x >= 0)
        x = hyp_onnx_inner_layer(import, node, "/softmax", HYPERION_LAYER_SOFTMAX, NULL, &x, 1);
    HyperionLayerAttributes attributes = {.rank = shape.rank};
    memcpy(attributes.dims, shape.dims, sizeof shape.dims);
    return x >= 0 && hyp_onnx_layer(import, node, HYPERION_LAYER_RESHAPE, &attributes, &x, 1);
}

bool hyp_onnx_map_layernorm(OnnxImport *import, const OnnxNode *node)
{
    int inputs[3];
    const int input_count = hyp_onnx_has_input(node, 2) ? 3 : 2;
    if (!hyp_onnx_inputs(import, node, input_count, inputs))
        return false;
    const int rank = hyp_onnx_shape(import, inputs[0])->rank;
    const int axis = hyp_onnx_axis(node, "axis", -1, rank, rank - 1);
    if (axis < 0)
        return false;
    if (axis != rank - 1 || node->output_count > 1)
        return hyp_onnx_unsupported("normalisation over several axes, or with more outputs,");
    const HyperionLayerAttributes attributes = {.epsilon = hyp_onnx_float(node, "epsilon", 1e-5F)};
    return hyp_onnx_layer(import, node, HYPERION_LAYER_LAYERNORM, &attributes, inputs, input_count);
}
