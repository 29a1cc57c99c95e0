// SPDX-License-Identifier: Apache-2.0
// Pools.
#include "model/onnx/map_support.h"

#include "model/onnx/map_window.h"

bool hyp_onnx_map_max_pool(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    if (node->output_count > 1 && node->outputs[1][0])
        return hyp_onnx_unsupported("the indices of MaxPool");
    if (hyp_onnx_int(node, "ceil_mode", 0) != 0)
        return hyp_onnx_unsupported("ceil_mode");
    if (hyp_onnx_shape(import, x)->rank != 4)
        return hyp_onnx_unsupported("pooling over other than two axes");
    HyperionLayerAttributes attributes = {0};
    return hyp_onnx_ints(node, "kernel_shape", 2, attributes.kernel) &&
           hyp_onnx_window(node, hyp_onnx_shape(import, x), attributes.kernel, &attributes) &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_MAX_POOL, &attributes, &x, 1);
}
