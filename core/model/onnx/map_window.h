// SPDX-License-Identifier: Apache-2.0
// map_window.h - attributes that convolutions and pools share.
#ifndef HYP_MAP_WINDOW_H
#define HYP_MAP_WINDOW_H

#include "model/onnx/import_onnx.h"

// Axes of an image [N x C x axes] that windows can slide over: 1 to 3; 0 on failure.
int hyp_onnx_window_rank(const HypShape *image);

// Strides, dilations and pads of a convolution or pooling whose windows have `kernel` elements by
// axis of the image.
bool hyp_onnx_window(const OnnxNode *node, const HypShape *image, const int64_t *kernel,
                     HyperionLayerAttributes *attributes);

// The same of a transposed convolution, its `output_padding` too.
bool hyp_onnx_window_transposed(const OnnxNode *node, const HypShape *image, const int64_t *kernel,
                                HyperionLayerAttributes *attributes);

#endif
