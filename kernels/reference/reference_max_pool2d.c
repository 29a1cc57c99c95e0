// SPDX-License-Identifier: Apache-2.0
#include "reference/reference.h"

#include <math.h>

double hyp_reference_max_pool2d(const HypMaxPool2dArgs *args, size_t i)
{
    const size_t out_x = i % args->out_width;
    const size_t out_y = i / args->out_width % args->out_height;
    const size_t plane = i / args->out_width / args->out_height;
    double greatest = -INFINITY;
    for (size_t ky = 0; ky < args->kernel_h; ky++)
        for (size_t kx = 0; kx < args->kernel_w; kx++) {
            // Counted from the padded corner, so that nothing is negative.
            const size_t y = out_y * args->stride_h + ky * args->dilation_h;
            const size_t x = out_x * args->stride_w + kx * args->dilation_w;
            if (y < args->pad_top || y >= args->pad_top + args->height || x < args->pad_left ||
                x >= args->pad_left + args->width)
                continue;
            const size_t row = plane * args->height + y - args->pad_top;
            greatest = fmax(greatest, (double)args->image[row * args->width + x - args->pad_left]);
        }
    return greatest;
}
