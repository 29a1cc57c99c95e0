// SPDX-License-Identifier: Apache-2.0
// A model as ONNX: nodes and small constants are put together in memory, the weights written one by
// one, as they are read or generated. Numbers of fields: onnx/onnx.proto.
#include "model/onnx/export_onnx.h"

#include "common/fail.h"
#include "common/out_file.h"
#include "common/size_math.h"
#include "common/text.h"
#include "model/executor.h"
#include "model/layer_op.h"
#include "model/onnx/export_node.h"
#include "model/weight_bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_IR_VERSION = 1, MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum { GRAPH_NAME = 2, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { TENSOR_RAW = 9, TENSOR_EXTERNAL = 13, TENSOR_LOCATION = 14, LOCATION_EXTERNAL = 1 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { EXTERNAL_ALIGNMENT = 4096 }; // so that a weight can be mapped by itself

// One weight in the file: what stands before its bytes.
typedef struct WeightField {
    int tensor;
    HypWireOut head;
} WeightField;

typedef struct Export {
    OnnxExport x;
    HypWireOut graph; // all of it but the weights
    HypWireOut model; // what stands before the graph
    WeightField *weights;
    int weight_count;
    const char *data_name; // of the file of external data, in the same folder; NULL: none
} Export;

static void (*const exporters[HYPERION_LAYER_OP_COUNT])(OnnxExport *x) = {
#define ONNX_EXPORT(LAYER, function) [HYPERION_LAYER_##LAYER] = function,
#include "model/onnx/export_layers.def"
#undef ONNX_EXPORT
};

static bool export_layers(OnnxExport *x)
{
    for (int i = 0; i < x->model->layer_count && !x->failed; i++) {
        x->layer = &x->model->layers[i];
        if (exporters[x->layer->op])
            exporters[x->layer->op](x);
        else
            hyp_onnx_export_refuse(x, "this operation cannot be written");
    }
    return !x->failed && !x->nodes.failed && !x->initializers.failed;
}

// ValueInfoProto, of a tensor type.
static void put_value(HypWireOut *graph, uint32_t field, const HypGraphTensor *tensor)
{
    enum { NAME = 1, TYPE = 2, TENSOR_TYPE = 1, ELEMENT = 1, SHAPE = 2, DIM = 1, DIM_VALUE = 1 };
    HypWireOut shape = {0};
    HypWireOut type = {0};
    HypWireOut outer = {0};
    HypWireOut value = {0};
    for (int i = 0; i < tensor->shape.rank; i++) {
        HypWireOut dim = {0};
        hyp_wire_out_int(&dim, DIM_VALUE, tensor->shape.dims[i]);
        hyp_wire_out_message(&shape, DIM, &dim);
        hyp_wire_out_free(&dim);
    }
    hyp_wire_out_int(&type, ELEMENT, hyp_onnx_export_type(tensor->shape.type));
    hyp_wire_out_message(&type, SHAPE, &shape);
    hyp_wire_out_message(&outer, TENSOR_TYPE, &type);
    hyp_wire_out_text(&value, NAME, tensor->name);
    hyp_wire_out_message(&value, TYPE, &outer);
    hyp_wire_out_message(graph, field, &value);
    hyp_wire_out_free(&shape);
    hyp_wire_out_free(&type);
    hyp_wire_out_free(&outer);
    hyp_wire_out_free(&value);
}

// Those that are read, in the order of the tensors.
static bool list_weights(Export *export)
{
    const HyperionModel *model = export->x.model;
    bool *needed = calloc((size_t)model->tensor_count + 1, sizeof *needed);
    export->weights = calloc((size_t)model->tensor_count + 1, sizeof *export->weights);
    if (!needed || !export->weights) {
        free(needed);
        return hyp_fail(HYPERION_ERROR_MEMORY, "export model %s: out of memory", model->name);
    }
    for (int i = 0; i < model->layer_count; i++)
        for (int j = 0; j < model->layers[i].input_count; j++)
            needed[model->layers[i].inputs[j]] = true;
    for (int i = 0; i < model->output_count; i++)
        needed[model->outputs[i]] = true;
    for (int i = 0; i < model->tensor_count; i++)
        if (needed[i] && model->tensors[i].role == HYP_TENSOR_WEIGHT &&
            model->tensors[i].view_of < 0)
            export->weights[export->weight_count++].tensor = i;
    free(needed);
    return true;
}

