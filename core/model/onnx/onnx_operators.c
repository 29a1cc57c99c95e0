// SPDX-License-Identifier: Apache-2.0
// onnx_operators.c - the operators that can be read, one function and one row each. Their meaning
// by opset: onnx/docs/Operators.md and Changelog.md.
#include "model/onnx/import_onnx.h"

#include "common/fail.h"
#include "model/builder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const OnnxAttribute *find_attribute(const OnnxNode *node, const char *name)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, name) == 0)
            return &node->attributes[i];
    return NULL;
}

static int64_t get_int(const OnnxNode *node, const char *name, int64_t fallback)
{
    const OnnxAttribute *attribute = find_attribute(node, name);
    return attribute ? attribute->i : fallback;
}

static float get_float(const OnnxNode *node, const char *name, float fallback)
{
    const OnnxAttribute *attribute = find_attribute(node, name);
    return attribute ? attribute->f : fallback;
}

// The `count` numbers of an attribute; left as they are where it is absent.
static bool get_ints(const OnnxNode *node, const char *name, size_t count, int64_t *values)
{
    const OnnxAttribute *attribute = find_attribute(node, name);
    if (!attribute)
        return true;
    if (attribute->int_count != count)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "%s has %zu values, expected %zu (2-D)", name,
                        attribute->int_count, count);
    memcpy(values, attribute->ints, count * sizeof *values);
    return true;
}

static bool fail_unsupported(const char *what)
{
    return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "%s is not implemented in this version", what);
}

static bool has_input(const OnnxNode *node, size_t index)
{
    return index < node->input_count && node->inputs[index][0];
}

static const HypShape *get_shape(const OnnxImport *import, int tensor)
{
    return &import->model->tensors[tensor].shape;
}

// The tensor of an input; a constant becomes a weight. -1 on failure.
static int get_input(OnnxImport *import, const OnnxNode *node, size_t index)
{
    if (!has_input(node, index)) {
        (void)hyp_fail(HYPERION_ERROR_FORMAT, "input %zu is missing", index);
        return -1;
    }
    const char *name = node->inputs[index];
    const int known = hyp_name_map_get(&import->tensors, name);
    if (known >= 0)
        return known;
    const OnnxTensor *constant = hyp_onnx_find_constant(import, name);
    if (!constant) {
        (void)hyp_fail(HYPERION_ERROR_FORMAT, "nothing before it makes input '%s'", name);
        return -1;
    }
    const int id = hyp_onnx_add_weight(import, name, constant);
    return id >= 0 && hyp_onnx_bind(import, name, id) ? id : -1;
}

// A layer between, whose result is named after the node's with `suffix`. -1 on failure.
static int add_inner_layer(OnnxImport *import, const OnnxNode *node, const char *suffix,
                           HyperionLayerOp op, const HyperionLayerAttributes *attributes,
                           const int *inputs, int input_count)
{
    const size_t name_bytes = strlen(node->outputs[0]) + strlen(suffix) + 1;
    char *name = hyp_arena_allocate(import->arena, name_bytes, 1);
    if (!name)
        return -1;
    (void)snprintf(name, name_bytes, "%s%s", node->outputs[0], suffix);
    return hyp_model_add_layer(import->model, name, name, op, attributes, inputs, input_count);
}

// The layer that makes the node's output.
static bool add_layer(OnnxImport *import, const OnnxNode *node, HyperionLayerOp op,
                      const HyperionLayerAttributes *attributes, const int *inputs, int input_count)
{
    const int id = hyp_model_add_layer(import->model, hyp_onnx_node_name(node), node->outputs[0],
                                       op, attributes, inputs, input_count);
    return id >= 0 && hyp_onnx_bind(import, node->outputs[0], id);
}

// A view of `tensor` as a vector; itself where it is one. -1 on failure.
static int flatten(OnnxImport *import, const OnnxNode *node, const char *suffix, int tensor)
{
    static const HyperionLayerAttributes vector = {.rank = 1, .dims = {-1}};
    return get_shape(import, tensor)->rank == 1
               ? tensor
               : add_inner_layer(import, node, suffix, HYPERION_LAYER_RESHAPE, &vector, &tensor, 1);
}

static bool map_activation(OnnxImport *import, const OnnxNode *node)
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
    const int x = get_input(import, node, 0);
    return x >= 0 && add_layer(import, node, HYPERION_LAYER_ACTIVATION, &attributes, &x, 1);
}

