// SPDX-License-Identifier: Apache-2.0
// Products, and what windows do.
#include "model/onnx/export_node.h"

#include "model/layer_op.h"

static void put_gemm(OnnxExport *x, const char *a, const char *out)
{
    hyp_onnx_export_begin(x, "Gemm");
    hyp_onnx_export_reads(x, a);
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 1));
    if (x->layer->input_count > 2)
        hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 2));
    hyp_onnx_export_writes(x, out);
    if (x->layer->attributes.transpose_b)
        hyp_onnx_export_set_int(x, "transB", 1);
    hyp_onnx_export_end(x);
}

// Gemm knows matrices only: rows of more dimensions are multiplied by MatMul, which knows no
// transposition, or reshaped.
void hyp_onnx_export_gemm(OnnxExport *x)
{
    const HypShape *a = hyp_layer_input(x->model, x->layer, 0);
    const HypShape *c = hyp_layer_output(x->model, x->layer);
    const char *input = hyp_onnx_export_input(x, 0);
    const char *linear = hyp_onnx_export_linear(x);
    if (a->rank == 2) {
        put_gemm(x, input, linear);
    } else if (x->layer->attributes.transpose_b) {
        const int64_t depth = a->dims[a->rank - 1];
        const int64_t rows[] = {(int64_t)hyp_shape_product(a, 0, a->rank - 1), depth};
        const char *matrix = hyp_onnx_export_reshape(x, input, 2, rows, "rows_shape",
                                                     hyp_onnx_export_inner(x, "rows"));
        const char *product = hyp_onnx_export_inner(x, "product");
        put_gemm(x, matrix, product);
        (void)hyp_onnx_export_reshape(x, product, c->rank, c->dims, "shape", linear);
    } else if (x->layer->input_count > 2) {
        const char *product = hyp_onnx_export_inner(x, "product");
        (void)hyp_onnx_export_binary(x, "MatMul", input, hyp_onnx_export_input(x, 1), product);
        (void)hyp_onnx_export_binary(x, "Add", product, hyp_onnx_export_input(x, 2), linear);
    } else {
        (void)hyp_onnx_export_binary(x, "MatMul", input, hyp_onnx_export_input(x, 1), linear);
    }
    hyp_onnx_export_activate(x, linear, hyp_onnx_export_result(x));
}

void hyp_onnx_export_matmul(OnnxExport *x)
{
    const HypShape *shape = hyp_layer_input(x->model, x->layer, 1);
    const char *b = hyp_onnx_export_input(x, 1);
    if (x->layer->attributes.transpose_b && shape->rank > 1) {
        int64_t axes[HYPERION_MAX_RANK];
        for (int i = 0; i < shape->rank; i++)
            axes[i] = i;
        axes[shape->rank - 1] = shape->rank - 2;
        axes[shape->rank - 2] = shape->rank - 1;
        b = hyp_onnx_export_transpose(x, b, shape->rank, axes,
                                      hyp_onnx_export_inner(x, "transposed"));
    }
    (void)hyp_onnx_export_binary(x, "MatMul", hyp_onnx_export_input(x, 0), b,
                                 hyp_onnx_export_result(x));
}

// Of `rank` axes that windows slide over.
static void set_window(OnnxExport *x, int rank, const int64_t *kernel)
{
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    hyp_onnx_export_set_ints(x, "kernel_shape", rank, kernel);
    hyp_onnx_export_set_ints(x, "strides", rank, attributes->stride);
    hyp_onnx_export_set_ints(x, "pads", 2 * rank, attributes->padding);
}

static void begin_convolution(OnnxExport *x, const char *op_type, const char *out)
{
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    const HypShape *filter = hyp_layer_input(x->model, x->layer, 1);
    hyp_onnx_export_begin(x, op_type);
    for (int i = 0; i < x->layer->input_count; i++)
        hyp_onnx_export_reads(x, hyp_onnx_export_input(x, i));
    hyp_onnx_export_writes(x, out);
    set_window(x, filter->rank - 2, &filter->dims[2]);
    hyp_onnx_export_set_ints(x, "dilations", filter->rank - 2, attributes->dilation);
    hyp_onnx_export_set_int(x, "group", attributes->groups);
}

void hyp_onnx_export_conv(OnnxExport *x)
{
    const char *linear = hyp_onnx_export_linear(x);
    begin_convolution(x, "Conv", linear);
    hyp_onnx_export_end(x);
    hyp_onnx_export_activate(x, linear, hyp_onnx_export_result(x));
}

void hyp_onnx_export_conv_transpose(OnnxExport *x)
{
    const HypShape *filter = hyp_layer_input(x->model, x->layer, 1);
    const char *linear = hyp_onnx_export_linear(x);
    begin_convolution(x, "ConvTranspose", linear);
    hyp_onnx_export_set_ints(x, "output_padding", filter->rank - 2,
                             x->layer->attributes.output_padding);
    hyp_onnx_export_end(x);
    hyp_onnx_export_activate(x, linear, hyp_onnx_export_result(x));
}

static void begin_pool(OnnxExport *x, const char *op_type)
{
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    const int rank = hyp_layer_input(x->model, x->layer, 0)->rank - 2;
    hyp_onnx_export_begin(x, op_type);
    hyp_onnx_export_reads(x, hyp_onnx_export_input(x, 0));
    set_window(x, rank, attributes->kernel);
    hyp_onnx_export_set_int(x, "ceil_mode", attributes->ceil_mode);
}

void hyp_onnx_export_max_pool(OnnxExport *x)
{
    begin_pool(x, "MaxPool");
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_ints(x, "dilations", hyp_layer_input(x->model, x->layer, 0)->rank - 2,
                             x->layer->attributes.dilation);
    hyp_onnx_export_end(x);
}

// Indices are the second output; the first cannot be left out.
void hyp_onnx_export_max_pool_indices(OnnxExport *x)
{
    begin_pool(x, "MaxPool");
    hyp_onnx_export_writes(x, hyp_onnx_export_inner(x, "values"));
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_ints(x, "dilations", hyp_layer_input(x->model, x->layer, 0)->rank - 2,
                             x->layer->attributes.dilation);
    hyp_onnx_export_set_int(x, "storage_order", x->layer->attributes.column_major);
    hyp_onnx_export_end(x);
}

void hyp_onnx_export_average_pool(OnnxExport *x)
{
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    for (int axis = 0; axis < hyp_layer_input(x->model, x->layer, 0)->rank - 2; axis++)
        if (attributes->dilation[axis] != 1) {
            hyp_onnx_export_refuse(x, "AveragePool has no dilation before opset 19");
            return;
        }
    begin_pool(x, "AveragePool");
    hyp_onnx_export_writes(x, hyp_onnx_export_result(x));
    hyp_onnx_export_set_int(x, "count_include_pad", attributes->count_padding);
    hyp_onnx_export_end(x);
}
