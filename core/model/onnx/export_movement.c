// SPDX-License-Identifier: Apache-2.0
// Layers that move elements.
#include "model/onnx/export_node.h"

#include "model/layer_op.h"

#include <math.h>

void hyp_onnx_export_view(OnnxExport *x)
{
    const HypShape *shape = hyp_layer_output(x->model, x->layer);
    (void)hyp_onnx_export_reshape(x, hyp_onnx_export_input(x, 0), shape->rank, shape->dims, "shape",
                                  hyp_onnx_export_result(x));
}

void hyp_onnx_export_axes(OnnxExport *x)
{
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    const int rank = hyp_layer_output(x->model, x->layer)->rank;
    int64_t axes[HYPERION_MAX_RANK];
    for (int i = 0; i < rank; i++)
        axes[i] = attributes->rank ? attributes->axes[i] : rank - 1 - i;
    (void)hyp_onnx_export_transpose(x, hyp_onnx_export_input(x, 0), rank, axes,
                                    hyp_onnx_export_result(x));
}

void hyp_onnx_export_concat(OnnxExport *x)
{
    hyp_onnx_export_begin(x, "Concat");
    for (int i = 0; i < x->layer->input_count; i++)
        hyp_onnx_export_reads(x, hyp_onnx_export_input(x, i));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_int(x, "axis", x->layer->attributes.axis);
    hyp_onnx_export_end(x);
}

void hyp_onnx_export_gather(OnnxExport *x)
{
    hyp_onnx_export_begin(x, "Gather");
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 0));
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 1));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_int(x, "axis", x->layer->attributes.axis);
    hyp_onnx_export_end(x);
}

void hyp_onnx_export_expand(OnnxExport *x)
{
    const HypShape *shape = hyp_layer_output(x->model, x->layer);
    (void)hyp_onnx_export_binary(x, "Expand", hyp_onnx_export_input(x, 0),
                                 hyp_onnx_export_ints(x, "shape", shape->rank, shape->dims),
                                 hyp_onnx_export_result(x));
}

void hyp_onnx_export_slice(OnnxExport *x)
{
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    const HypShape *in = hyp_layer_input(x->model, x->layer, 0);
    const HypShape *out = hyp_layer_output(x->model, x->layer);
    int64_t ends[HYPERION_MAX_RANK];
    int64_t steps[HYPERION_MAX_RANK];
    for (int i = 0; i < in->rank; i++) {
        steps[i] = attributes->steps[i] ? attributes->steps[i] : 1;
        // One step past the last element: an i64 holds it, but a negative end counts from the end.
        const int64_t last = attributes->starts[i] + steps[i] * (out->dims[i] - 1);
        ends[i] = steps[i] > 0 ? last + 1 : last - 1;
        if (out->dims[i] == 0)
            ends[i] = attributes->starts[i];
        else if (ends[i] < 0)
            ends[i] = -in->dims[i] - 1;
    }
    hyp_onnx_export_begin(x, "Slice");
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 0));
    hyp_onnx_export_reads(x, hyp_onnx_export_ints(x, "starts", in->rank, attributes->starts));
    hyp_onnx_export_reads(x, hyp_onnx_export_ints(x, "ends", in->rank, ends));
    int64_t axes[HYPERION_MAX_RANK];
    for (int i = 0; i < in->rank; i++)
        axes[i] = i;
    hyp_onnx_export_reads(x, hyp_onnx_export_ints(x, "axes", in->rank, axes));
    hyp_onnx_export_reads(x, hyp_onnx_export_ints(x, "steps", in->rank, steps));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_end(x);
}

void hyp_onnx_export_pad(OnnxExport *x)
{
    static const char *const modes[HYPERION_PADDING_COUNT] = {
        [HYPERION_PADDING_CONSTANT] = "constant",
        [HYPERION_PADDING_EDGE] = "edge",
        [HYPERION_PADDING_REFLECT] = "reflect"};
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    const HypShape *in = hyp_layer_input(x->model, x->layer, 0);
    const HypShape *out = hyp_layer_output(x->model, x->layer);
    int64_t pads[2 * HYPERION_MAX_RANK];
    for (int i = 0; i < in->rank; i++) {
        pads[i] = -attributes->starts[i];
        pads[in->rank + i] = out->dims[i] - in->dims[i] + attributes->starts[i];
    }
    const char *value = hyp_onnx_export_input(x, 1);
    if (*value && hyp_layer_input(x->model, x->layer, 1)->rank != 0)
        value = hyp_onnx_export_reshape(x, value, 0, NULL, "value_shape",
                                        hyp_onnx_export_inner(x, "value"));
    hyp_onnx_export_begin(x, "Pad");
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 0));
    hyp_onnx_export_reads(x, hyp_onnx_export_ints(x, "pads", 2 * in->rank, pads));
    if (*value)
        hyp_onnx_export_reads(x, value);
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_text(x, "mode", modes[attributes->pad_mode]);
    hyp_onnx_export_end(x);
}

