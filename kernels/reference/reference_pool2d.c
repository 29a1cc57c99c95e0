// SPDX-License-Identifier: Apache-2.0
#include "reference/reference.h"

#include <math.h>

typedef struct WindowFacts {
    double greatest, sum;
    double on_image, on_padding; // places
} WindowFacts;

static WindowFacts read_window(const HypPool2dArgs *args, size_t i)
{
    const size_t out_x = i % args->out_width;
    const size_t out_y = i / args->out_width % args->out_height;
    const size_t plane = i / args->out_width / args->out_height;
    WindowFacts facts = {.greatest = -INFINITY};
    for (size_t ky = 0; ky < args->kernel_h; ky++)
        for (size_t kx = 0; kx < args->kernel_w; kx++) {
            // Counted from the padded corner, so that nothing is negative.
            const size_t y = out_y * args->stride_h + ky * args->dilation_h;
            const size_t x = out_x * args->stride_w + kx * args->dilation_w;
            const size_t bottom = args->pad_top + args->height;
            const size_t right = args->pad_left + args->width;
            if (y >= args->pad_top && y < bottom && x >= args->pad_left && x < right) {
                const size_t row = plane * args->height + y - args->pad_top;
                const double value = (double)args->image[row * args->width + x - args->pad_left];
                facts.greatest = fmax(facts.greatest, value);
                facts.sum += value;
                facts.on_image++;
            } else if (y < bottom + args->pad_bottom && x < right + args->pad_right) {
                facts.on_padding++;
            }
        }
    return facts;
}

double hyp_reference_max_pool2d(const HypPool2dArgs *args, size_t i)
{
    return read_window(args, i).greatest;
}

double hyp_reference_average_pool2d(const HypPool2dArgs *args, size_t i)
{
    const WindowFacts facts = read_window(args, i);
    return facts.sum / (facts.on_image + (args->count_padding ? facts.on_padding : 0));
}
