// SPDX-License-Identifier: Apache-2.0
// Normalisations and softmax.
#include "model/onnx/map_support.h"

#include "common/fail.h"

#include <string.h>

static int add_float(OnnxImport *import, const OnnxNode *node, const char *suffix, float value)
{
    return hyp_onnx_inner_constant(import, node, suffix, HYPERION_TYPE_F32, 0, NULL, &value);
}

// A layer between, of two operands; -1 on failure, also where one of them is -1.
static int add_binary(OnnxImport *import, const OnnxNode *node, const char *suffix,
                      HyperionBinary function, int a, int b)
{
    const HyperionLayerAttributes attributes = {.binary = function};
    return a < 0 || b < 0 ? -1
                          : hyp_onnx_inner_layer(import, node, suffix, HYPERION_LAYER_BINARY,
                                                 &attributes, (int[]){a, b}, 2);
}

// The same of one; where `x` is -1, -1.
static int add_unary(OnnxImport *import, const OnnxNode *node, const char *suffix,
                     HyperionActivation function, int x)
{
    const HyperionLayerAttributes attributes = {.activation = function};
    return x < 0 ? -1
                 : hyp_onnx_inner_layer(import, node, suffix, HYPERION_LAYER_ACTIVATION,
                                        &attributes, &x, 1);
}

// The same that reduces one axis, which stays as 1.
static int add_reduction(OnnxImport *import, const OnnxNode *node, const char *suffix,
                         HyperionReduce function, int axis, int x)
{
    const HyperionLayerAttributes attributes = {
        .reduce = function, .axis_count = 1, .axes = {axis}, .keep_dims = true};
    return x < 0 ? -1
                 : hyp_onnx_inner_layer(import, node, suffix, HYPERION_LAYER_REDUCE, &attributes,
                                        &x, 1);
}

// A view of `x` that makes output `index` of the node, with its first dims those of `shape` up to
// `kept`, and 1 after.
static bool view_output(OnnxImport *import, const OnnxNode *node, size_t index, int x,
                        const HypShape *shape, int kept)
{
    HyperionLayerAttributes attributes = {.rank = shape->rank, .zero_dims = true};
    for (int axis = 0; axis < shape->rank; axis++)
        attributes.dims[axis] = axis < kept ? shape->dims[axis] : 1;
    return x >= 0 &&
           hyp_onnx_layer_at(import, node, index, HYPERION_LAYER_RESHAPE, &attributes, &x, 1);
}

// --- Softmax and its logarithm

// Before opset 13 all axes from `axis` on were one.
static bool merges_axes(const OnnxImport *import)
{
    return hyp_onnx_opset(import) < 13;
}

// The axis; where several are one, *x becomes a view with two dimensions. -1 on failure.
static int read_softmax_axis(OnnxImport *import, const OnnxNode *node, int *x)
{
    const HypShape shape = *hyp_onnx_shape(import, *x);
    const bool merges = merges_axes(import);
    const int axis = hyp_onnx_axis(node, "axis", merges ? 1 : -1, shape.rank, shape.rank - 1);
    if (axis < 0 || axis == shape.rank - 1 || !merges)
        return axis;
    const int64_t rows[2] = {(int64_t)hyp_shape_product(&shape, 0, axis),
                             (int64_t)hyp_shape_product(&shape, axis, shape.rank)};
    *x = hyp_onnx_inner_view(import, node, "/rows", *x, 2, rows);
    return *x < 0 ? -1 : 1;
}

bool hyp_onnx_map_softmax(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    int rows = x;
    const int axis = x < 0 ? -1 : read_softmax_axis(import, node, &rows);
    if (axis < 0)
        return false;
    const HyperionLayerAttributes attributes = {.axis_from_end =
                                                    hyp_onnx_shape(import, rows)->rank - 1 - axis};
    if (rows == x)
        return hyp_onnx_layer(import, node, HYPERION_LAYER_SOFTMAX, &attributes, &x, 1);
    const HypShape shape = *hyp_onnx_shape(import, x);
    const int softmax = hyp_onnx_inner_layer(import, node, "/softmax", HYPERION_LAYER_SOFTMAX,
                                             &attributes, &rows, 1);
    return view_output(import, node, 0, softmax, &shape, shape.rank);
}

// x - max - log(sum(exp(x - max))): the logarithm of a softmax that underflows would be lost.
bool hyp_onnx_map_log_softmax(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    int rows = x;
    const int axis = x < 0 ? -1 : read_softmax_axis(import, node, &rows);
    if (axis < 0)
        return false;
    const int greatest = add_reduction(import, node, "/greatest", HYPERION_REDUCE_MAX, axis, rows);
    const int shifted = add_binary(import, node, "/shifted", HYPERION_BINARY_SUB, rows, greatest);
    const int powers = add_unary(import, node, "/powers", HYPERION_ACTIVATION_EXP, shifted);
    const int sum = add_reduction(import, node, "/sum", HYPERION_REDUCE_SUM, axis, powers);
    const int logarithm = add_unary(import, node, "/logarithm", HYPERION_ACTIVATION_LOG, sum);
    const HyperionLayerAttributes subtract = {.binary = HYPERION_BINARY_SUB};
    if (logarithm < 0)
        return false;
    if (rows == x)
        return hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, &subtract,
                              (int[]){shifted, logarithm}, 2);
    const HypShape shape = *hyp_onnx_shape(import, x);
    const int result = add_binary(import, node, "/result", HYPERION_BINARY_SUB, shifted, logarithm);
    return view_output(import, node, 0, result, &shape, shape.rank);
}

