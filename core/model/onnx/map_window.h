// SPDX-License-Identifier: Apache-2.0
// map_window.h - attributes that convolutions and pools share.
#ifndef HYP_MAP_WINDOW_H
#define HYP_MAP_WINDOW_H

#include "model/onnx/import_onnx.h"

// Strides, dilations and pads of a convolution or pooling whose windows have `kernel` elements.
bool hyp_onnx_window(const OnnxNode *node, const HypShape *image, const int64_t kernel[2],
                     HyperionLayerAttributes *attributes);

#endif
