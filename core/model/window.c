// SPDX-License-Identifier: Apache-2.0
#include "model/window.h"

#include <inttypes.h>

// Sizes up to this cannot overflow the arithmetic below.
static const int64_t largest = INT32_MAX;

static bool check_range(const HypLayer *layer, const char *what, int64_t value, int64_t least)
{
    return (value >= least && value <= largest) ||
           hyp_layer_fail(layer, "%s is %" PRId64 ", expected %" PRId64 " to %" PRId64, what, value,
                          least, largest);
}

bool hyp_window_infer(HypLayer *layer, const HypShape *image, const int64_t kernel[2],
                      int64_t windows[2])
{
    static const char *const axis_names[2] = {"height", "width"};
    HyperionLayerAttributes *attributes = &layer->attributes;
    for (int axis = 0; axis < 2; axis++) {
        if (!attributes->stride[axis])
            attributes->stride[axis] = 1;
        if (!attributes->dilation[axis])
            attributes->dilation[axis] = 1;
        const int64_t extent = image->dims[2 + axis];
        const int64_t before = attributes->padding[axis];
        const int64_t after = attributes->padding[2 + axis];
        if (!check_range(layer, "stride", attributes->stride[axis], 1) ||
            !check_range(layer, "dilation", attributes->dilation[axis], 1) ||
            !check_range(layer, "padding", before, 0) || !check_range(layer, "padding", after, 0) ||
            !check_range(layer, "kernel", kernel[axis], 1) ||
            !check_range(layer, axis_names[axis], extent, 0))
            return false;
        const int64_t covered = (kernel[axis] - 1) * attributes->dilation[axis] + 1;
        const int64_t padded = before + extent + after;
        if (covered > padded)
            return hyp_layer_fail(
                layer, "the window covers %" PRId64 " of the %s, the padded image has %" PRId64,
                covered, axis_names[axis], padded);
        windows[axis] = (padded - covered) / attributes->stride[axis] + 1;
    }
    return true;
}