// --- Layer normalisation

// What LayerNormalization gives besides its result: the mean of each row and 1 / its deviation.
static bool map_statistics(OnnxImport *import, const OnnxNode *node, int rows,
                           const HypShape *shape, int axis, float epsilon)
{
    const bool has_mean = hyp_onnx_has_output(node, 1);
    const bool has_inverse = hyp_onnx_has_output(node, 2);
    if (!has_mean && !has_inverse)
        return true;
    const int mean = add_reduction(import, node, "/mean", HYPERION_REDUCE_MEAN, 1, rows);
    if (mean < 0 || (has_mean && !view_output(import, node, 1, mean, shape, axis)))
        return false;
    if (!has_inverse)
        return true;
    const int distance = add_binary(import, node, "/distance", HYPERION_BINARY_SUB, rows, mean);
    const int squares =
        add_binary(import, node, "/squares", HYPERION_BINARY_MUL, distance, distance);
    const int variance = add_reduction(import, node, "/variance", HYPERION_REDUCE_MEAN, 1, squares);
    const int least = add_float(import, node, "/epsilon", epsilon);
    const int sum = add_binary(import, node, "/sum", HYPERION_BINARY_ADD, variance, least);
    const int deviation = add_unary(import, node, "/deviation", HYPERION_ACTIVATION_SQRT, sum);
    const int inverse =
        add_unary(import, node, "/inverse", HYPERION_ACTIVATION_RECIPROCAL, deviation);
    return view_output(import, node, 2, inverse, shape, axis);
}

// Scale and bias as vectors; they must be given for each element of a row.
static bool flatten_parameters(OnnxImport *import, const OnnxNode *node, int64_t length,
                               int *inputs, int input_count)
{
    static const char *const suffixes[] = {"", "/scale", "/bias"};
    for (int i = 1; i < input_count; i++) {
        if (hyp_onnx_shape(import, inputs[i])->element_count != (size_t)length)
            return hyp_onnx_unsupported("a scale or bias that is not given for each element");
        inputs[i] = hyp_onnx_inner_view(import, node, suffixes[i], inputs[i], 1, &length);
        if (inputs[i] < 0)
            return false;
    }
    return true;
}

bool hyp_onnx_map_layernorm(OnnxImport *import, const OnnxNode *node)
{
    int inputs[3];
    const int input_count = hyp_onnx_has_input(node, 2) ? 3 : 2;
    if (!hyp_onnx_inputs(import, node, input_count, inputs))
        return false;
    const HypShape shape = *hyp_onnx_shape(import, inputs[0]);
    const int axis = hyp_onnx_axis(node, "axis", -1, shape.rank, shape.rank - 1);
    if (axis < 0)
        return false;
    const int64_t rows[2] = {(int64_t)hyp_shape_product(&shape, 0, axis),
                             (int64_t)hyp_shape_product(&shape, axis, shape.rank)};
    const HyperionLayerAttributes attributes = {.epsilon = hyp_onnx_float(node, "epsilon", 1e-5F)};
    if (!flatten_parameters(import, node, rows[1], inputs, input_count))
        return false;
    const bool has_statistics = hyp_onnx_has_output(node, 1) || hyp_onnx_has_output(node, 2);
    if (axis == shape.rank - 1 && !has_statistics)
        return hyp_onnx_layer(import, node, HYPERION_LAYER_LAYERNORM, &attributes, inputs,
                              input_count);
    inputs[0] = hyp_onnx_inner_view(import, node, "/rows", inputs[0], 2, rows);
    if (inputs[0] < 0)
        return false;
    const int normal = hyp_onnx_inner_layer(import, node, "/normal", HYPERION_LAYER_LAYERNORM,
                                            &attributes, inputs, input_count);
    return view_output(import, node, 0, normal, &shape, shape.rank) &&
           map_statistics(import, node, inputs[0], &shape, axis, attributes.epsilon);
}

// --- Normalisation of batches and channels

// What a batch normalisation divides and shifts by, a value a channel each.
typedef struct BatchStatistics {
    int mean, variance;
} BatchStatistics;

