// SPDX-License-Identifier: Apache-2.0
// Resize, and Upsample, which it replaced in opset 10.
#include "model/onnx/map_support.h"

#include "common/fail.h"

#include <math.h>
#include <string.h>

static bool read_coordinates(const OnnxNode *node, HyperionLayerAttributes *attributes)
{
    static const char *const names[HYPERION_COORDINATES_COUNT] = {
        [HYPERION_COORDINATES_HALF_PIXEL] = "half_pixel",
        [HYPERION_COORDINATES_PYTORCH_HALF_PIXEL] = "pytorch_half_pixel",
        [HYPERION_COORDINATES_ALIGN_CORNERS] = "align_corners",
        [HYPERION_COORDINATES_ASYMMETRIC] = "asymmetric",
        [HYPERION_COORDINATES_HALF_PIXEL_FOR_NEAREST] = "tf_half_pixel_for_nn",
        [HYPERION_COORDINATES_CROP] = "tf_crop_and_resize",
    };
    int choice = HYPERION_COORDINATES_HALF_PIXEL;
    const bool known = hyp_onnx_choice(node, "coordinate_transformation_mode", names,
                                       HYPERION_COORDINATES_COUNT, &choice);
    attributes->coordinates = (HyperionCoordinates)choice;
    return known;
}

static bool read_nearest(const OnnxNode *node, HyperionLayerAttributes *attributes)
{
    static const char *const names[HYPERION_NEAREST_COUNT] = {
        [HYPERION_NEAREST_ROUND_PREFER_FLOOR] = "round_prefer_floor",
        [HYPERION_NEAREST_ROUND_PREFER_CEIL] = "round_prefer_ceil",
        [HYPERION_NEAREST_FLOOR] = "floor",
        [HYPERION_NEAREST_CEIL] = "ceil",
    };
    int choice = HYPERION_NEAREST_ROUND_PREFER_FLOOR;
    const bool known =
        hyp_onnx_choice(node, "nearest_mode", names, HYPERION_NEAREST_COUNT, &choice);
    attributes->nearest = (HyperionNearest)choice;
    return known;
}

static bool read_mode(const OnnxNode *node, HyperionLayerAttributes *attributes)
{
    static const char *const names[HYPERION_RESIZE_COUNT] = {
        [HYPERION_RESIZE_NEAREST] = "nearest",
        [HYPERION_RESIZE_LINEAR] = "linear",
        [HYPERION_RESIZE_CUBIC] = "cubic",
    };
    int choice = HYPERION_RESIZE_NEAREST;
    const bool known = hyp_onnx_choice(node, "mode", names, HYPERION_RESIZE_COUNT, &choice);
    attributes->resize = (HyperionResize)choice;
    return known;
}

// Up to opset 12 an input that is not meant is there, without elements.
static bool is_meant(OnnxImport *import, const OnnxNode *node, size_t index)
{
    if (!hyp_onnx_has_input(node, index))
        return false;
    const int id = hyp_onnx_input(import, node, index);
    return id >= 0 && hyp_onnx_shape(import, id)->element_count > 0;
}

// Sets the dims by the scales in input `index`.
static bool scale_dims(OnnxImport *import, const OnnxNode *node, size_t index,
                       const HypShape *shape, HyperionLayerAttributes *attributes)
{
    size_t count;
    if (!hyp_onnx_constant_floats(import, node, index, attributes->scales, HYPERION_MAX_RANK,
                                  &count))
        return false;
    if (count != (size_t)shape->rank)
        return hyp_fail(HYPERION_ERROR_FORMAT, "%zu scales for %d axes", count, shape->rank);
    for (int axis = 0; axis < shape->rank; axis++) {
        // In f32, as those who write the scales expect: 0.7 of 10 is 7.
        const float extent = floorf(attributes->scales[axis] * (float)shape->dims[axis]);
        if (!(extent >= 0 && extent < 0x1p31F))
            return hyp_fail(HYPERION_ERROR_FORMAT, "scale %g of axis %d",
                            (double)attributes->scales[axis], axis);
        attributes->dims[axis] = (int64_t)extent;
    }
    return true;
}

static bool read_sizes(OnnxImport *import, const OnnxNode *node, size_t index,
                       const HypShape *shape, HyperionLayerAttributes *attributes)
{
    size_t count;
    return hyp_onnx_constant_ints(import, node, index, attributes->dims, HYPERION_MAX_RANK,
                                  &count) &&
           (count == (size_t)shape->rank ||
            hyp_fail(HYPERION_ERROR_FORMAT, "%zu sizes for %d axes", count, shape->rank));
}

static bool read_roi(OnnxImport *import, const OnnxNode *node, const HypShape *shape,
                     HyperionLayerAttributes *attributes)
{
    size_t count;
    return attributes->coordinates != HYPERION_COORDINATES_CROP ||
           (hyp_onnx_constant_floats(import, node, 1, attributes->roi,
                                     sizeof attributes->roi / sizeof attributes->roi[0], &count) &&
            (count == (size_t)shape->rank * 2 ||
             hyp_fail(HYPERION_ERROR_FORMAT, "%zu numbers of a region of %d axes", count,
                      shape->rank)));
}

// X, scales: Upsample, and Resize of opset 10.
bool hyp_onnx_map_upsample(OnnxImport *import, const OnnxNode *node)
{
    HyperionLayerAttributes attributes = {.coordinates = HYPERION_COORDINATES_ASYMMETRIC,
                                          .nearest = HYPERION_NEAREST_FLOOR};
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0 || !read_mode(node, &attributes))
        return false;
    const HypShape shape = *hyp_onnx_shape(import, x);
    attributes.rank = shape.rank;
    return scale_dims(import, node, 1, &shape, &attributes) &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_RESIZE, &attributes, &x, 1);
}

bool hyp_onnx_map_resize(OnnxImport *import, const OnnxNode *node)
{
    if (hyp_onnx_opset(import) < 11)
        return hyp_onnx_map_upsample(import, node);
    HyperionLayerAttributes attributes = {
        .cubic_coefficient = hyp_onnx_float(node, "cubic_coeff_a", -0.75F),
        .exclude_outside = hyp_onnx_int(node, "exclude_outside", 0) != 0,
        .extrapolation = hyp_onnx_float(node, "extrapolation_value", 0),
    };
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0 || !read_mode(node, &attributes) || !read_coordinates(node, &attributes) ||
        !read_nearest(node, &attributes))
        return false;
    const HypShape shape = *hyp_onnx_shape(import, x);
    attributes.rank = shape.rank;
    const bool sized = is_meant(import, node, 3) ? read_sizes(import, node, 3, &shape, &attributes)
                                                 : scale_dims(import, node, 2, &shape, &attributes);
    return sized && read_roi(import, node, &shape, &attributes) &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_RESIZE, &attributes, &x, 1);
}
