// SPDX-License-Identifier: Apache-2.0
#include "reference/reference_conv2d.h"

// What the image holds at a place that may lie outside of it.
static double read_pixel(const HypConv2dArgs *args, size_t image, size_t channel, long long y,
                         long long x)
{
    if (y < 0 || x < 0 || y >= (long long)args->height || x >= (long long)args->width)
        return 0;
    const size_t line = (image * args->channels + channel) * args->height + (size_t)y;
    return args->image[line * args->width + (size_t)x];
}

HypReferenceSum hyp_reference_conv2d(const HypConv2dArgs *args, size_t image, size_t channel,
                                     size_t y, size_t x)
{
    const size_t group_channels = args->channels / args->groups;
    const size_t group = channel / (args->out_channels / args->groups);
    HypReferenceSum sum = {.value = 0};
    for (size_t c = 0; c < group_channels; c++) {
        for (size_t i = 0; i < args->kernel_h; i++) {
            for (size_t j = 0; j < args->kernel_w; j++) {
                const double weight =
                    args->filter[((channel * group_channels + c) * args->kernel_h + i) *
                                     args->kernel_w +
                                 j];
                const long long from_y = (long long)(y * args->stride_h + i * args->dilation_h) -
                                         (long long)args->pad_top;
                const long long from_x = (long long)(x * args->stride_w + j * args->dilation_w) -
                                         (long long)args->pad_left;
                hyp_reference_add(&sum, weight * read_pixel(args, image, group * group_channels + c,
                                                            from_y, from_x));
            }
        }
    }
    if (args->bias)
        hyp_reference_add(&sum, args->bias[channel]);
    return sum;
}
