// SPDX-License-Identifier: Apache-2.0
#include "model/resize_taps.h"

#include <math.h>

HypResizeAxis hyp_resize_axis(const HyperionLayerAttributes *attributes, const HypShape *in,
                              int axis)
{
    return (HypResizeAxis){
        .attributes = attributes,
        .in_extent = in->dims[axis],
        .out_extent = attributes->dims[axis],
        .scale = attributes->scales[axis],
        .start = attributes->roi[axis],
        .end = attributes->roi[attributes->rank + axis],
    };
}

// Where in the input element `place` of the result is. In f32, as PyTorch and ONNX Runtime have it:
// what is half-way between two elements there, and so which is nearest, is so here.
static float find_coordinate(const HypResizeAxis *axis, size_t place)
{
    const float x = (float)place;
    const float last = (float)(axis->in_extent - 1);
    const float scale = axis->scale;
    // Of ONNX's own test cases, which do not round it down to an extent.
    const float length = scale * (float)axis->in_extent;
    switch (axis->attributes->coordinates) {
    case HYPERION_COORDINATES_PYTORCH_HALF_PIXEL:
        return axis->out_extent > 1 ? (x + 0.5F) / scale - 0.5F : 0;
    case HYPERION_COORDINATES_ALIGN_CORNERS:
        return axis->out_extent > 1 ? x * last / (length - 1) : 0;
    case HYPERION_COORDINATES_ASYMMETRIC: return x / scale;
    case HYPERION_COORDINATES_HALF_PIXEL_FOR_NEAREST: return (x + 0.5F) / scale;
    case HYPERION_COORDINATES_CROP:
        return axis->out_extent > 1
                   ? axis->start * last + x * (axis->end - axis->start) * last / (length - 1)
                   : 0.5F * (axis->start + axis->end) * last;
    case HYPERION_COORDINATES_HALF_PIXEL:
    case HYPERION_COORDINATES_COUNT: break;
    }
    return (x + 0.5F) / scale - 0.5F;
}

bool hyp_resize_is_outside(const HypResizeAxis *axis, size_t place)
{
    const float coordinate = find_coordinate(axis, place);
    return !(coordinate >= 0 && coordinate <= (float)(axis->in_extent - 1));
}

static double round_nearest(HyperionNearest mode, double coordinate)
{
    switch (mode) {
    case HYPERION_NEAREST_ROUND_PREFER_CEIL: return floor(coordinate + 0.5);
    case HYPERION_NEAREST_FLOOR: return floor(coordinate);
    case HYPERION_NEAREST_CEIL: return ceil(coordinate);
    case HYPERION_NEAREST_ROUND_PREFER_FLOOR:
    case HYPERION_NEAREST_COUNT: break;
    }
    return ceil(coordinate - 0.5);
}

// The place in the input that is nearest to `coordinate`, which is whole or anything but a number.
static size_t limit_place(const HypResizeAxis *axis, double coordinate)
{
    if (!(coordinate > 0))
        return 0;
    const double last = (double)(axis->in_extent - 1);
    return coordinate < last ? (size_t)coordinate : (size_t)(axis->in_extent - 1);
}

// Keys, Cubic convolution interpolation for digital image processing, 1981; `t` is the distance
// behind the second of the four.
static void weigh_cubic(double a, double t, double weights[4])
{
    const double u = 1 - t;
    weights[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    weights[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    weights[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
    weights[3] = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a;
}

// `count` neighbours from `first` on with their weights.
static void set_tap(const HypResizeAxis *axis, double first, int count, double *weights,
                    HypResizeTap *tap)
{
    double sum = 1;
    if (axis->attributes->exclude_outside) {
        sum = 0;
        for (int i = 0; i < count; i++) {
            if (first + i < 0 || first + i > (double)(axis->in_extent - 1))
                weights[i] = 0;
            sum += weights[i];
        }
        if (sum == 0) // all of them are outside
            sum = 1;
    }
    for (int i = 0; i < count; i++) {
        tap->places[i] = limit_place(axis, first + i);
        tap->weights[i] = (float)(weights[i] / sum);
    }
}

int hyp_resize_taps(const HypResizeAxis *axis, HypResizeTap *taps)
{
    const HyperionLayerAttributes *attributes = axis->attributes;
    const HyperionResize mode = attributes->resize;
    for (size_t place = 0; place < (size_t)axis->out_extent; place++) {
        const double coordinate = (double)find_coordinate(axis, place);
        const double below = floor(coordinate);
        const double t = coordinate - below;
        double weights[4] = {1 - t, t};
        taps[place] = (HypResizeTap){.weights = {1}};
        if (mode == HYPERION_RESIZE_NEAREST) {
            taps[place].places[0] =
                limit_place(axis, round_nearest(attributes->nearest, coordinate));
        } else if (mode == HYPERION_RESIZE_LINEAR) {
            set_tap(axis, below, 2, weights, &taps[place]);
        } else {
            weigh_cubic((double)attributes->cubic_coefficient, t, weights);
            set_tap(axis, below - 1, 4, weights, &taps[place]);
        }
    }
    return mode == HYPERION_RESIZE_NEAREST ? 1 : mode == HYPERION_RESIZE_LINEAR ? 2 : 4;
}
