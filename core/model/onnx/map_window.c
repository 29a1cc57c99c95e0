// SPDX-License-Identifier: Apache-2.0
// Strides, dilations and padding of convolutions and pools.
#include "model/onnx/map_window.h"

#include "common/fail.h"
#include "model/onnx/map_support.h"

#include <string.h>

enum { MOST_AXES = 3 };

int hyp_onnx_window_rank(const HypShape *image)
{
    if (image->rank >= 3 && image->rank <= 2 + MOST_AXES)
        return image->rank - 2;
    (void)hyp_onnx_unsupported("a window over other than one to three axes");
    return 0;
}

typedef enum PadMode {
    PAD_EXPLICIT,
    PAD_NONE,
    PAD_SAME_UPPER,
    PAD_SAME_LOWER,
    PAD_MODE_COUNT // unknown
} PadMode;

static PadMode read_mode(const OnnxNode *node)
{
    static const char *const names[PAD_MODE_COUNT] = {"NOTSET", "VALID", "SAME_UPPER",
                                                      "SAME_LOWER"};
    const char *given = hyp_onnx_word(node, "auto_pad", "NOTSET");
    PadMode mode = PAD_EXPLICIT;
    while (mode < PAD_MODE_COUNT && strcmp(names[mode], given) != 0)
        mode++;
    if (mode == PAD_MODE_COUNT)
        (void)hyp_fail(HYPERION_ERROR_FORMAT, "unknown auto_pad");
    return mode;
}

// What the arithmetic below relies on: nothing can overflow.
static bool is_extent(int64_t value)
{
    return value >= 1 && value <= INT32_MAX;
}

// Strides, dilations and explicit pads.
static bool read_steps(const OnnxNode *node, int rank, const int64_t *kernel,
                       HyperionLayerAttributes *attributes)
{
    for (int axis = 0; axis < rank; axis++)
        attributes->stride[axis] = attributes->dilation[axis] = 1;
    if (!hyp_onnx_ints(node, "strides", (size_t)rank, attributes->stride) ||
        !hyp_onnx_ints(node, "dilations", (size_t)rank, attributes->dilation) ||
        !hyp_onnx_ints(node, "pads", 2 * (size_t)rank, attributes->padding))
        return false;
    for (int axis = 0; axis < rank; axis++)
        if (!is_extent(attributes->stride[axis]) || !is_extent(attributes->dilation[axis]) ||
            !is_extent(kernel[axis]))
            return hyp_fail(HYPERION_ERROR_FORMAT, "strides, dilations and kernel are 1 to %d",
                            INT32_MAX);
    return true;
}

// Cuts `total` in two, the odd one behind the axis or before it.
static void split_padding(int64_t total, bool odd_behind, int axis, int rank,
                          HyperionLayerAttributes *attributes)
{
    attributes->padding[axis] = odd_behind ? total / 2 : total - total / 2;
    attributes->padding[rank + axis] = total - attributes->padding[axis];
}

// As many windows as strides in the image.
static void pad_same(const HypShape *image, const int64_t *kernel, bool upper,
                     HyperionLayerAttributes *attributes)
{
    const int rank = image->rank - 2;
    for (int axis = 0; axis < rank; axis++) {
        const int64_t extent = image->dims[2 + axis];
        const int64_t stride = attributes->stride[axis];
        const int64_t windows = extent / stride + (extent % stride != 0);
        const int64_t covered = (kernel[axis] - 1) * attributes->dilation[axis] + 1;
        const int64_t wanted = (windows - 1) * stride + covered - extent;
        split_padding(wanted > 0 ? wanted : 0, upper, axis, rank, attributes);
    }
}

bool hyp_onnx_window(const OnnxNode *node, const HypShape *image, const int64_t *kernel,
                     HyperionLayerAttributes *attributes)
{
    const PadMode mode = read_mode(node);
    if (mode == PAD_MODE_COUNT || !read_steps(node, image->rank - 2, kernel, attributes))
        return false;
    if (mode != PAD_EXPLICIT)
        memset(attributes->padding, 0, sizeof attributes->padding);
    if (mode == PAD_SAME_UPPER || mode == PAD_SAME_LOWER)
        pad_same(image, kernel, mode == PAD_SAME_UPPER, attributes);
    return true;
}

// Pads such that the result has `extents`; where it cannot be padded down to them, more behind it.
static void pad_to(const HypShape *image, const int64_t *kernel, const int64_t *extents, bool upper,
                   HyperionLayerAttributes *attributes)
{
    const int rank = image->rank - 2;
    for (int axis = 0; axis < rank; axis++) {
        const int64_t covered = (kernel[axis] - 1) * attributes->dilation[axis] + 1;
        const int64_t full = (image->dims[2 + axis] - 1) * attributes->stride[axis] + covered +
                             attributes->output_padding[axis];
        const int64_t total = full - extents[axis];
        split_padding(total > 0 ? total : 0, upper, axis, rank, attributes);
        if (total < 0)
            attributes->output_padding[axis] -= total;
    }
}

bool hyp_onnx_window_transposed(const OnnxNode *node, const HypShape *image, const int64_t *kernel,
                                HyperionLayerAttributes *attributes)
{
    const int rank = image->rank - 2;
    const PadMode mode = read_mode(node);
    int64_t extents[MOST_AXES] = {0};
    if (mode == PAD_MODE_COUNT || !read_steps(node, rank, kernel, attributes) ||
        !hyp_onnx_ints(node, "output_padding", (size_t)rank, attributes->output_padding) ||
        !hyp_onnx_ints(node, "output_shape", (size_t)rank, extents))
        return false;
    const bool has_shape = hyp_onnx_attribute(node, "output_shape") != NULL;
    for (int axis = 0; axis < rank; axis++) {
        if (!has_shape)
            extents[axis] = image->dims[2 + axis] * attributes->stride[axis];
        if (!is_extent(extents[axis]) || !is_extent(image->dims[2 + axis]) ||
            attributes->output_padding[axis] < 0 || attributes->output_padding[axis] > INT32_MAX)
            return hyp_fail(HYPERION_ERROR_FORMAT,
                            "extents of image and result are 1 to %d, output_padding 0 to that",
                            INT32_MAX);
    }
    if (mode == PAD_NONE)
        memset(attributes->padding, 0, sizeof attributes->padding);
    if (has_shape || mode == PAD_SAME_UPPER || mode == PAD_SAME_LOWER)
        pad_to(image, kernel, extents, mode == PAD_SAME_UPPER, attributes);
    return true;
}