static void put_entry(HypWireOut *head, const char *key, const char *value)
{
    HypWireOut entry = {0};
    hyp_wire_out_text(&entry, ENTRY_KEY, key);
    hyp_wire_out_text(&entry, ENTRY_VALUE, value);
    hyp_wire_out_message(head, TENSOR_EXTERNAL, &entry);
    hyp_wire_out_free(&entry);
}

static void put_location(Export *export, HypWireOut *head, uint64_t offset, size_t size_bytes)
{
    char number[24];
    put_entry(head, "location", export->data_name);
    (void)snprintf(number, sizeof number, "%" PRIu64, offset);
    put_entry(head, "offset", number);
    (void)snprintf(number, sizeof number, "%zu", size_bytes);
    put_entry(head, "length", number);
    hyp_wire_out_int(head, TENSOR_LOCATION, LOCATION_EXTERNAL);
}

// The heads of all weights; *graph_bytes grows by what the weights are in the graph.
static bool head_weights(Export *export, uint64_t *graph_bytes)
{
    uint64_t offset = 0;
    for (int i = 0; i < export->weight_count; i++) {
        WeightField *weight = &export->weights[i];
        const HypGraphTensor *tensor = &export->x.model->tensors[weight->tensor];
        const size_t inside_bytes = export->data_name ? 0 : tensor->shape.size_bytes;
        HypWireOut fields = {0};
        hyp_onnx_export_tensor_head(&fields, tensor->name, &tensor->shape);
        if (export->data_name)
            put_location(export, &fields, offset, tensor->shape.size_bytes);
        else
            hyp_wire_out_head(&fields, TENSOR_RAW, inside_bytes);
        offset += (tensor->shape.size_bytes + EXTERNAL_ALIGNMENT - 1) / EXTERNAL_ALIGNMENT *
                  EXTERNAL_ALIGNMENT;
        hyp_wire_out_head(&weight->head, GRAPH_INITIALIZER, fields.count + inside_bytes);
        hyp_wire_out_fields(&weight->head, &fields);
        hyp_wire_out_free(&fields);
        if (weight->head.failed)
            return false;
        *graph_bytes += weight->head.count + inside_bytes;
    }
    return true;
}

// Everything but the bytes of the weights.
static bool make_messages(Export *export, uint64_t *graph_bytes)
{
    const HyperionModel *model = export->x.model;
    HypWireOut opset = {0};
    for (int i = 0; i < model->input_count; i++)
        put_value(&export->graph, GRAPH_INPUT, &model->tensors[model->inputs[i]]);
    for (int i = 0; i < model->output_count; i++)
        put_value(&export->graph, GRAPH_OUTPUT, &model->tensors[model->outputs[i]]);
    hyp_wire_out_text(&export->graph, GRAPH_NAME, model->name);
    *graph_bytes = export->graph.count + export->x.nodes.count + export->x.initializers.count;
    if (!head_weights(export, graph_bytes))
        return false;
    enum { OPSET_DOMAIN = 1, OPSET_VERSION = 2 };
    hyp_wire_out_text(&opset, OPSET_DOMAIN, "");
    hyp_wire_out_int(&opset, OPSET_VERSION, HYP_ONNX_EXPORT_OPSET);
    hyp_wire_out_int(&export->model, MODEL_IR_VERSION, HYP_ONNX_EXPORT_IR);
    hyp_wire_out_text(&export->model, MODEL_PRODUCER, "hyperion");
    hyp_wire_out_message(&export->model, MODEL_OPSET, &opset);
    hyp_wire_out_head(&export->model, MODEL_GRAPH, *graph_bytes);
    hyp_wire_out_free(&opset);
    return !export->graph.failed && !export->model.failed;
}

