// SPDX-License-Identifier: Apache-2.0
// window.h - windows that slide over images: attributes of convolution and pooling.
#ifndef HYP_WINDOW_H
#define HYP_WINDOW_H

#include "model/layer_op.h"

// Axes of an image that windows slide over, at most: depth, height, width.
enum { HYP_MOST_WINDOW_AXES = 3 };

// One of them.
typedef struct HypWindowAxis {
    size_t size;    // of the image
    size_t windows; // that many results
    size_t kernel, stride, dilation;
    size_t before, after; // padding
} HypWindowAxis;

// Number of axes of an image [N x C x axes]; 0, last error set, where input `index` is none.
int hyp_window_rank(const HyperionModel *model, const HypLayer *layer, int index);

// Gives stride and dilation their defaults, and checks them, the padding and the extents of a layer
// whose windows have `kernel` elements by axis of `image`.
bool hyp_window_check(HypLayer *layer, const HypShape *image, const int64_t *kernel);

// That, and sets the number of windows along each axis.
bool hyp_window_infer(HypLayer *layer, const HypShape *image, const int64_t *kernel,
                      int64_t *windows);

// Depth, height and width of a layer with sound attributes; 1 for those that the image lacks.
void hyp_window_axes(const HypLayer *layer, const HypShape *image, const HypShape *out,
                     const int64_t *kernel, HypWindowAxis axes[HYP_MOST_WINDOW_AXES]);

#endif
