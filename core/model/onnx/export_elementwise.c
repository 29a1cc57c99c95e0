// SPDX-License-Identifier: Apache-2.0
// Functions of single elements, reductions and normalisations. What ONNX has no operator for at
// this opset is written in the operators that other exporters write it in.
#include "model/onnx/export_node.h"

#include "common/fail.h"
#include "model/layer_op.h"

#include <stdlib.h>

// Operators of one input without attributes; the others have a function below.
static const char *const plain_functions[HYPERION_ACTIVATION_COUNT] = {
    [HYPERION_ACTIVATION_RELU] = "Relu",
    [HYPERION_ACTIVATION_TANH] = "Tanh",
    [HYPERION_ACTIVATION_SIGMOID] = "Sigmoid",
    [HYPERION_ACTIVATION_HARD_SWISH] = "HardSwish",
    [HYPERION_ACTIVATION_ERF] = "Erf",
    [HYPERION_ACTIVATION_EXP] = "Exp",
    [HYPERION_ACTIVATION_LOG] = "Log",
    [HYPERION_ACTIVATION_SQRT] = "Sqrt",
    [HYPERION_ACTIVATION_RECIPROCAL] = "Reciprocal",
    [HYPERION_ACTIVATION_NEG] = "Neg",
    [HYPERION_ACTIVATION_ABS] = "Abs",
};

static void put_gelu(OnnxExport *x, const char *in, const char *out)
{
    const char *value = hyp_onnx_export_binary(
        x, "Div", in, hyp_onnx_export_float(x, "sqrt2", 1.41421354F), // as PyTorch writes it
        hyp_onnx_export_inner(x, "divided"));
    value = hyp_onnx_export_unary(x, "Erf", value, hyp_onnx_export_inner(x, "erf"));
    value = hyp_onnx_export_binary(x, "Add", value, hyp_onnx_export_float(x, "one", 1),
                                   hyp_onnx_export_inner(x, "raised"));
    value = hyp_onnx_export_binary(x, "Mul", in, value, hyp_onnx_export_inner(x, "twice"));
    (void)hyp_onnx_export_binary(x, "Mul", value, hyp_onnx_export_float(x, "half", 0.5F), out);
}

static void put_gelu_tanh(OnnxExport *x, const char *in, const char *out)
{
    const char *half = hyp_onnx_export_binary(x, "Mul", in, hyp_onnx_export_float(x, "half", 0.5F),
                                              hyp_onnx_export_inner(x, "halved"));
    const char *value = hyp_onnx_export_binary(x, "Pow", in, hyp_onnx_export_float(x, "three", 3),
                                               hyp_onnx_export_inner(x, "cube"));
    value = hyp_onnx_export_binary(x, "Mul", value, hyp_onnx_export_float(x, "share", 0.044715F),
                                   hyp_onnx_export_inner(x, "part"));
    value = hyp_onnx_export_binary(x, "Add", in, value, hyp_onnx_export_inner(x, "sum"));
    value = hyp_onnx_export_binary(x, "Mul", value,
                                   hyp_onnx_export_float(x, "sqrt_2_over_pi", 0.797884583F),
                                   hyp_onnx_export_inner(x, "scaled_sum"));
    value = hyp_onnx_export_unary(x, "Tanh", value, hyp_onnx_export_inner(x, "tanh"));
    value = hyp_onnx_export_binary(x, "Add", value, hyp_onnx_export_float(x, "one", 1),
                                   hyp_onnx_export_inner(x, "raised"));
    (void)hyp_onnx_export_binary(x, "Mul", half, value, out);
}

static void put_clip(OnnxExport *x, const char *in, const char *out)
{
    hyp_onnx_export_begin(x, "Clip");
    hyp_onnx_export_reads(x, in);
    hyp_onnx_export_reads(x, hyp_onnx_export_float(x, "low", x->layer->attributes.alpha));
    hyp_onnx_export_reads(x, hyp_onnx_export_float(x, "high", x->layer->attributes.beta));
    hyp_onnx_export_writes(x, out);
    hyp_onnx_export_end(x);
}

static void put_leaky_relu(OnnxExport *x, const char *in, const char *out)
{
    hyp_onnx_export_begin(x, "LeakyRelu");
    hyp_onnx_export_reads(x, in);
    hyp_onnx_export_writes(x, out);
    hyp_onnx_export_set_float(x, "alpha", x->layer->attributes.alpha);
    hyp_onnx_export_end(x);
}

