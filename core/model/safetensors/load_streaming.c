// SPDX-License-Identifier: Apache-2.0
#include "common/fail.h"
#include "model/builder.h"
#include "model/safetensors/safetensors.h"
#include "model/safetensors/stream_graph_read.h"
#include "model/safetensors/streaming.h"

#include <string.h>

bool hyp_streaming_recognise(const char *path, bool *is_one)
{
    static const char suffix[] = ".safetensors";
    const size_t length = strlen(path);
    *is_one = length >= sizeof suffix && strcmp(path + length - (sizeof suffix - 1), suffix) == 0;
    if (*is_one)
        return true;
    // The length of a header is less than 2^32; where an ONNX file has its fifth to ninth byte, no
    // four zeros and brace can stand.
    unsigned char start[SAFETENSORS_LENGTH_BYTES + 1] = {0};
    HypFile *file = hyp_platform_open(path);
    if (!file)
        return false;
    const bool read = hyp_platform_file_bytes(file) < sizeof start ||
                      hyp_platform_read(file, 0, start, sizeof start);
    hyp_platform_close(file);
    *is_one = memcmp(start + 4, "\0\0\0\0{", 5) == 0;
    return read;
}

static bool find_type(const SafeTensor *tensor, HyperionType *type)
{
    switch (tensor->type) {
    case HYP_SAFE_F32: *type = HYPERION_TYPE_F32; return true;
    case HYP_SAFE_I64: *type = HYPERION_TYPE_I64; return true;
    case HYP_SAFE_I32: *type = HYPERION_TYPE_I32; return true;
    case HYP_SAFE_BOOL: *type = HYPERION_TYPE_BOOL; return true;
    default:
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "weight '%s' is of type %s, which is not implemented in this version",
                        tensor->name, hyp_safe_types[tensor->type].name);
    }
}

static bool add_weight(HyperionModel *model, const SafeTensor *tensor, uint64_t data_offset)
{
    HyperionType type = HYPERION_TYPE_F32;
    int64_t dims[HYPERION_MAX_RANK] = {0};
    HypShape shape;
    if (!find_type(tensor, &type))
        return false;
    if (strlen(tensor->name) != tensor->name_bytes)
        return hyp_fail(HYPERION_ERROR_FORMAT, "weight '%s' has a NUL in its name", tensor->name);
    for (uint32_t i = 0; i < tensor->rank && i < HYPERION_MAX_RANK; i++)
        dims[i] = tensor->dims[i] > INT64_MAX ? -1 : (int64_t)tensor->dims[i];
    return hyp_shape_create(&shape, tensor->name, type, (int)tensor->rank, dims) &&
           hyp_model_add_file_weight(
               model, tensor->name, &shape,
               (HypWeightPlace){.file = 0, .offset = data_offset + tensor->begin}) >= 0;
}

static bool is_padding(const SafeTensor *tensor)
{
    return tensor->type == HYP_SAFE_U8 &&
           strncmp(tensor->name, STREAMING_PAD_NAME, sizeof STREAMING_PAD_NAME - 1) == 0;
}

// Weights come first, so that their numbers follow the order of the file.
static bool fill_model(HyperionModel *model, const HyperionWeightsFile *file)
{
    HypJsonString graph;
    const uint64_t data_offset = SAFETENSORS_LENGTH_BYTES + file->header_bytes;
    if (!hyp_safetensors_metadata(file, STREAMING_GRAPH_KEY, &graph))
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                        "weights without a graph: __metadata__ has no %s", STREAMING_GRAPH_KEY);
    for (size_t i = 0; i < file->tensor_count; i++)
        if (!is_padding(&file->tensors[i]) && !add_weight(model, &file->tensors[i], data_offset))
            return false;
    return hyp_stream_graph_read(model, graph, data_offset);
}

HyperionModel *hyp_streaming_load(const char *path)
{
    HyperionWeightsFile *file = hyperionOpenWeights(path);
    if (!file)
        return NULL;
    HyperionModel *model = hyperionCreateModel(path);
    const bool adopted = model && hyp_model_adopt_file(model, file->file) == 0;
    const bool filled = adopted && fill_model(model, file);
    if (adopted)
        file->file = NULL; // the model's now
    if (!filled) {
        hyp_fail_in_file(path);
        hyperionFreeModel(model);
    }
    hyperionCloseWeights(file);
    return filled ? model : NULL;
}
