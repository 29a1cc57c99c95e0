// SPDX-License-Identifier: Apache-2.0
// Convolutions.
#include "model/onnx/map_support.h"

#include "common/fail.h"
#include "model/onnx/map_window.h"

#include <inttypes.h>

bool hyp_onnx_map_conv(OnnxImport *import, const OnnxNode *node)
{
    int inputs[3];
    const int input_count = hyp_onnx_has_input(node, 2) ? 3 : 2;
    if (!hyp_onnx_inputs(import, node, input_count, inputs))
        return false;
    const HypShape *image = hyp_onnx_shape(import, inputs[0]);
    const HypShape *filter = hyp_onnx_shape(import, inputs[1]);
    if (image->rank != 4 || filter->rank != 4)
        return hyp_onnx_unsupported("convolution over other than two axes");
    int64_t kernel[2] = {filter->dims[2], filter->dims[3]};
    HyperionLayerAttributes attributes = {.groups = hyp_onnx_int(node, "group", 1)};
    if (!hyp_onnx_ints(node, "kernel_shape", 2, kernel) ||
        !hyp_onnx_window(node, image, kernel, &attributes))
        return false;
    if (kernel[0] != filter->dims[2] || kernel[1] != filter->dims[3])
        return hyp_fail(HYPERION_ERROR_FORMAT,
                        "kernel_shape is %" PRId64 "x%" PRId64 ", the filter's %" PRId64
                        "x%" PRId64,
                        kernel[0], kernel[1], filter->dims[2], filter->dims[3]);
    return hyp_onnx_layer(import, node, HYPERION_LAYER_CONV2D, &attributes, inputs, input_count);
}