static void put_hard_sigmoid(OnnxExport *x, const char *in, const char *out)
{
    hyp_onnx_export_begin(x, "HardSigmoid");
    hyp_onnx_export_reads(x, in);
    hyp_onnx_export_writes(x, out);
    hyp_onnx_export_set_float(x, "alpha", x->layer->attributes.alpha);
    hyp_onnx_export_set_float(x, "beta", x->layer->attributes.beta);
    hyp_onnx_export_end(x);
}

static void put_silu(OnnxExport *x, const char *in, const char *out)
{
    const char *gate = hyp_onnx_export_unary(x, "Sigmoid", in, hyp_onnx_export_inner(x, "gate"));
    (void)hyp_onnx_export_binary(x, "Mul", in, gate, out);
}

void hyp_onnx_export_activate(OnnxExport *x, const char *in, const char *out)
{
    static void (*const functions[HYPERION_ACTIVATION_COUNT])(OnnxExport *, const char *,
                                                              const char *) = {
        [HYPERION_ACTIVATION_GELU] = put_gelu,
        [HYPERION_ACTIVATION_SILU] = put_silu,
        [HYPERION_ACTIVATION_LEAKY_RELU] = put_leaky_relu,
        [HYPERION_ACTIVATION_CLIP] = put_clip,
        [HYPERION_ACTIVATION_HARD_SIGMOID] = put_hard_sigmoid,
        [HYPERION_ACTIVATION_GELU_TANH] = put_gelu_tanh,
    };
    const HyperionActivation function = x->layer->attributes.activation;
    if (function == HYPERION_ACTIVATION_NONE)
        return;
    if (plain_functions[function])
        (void)hyp_onnx_export_unary(x, plain_functions[function], in, out);
    else if (functions[function])
        functions[function](x, in, out);
    else
        hyp_onnx_export_refuse(x, "this activation cannot be written");
}

void hyp_onnx_export_activation(OnnxExport *x)
{
    hyp_onnx_export_activate(x, hyp_onnx_export_input(x, 0), hyp_onnx_export_result(x));
}

void hyp_onnx_export_two(OnnxExport *x)
{
    static const char *const operators[HYPERION_BINARY_COUNT] = {
        [HYPERION_BINARY_ADD] = "Add",
        [HYPERION_BINARY_SUB] = "Sub",
        [HYPERION_BINARY_MUL] = "Mul",
        [HYPERION_BINARY_DIV] = "Div",
        [HYPERION_BINARY_MAX] = "Max",
        [HYPERION_BINARY_MIN] = "Min",
        [HYPERION_BINARY_POW] = "Pow",
        [HYPERION_BINARY_PRELU] = "PRelu",
        [HYPERION_BINARY_EQUAL] = "Equal",
        [HYPERION_BINARY_LESS] = "Less",
        [HYPERION_BINARY_LESS_EQUAL] = "LessOrEqual",
        [HYPERION_BINARY_GREATER] = "Greater",
        [HYPERION_BINARY_GREATER_EQUAL] = "GreaterOrEqual",
        [HYPERION_BINARY_AND] = "And",
        [HYPERION_BINARY_OR] = "Or",
        [HYPERION_BINARY_XOR] = "Xor",
    };
    const HyperionBinary function = x->layer->attributes.binary;
    if (function == HYPERION_BINARY_PRELU &&
        !hyp_shape_equal(hyp_layer_input(x->model, x->layer, 0),
                         hyp_layer_output(x->model, x->layer))) {
        hyp_onnx_export_refuse(x, "PRelu does not broadcast its first input");
        return;
    }
    (void)hyp_onnx_export_binary(x, operators[function], hyp_onnx_export_input(x, 0),
                                 hyp_onnx_export_input(x, 1), hyp_onnx_export_result(x));
}

void hyp_onnx_export_where(OnnxExport *x)
{
    hyp_onnx_export_begin(x, "Where");
    for (int i = 0; i < x->layer->input_count; i++)
        hyp_onnx_export_reads(x, hyp_onnx_export_input(x, i));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_end(x);
}

void hyp_onnx_export_cast(OnnxExport *x)
{
    hyp_onnx_export_begin(x, "Cast");
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 0));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_int(x, "to", hyp_onnx_export_type(x->layer->attributes.type));
    hyp_onnx_export_end(x);
}