static bool write_message(HypOutFile *file, const HypWireOut *message)
{
    return hyp_out_file_write(file, message->bytes, message->count);
}

// The bytes of a weight, which are given up again if they had to be fetched.
static bool write_weight(HyperionModel *model, int tensor, HypOutFile *file)
{
    HypGraphTensor *weight = &model->tensors[tensor];
    const bool was_there = weight->data != NULL;
    const bool written = hyp_weights_read(model, tensor) &&
                         hyp_out_file_write(file, weight->data, weight->shape.size_bytes);
    if (!was_there) {
        hyp_platform_release(weight->data);
        weight->data = NULL;
    }
    return written;
}

static bool write_files(Export *export, HypOutFile *file, HypOutFile *data)
{
    bool written = write_message(file, &export->model) && write_message(file, &export->x.nodes) &&
                   write_message(file, &export->x.initializers) &&
                   write_message(file, &export->graph);
    for (int i = 0; written && i < export->weight_count; i++)
        written = write_message(file, &export->weights[i].head) &&
                  (!data || hyp_out_file_align(data, EXTERNAL_ALIGNMENT)) &&
                  write_weight(export->x.model, export->weights[i].tensor, data ? data : file);
    return written;
}

static void free_export(Export *export)
{
    for (int i = 0; i < export->weight_count; i++)
        hyp_wire_out_free(&export->weights[i].head);
    free(export->weights);
    hyp_wire_out_free(&export->graph);
    hyp_wire_out_free(&export->model);
    hyp_wire_out_free(&export->x.nodes);
    hyp_wire_out_free(&export->x.initializers);
    hyp_wire_out_free(&export->x.node);
    hyp_wire_out_free(&export->x.attribute);
    hyp_arena_free(&export->x.names);
}

static size_t count_weight_bytes(const Export *export)
{
    size_t bytes = 0;
    for (int i = 0; i < export->weight_count; i++)
        if (!hyp_size_add(bytes,
                          export->x.model->tensors[export->weights[i].tensor].shape.size_bytes,
                          &bytes))
            return SIZE_MAX;
    return bytes;
}

static bool export_to(Export *export, const char *path, const char *data_path, size_t limit_bytes)
{
    uint64_t graph_bytes;
    if (!export_layers(&export->x) || !list_weights(export))
        return false;
    if (count_weight_bytes(export) > limit_bytes) {
        const char *slash = strrchr(data_path, '/');
        export->data_name = slash ? slash + 1 : data_path;
    }
    if (!make_messages(export, &graph_bytes))
        return false;
    if (graph_bytes > INT32_MAX)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "export to ONNX: %" PRIu64 " bytes without the weights; at most 2 GiB",
                        graph_bytes);
    HypOutFile *file = hyp_out_file_create(path);
    HypOutFile *data = file && export->data_name ? hyp_out_file_create(data_path) : NULL;
    const bool written = file && (data || !export->data_name) && write_files(export, file, data);
    const bool data_placed = data ? hyp_out_file_close(data, written) : written;
    return hyp_out_file_close(file, data_placed) && data_placed;
}

bool hyp_onnx_export(HyperionModel *model, const char *path, size_t limit_bytes)
{
    char *data_path = hyp_text_join(path, ".data");
    if (!data_path)
        return false;
    Export export = {.x = {.model = model}};
    const bool exported = export_to(&export, path, data_path, limit_bytes);
    free_export(&export);
    free(data_path);
    return exported;
}

bool hyperionExportModel(HyperionModel *model, const char *path)
{
    // What a message of protocol buffers can hold, and some room for the rest of the graph.
    const size_t limit_bytes = ((size_t)2 << 30) - ((size_t)64 << 20);
    if (!path)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "export model: path is NULL");
    if (!hyp_model_hold(model, "export model"))
        return false;
    const bool exported = hyp_onnx_export(model, path, limit_bytes);
    hyp_model_end_change(model);
    return exported;
}