static bool map_add(OnnxImport *import, const OnnxNode *node)
{
    const int a = get_input(import, node, 0);
    const int b = a < 0 ? -1 : get_input(import, node, 1);
    return b >= 0 && add_layer(import, node, HYPERION_LAYER_ADD, NULL, (int[]){a, b}, 2);
}

// Pads of SAME_UPPER and SAME_LOWER: as many windows as strides in the image, the odd one of the
// padding behind or before it.
static void pad_same(const HypShape *image, const int64_t kernel[2], bool upper,
                     HyperionLayerAttributes *attributes)
{
    for (int axis = 0; axis < 2; axis++) {
        const int64_t extent = image->dims[2 + axis];
        const int64_t stride = attributes->stride[axis];
        const int64_t windows = extent / stride + (extent % stride != 0);
        const int64_t covered = (kernel[axis] - 1) * attributes->dilation[axis] + 1;
        const int64_t wanted = (windows - 1) * stride + covered - extent;
        const int64_t total = wanted > 0 ? wanted : 0;
        attributes->padding[axis] = upper ? total / 2 : total - total / 2;
        attributes->padding[2 + axis] = total - attributes->padding[axis];
    }
}

// Strides, dilations and pads of a convolution or pooling whose windows have `kernel` elements.
static bool read_window(const OnnxNode *node, const HypShape *image, const int64_t kernel[2],
                        HyperionLayerAttributes *attributes)
{
    const OnnxAttribute *auto_pad = find_attribute(node, "auto_pad");
    const char *mode = auto_pad && auto_pad->s[0] ? auto_pad->s : "NOTSET";
    attributes->stride[0] = attributes->stride[1] = 1;
    attributes->dilation[0] = attributes->dilation[1] = 1;
    if (!get_ints(node, "strides", 2, attributes->stride) ||
        !get_ints(node, "dilations", 2, attributes->dilation))
        return false;
    for (int axis = 0; axis < 2; axis++)
        if (attributes->stride[axis] < 1 || attributes->dilation[axis] < 1 ||
            attributes->stride[axis] > INT32_MAX || attributes->dilation[axis] > INT32_MAX ||
            kernel[axis] < 1 || kernel[axis] > INT32_MAX)
            return hyp_fail(HYPERION_ERROR_FORMAT, "strides, dilations and kernel are 1 to %d",
                            INT32_MAX);
    if (strcmp(mode, "NOTSET") == 0)
        return get_ints(node, "pads", 4, attributes->padding);
    if (strcmp(mode, "SAME_UPPER") == 0 || strcmp(mode, "SAME_LOWER") == 0)
        pad_same(image, kernel, strcmp(mode, "SAME_UPPER") == 0, attributes);
    else if (strcmp(mode, "VALID") != 0)
        return hyp_fail(HYPERION_ERROR_FORMAT, "unknown auto_pad");
    return true;
}

static bool map_conv(OnnxImport *import, const OnnxNode *node)
{
    int inputs[3];
    const int input_count = has_input(node, 2) ? 3 : 2;
    for (int i = 0; i < input_count; i++)
        if ((inputs[i] = get_input(import, node, (size_t)i)) < 0)
            return false;
    const HypShape *image = get_shape(import, inputs[0]);
    const HypShape *filter = get_shape(import, inputs[1]);
    if (image->rank != 4 || filter->rank != 4)
        return fail_unsupported("convolution over other than two axes");
    int64_t kernel[2] = {filter->dims[2], filter->dims[3]};
    HyperionLayerAttributes attributes = {.groups = get_int(node, "group", 1)};
    if (!get_ints(node, "kernel_shape", 2, kernel) ||
        !read_window(node, image, kernel, &attributes))
        return false;
    if (kernel[0] != filter->dims[2] || kernel[1] != filter->dims[3])
        return hyp_fail(HYPERION_ERROR_FORMAT,
                        "kernel_shape is %" PRId64 "x%" PRId64 ", the filter's %" PRId64
                        "x%" PRId64,
                        kernel[0], kernel[1], filter->dims[2], filter->dims[3]);
    return add_layer(import, node, HYPERION_LAYER_CONV2D, &attributes, inputs, input_count);
}