// Of the operators, the sum alone has its axes as an input at this opset.
void hyp_onnx_export_reduce(OnnxExport *x)
{
    static const char *const operators[HYPERION_REDUCE_COUNT] = {
        [HYPERION_REDUCE_MEAN] = "ReduceMean", [HYPERION_REDUCE_SUM] = "ReduceSum",
        [HYPERION_REDUCE_MAX] = "ReduceMax",   [HYPERION_REDUCE_MIN] = "ReduceMin",
        [HYPERION_REDUCE_PROD] = "ReduceProd",
    };
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    const int count = attributes->axis_count;
    const bool as_input = attributes->reduce == HYPERION_REDUCE_SUM;
    hyp_onnx_export_begin(x, operators[attributes->reduce]);
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 0));
    if (count > 0 && as_input)
        hyp_onnx_export_reads(x, hyp_onnx_export_ints(x, "axes", count, attributes->axes));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    if (count > 0 && !as_input)
        hyp_onnx_export_set_ints(x, "axes", count, attributes->axes);
    hyp_onnx_export_set_int(x, "keepdims", attributes->keep_dims);
    hyp_onnx_export_end(x);
}

void hyp_onnx_export_softmax(OnnxExport *x)
{
    hyp_onnx_export_begin(x, "Softmax");
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 0));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_int(x, "axis", -1 - x->layer->attributes.axis_from_end);
    hyp_onnx_export_end(x);
}

static void put_rms_norm(OnnxExport *x)
{
    const char *in = hyp_onnx_export_input(x, 0);
    const char *value = hyp_onnx_export_binary(x, "Pow", in, hyp_onnx_export_float(x, "two", 2),
                                               hyp_onnx_export_inner(x, "squares"));
    const char *mean = hyp_onnx_export_inner(x, "mean");
    hyp_onnx_export_begin(x, "ReduceMean");
    hyp_onnx_export_reads(x, value);
    hyp_onnx_export_writes(x, mean);
    hyp_onnx_export_set_ints(x, "axes", 1, (const int64_t[]){-1});
    hyp_onnx_export_end(x);
    value = hyp_onnx_export_binary(
        x, "Add", mean, hyp_onnx_export_float(x, "epsilon", x->layer->attributes.epsilon),
        hyp_onnx_export_inner(x, "raised"));
    value = hyp_onnx_export_unary(x, "Sqrt", value, hyp_onnx_export_inner(x, "root"));
    value = hyp_onnx_export_binary(x, "Div", in, value, hyp_onnx_export_inner(x, "normal"));
    (void)hyp_onnx_export_binary(x, "Mul", value, hyp_onnx_export_input(x, 1),
                                 hyp_onnx_export_result(x));
}

void hyp_onnx_export_layernorm(OnnxExport *x)
{
    if (x->layer->attributes.rms) {
        put_rms_norm(x);
        return;
    }
    hyp_onnx_export_begin(x, "LayerNormalization");
    for (int i = 0; i < x->layer->input_count; i++)
        hyp_onnx_export_reads(x, hyp_onnx_export_input(x, i));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_int(x, "axis", -1);
    hyp_onnx_export_set_float(x, "epsilon", x->layer->attributes.epsilon);
    hyp_onnx_export_end(x);
}

// A vector of one value a channel.
static const char *put_channels(OnnxExport *x, const char *suffix, float value)
{
    const int64_t channels = hyp_layer_output(x->model, x->layer)->dims[1];
    float *values = malloc((size_t)(channels + 1) * sizeof *values);
    if (!values) {
        x->failed = true;
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "export to ONNX: no memory for %lld channels",
                       (long long)channels);
        return "";
    }
    for (int64_t i = 0; i < channels; i++)
        values[i] = value;
    const char *name = hyp_onnx_export_constant(x, suffix, HYPERION_TYPE_F32, 1, &channels, values);
    free(values);
    return name;
}

// The normalisation of a batch whose mean is 0 and whose variance is 1.
void hyp_onnx_export_scale_shift(OnnxExport *x)
{
    hyp_onnx_export_begin(x, "BatchNormalization");
    for (int i = 0; i < x->layer->input_count; i++)
        hyp_onnx_export_reads(x, hyp_onnx_export_input(x, i));
    hyp_onnx_export_reads(x, put_channels(x, "mean", 0));
    hyp_onnx_export_reads(x, put_channels(x, "variance", 1));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_float(x, "epsilon", 0);
    hyp_onnx_export_end(x);
}

void hyp_onnx_export_lrn(OnnxExport *x)
{
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    hyp_onnx_export_begin(x, "LRN");
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 0));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_int(x, "size", attributes->size);
    hyp_onnx_export_set_float(x, "alpha", attributes->alpha);
    hyp_onnx_export_set_float(x, "beta", attributes->beta);
    hyp_onnx_export_set_float(x, "bias", attributes->bias);
    hyp_onnx_export_end(x);
}
