// SPDX-License-Identifier: Apache-2.0
// Strides, dilations and padding of convolutions and pools.
#include "model/onnx/map_window.h"

#include "common/fail.h"
#include "model/onnx/map_support.h"

#include <string.h>

// Pads of SAME_UPPER and SAME_LOWER: as many windows as strides in the image, the odd one of the
// padding behind or before it.
static void pad_same(const HypShape *image, const int64_t kernel[2], bool upper,
                     HyperionLayerAttributes *attributes)
{
    for (int axis = 0; axis < 2; axis++) {
        const int64_t extent = image->dims[2 + axis];
        const int64_t stride = attributes->stride[axis];
        const int64_t windows = extent / stride + (extent % stride != 0);
        const int64_t covered = (kernel[axis] - 1) * attributes->dilation[axis] + 1;
        const int64_t wanted = (windows - 1) * stride + covered - extent;
        const int64_t total = wanted > 0 ? wanted : 0;
        attributes->padding[axis] = upper ? total / 2 : total - total / 2;
        attributes->padding[2 + axis] = total - attributes->padding[axis];
    }
}

bool hyp_onnx_window(const OnnxNode *node, const HypShape *image, const int64_t kernel[2],
                     HyperionLayerAttributes *attributes)
{
    const char *mode = hyp_onnx_word(node, "auto_pad", "NOTSET");
    attributes->stride[0] = attributes->stride[1] = 1;
    attributes->dilation[0] = attributes->dilation[1] = 1;
    if (!hyp_onnx_ints(node, "strides", 2, attributes->stride) ||
        !hyp_onnx_ints(node, "dilations", 2, attributes->dilation))
        return false;
    for (int axis = 0; axis < 2; axis++)
        if (attributes->stride[axis] < 1 || attributes->dilation[axis] < 1 ||
            attributes->stride[axis] > INT32_MAX || attributes->dilation[axis] > INT32_MAX ||
            kernel[axis] < 1 || kernel[axis] > INT32_MAX)
            return hyp_fail(HYPERION_ERROR_FORMAT, "strides, dilations and kernel are 1 to %d",
                            INT32_MAX);
    if (strcmp(mode, "NOTSET") == 0)
        return hyp_onnx_ints(node, "pads", 4, attributes->padding);
    if (strcmp(mode, "SAME_UPPER") == 0 || strcmp(mode, "SAME_LOWER") == 0)
        pad_same(image, kernel, strcmp(mode, "SAME_UPPER") == 0, attributes);
    else if (strcmp(mode, "VALID") != 0)
        return hyp_fail(HYPERION_ERROR_FORMAT, "unknown auto_pad");
    return true;
}
