// SPDX-License-Identifier: Apache-2.0
// Matrix products.
#include "model/onnx/map_support.h"

#include "common/fail.h"

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

// `tensor` times a number; `tensor` itself where that is 1. -1 on failure.
static int scale(OnnxImport *import, const OnnxNode *node, const char *suffix,
                 const char *factor_suffix, int tensor, float factor)
{
    static const HyperionLayerAttributes multiply = {.binary = HYPERION_BINARY_MUL};
    if (factor == 1.0F || tensor < 0)
        return tensor;
    const int number =
        hyp_onnx_inner_constant(import, node, factor_suffix, HYPERION_TYPE_F32, 0, NULL, &factor);
    return number < 0 ? -1
                      : hyp_onnx_inner_layer(import, node, suffix, HYPERION_LAYER_BINARY, &multiply,
                                             (int[]){tensor, number}, 2);
}

// Whether C is one value for each of `columns` columns.
static bool is_column_bias(const HypShape *c, int64_t columns)
{
    return c->rank > 0 && c->dims[c->rank - 1] == columns && c->element_count == (size_t)columns;
}

// A and B of two dimensions each, A transposed where the node says so.
static bool read_matrices(OnnxImport *import, const OnnxNode *node, int *inputs)
{
    if (!hyp_onnx_inputs(import, node, 2, inputs))
        return false;
    if (hyp_onnx_shape(import, inputs[0])->rank != 2 ||
        hyp_onnx_shape(import, inputs[1])->rank != 2)
        return hyp_fail(HYPERION_ERROR_FORMAT, "A and B have %d and %d dimensions, expected 2",
                        hyp_onnx_shape(import, inputs[0])->rank,
                        hyp_onnx_shape(import, inputs[1])->rank);
    if (hyp_onnx_int(node, "transA", 0) != 0)
        inputs[0] =
            hyp_onnx_inner_layer(import, node, "/A", HYPERION_LAYER_TRANSPOSE, NULL, inputs, 1);
    return inputs[0] >= 0;
}

// alpha A' B' + beta C: C as the bias of the product where it can be, else added.
bool hyp_onnx_map_gemm(OnnxImport *import, const OnnxNode *node)
{
    const HyperionLayerAttributes attributes = {.transpose_b =
                                                    hyp_onnx_int(node, "transB", 0) != 0};
    const float alpha = hyp_onnx_float(node, "alpha", 1.0F);
    const float beta = hyp_onnx_float(node, "beta", 1.0F);
    const bool has_c = hyp_onnx_has_input(node, 2) && beta != 0.0F;
    int inputs[3];
    if (!read_matrices(import, node, inputs))
        return false;
    // Scaling A, often the smallest of the three, scales the product.
    inputs[0] = scale(import, node, "/scaled", "/alpha", inputs[0], alpha);
    if (inputs[0] < 0)
        return false;
    if (!has_c)
        return hyp_onnx_layer(import, node, HYPERION_LAYER_GEMM, &attributes, inputs, 2);
    const int c = scale(import, node, "/C", "/beta", hyp_onnx_input(import, node, 2), beta);
    if (c < 0)
        return false;
    const int64_t columns = hyp_onnx_shape(import, inputs[1])->dims[attributes.transpose_b ? 0 : 1];
    if (is_column_bias(hyp_onnx_shape(import, c), columns)) {
        inputs[2] = hyp_onnx_inner_view(import, node, "/bias", c, 1, &columns);
        return inputs[2] >= 0 &&
               hyp_onnx_layer(import, node, HYPERION_LAYER_GEMM, &attributes, inputs, 3);
    }
    const int product =
        hyp_onnx_inner_layer(import, node, "/product", HYPERION_LAYER_GEMM, &attributes, inputs, 2);
    return product >= 0 &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, NULL, (int[]){product, c}, 2);
}