// Whether the extents follow from the scales as readers of ONNX compute them.
static bool follow_scales(const HypShape *in, const HypShape *out, const float *scales)
{
    for (int i = 0; i < in->rank; i++)
        if ((int64_t)floorf(scales[i] * (float)in->dims[i]) != out->dims[i])
            return false;
    return true;
}

// Whether the scales are those that follow from the extents.
static bool follow_sizes(const HypShape *in, const HypShape *out, const float *scales)
{
    for (int i = 0; i < in->rank; i++)
        if (in->dims[i] > 0 && scales[i] != (float)((double)out->dims[i] / (double)in->dims[i]))
            return false;
    return true;
}

static void set_resize(OnnxExport *x)
{
    static const char *const modes[HYPERION_RESIZE_COUNT] = {[HYPERION_RESIZE_NEAREST] = "nearest",
                                                             [HYPERION_RESIZE_LINEAR] = "linear",
                                                             [HYPERION_RESIZE_CUBIC] = "cubic"};
    static const char *const coordinates[HYPERION_COORDINATES_COUNT] = {
        [HYPERION_COORDINATES_HALF_PIXEL] = "half_pixel",
        [HYPERION_COORDINATES_PYTORCH_HALF_PIXEL] = "pytorch_half_pixel",
        [HYPERION_COORDINATES_ALIGN_CORNERS] = "align_corners",
        [HYPERION_COORDINATES_ASYMMETRIC] = "asymmetric",
        [HYPERION_COORDINATES_HALF_PIXEL_FOR_NEAREST] = "tf_half_pixel_for_nn",
        [HYPERION_COORDINATES_CROP] = "tf_crop_and_resize"};
    static const char *const nearest[HYPERION_NEAREST_COUNT] = {
        [HYPERION_NEAREST_ROUND_PREFER_FLOOR] = "round_prefer_floor",
        [HYPERION_NEAREST_ROUND_PREFER_CEIL] = "round_prefer_ceil",
        [HYPERION_NEAREST_FLOOR] = "floor",
        [HYPERION_NEAREST_CEIL] = "ceil"};
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    hyp_onnx_export_set_text(x, "mode", modes[attributes->resize]);
    hyp_onnx_export_set_text(x, "coordinate_transformation_mode",
                             coordinates[attributes->coordinates]);
    hyp_onnx_export_set_text(x, "nearest_mode", nearest[attributes->nearest]);
    hyp_onnx_export_set_float(x, "cubic_coeff_a", attributes->cubic_coefficient);
    hyp_onnx_export_set_int(x, "exclude_outside", attributes->exclude_outside);
    hyp_onnx_export_set_float(x, "extrapolation_value", attributes->extrapolation);
}

void hyp_onnx_export_resize(OnnxExport *x)
{
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    const HypShape *in = hyp_layer_input(x->model, x->layer, 0);
    const HypShape *out = hyp_layer_output(x->model, x->layer);
    const bool by_sizes = follow_sizes(in, out, attributes->scales);
    if (!by_sizes && !follow_scales(in, out, attributes->scales)) {
        hyp_onnx_export_refuse(x, "Resize has either sizes or scales, and this layer needs both");
        return;
    }
    hyp_onnx_export_begin(x, "Resize");
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 0));
    hyp_onnx_export_reads(
        x, attributes->coordinates == HYPERION_COORDINATES_CROP
               ? hyp_onnx_export_constant(x, "roi", HYPERION_TYPE_F32, 1,
                                          (const int64_t[]){(int64_t)2 * in->rank}, attributes->roi)
               : "");
    hyp_onnx_export_reads(x, by_sizes ? ""
                                      : hyp_onnx_export_constant(x, "scales", HYPERION_TYPE_F32, 1,
                                                                 (const int64_t[]){in->rank},
                                                                 attributes->scales));
    if (by_sizes)
        hyp_onnx_export_reads(x, hyp_onnx_export_ints(x, "sizes", in->rank, out->dims));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    set_resize(x);
    hyp_onnx_export_end(x);
}
