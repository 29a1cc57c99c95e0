// SPDX-License-Identifier: Apache-2.0
// Values that are known when the model is read.
#include "model/onnx/map_support.h"

bool hyp_onnx_map_constant(OnnxImport *import, const OnnxNode *node)
{
    const OnnxAttribute *value = hyp_onnx_attribute(node, "value");
    if (!value || !value->tensor)
        return hyp_onnx_unsupported("a constant other than a tensor");
    return hyp_onnx_add_constant(import, node->outputs[0], value->tensor);
}
