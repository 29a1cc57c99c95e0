// SPDX-License-Identifier: Apache-2.0
// Reductions of axes.
#include "model/onnx/map_support.h"

#include "common/fail.h"

#include <string.h>

// A reduction, what it is applied to, and what to its result.
typedef struct ReduceOperator {
    const char *op_type;
    HyperionReduce function;
    HyperionActivation before, after;
    bool squares; // of the elements, before
} ReduceOperator;

static const ReduceOperator operators[] = {
    {.op_type = "ReduceL1", .function = HYPERION_REDUCE_SUM, .before = HYPERION_ACTIVATION_ABS},
    {.op_type = "ReduceL2",
     .function = HYPERION_REDUCE_SUM,
     .after = HYPERION_ACTIVATION_SQRT,
     .squares = true},
    {.op_type = "ReduceLogSum", .function = HYPERION_REDUCE_SUM, .after = HYPERION_ACTIVATION_LOG},
    {.op_type = "ReduceMax", .function = HYPERION_REDUCE_MAX},
    {.op_type = "ReduceMean", .function = HYPERION_REDUCE_MEAN},
    {.op_type = "ReduceMin", .function = HYPERION_REDUCE_MIN},
    {.op_type = "ReduceProd", .function = HYPERION_REDUCE_PROD},
    {.op_type = "ReduceSum", .function = HYPERION_REDUCE_SUM},
    {.op_type = "ReduceSumSquare", .function = HYPERION_REDUCE_SUM, .squares = true},
};

static const ReduceOperator *find_operator(const char *op_type)
{
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (strcmp(operators[i].op_type, op_type) == 0)
            return &operators[i];
    return NULL;
}

// The elements that are reduced; -1 on failure.
static int prepare(OnnxImport *import, const OnnxNode *node, const ReduceOperator *reduce, int x)
{
    const HyperionLayerAttributes square = {.binary = HYPERION_BINARY_MUL};
    const HyperionLayerAttributes before = {.activation = reduce->before};
    if (reduce->squares)
        return hyp_onnx_inner_layer(import, node, "/squares", HYPERION_LAYER_BINARY, &square,
                                    (int[]){x, x}, 2);
    if (reduce->before != HYPERION_ACTIVATION_NONE)
        return hyp_onnx_inner_layer(import, node, "/before", HYPERION_LAYER_ACTIVATION, &before, &x,
                                    1);
    return x;
}

bool hyp_onnx_map_reduce(OnnxImport *import, const OnnxNode *node)
{
    const ReduceOperator *reduce = find_operator(node->op_type);
    const HyperionLayerAttributes after = {.activation = reduce->after};
    HyperionLayerAttributes attributes = {.reduce = reduce->function,
                                          .keep_dims = hyp_onnx_int(node, "keepdims", 1) != 0};
    int x = hyp_onnx_input(import, node, 0);
    size_t axis_count = 0;
    bool given;
    if (x < 0 || !hyp_onnx_int_list(import, node, "axes", 1, attributes.axes, HYPERION_MAX_RANK,
                                    &axis_count, &given))
        return false;
    attributes.axis_count = (int)axis_count;
    const bool nothing = axis_count == 0 && hyp_onnx_int(node, "noop_with_empty_axes", 0) != 0;
    x = prepare(import, node, reduce, x);
    if (x < 0)
        return false;
    if (reduce->after == HYPERION_ACTIVATION_NONE)
        return nothing ? hyp_onnx_bind_output(import, node, 0, x)
                       : hyp_onnx_layer(import, node, HYPERION_LAYER_REDUCE, &attributes, &x, 1);
    if (!nothing)
        x = hyp_onnx_inner_layer(import, node, "/reduced", HYPERION_LAYER_REDUCE, &attributes, &x,
                                 1);
    return x >= 0 && hyp_onnx_layer(import, node, HYPERION_LAYER_ACTIVATION, &after, &x, 1);
}
