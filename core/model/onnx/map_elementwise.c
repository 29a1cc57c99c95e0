// SPDX-License-Identifier: Apache-2.0
// Operators that work value by value.
#include "model/onnx/map_support.h"

#include "hyperion/tensor.h"

#include "common/fail.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// --- One operand.

typedef struct UnaryOperator {
    const char *op_type;
    HyperionActivation function;
    float alpha, beta; // where the attributes do not say
} UnaryOperator;

static const UnaryOperator unary_operators[] = {
    {"Abs", HYPERION_ACTIVATION_ABS, 0, 0},
    {"Erf", HYPERION_ACTIVATION_ERF, 0, 0},
    {"Exp", HYPERION_ACTIVATION_EXP, 0, 0},
    {"Gelu", HYPERION_ACTIVATION_GELU, 0, 0},
    {"HardSigmoid", HYPERION_ACTIVATION_HARD_SIGMOID, 0.2F, 0.5F},
    {"HardSwish", HYPERION_ACTIVATION_HARD_SWISH, 0, 0},
    {"LeakyRelu", HYPERION_ACTIVATION_LEAKY_RELU, 0.01F, 0},
    {"Log", HYPERION_ACTIVATION_LOG, 0, 0},
    {"Neg", HYPERION_ACTIVATION_NEG, 0, 0},
    {"Reciprocal", HYPERION_ACTIVATION_RECIPROCAL, 0, 0},
    {"Relu", HYPERION_ACTIVATION_RELU, 0, 0},
    {"Sigmoid", HYPERION_ACTIVATION_SIGMOID, 0, 0},
    {"Sqrt", HYPERION_ACTIVATION_SQRT, 0, 0},
    {"Tanh", HYPERION_ACTIVATION_TANH, 0, 0},
};

static const UnaryOperator *find_unary(const char *op_type)
{
    for (size_t i = 0; i < sizeof unary_operators / sizeof unary_operators[0]; i++)
        if (strcmp(unary_operators[i].op_type, op_type) == 0)
            return &unary_operators[i];
    return NULL;
}

// A scalar constant of i64, i32 or bool.
static int add_integer(OnnxImport *import, const OnnxNode *node, const char *suffix,
                       HyperionType type, int32_t value)
{
    const int64_t wide = value;
    const uint8_t flag = value != 0;
    const void *data = type == HYPERION_TYPE_I64   ? (const void *)&wide
                       : type == HYPERION_TYPE_I32 ? (const void *)&value
                                                   : (const void *)&flag;
    return hyp_onnx_inner_constant(import, node, suffix, type, 0, NULL, data);
}

// The functions that shapes are computed with, for integers.
static bool map_integers(OnnxImport *import, const OnnxNode *node, HyperionActivation function,
                         int x)
{
    const HyperionType type = hyp_onnx_shape(import, x)->type;
    HyperionLayerAttributes attributes = {.binary = HYPERION_BINARY_MAX};
    int inputs[2] = {x, -1};
    if (function == HYPERION_ACTIVATION_RELU) {
        inputs[1] = add_integer(import, node, "/zero", type, 0);
    } else {
        const HyperionLayerAttributes negate = {.binary = HYPERION_BINARY_MUL};
        inputs[1] = add_integer(import, node, "/minus_one", type, -1);
        if (function == HYPERION_ACTIVATION_NEG)
            attributes = negate;
        else if (inputs[1] >= 0)
            inputs[1] = hyp_onnx_inner_layer(import, node, "/negative", HYPERION_LAYER_BINARY,
                                             &negate, inputs, 2);
    }
    return inputs[1] >= 0 &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, &attributes, inputs, 2);
}

bool hyp_onnx_map_activation(OnnxImport *import, const OnnxNode *node)
{
    const UnaryOperator *unary = find_unary(node->op_type);
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    const HyperionType type = hyp_onnx_shape(import, x)->type;
    const bool has_integers = unary->function == HYPERION_ACTIVATION_RELU ||
                              unary->function == HYPERION_ACTIVATION_NEG ||
                              unary->function == HYPERION_ACTIVATION_ABS;
    if (has_integers && (type == HYPERION_TYPE_I64 || type == HYPERION_TYPE_I32))
        return map_integers(import, node, unary->function, x);
    HyperionLayerAttributes attributes = {
        .activation = unary->function,
        .alpha = hyp_onnx_float(node, "alpha", unary->alpha),
        .beta = hyp_onnx_float(node, "beta", unary->beta),
    };
    if (unary->function == HYPERION_ACTIVATION_GELU &&
        strcmp(hyp_onnx_word(node, "approximate", "none"), "tanh") == 0)
        attributes.activation = HYPERION_ACTIVATION_GELU_TANH;
    return hyp_onnx_layer(import, node, HYPERION_LAYER_ACTIVATION, &attributes, &x, 1);
}