// The same of the batch itself, as in training.
static BatchStatistics measure_batch(OnnxImport *import, const OnnxNode *node, int x)
{
    BatchStatistics batch = {-1, -1};
    HyperionLayerAttributes attributes = {.reduce = HYPERION_REDUCE_MEAN, .keep_dims = true};
    const int rank = hyp_onnx_shape(import, x)->rank;
    const int64_t channels = rank < 2 ? 0 : hyp_onnx_shape(import, x)->dims[1];
    for (int axis = 0; axis < rank; axis++)
        if (axis != 1)
            attributes.axes[attributes.axis_count++] = axis;
    const int mean =
        hyp_onnx_inner_layer(import, node, "/means", HYPERION_LAYER_REDUCE, &attributes, &x, 1);
    const int distance = add_binary(import, node, "/distance", HYPERION_BINARY_SUB, x, mean);
    const int squares =
        add_binary(import, node, "/squares", HYPERION_BINARY_MUL, distance, distance);
    if (squares < 0)
        return batch;
    batch.mean = hyp_onnx_inner_view(import, node, "/mean", mean, 1, &channels);
    attributes.keep_dims = false;
    batch.variance = hyp_onnx_inner_layer(import, node, "/variance", HYPERION_LAYER_REDUCE,
                                          &attributes, &squares, 1);
    return batch;
}

// Output `index`: given * momentum + measured * (1 - momentum).
static bool map_running(OnnxImport *import, const OnnxNode *node, size_t index, int given,
                        int measured)
{
    static const char *const names[][4] = {
        {"", "", "", ""},
        {"/mean_momentum", "/mean_old", "/mean_rest", "/mean_new"},
        {"/variance_momentum", "/variance_old", "/variance_rest", "/variance_new"}};
    const char *const *name = names[index];
    const HyperionLayerAttributes sum = {.binary = HYPERION_BINARY_ADD};
    const float momentum = hyp_onnx_float(node, "momentum", 0.9F);
    if (!hyp_onnx_has_output(node, index))
        return true;
    const int old = add_binary(import, node, name[1], HYPERION_BINARY_MUL, given,
                               add_float(import, node, name[0], momentum));
    const int fresh = add_binary(import, node, name[3], HYPERION_BINARY_MUL, measured,
                                 add_float(import, node, name[2], 1.0F - momentum));
    return old >= 0 && fresh >= 0 &&
           hyp_onnx_layer_at(import, node, index, HYPERION_LAYER_BINARY, &sum, (int[]){old, fresh},
                             2);
}

// x * scale / deviation + (bias - mean * scale / deviation): the two vectors are constants where
// their inputs are.
bool hyp_onnx_map_batchnorm(OnnxImport *import, const OnnxNode *node)
{
    int inputs[5]; // x, scale, bias, mean, variance
    const bool training = hyp_onnx_int(node, "training_mode", 0) != 0;
    if (hyp_onnx_int(node, "spatial", 1) != 1)
        return hyp_onnx_unsupported("batch normalisation of each element");
    if (!training && (hyp_onnx_has_output(node, 1) || hyp_onnx_has_output(node, 2)))
        return hyp_onnx_unsupported("batch normalisation of training, as before opset 14,");
    if (!hyp_onnx_inputs(import, node, 5, inputs))
        return false;
    BatchStatistics by = {inputs[3], inputs[4]};
    if (training)
        by = measure_batch(import, node, inputs[0]);
    const int epsilon = add_float(import, node, "/epsilon", hyp_onnx_float(node, "epsilon", 1e-5F));
    const int sum = add_binary(import, node, "/sum", HYPERION_BINARY_ADD, by.variance, epsilon);
    const int deviation = add_unary(import, node, "/deviation", HYPERION_ACTIVATION_SQRT, sum);
    const int scale = add_binary(import, node, "/scale", HYPERION_BINARY_DIV, inputs[1], deviation);
    const int moved = add_binary(import, node, "/moved", HYPERION_BINARY_MUL, by.mean, scale);
    const int shift = add_binary(import, node, "/shift", HYPERION_BINARY_SUB, inputs[2], moved);
    return shift >= 0 &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_SCALE_SHIFT, NULL,
                          (int[]){inputs[0], scale, shift}, 3) &&
           (!training || (map_running(import, node, 1, inputs[3], by.mean) &&
                          map_running(import, node, 2, inputs[4], by.variance)));
}

bool hyp_onnx_map_lrn(OnnxImport *import, const OnnxNode *node)
{
    const HyperionLayerAttributes attributes = {
        .size = hyp_onnx_int(node, "size", 0),
        .alpha = hyp_onnx_float(node, "alpha", 0.0001F),
        .beta = hyp_onnx_float(node, "beta", 0.75F),
        .bias = hyp_onnx_float(node, "bias", 1.0F),
    };
    if (attributes.size < 1)
        return hyp_fail(HYPERION_ERROR_FORMAT, "size is missing or below 1");
    const int x = hyp_onnx_input(import, node, 0);
    return x >= 0 && hyp_onnx_layer(import, node, HYPERION_LAYER_LRN, &attributes, &x, 1);
}