static bool map_max_pool(OnnxImport *import, const OnnxNode *node)
{
    const int x = get_input(import, node, 0);
    if (x < 0)
        return false;
    if (node->output_count > 1 && node->outputs[1][0])
        return fail_unsupported("the indices of MaxPool");
    if (get_int(node, "ceil_mode", 0) != 0)
        return fail_unsupported("ceil_mode");
    if (get_shape(import, x)->rank != 4)
        return fail_unsupported("pooling over other than two axes");
    HyperionLayerAttributes attributes = {0};
    return get_ints(node, "kernel_shape", 2, attributes.kernel) &&
           read_window(node, get_shape(import, x), attributes.kernel, &attributes) &&
           add_layer(import, node, HYPERION_LAYER_MAX_POOL2D, &attributes, &x, 1);
}

static bool map_matmul(OnnxImport *import, const OnnxNode *node)
{
    const int a = get_input(import, node, 0);
    const int b = a < 0 ? -1 : get_input(import, node, 1);
    if (b < 0)
        return false;
    if (get_shape(import, b)->rank != 2)
        return fail_unsupported("a second operand of other than two dimensions");
    return add_layer(import, node, HYPERION_LAYER_GEMM, NULL, (int[]){a, b}, 2);
}

// A' B' + C: C as the bias where it is one value a column, else added.
static bool map_gemm(OnnxImport *import, const OnnxNode *node)
{
    const HyperionLayerAttributes attributes = {.transpose_b = get_int(node, "transB", 0) != 0};
    const bool has_c = has_input(node, 2);
    if (get_int(node, "transA", 0) != 0)
        return fail_unsupported("transA");
    if (get_float(node, "alpha", 1.0F) != 1.0F || (has_c && get_float(node, "beta", 1.0F) != 1.0F))
        return fail_unsupported("alpha or beta other than 1");
    int inputs[3] = {get_input(import, node, 0), -1, -1};
    inputs[1] = inputs[0] < 0 ? -1 : get_input(import, node, 1);
    if (inputs[1] < 0)
        return false;
    if (!has_c)
        return add_layer(import, node, HYPERION_LAYER_GEMM, &attributes, inputs, 2);
    const int c = get_input(import, node, 2);
    if (c < 0)
        return false;
    const HypShape *c_shape = get_shape(import, c);
    const HypShape *b_shape = get_shape(import, inputs[1]);
    const bool is_bias =
        b_shape->rank == 2 && c_shape->rank > 0 &&
        c_shape->dims[c_shape->rank - 1] == b_shape->dims[attributes.transpose_b ? 0 : 1] &&
        c_shape->element_count == (size_t)c_shape->dims[c_shape->rank - 1];
    if (is_bias) {
        inputs[2] = flatten(import, node, "/bias", c);
        return inputs[2] >= 0 &&
               add_layer(import, node, HYPERION_LAYER_GEMM, &attributes, inputs, 3);
    }
    const int product =
        add_inner_layer(import, node, "/product", HYPERION_LAYER_GEMM, &attributes, inputs, 2);
    return product >= 0 &&
           add_layer(import, node, HYPERION_LAYER_ADD, NULL, (int[]){product, c}, 2);
}

// Axis `name` of a tensor of `rank`, counted from the end where negative; -1, last error set, when
// it is not 0 to `most`.
static int get_axis(const OnnxNode *node, int64_t fallback, int rank, int most)
{
    const int64_t given = get_int(node, "axis", fallback);
    const int64_t axis = given < 0 ? given + rank : given;
    if (axis >= 0 && axis <= most)
        return (int)axis;
    (void)hyp_fail(HYPERION_ERROR_FORMAT, "axis %" PRId64 " of %d", given, rank);
    return -1;
}

// Sets `attributes` to a reshape of `shape` to two dimensions, split before `axis`.
static void split_at(const HypShape *shape, int axis, HyperionLayerAttributes *attributes)
{
    *attributes = (HyperionLayerAttributes){.rank = 2};
    attributes->dims[0] = (int64_t)hyp_shape_product(shape, 0, axis);
    attributes->dims[1] = (int64_t)hyp_shape_product(shape, axis, shape->rank);
}

