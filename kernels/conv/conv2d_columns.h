// SPDX-License-Identifier: Apache-2.0
// conv2d_columns.h - the step of gemm_nest.h that packs B from an image: column by column of what
// im2col would write, without writing it (implicit im2col).
#ifndef HYP_CONV2D_COLUMNS_H
#define HYP_CONV2D_COLUMNS_H

#include "conv/image_lines.h"
#include "gemm/gemm_pack.h"

// The channels of one group of one image: `args` has the geometry.
typedef struct ConvImage {
    const HypConv2dArgs *args;
    const float *channels;
} ConvImage;

// A row of B: a channel and a place in the window.
typedef struct ConvTap {
    size_t channel, y, x;
} ConvTap;

// A column of B: an output pixel.
typedef struct ConvPixel {
    size_t y, x;
} ConvPixel;

VEC_FN ConvTap next_tap(const HypConv2dArgs *args, ConvTap tap)
{
    if (++tap.x == args->kernel_w) {
        tap.x = 0;
        if (++tap.y == args->kernel_h) {
            tap.y = 0;
            tap.channel++;
        }
    }
    return tap;
}

// One row of a sliver: the tap's values for `count` pixels from `pixel` on, then zeros up to NR.
VEC_FN void pack_tap(const ConvImage *image, ConvTap tap, ConvPixel pixel, size_t count,
                     float *packed)
{
    const HypConv2dArgs *args = image->args;
    size_t done = 0;
    while (done < count) {
        const size_t length = gemm_least(count - done, args->out_width - pixel.x);
        const size_t y = pixel.y * args->stride_h + tap.y * args->dilation_h - args->pad_top;
        if (y < args->height)
            gather_line(image->channels + (tap.channel * args->height + y) * args->width,
                        args->width, pixel.x * args->stride_w + tap.x * args->dilation_w,
                        args->pad_left, args->stride_w, length, packed + done);
        else
            zero_floats(length, packed + done);
        done += length;
        pixel = (ConvPixel){.y = pixel.y + 1, .x = 0};
    }
    zero_floats(GEMM_NR - count, packed + count);
}

static void pack_b_slivers(const GemmContext *context, size_t pc, size_t jc, size_t kc, size_t nc,
                           size_t to)
{
    // Copies: of what others point to, a compiler has to think that any store of floats changes it.
    const HypConv2dArgs args = *context->image->args;
    const ConvImage image = {.args = &args, .channels = context->image->channels};
    const size_t window = args.kernel_h * args.kernel_w;
    for (size_t jr = 0; jr < nc; jr += GEMM_NR) {
        const ConvPixel pixel = {(jc + jr) / args.out_width, (jc + jr) % args.out_width};
        ConvTap tap = {pc / window, pc % window / args.kernel_w, pc % args.kernel_w};
        for (size_t k = 0; k < kc; k++) {
            pack_tap(&image, tap, pixel, gemm_least(GEMM_NR, nc - jr),
                     context->pack_b_to + to + jr * kc + k * GEMM_NR);
            tap = next_tap(&args, tap);
        }
    }
}

#endif