bool hyp_onnx_map_not(OnnxImport *import, const OnnxNode *node)
{
    const HyperionLayerAttributes attributes = {.binary = HYPERION_BINARY_EQUAL};
    int inputs[2] = {hyp_onnx_input(import, node, 0), -1};
    if (inputs[0] < 0)
        return false;
    if (hyp_onnx_shape(import, inputs[0])->type != HYPERION_TYPE_BOOL)
        return hyp_fail(HYPERION_ERROR_FORMAT, "the input is not bool");
    inputs[1] = add_integer(import, node, "/false", HYPERION_TYPE_BOOL, 0);
    return inputs[1] >= 0 &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, &attributes, inputs, 2);
}

bool hyp_onnx_map_cast(OnnxImport *import, const OnnxNode *node)
{
    // Floats of other widths are computed with as f32.
    static const struct {
        OnnxDataType data_type;
        HyperionType type;
    } types[] = {
        {ONNX_FLOAT, HYPERION_TYPE_F32},  {ONNX_FLOAT16, HYPERION_TYPE_F32},
        {ONNX_DOUBLE, HYPERION_TYPE_F32}, {ONNX_INT64, HYPERION_TYPE_I64},
        {ONNX_INT32, HYPERION_TYPE_I32},  {ONNX_BOOL, HYPERION_TYPE_BOOL},
    };
    const int64_t to = hyp_onnx_int(node, "to", 0);
    HyperionLayerAttributes attributes = {.type = HYPERION_TYPE_COUNT};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if ((int64_t)types[i].data_type == to)
            attributes.type = types[i].type;
    if (attributes.type == HYPERION_TYPE_COUNT)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "ONNX data type %" PRId64 " is not implemented in this version", to);
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    if (hyp_onnx_shape(import, x)->type == attributes.type)
        return hyp_onnx_bind_output(import, node, 0, x);
    return hyp_onnx_layer(import, node, HYPERION_LAYER_CAST, &attributes, &x, 1);
}

// --- Clip: a range in attributes before opset 11, in optional inputs from then on.

// Both bounds as one function, where they are known now.
static bool clip_to_constants(OnnxImport *import, const OnnxNode *node, int x)
{
    HyperionLayerAttributes attributes = {.activation = HYPERION_ACTIVATION_CLIP,
                                          .alpha = hyp_onnx_float(node, "min", -INFINITY),
                                          .beta = hyp_onnx_float(node, "max", INFINITY)};
    float *const bounds[] = {&attributes.alpha, &attributes.beta};
    for (size_t i = 0; i < 2; i++) {
        size_t count;
        if (hyp_onnx_has_input(node, 1 + i) &&
            !hyp_onnx_constant_floats(import, node, 1 + i, bounds[i], 1, &count))
            return false;
    }
    return hyp_onnx_layer(import, node, HYPERION_LAYER_ACTIVATION, &attributes, &x, 1);
}

// A bound after the other, where they are computed or of integers.
static bool clip_to_tensors(OnnxImport *import, const OnnxNode *node, int x)
{
    const bool has_low = hyp_onnx_has_input(node, 1);
    const bool has_high = hyp_onnx_has_input(node, 2);
    if (!has_low && !has_high)
        return hyp_onnx_bind_output(import, node, 0, x);
    const HyperionLayerAttributes raise = {.binary = HYPERION_BINARY_MAX};
    const HyperionLayerAttributes lower = {.binary = HYPERION_BINARY_MIN};
    int inputs[2] = {x, -1};
    if (has_low) {
        inputs[1] = hyp_onnx_input(import, node, 1);
        if (inputs[1] < 0 || !has_high)
            return inputs[1] >= 0 &&
                   hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, &raise, inputs, 2);
        inputs[0] =
            hyp_onnx_inner_layer(import, node, "/low", HYPERION_LAYER_BINARY, &raise, inputs, 2);
    }
    inputs[1] = inputs[0] < 0 ? -1 : hyp_onnx_input(import, node, 2);
    return inputs[1] >= 0 && hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, &lower, inputs, 2);
}

bool hyp_onnx_map_clip(OnnxImport *import, const OnnxNode *node)
{
    const int x = hyp_onnx_input(import, node, 0);
    if (x < 0)
        return false;
    bool known = hyp_onnx_shape(import, x)->type == HYPERION_TYPE_F32;
    for (size_t i = 1; i <= 2; i++)
        known = known && (!hyp_onnx_has_input(node, i) || hyp_onnx_is_constant(import, node, i));
    return known ? clip_to_constants(import, node, x) : clip_to_tensors(import, node, x);
}

// --- Two operands.

