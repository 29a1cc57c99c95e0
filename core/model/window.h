// SPDX-License-Identifier: Apache-2.0
// window.h - windows that slide over images: attributes of convolution and pooling.
#ifndef HYP_WINDOW_H
#define HYP_WINDOW_H

#include "model/layer_op.h"

// Gives stride and dilation their defaults, checks them and the padding of a layer whose windows
// have `kernel` (height, width) elements, and sets the number of windows down and across an
// `image` (N x C x H x W).
bool hyp_window_infer(HypLayer *layer, const HypShape *image, const int64_t kernel[2],
                      int64_t windows[2]);

#endif
