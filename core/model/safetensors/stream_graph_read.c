// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors/stream_graph_read.h"

#include "hyperion/tensor.h"

#include "common/fail.h"
#include "common/text.h"
#include "model/builder.h"
#include "model/layer_attributes.h"
#include "model/safetensors/streaming.h"

#include <stdlib.h>
#include <string.h>

// Finds where the value of each of `count` members stands, all of which the object must have and
// nothing else; the last `optional_count` may be missing. The text of a missing one is NULL.
static bool find_members(HypJson *json, const char *const *names, int count, int optional_count,
                         HypJson *places)
{
    HypJsonString key;
    HypJsonList members = hyp_json_enter(json, '{');
    for (int i = 0; i < count; i++)
        places[i] = (HypJson){0};
    while (hyp_json_next_member(json, &members, &key)) {
        int row = 0;
        while (row < count && !hyp_json_string_is(&key, names[row]))
            row++;
        if (row == count || places[row].text)
            return hyp_json_fail(json, "%s member '%.32s'", row == count ? "unknown" : "a second",
                                 key.bytes);
        places[row] = *json;
        if (!hyp_json_skip(json))
            return false;
    }
    for (int i = 0; i < count - optional_count; i++)
        if (!places[i].text)
            return hyp_json_fail(json, "no '%s'", names[i]);
    return !json->failed;
}

// A text without NULs; it stays in the graph.
static bool read_name(HypJson *json, const char **name)
{
    HypJsonString string;
    if (!hyp_json_string(json, &string))
        return false;
    *name = string.bytes;
    return strlen(string.bytes) == string.length || hyp_json_fail(json, "a NUL in a name");
}

static bool read_type(HypJson *json, HyperionType *type)
{
    HypJsonString name;
    if (!hyp_json_string(json, &name))
        return false;
    for (int i = 0; i < HYPERION_TYPE_COUNT; i++)
        if (hyp_json_string_is(&name, hyperionTypeName((HyperionType)i))) {
            *type = (HyperionType)i;
            return true;
        }
    return hyp_json_fail(json, "unknown type '%.32s'", name.bytes);
}

static bool read_shape(HypJson *type_place, HypJson *dims_place, const char *name, HypShape *shape)
{
    HyperionType type = HYPERION_TYPE_F32;
    int64_t dims[HYPERION_MAX_RANK] = {0};
    int rank = 0;
    if (!read_type(type_place, &type))
        return false;
    HypJsonList list = hyp_json_enter(dims_place, '[');
    while (hyp_json_next_item(dims_place, &list)) {
        if (rank == HYPERION_MAX_RANK)
            return hyp_json_fail(dims_place, "more than %d dimensions", HYPERION_MAX_RANK);
        if (!hyp_json_integer(dims_place, &dims[rank++]))
            return false;
    }
    return !dims_place->failed && hyp_shape_create(shape, name, type, rank, dims);
}

// {"name": ..., "type": ..., "dims": [...]}
static bool read_tensor(HypJson *json, const char **name, HypShape *shape)
{
    static const char *const names[] = {"name", "type", "dims"};
    HypJson places[3];
    return find_members(json, names, 3, 0, places) && read_name(&places[0], name) &&
           read_shape(&places[1], &places[2], *name, shape);
}

// The tensor that is named next; -1 on failure.
static int read_reference(HypJson *json, const HyperionModel *model)
{
    const char *name = NULL;
    if (!read_name(json, &name))
        return -1;
    const int tensor = hyp_name_map_get(&model->tensor_names, name);
    if (tensor < 0)
        (void)hyp_json_fail(json, "there is no tensor '%s'", name);
    return tensor;
}

static bool read_inputs(HypJson *json, HyperionModel *model)
{
    HypJsonList list = hyp_json_enter(json, '[');
    while (hyp_json_next_item(json, &list)) {
        const char *name = NULL;
        HypShape shape;
        if (!read_tensor(json, &name, &shape) ||
            hyperionAddInput(model, name, shape.type, shape.rank, shape.dims) < 0)
            return false;
    }
    return !json->failed;
}

