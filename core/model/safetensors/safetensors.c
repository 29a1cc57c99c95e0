// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors/safetensors.h"

#include "common/fail.h"
#include "model/safetensors/safetensors_header.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const HypSafeTypeFacts hyp_safe_types[HYP_SAFE_TYPE_COUNT] = {
#define ROW(name, bits) {#name, bits},
    HYP_SAFE_TYPES(ROW)
#undef ROW
};

// Reads the length and then the header it tells of, once it is known to be in the file.
static bool read_header(HyperionWeightsFile *weights)
{
    const uint64_t file_bytes = hyp_platform_file_bytes(weights->file);
    unsigned char length[SAFETENSORS_LENGTH_BYTES];
    if (file_bytes < sizeof length)
        return hyp_fail(HYPERION_ERROR_FORMAT, "%" PRIu64 " bytes are no safetensors file",
                        file_bytes);
    if (!hyp_platform_read(weights->file, 0, length, sizeof length))
        return false;
    uint64_t header_bytes = 0;
    for (int i = SAFETENSORS_LENGTH_BYTES; i-- > 0;)
        header_bytes = header_bytes << 8 | length[i];
    if (header_bytes > SAFETENSORS_MOST_HEADER_BYTES || header_bytes > file_bytes - sizeof length)
        return hyp_fail(HYPERION_ERROR_FORMAT,
                        "a header of %" PRIu64 " bytes, at most %d in a file of %" PRIu64,
                        header_bytes, SAFETENSORS_MOST_HEADER_BYTES, file_bytes);
    weights->header = malloc(header_bytes + 1);
    if (!weights->header)
        return hyp_fail(HYPERION_ERROR_MEMORY, "no memory for a header of %" PRIu64 " bytes",
                        header_bytes);
    weights->header_bytes = header_bytes;
    return hyp_platform_read(weights->file, sizeof length, weights->header, header_bytes);
}

HyperionWeightsFile *hyperionOpenWeights(const char *path)
{
    if (!path)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "open weights: path is NULL");
    HyperionWeightsFile *weights = calloc(1, sizeof *weights);
    if (!weights)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "open weights %s: out of memory", path);
    weights->file = hyp_platform_open(path);
    if (weights->file && read_header(weights) && hyp_safetensors_parse(weights) &&
        hyp_platform_file_unchanged(weights->file))
        return weights;
    if (weights->file && !strstr(hyperionGetLastError(), path))
        (void)hyp_fail(hyperionGetLastErrorKind(), "%s: %s", path, hyperionGetLastError());
    hyperionCloseWeights(weights);
    return NULL;
}

void hyperionCloseWeights(HyperionWeightsFile *file)
{
    if (!file)
        return;
    hyp_platform_close(file->file);
    free(file->header);
    free(file->tensors);
    free(file->texts);
    free(file);
}

int hyperionWeightsTensorCount(const HyperionWeightsFile *file)
{
    if (!file)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "weights: file is NULL");
    return (int)file->tensor_count;
}

// The tensor; NULL, last error set, if there is none.
static const SafeTensor *find_tensor(const HyperionWeightsFile *file, int index)
{
    if (!file)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "weights: file is NULL");
    if (index < 0 || (size_t)index >= file->tensor_count)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "weights: tensor %d of %zu", index,
                             file->tensor_count);
    return &file->tensors[index];
}

HyperionStoredTensor hyperionWeightsTensor(const HyperionWeightsFile *file, int index)
{
    const SafeTensor *found = find_tensor(file, index);
    if (!found)
        return (HyperionStoredTensor){0};
    HyperionStoredTensor tensor = {
        .name = found->name,
        .name_bytes = found->name_bytes,
        .type = hyp_safe_types[found->type].name,
        .rank = (int)found->rank,
        .file_offset = SAFETENSORS_LENGTH_BYTES + file->header_bytes + found->begin,
        .size_bytes = found->end - found->begin,
    };
    memcpy(tensor.dims, found->dims, sizeof tensor.dims);
    return tensor;
}

bool hyperionReadWeightsTensor(const HyperionWeightsFile *file, int index, void *buffer,
                               size_t buffer_bytes)
{
    const SafeTensor *found = find_tensor(file, index);
    if (!found)
        return false;
    if (found->end - found->begin != buffer_bytes || (!buffer && buffer_bytes))
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "weights: tensor '%s' has %" PRIu64 " bytes, given %s of %zu", found->name,
                        found->end - found->begin, buffer ? "a buffer" : "NULL", buffer_bytes);
    return hyp_platform_read(file->file,
                             SAFETENSORS_LENGTH_BYTES + file->header_bytes + found->begin, buffer,
                             buffer_bytes) &&
           hyp_platform_file_unchanged(file->file);
}

bool hyp_safetensors_metadata(const HyperionWeightsFile *file, const char *key,
                              HypJsonString *value)
{
    for (size_t i = 0; i < file->text_count; i++) {
        const SafeText *text = &file->texts[i];
        const HypJsonString found = {file->header + text->key, text->key_bytes};
        if (hyp_json_string_is(&found, key)) {
            *value = (HypJsonString){file->header + text->value, text->value_bytes};
            return true;
        }
    }
    return false;
}

const char *hyperionWeightsMetadata(const HyperionWeightsFile *file, const char *key)
{
    HypJsonString value;
    if (!file || !key)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "weights: %s is NULL", file ? "key" : "file");
    return hyp_safetensors_metadata(file, key, &value) ? value.bytes : NULL;
}
