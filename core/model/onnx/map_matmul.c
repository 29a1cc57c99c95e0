// SPDX-License-Identifier: Apache-2.0
// Matrix products.
#include "model/onnx/map_support.h"

bool hyp_onnx_map_matmul(OnnxImport *import, const OnnxNode *node)
{
    int inputs[2];
    if (!hyp_onnx_inputs(import, node, 2, inputs))
        return false;
    // One matrix for all rows is a product of its own kind: it can be packed once.
    const bool is_plain = hyp_onnx_shape(import, inputs[1])->rank == 2;
    return hyp_onnx_layer(import, node, is_plain ? HYPERION_LAYER_GEMM : HYPERION_LAYER_MATMUL,
                          NULL, inputs, 2);
}

// A' B' + C: C as the bias where it is one value a column, else added.
bool hyp_onnx_map_gemm(OnnxImport *import, const OnnxNode *node)
{
    const HyperionLayerAttributes attributes = {.transpose_b =
                                                    hyp_onnx_int(node, "transB", 0) != 0};
    const bool has_c = hyp_onnx_has_input(node, 2);
    if (hyp_onnx_int(node, "transA", 0) != 0)
        return hyp_onnx_unsupported("transA");
    if (hyp_onnx_float(node, "alpha", 1.0F) != 1.0F ||
        (has_c && hyp_onnx_float(node, "beta", 1.0F) != 1.0F))
        return hyp_onnx_unsupported("alpha or beta other than 1");
    int inputs[3] = {hyp_onnx_input(import, node, 0), -1, -1};
    inputs[1] = inputs[0] < 0 ? -1 : hyp_onnx_input(import, node, 1);
    if (inputs[1] < 0)
        return false;
    if (!has_c)
        return hyp_onnx_layer(import, node, HYPERION_LAYER_GEMM, &attributes, inputs, 2);
    const int c = hyp_onnx_input(import, node, 2);
    if (c < 0)
        return false;
    const HypShape *c_shape = hyp_onnx_shape(import, c);
    const HypShape *b_shape = hyp_onnx_shape(import, inputs[1]);
    const bool is_bias =
        b_shape->rank == 2 && c_shape->rank > 0 &&
        c_shape->dims[c_shape->rank - 1] == b_shape->dims[attributes.transpose_b ? 0 : 1] &&
        c_shape->element_count == (size_t)c_shape->dims[c_shape->rank - 1];
    if (is_bias) {
        inputs[2] =
            hyp_onnx_inner_view(import, node, "/bias", c, 1, &c_shape->dims[c_shape->rank - 1]);
        return inputs[2] >= 0 &&
               hyp_onnx_layer(import, node, HYPERION_LAYER_GEMM, &attributes, inputs, 3);
    }
    const int product =
        hyp_onnx_inner_layer(import, node, "/product", HYPERION_LAYER_GEMM, &attributes, inputs, 2);
    return product >= 0 &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, NULL, (int[]){product, c}, 2);
}