static bool read_op(HypJson *json, HyperionLayerOp *op)
{
    HypJsonString name;
    if (!hyp_json_string(json, &name))
        return false;
    for (int i = 0; i < HYPERION_LAYER_OP_COUNT; i++)
        if (hyp_json_string_is(&name, hyperionLayerOpName((HyperionLayerOp)i))) {
            *op = (HyperionLayerOp)i;
            return true;
        }
    return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "op '%.32s' is not implemented in this version",
                    name.bytes);
}

// The numbers of the tensors that are named in an array; the caller frees. NULL on failure.
static int *read_references(HypJson *json, const HyperionModel *model, int *count)
{
    size_t item_count = 0;
    int *tensors = NULL;
    if (!hyp_json_count(json, &item_count))
        return NULL;
    tensors = malloc((item_count + 1) * sizeof *tensors);
    if (!tensors)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "no memory for %zu inputs", item_count);
    HypJsonList list = hyp_json_enter(json, '[');
    *count = 0;
    while (hyp_json_next_item(json, &list)) {
        tensors[*count] = read_reference(json, model);
        if (tensors[(*count)++] < 0)
            break;
    }
    if (!json->failed)
        return tensors;
    free(tensors);
    return NULL;
}

static bool add_layer(HypJson *json, HyperionModel *model)
{
    static const char *const names[] = {"name", "op", "inputs", "result", "attributes"};
    HypJson places[5];
    const char *name = NULL;
    const char *result_name = NULL;
    HyperionLayerOp op = HYPERION_LAYER_OP_COUNT;
    HyperionLayerAttributes attributes;
    HypShape shape;
    if (!find_members(json, names, 5, 0, places) || !read_name(&places[0], &name) ||
        !read_op(&places[1], &op) || !read_tensor(&places[3], &result_name, &shape) ||
        !hyp_attributes_read(&places[4], &attributes))
        return false;
    int input_count = 0;
    int *inputs = read_references(&places[2], model, &input_count);
    if (!inputs)
        return false;
    const int result =
        hyp_model_add_layer(model, name, result_name, op, &attributes, inputs, input_count);
    free(inputs);
    if (result < 0)
        return false;
    return hyp_shape_equal(&model->tensors[result].shape, &shape) ||
           hyp_json_fail(json, "layer '%s' has a result of another shape", name);
}

static bool read_layers(HypJson *json, HyperionModel *model)
{
    HypJsonList list = hyp_json_enter(json, '[');
    while (hyp_json_next_item(json, &list))
        if (!add_layer(json, model))
            return false;
    return !json->failed;
}

static bool read_outputs(HypJson *json, HyperionModel *model)
{
    HypJsonList list = hyp_json_enter(json, '[');
    while (hyp_json_next_item(json, &list)) {
        const int tensor = read_reference(json, model);
        if (tensor < 0 || !hyperionAddOutput(model, tensor))
            return false;
    }
    return !json->failed;
}

static bool read_checksum(HypJson *json, HypWeightRun *run)
{
    const size_t prefix = sizeof STREAMING_CHECKSUM_NAME - 1;
    const char *text = NULL;
    if (!read_name(json, &text))
        return false;
    if (strncmp(text, STREAMING_CHECKSUM_NAME, prefix) != 0 || strlen(text) != prefix + 16 ||
        strspn(text + prefix, "0123456789abcdef") != 16)
        return hyp_json_fail(json, "expected a checksum, " STREAMING_CHECKSUM_NAME
                                   " and 16 hexadecimal digits");
    run->checksum = strtoull(text + prefix, NULL, 16);
    run->has_checksum = true;
    return true;
}

