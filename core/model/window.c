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

static const char *name_axis(int axis, int rank)
{
    static const char *const names[HYP_MOST_WINDOW_AXES] = {"depth", "height", "width"};
    return names[HYP_MOST_WINDOW_AXES - rank + axis];
}

int hyp_window_rank(const HyperionModel *model, const HypLayer *layer, int index)
{
    const HypGraphTensor *input = &model->tensors[layer->inputs[index]];
    char text[HYP_SHAPE_TEXT_BYTES];
    if (input->shape.rank >= 3 && input->shape.rank <= 2 + HYP_MOST_WINDOW_AXES)
        return input->shape.rank - 2;
    (void)hyp_layer_fail(layer, "input '%s' is %s, expected 3 to %d dimensions", input->name,
                         hyp_shape_text(&input->shape, text), 2 + HYP_MOST_WINDOW_AXES);
    return 0;
}

bool hyp_window_check(HypLayer *layer, const HypShape *image, const int64_t *kernel)
{
    HyperionLayerAttributes *attributes = &layer->attributes;
    const int rank = image->rank - 2;
    for (int axis = 0; axis < rank; axis++) {
        if (!attributes->stride[axis])
            attributes->stride[axis] = 1;
        if (!attributes->dilation[axis])
            attributes->dilation[axis] = 1;
        if (!check_range(layer, "stride", attributes->stride[axis], 1) ||
            !check_range(layer, "dilation", attributes->dilation[axis], 1) ||
            !check_range(layer, "padding", attributes->padding[axis], 0) ||
            !check_range(layer, "padding", attributes->padding[rank + axis], 0) ||
            !check_range(layer, "kernel", kernel[axis], 1) ||
            !check_range(layer, name_axis(axis, rank), image->dims[2 + axis], 0))
            return false;
    }
    return true;
}

bool hyp_window_infer(HypLayer *layer, const HypShape *image, const int64_t *kernel,
                      int64_t *windows)
{
    if (!hyp_window_check(layer, image, kernel))
        return false;
    const HyperionLayerAttributes *attributes = &layer->attributes;
    const int rank = image->rank - 2;
    for (int axis = 0; axis < rank; axis++) {
        const int64_t before_end = attributes->padding[axis] + image->dims[2 + axis];
        const int64_t padded = before_end + attributes->padding[rank + axis];
        const int64_t covered = (kernel[axis] - 1) * attributes->dilation[axis] + 1;
        const int64_t stride = attributes->stride[axis];
        if (covered > padded)
            return hyp_layer_fail(
                layer, "the window covers %" PRId64 " of the %s, the padded image has %" PRId64,
                covered, name_axis(axis, rank), padded);
        windows[axis] = (padded - covered) / stride + 1;
        // A window more where a part is left over, unless it would begin behind the image.
        if (attributes->ceil_mode && (padded - covered) % stride != 0 &&
            windows[axis] * stride < before_end)
            windows[axis]++;
    }
    return true;
}

void hyp_window_axes(const HypLayer *layer, const HypShape *image, const HypShape *out,
                     const int64_t *kernel, HypWindowAxis axes[HYP_MOST_WINDOW_AXES])
{
    const HyperionLayerAttributes *attributes = &layer->attributes;
    const int rank = image->rank - 2;
    const int lacking = HYP_MOST_WINDOW_AXES - rank;
    for (int axis = 0; axis < lacking; axis++)
        axes[axis] =
            (HypWindowAxis){.size = 1, .windows = 1, .kernel = 1, .stride = 1, .dilation = 1};
    for (int axis = 0; axis < rank; axis++)
        axes[lacking + axis] = (HypWindowAxis){
            .size = (size_t)image->dims[2 + axis],
            .windows = (size_t)out->dims[2 + axis],
            .kernel = (size_t)kernel[axis],
            .stride = (size_t)attributes->stride[axis],
            .dilation = (size_t)attributes->dilation[axis],
            .before = (size_t)attributes->padding[axis],
            .after = (size_t)attributes->padding[rank + axis],
        };
}