static HyperionBinary find_binary(const char *op_type)
{
    static const struct {
        const char *op_type;
        HyperionBinary function;
    } operators[] = {
        {"Add", HYPERION_BINARY_ADD},         {"And", HYPERION_BINARY_AND},
        {"Div", HYPERION_BINARY_DIV},         {"Equal", HYPERION_BINARY_EQUAL},
        {"Greater", HYPERION_BINARY_GREATER}, {"GreaterOrEqual", HYPERION_BINARY_GREATER_EQUAL},
        {"Less", HYPERION_BINARY_LESS},       {"LessOrEqual", HYPERION_BINARY_LESS_EQUAL},
        {"Max", HYPERION_BINARY_MAX},         {"Mean", HYPERION_BINARY_ADD},
        {"Min", HYPERION_BINARY_MIN},         {"Mul", HYPERION_BINARY_MUL},
        {"Or", HYPERION_BINARY_OR},           {"PRelu", HYPERION_BINARY_PRELU},
        {"Pow", HYPERION_BINARY_POW},         {"Sub", HYPERION_BINARY_SUB},
        {"Sum", HYPERION_BINARY_ADD},         {"Xor", HYPERION_BINARY_XOR},
    };
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (strcmp(operators[i].op_type, op_type) == 0)
            return operators[i].function;
    return HYPERION_BINARY_COUNT;
}

bool hyp_onnx_map_binary(OnnxImport *import, const OnnxNode *node)
{
    const HyperionLayerAttributes attributes = {.binary = find_binary(node->op_type)};
    int inputs[2];
    return hyp_onnx_inputs(import, node, 2, inputs) &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, &attributes, inputs, 2);
}

// The result has the type of the base, whatever that of the exponent; with a float among them it is
// computed in floats.
bool hyp_onnx_map_pow(OnnxImport *import, const OnnxNode *node)
{
    const HyperionLayerAttributes power = {.binary = HYPERION_BINARY_POW};
    int inputs[2];
    if (!hyp_onnx_inputs(import, node, 2, inputs))
        return false;
    const HyperionType base = hyp_onnx_shape(import, inputs[0])->type;
    const HyperionType exponent = hyp_onnx_shape(import, inputs[1])->type;
    const HyperionType common = exponent == HYPERION_TYPE_F32 ? exponent : base;
    const HyperionLayerAttributes widen = {.type = common};
    const HyperionLayerAttributes narrow = {.type = base};
    static const char *const suffixes[] = {"/base", "/exponent"};
    for (int i = 0; i < 2; i++) {
        if (hyp_onnx_shape(import, inputs[i])->type == common)
            continue;
        inputs[i] = hyp_onnx_inner_layer(import, node, suffixes[i], HYPERION_LAYER_CAST, &widen,
                                         &inputs[i], 1);
        if (inputs[i] < 0)
            return false;
    }
    if (common == base)
        return hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, &power, inputs, 2);
    const int raised =
        hyp_onnx_inner_layer(import, node, "/power", HYPERION_LAYER_BINARY, &power, inputs, 2);
    return raised >= 0 && hyp_onnx_layer(import, node, HYPERION_LAYER_CAST, &narrow, &raised, 1);
}

// --- Any number of operands.

// The operands joined from the first to the last; the last layer makes the node's output unless
// something follows. -1 on failure.
static int join_inputs(OnnxImport *import, const OnnxNode *node, bool is_last)
{
    const HyperionLayerAttributes attributes = {.binary = find_binary(node->op_type)};
    int so_far = hyp_onnx_input(import, node, 0);
    for (size_t i = 1; i < node->input_count && so_far >= 0; i++) {
        char suffix[24];
        (void)snprintf(suffix, sizeof suffix, "/%zu", i);
        const int inputs[2] = {so_far, hyp_onnx_input(import, node, i)};
        if (inputs[1] < 0)
            return -1;
        if (is_last && i + 1 == node->input_count)
            return hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, &attributes, inputs, 2)
                       ? so_far
                       : -1;
        so_far = hyp_onnx_inner_layer(import, node, suffix, HYPERION_LAYER_BINARY, &attributes,
                                      inputs, 2);
    }
    return so_far;
}

bool hyp_onnx_map_variadic(OnnxImport *import, const OnnxNode *node)
{
    const int joined = join_inputs(import, node, true);
    return joined >= 0 && (node->input_count > 1 || hyp_onnx_bind_output(import, node, 0, joined));
}

bool hyp_onnx_map_mean(OnnxImport *import, const OnnxNode *node)
{
    const HyperionLayerAttributes divide = {.binary = HYPERION_BINARY_DIV};
    const float count = (float)node->input_count;
    int inputs[2] = {join_inputs(import, node, false), -1};
    if (inputs[0] < 0)
        return false;
    inputs[1] = hyp_onnx_inner_constant(import, node, "/count", HYPERION_TYPE_F32, 0, NULL, &count);
    return inputs[1] >= 0 &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, &divide, inputs, 2);
}

bool hyp_onnx_map_where(OnnxImport *import, const OnnxNode *node)
{
    int inputs[3];
    return hyp_onnx_inputs(import, node, 3, inputs) &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_WHERE, NULL, inputs, 3);
}