// Takes the weights that stand in the run from tensor `next` on, and checks that they fill it.
static bool take_weights(HypJson *json, const HyperionModel *model, int next, HypWeightRun *run)
{
    const uint64_t end = run->file_offset + run->size_bytes;
    uint64_t place = run->file_offset;
    run->first_weight = next;
    for (; next < model->tensor_count && model->tensors[next].source == HYP_WEIGHT_IN_FILE;
         next++) {
        const HypGraphTensor *weight = &model->tensors[next];
        const uint64_t weight_end = weight->file_offset + weight->shape.size_bytes;
        if (weight->file_offset < run->file_offset || weight_end > end)
            break;
        place = weight_end;
        run->weight_count++;
    }
    return (run->weight_count > 0 && place == end) ||
           hyp_json_fail(json, "a run that is not that of whole weights");
}

static bool read_run(HypJson *json, const HyperionModel *model, uint64_t data_offset, int next,
                     HypWeightRun *run)
{
    static const char *const names[] = {"layer", "data_offsets", "checksum"};
    HypJson places[3];
    int64_t layer = -1;
    uint64_t ends[2] = {0};
    int end_count = 0;
    if (!find_members(json, names, 3, 1, places) || !hyp_json_integer(&places[0], &layer))
        return false;
    if (layer < -1 || layer >= model->layer_count)
        return hyp_json_fail(json, "a run of layer %lld of %d", (long long)layer,
                             model->layer_count);
    HypJsonList list = hyp_json_enter(&places[1], '[');
    while (hyp_json_next_item(&places[1], &list))
        if (end_count == 2 || !hyp_json_unsigned(&places[1], &ends[end_count++]))
            return hyp_json_fail(&places[1], "more than two data_offsets");
    if (places[1].failed)
        return false;
    if (end_count < 2 || ends[0] > ends[1] || ends[1] > INT64_MAX / 2 ||
        ends[0] % STREAMING_RUN_ALIGNMENT != 0)
        return hyp_json_fail(json, "a run that does not begin at a multiple of %d and end later",
                             STREAMING_RUN_ALIGNMENT);
    *run = (HypWeightRun){
        .file_offset = data_offset + ends[0], .size_bytes = ends[1] - ends[0], .layer = (int)layer};
    return (!places[2].text || read_checksum(&places[2], run)) &&
           take_weights(json, model, next, run);
}

static bool read_runs(HypJson *json, HyperionModel *model, uint64_t data_offset)
{
    size_t count = 0;
    int next = 0;
    if (!hyp_json_count(json, &count))
        return false;
    model->weight_runs = calloc(count ? count : 1, sizeof *model->weight_runs);
    if (!model->weight_runs)
        return hyp_fail(HYPERION_ERROR_MEMORY, "no memory for %zu runs", count);
    HypJsonList list = hyp_json_enter(json, '[');
    while (hyp_json_next_item(json, &list)) {
        HypWeightRun *run = &model->weight_runs[model->weight_run_count];
        if (!read_run(json, model, data_offset, next, run))
            return false;
        model->weight_run_count++;
        next = run->first_weight + run->weight_count;
    }
    return !json->failed;
}

static bool check_version(HypJson *json)
{
    int64_t version = 0;
    return hyp_json_integer(json, &version) &&
           (version == STREAMING_VERSION ||
            hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                     "a graph of version %lld, this version of the library reads %d",
                     (long long)version, STREAMING_VERSION));
}

static bool rename_model(HypJson *json, HyperionModel *model)
{
    const char *name = NULL;
    if (!read_name(json, &name))
        return false;
    char *copy = hyp_text_copy(name);
    if (!copy)
        return false;
    free(model->name);
    model->name = copy;
    return true;
}

bool hyp_stream_graph_read(HyperionModel *model, HypJsonString graph, uint64_t data_offset)
{
    static const char *const names[] = {"version", "name", "inputs", "layers", "outputs", "runs"};
    HypJson places[6];
    HypJson json = hyp_json_open("graph", graph.bytes, graph.length);
    return find_members(&json, names, 6, 0, places) && hyp_json_finish(&json) &&
           check_version(&places[0]) && rename_model(&places[1], model) &&
           read_inputs(&places[2], model) && read_layers(&places[3], model) &&
           read_outputs(&places[4], model) && read_runs(&places[5], model, data_offset);
}
