// SPDX-License-Identifier: Apache-2.0
// Convolutions.
#include "model/onnx/map_support.h"

#include "common/fail.h"
#include "model/onnx/map_window.h"

#include <inttypes.h>
#include <string.h>

// The inputs, and the window's extents, which `kernel_shape` may repeat.
static bool read_operands(OnnxImport *import, const OnnxNode *node, int *inputs, int *input_count,
                          int64_t *kernel)
{
    *input_count = hyp_onnx_has_input(node, 2) ? 3 : 2;
    if (!hyp_onnx_inputs(import, node, *input_count, inputs))
        return false;
    const HypShape *filter = hyp_onnx_shape(import, inputs[1]);
    const int rank = hyp_onnx_window_rank(hyp_onnx_shape(import, inputs[0]));
    if (!rank)
        return false;
    if (filter->rank != 2 + rank)
        return hyp_fail(HYPERION_ERROR_FORMAT, "the filter has %d dimensions, the image %d",
                        filter->rank, 2 + rank);
    memcpy(kernel, &filter->dims[2], (size_t)rank * sizeof *kernel);
    if (!hyp_onnx_ints(node, "kernel_shape", (size_t)rank, kernel))
        return false;
    for (int axis = 0; axis < rank; axis++)
        if (kernel[axis] != filter->dims[2 + axis])
            return hyp_fail(HYPERION_ERROR_FORMAT,
                            "kernel_shape is %" PRId64 " on axis %d, the filter's %" PRId64,
                            kernel[axis], axis, filter->dims[2 + axis]);
    return true;
}

static bool map_filter(OnnxImport *import, const OnnxNode *node, HyperionLayerOp op,
                       bool (*read_window)(const OnnxNode *node, const HypShape *image,
                                           const int64_t *kernel,
                                           HyperionLayerAttributes *attributes))
{
    int inputs[3];
    int input_count;
    int64_t kernel[HYPERION_MAX_RANK];
    HyperionLayerAttributes attributes = {.groups = hyp_onnx_int(node, "group", 1)};
    return read_operands(import, node, inputs, &input_count, kernel) &&
           read_window(node, hyp_onnx_shape(import, inputs[0]), kernel, &attributes) &&
           hyp_onnx_layer(import, node, op, &attributes, inputs, input_count);
}

bool hyp_onnx_map_conv(OnnxImport *import, const OnnxNode *node)
{
    return map_filter(import, node, HYPERION_LAYER_CONV2D, hyp_onnx_window);
}

bool hyp_onnx_map_conv_transpose(OnnxImport *import, const OnnxNode *node)
{
    return map_filter(import, node, HYPERION_LAYER_CONV_TRANSPOSE, hyp_onnx_window_transposed);
}
