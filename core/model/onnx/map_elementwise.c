// SPDX-License-Identifier: Apache-2.0
// Operators that work value by value.
#include "model/onnx/map_support.h"

#include <string.h>

bool hyp_onnx_map_activation(OnnxImport *import, const OnnxNode *node)
{
    static const struct {
        const char *op_type;
        HyperionActivation function;
    } functions[] = {
        {"Relu", HYPERION_ACTIVATION_RELU},
        {"Sigmoid", HYPERION_ACTIVATION_SIGMOID},
        {"Tanh", HYPERION_ACTIVATION_TANH},
    };
    HyperionLayerAttributes attributes = {0};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcmp(functions[i].op_type, node->op_type) == 0)
            attributes.activation = functions[i].function;
    const int x = hyp_onnx_input(import, node, 0);
    return x >= 0 && hyp_onnx_layer(import, node, HYPERION_LAYER_ACTIVATION, &attributes, &x, 1);
}

bool hyp_onnx_map_add(OnnxImport *import, const OnnxNode *node)
{
    int inputs[2];
    return hyp_onnx_inputs(import, node, 2, inputs) &&
           hyp_onnx_layer(import, node, HYPERION_LAYER_BINARY, NULL, inputs, 2);
}