static bool map_softmax(OnnxImport *import, const OnnxNode *node)
{
    int x = get_input(import, node, 0);
    if (x < 0)
        return false;
    const HypShape shape = *get_shape(import, x);
    // Before opset 13 all axes from `axis` on were one.
    const bool merges = import->file->opset < 13;
    const int axis = get_axis(node, merges ? 1 : -1, shape.rank, shape.rank - 1);
    if (axis < 0)
        return false;
    if (axis == shape.rank - 1)
        return add_layer(import, node, HYPERION_LAYER_SOFTMAX, NULL, &x, 1);
    if (!merges)
        return fail_unsupported("softmax over another than the last axis");
    HyperionLayerAttributes attributes;
    split_at(&shape, axis, &attributes);
    x = add_inner_layer(import, node, "/rows", HYPERION_LAYER_RESHAPE, &attributes, &x, 1);
    if (x >= 0)
        x = add_inner_layer(import, node, "/softmax", HYPERION_LAYER_SOFTMAX, NULL, &x, 1);
    attributes.rank = shape.rank;
    memcpy(attributes.dims, shape.dims, sizeof shape.dims);
    return x >= 0 && add_layer(import, node, HYPERION_LAYER_RESHAPE, &attributes, &x, 1);
}

static bool map_flatten(OnnxImport *import, const OnnxNode *node)
{
    const int x = get_input(import, node, 0);
    if (x < 0)
        return false;
    const HypShape *shape = get_shape(import, x);
    const int axis = get_axis(node, 1, shape->rank, shape->rank);
    if (axis < 0)
        return false;
    HyperionLayerAttributes attributes;
    split_at(shape, axis, &attributes);
    return add_layer(import, node, HYPERION_LAYER_RESHAPE, &attributes, &x, 1);
}

static bool map_reshape(OnnxImport *import, const OnnxNode *node)
{
    const int x = get_input(import, node, 0);
    if (x < 0)
        return false;
    const OnnxTensor *dims =
        has_input(node, 1) ? hyp_onnx_find_constant(import, node->inputs[1]) : NULL;
    if (!dims)
        return fail_unsupported("a shape that is not constant");
    if (get_int(node, "allowzero", 0) != 0)
        return fail_unsupported("allowzero");
    HyperionLayerAttributes attributes = {0};
    size_t rank;
    if (!hyp_onnx_read_int64s(import, dims, attributes.dims, HYPERION_MAX_RANK, &rank))
        return false;
    attributes.rank = (int)rank;
    return add_layer(import, node, HYPERION_LAYER_RESHAPE, &attributes, &x, 1);
}

static bool map_layernorm(OnnxImport *import, const OnnxNode *node)
{
    int inputs[3];
    const int input_count = has_input(node, 2) ? 3 : 2;
    for (int i = 0; i < input_count; i++)
        if ((inputs[i] = get_input(import, node, (size_t)i)) < 0)
            return false;
    const int rank = get_shape(import, inputs[0])->rank;
    const int axis = get_axis(node, -1, rank, rank - 1);
    if (axis < 0)
        return false;
    if (axis != rank - 1 || node->output_count > 1)
        return fail_unsupported("normalisation over several axes, or with more outputs,");
    const HyperionLayerAttributes attributes = {.epsilon = get_float(node, "epsilon", 1e-5F)};
    return add_layer(import, node, HYPERION_LAYER_LAYERNORM, &attributes, inputs, input_count);
}

static bool map_identity(OnnxImport *import, const OnnxNode *node)
{
    const int x = get_input(import, node, 0);
    return x >= 0 && hyp_onnx_bind(import, node->outputs[0], x);
}

static bool map_constant(OnnxImport *import, const OnnxNode *node)
{
    const OnnxAttribute *value = find_attribute(node, "value");
    if (!value || !value->tensor)
        return fail_unsupported("a constant other than a tensor");
    return hyp_onnx_add_constant(import, node->outputs[0], value->tensor);
}

OnnxMapNode hyp_onnx_find_operator(const OnnxNode *node)
{
    static const struct {
        const char *op_type;
        OnnxMapNode map;
    } operators[] = {
        {"Add", map_add},
        {"Constant", map_constant},
        {"Conv", map_conv},
        {"Flatten", map_flatten},
        {"Gemm", map_gemm},
        {"Identity", map_identity},
        {"LayerNormalization", map_layernorm},
        {"MatMul", map_matmul},
        {"MaxPool", map_max_pool},
        {"Relu", map_activation},
        {"Reshape", map_reshape},
        {"Sigmoid", map_activation},
        {"Softmax", map_softmax},
        {"Tanh", map_activation},
    };
    if (node->domain[0] && strcmp(node->domain, "ai.onnx") != 0)
        return NULL;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (strcmp(operators[i].op_type, node->op_type) == 0)
            return operators[i].map;
    return NULL;
}
