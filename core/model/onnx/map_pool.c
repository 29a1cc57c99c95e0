// SPDX-License-Identifier: Apache-2.0
// Pools.
#include "model/onnx/map_support.h"

#include "model/onnx/map_window.h"

#include <string.h>

// The image, and what all pools have in common; -1 on failure.
static int read_pool(OnnxImport *import, const OnnxNode *node, HyperionLayerAttributes *attributes)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return -1;
    const HypShape *image = hyp_onnx_shape(import, x);
    const int rank = hyp_onnx_window_rank(image);
    attributes->ceil_mode = hyp_onnx_int(node, "ceil_mode", 0) != 0;
    attributes->count_padding = hyp_onnx_int(node, "count_include_pad", 0) != 0;
    attributes->column_major = hyp_onnx_int(node, "storage_order", 0) != 0;
    return rank && hyp_onnx_ints(node, "kernel_shape", (size_t)rank, attributes->kernel) &&
                   hyp_onnx_window(node, image, attributes->kernel, attributes)
               ? x
               : -1;
}

bool hyp_onnx_map_max_pool(OnnxImport *import, const OnnxNode *node)
{
    HyperionLayerAttributes attributes = {0};
    const int x = read_pool(import, node, &attributes);
    if (x < 0 ||
        (hyp_onnx_has_output(node, 1) &&
         !hyp_onnx_layer_at(import, node, 1, HYPERION_LAYER_MAX_POOL_INDICES, &attributes, &x, 1)))
        return false;
    return hyp_onnx_layer(import, node, HYPERION_LAYER_MAX_POOL, &attributes, &x, 1);
}

bool hyp_onnx_map_average_pool(OnnxImport *import, const OnnxNode *node)
{
    HyperionLayerAttributes attributes = {0};
    const int x = read_pool(import, node, &attributes);
    return x >= 0 && hyp_onnx_layer(import, node, HYPERION_LAYER_AVERAGE_POOL, &attributes, &x, 1);
}

// One window over all of the image.
static bool map_global(OnnxImport *import, const OnnxNode *node, HyperionLayerOp op)
{
    HyperionLayerAttributes attributes = {0};
    const int x = hyp_onnx_input(import, node, 0);
    const int rank = x < 0 ? 0 : hyp_onnx_window_rank(hyp_onnx_shape(import, x));
    if (!rank)
        return false;
    memcpy(attributes.kernel, &hyp_onnx_shape(import, x)->dims[2],
           (size_t)rank * sizeof attributes.kernel[0]);
    return hyp_onnx_layer(import, node, op, &attributes, &x, 1);
}

bool hyp_onnx_map_global_average_pool(OnnxImport *import, const OnnxNode *node)
{
    return map_global(import, node, HYPERION_LAYER_AVERAGE_POOL);
}

bool hyp_onnx_map_global_max_pool(OnnxImport *import, const OnnxNode *node)
{
    return map_global(import, node, HYPERION_LAYER_MAX_POOL);
}
