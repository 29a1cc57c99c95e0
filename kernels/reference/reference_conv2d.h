// SPDX-License-Identifier: Apache-2.0
// reference_conv2d.h - the convolution as its formula reads, in double, one output at a time.
#ifndef HYP_REFERENCE_CONV2D_H
#define HYP_REFERENCE_CONV2D_H

#include "reference/reference_gemm.h"

// out[image][channel][y][x] before the activation. Blocking and workspace do not matter.
HypReferenceSum hyp_reference_conv2d(const HypConv2dArgs *args, size_t image, size_t channel,
                                     size_t y, size_t x);

#endif
