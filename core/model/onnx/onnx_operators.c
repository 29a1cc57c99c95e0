// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/map_support.h"

#include <string.h>

OnnxMapNode hyp_onnx_find_operator(const OnnxNode *node)
{
    static const struct {
        const char *op_type;
        OnnxMapNode map;
    } operators[] = {
#define ONNX_OPERATOR(op_type, map) {#op_type, map},
#include "model/onnx/onnx_operators.def"
#undef ONNX_OPERATOR
    };
    if (node->domain[0] && strcmp(node->domain, "ai.onnx") != 0)
        return NULL;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (strcmp(operators[i].op_type, node->op_type) == 0)
            return operators[i].map;
    return NULL;
}
