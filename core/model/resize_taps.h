// SPDX-License-Identifier: Apache-2.0
// resize_taps.h - along one axis of a RESIZE: which elements of the input an element of the result
// is made of, and with what weights. Formulas: onnx/docs/Operators.md, Resize (opset 13).
#ifndef HYP_RESIZE_TAPS_H
#define HYP_RESIZE_TAPS_H

#include "hyperion/model.h"

#include "model/shape.h"

typedef struct HypResizeAxis {
    const HyperionLayerAttributes *attributes;
    int64_t in_extent, out_extent;
    float scale;
    float start, end; // of the region, 0 to 1
} HypResizeAxis;

// Up to four elements; those without weight have a place in the input too.
typedef struct HypResizeTap {
    size_t places[4];
    float weights[4];
} HypResizeTap;

// Axis `axis` of a resize of `in` whose attributes are complete.
HypResizeAxis hyp_resize_axis(const HyperionLayerAttributes *attributes, const HypShape *in,
                              int axis);

// Fills in out_extent taps; returns how many places of each count: 1, whose weight is 1, 2 or 4.
int hyp_resize_taps(const HypResizeAxis *axis, HypResizeTap *taps);

// Whether element `place` of the result lies outside of the input.
bool hyp_resize_is_outside(const HypResizeAxis *axis, size_t place);

#endif
