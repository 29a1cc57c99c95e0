// SPDX-License-Identifier: Apache-2.0
#include "model/weight_bytes.h"

#include "common/fail.h"
#include "model/safetensors/weight_run.h"

#include <stdlib.h>

// Reads the values of a weight, in parts where they are converted.
static bool read_values(const HypFile *file, const HypGraphTensor *weight, void *data)
{
    enum { MOST_VALUES = 4096 };
    uint64_t part[MOST_VALUES];
    uint64_t offset = weight->file_offset;
    size_t part_bytes;
    if (weight->stored == HYP_STORED_AS_IS)
        return hyp_platform_read(file, offset, data, weight->shape.size_bytes);
    for (size_t done = 0; done < weight->shape.element_count; done += MOST_VALUES) {
        const size_t left = weight->shape.element_count - done;
        const size_t count = left < MOST_VALUES ? left : MOST_VALUES;
        if (!hyp_stored_bytes(weight->stored, weight->shape.type, count, &part_bytes) ||
            !hyp_platform_read(file, offset, part, part_bytes))
            return false;
        hyp_stored_convert(weight->stored, part, (float *)data + done, count);
        offset += part_bytes;
    }
    return true;
}

static bool fill_plain(const HyperionModel *model, const HypGraphTensor *weight, void *data)
{
    if (weight->source == HYP_WEIGHT_SEEDED) {
        hyp_seeded_values_fill(&weight->seeded, data, weight->shape.element_count);
        return true;
    }
    // Asked after the read whether the file held still, so that a change during it is seen too.
    const HypFile *file = model->files[weight->file];
    return (read_values(file, weight, data) && hyp_platform_file_unchanged(file)) ||
           hyp_fail(hyperionGetLastErrorKind(), "model %s, weight '%s': %s", model->name,
                    weight->name, hyperionGetLastError());
}

static bool read_folds(HyperionModel *model, const HypRowFold *rows)
{
    return (!rows->scaled || hyp_weights_read(model, rows->scale)) &&
           (!rows->shifted || hyp_weights_read(model, rows->shift));
}

// See HypRowFold; what it needs is read before.
static void fold_rows(const HyperionModel *model, const HypGraphTensor *weight,
                      const HypRowFold *rows, float *data)
{
    const float *scale = rows->scaled ? model->tensors[rows->scale].data : NULL;
    const float *shift = rows->shifted ? model->tensors[rows->shift].data : NULL;
    const size_t row_count = weight->shape.rank ? (size_t)weight->shape.dims[0] : 1;
    const size_t row_length = row_count ? weight->shape.element_count / row_count : 0;
    for (size_t row = 0; row < row_count; row++, data += row_length)
        for (size_t i = 0; i < row_length; i++)
            data[i] = data[i] * (scale ? scale[row] : 1.0F) + (shift ? shift[row] : 0.0F);
}

bool hyp_weights_read_folds(HyperionModel *model, int tensor)
{
    return read_folds(model, &model->tensors[tensor].rows);
}

void hyp_weights_fold(const HyperionModel *model, int tensor, void *data)
{
    const HypGraphTensor *weight = &model->tensors[tensor];
    if (weight->rows.scaled || weight->rows.shifted)
        fold_rows(model, weight, &weight->rows, data);
}

bool hyp_weights_fill(const HyperionModel *model, int tensor, void *data)
{
    if (!fill_plain(model, &model->tensors[tensor], data))
        return false;
    hyp_weights_fold(model, tensor, data);
    return true;
}

bool hyp_weights_read(HyperionModel *model, int tensor)
{
    const int root = hyp_model_root(model, tensor);
    HypGraphTensor *weight = &model->tensors[root];
    if (weight->data)
        return true;
    const HypWeightRun *run = hyp_weight_run_of(model, root);
    if (run)
        return hyp_weight_run_read(model, run);
    if (!read_folds(model, &weight->rows))
        return false;
    void *data = hyp_platform_allocate(weight->shape.size_bytes, 64);
    if (!data)
        return false;
    if (!hyp_weights_fill(model, root, data)) {
        hyp_platform_release(data);
        return false;
    }
    weight->data = data;
    return true;
}

bool hyp_weights_fold_rows(HyperionModel *model, int tensor, const HypRowFold *rows)
{
    HypGraphTensor *weight = &model->tensors[tensor];
    if (weight->data && !read_folds(model, rows))
        return false;
    if (weight->data)
        fold_rows(model, weight, rows, weight->data);
    // Owned bytes are never made again.
    if (weight->source != HYP_WEIGHT_OWNED)
        weight->rows = *rows;
    return true;
}

void hyp_weights_drop(HyperionModel *model, int tensor)
{
    HypGraphTensor *weight = &model->tensors[tensor];
    if (weight->source == HYP_WEIGHT_OWNED)
        return;
    hyp_platform_release(weight->data);
    weight->data = NULL;
}

bool hyp_weights_read_layer(HyperionModel *model, int layer, size_t *read_bytes)
{
    const HypLayer *reader = &model->layers[layer];
    *read_bytes = 0;
    for (int i = 0; i < reader->input_count; i++) {
        const int weight = hyp_model_root(model, reader->inputs[i]);
        if (model->tensors[weight].role != HYP_TENSOR_WEIGHT || model->tensors[weight].data)
            continue;
        if (!hyp_weights_read(model, weight))
            return false;
        *read_bytes += model->tensors[weight].shape.size_bytes;
    }
    return true;
}

bool hyp_weights_read_outputs(HyperionModel *model)
{
    for (int i = 0; i < model->output_count; i++)
        if (model->tensors[model->outputs[i]].role == HYP_TENSOR_WEIGHT &&
            !hyp_weights_read(model, model->outputs[i]))
            return false;
    return true;
}

bool hyp_weights_read_all(HyperionModel *model)
{
    size_t unused_bytes;
    for (int i = 0; i < model->layer_count; i++)
        if (!hyp_weights_read_layer(model, i, &unused_bytes))
            return false;
    return hyp_weights_read_outputs(model);
}

// Marks a weight that is to be read, and those that it is folded with.
static void mark_needed(const HyperionModel *model, int tensor, bool *needed)
{
    const int root = hyp_model_root(model, tensor);
    const HypGraphTensor *weight = &model->tensors[root];
    if (weight->role != HYP_TENSOR_WEIGHT || needed[root])
        return;
    needed[root] = true;
    if (!weight->data && weight->rows.scaled)
        mark_needed(model, weight->rows.scale, needed);
    if (!weight->data && weight->rows.shifted)
        mark_needed(model, weight->rows.shift, needed);
}

size_t hyp_weights_needed_bytes(const HyperionModel *model)
{
    bool *needed = calloc((size_t)model->tensor_count + 1, sizeof *needed);
    size_t bytes = 0;
    if (!needed) {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "weights of model %s: out of memory", model->name);
        return SIZE_MAX;
    }
    for (int i = 0; i < model->layer_count; i++)
        for (int j = 0; j < model->layers[i].input_count; j++)
            mark_needed(model, model->layers[i].inputs[j], needed);
    for (int i = 0; i < model->output_count; i++)
        mark_needed(model, model->outputs[i], needed);
    for (int i = 0; i < model->tensor_count; i++)
        if (needed[i] || (model->tensors[i].data && model->tensors[i].view_of < 0))
            bytes += model->tensors[i].shape.size_bytes;
    free(needed);
    return bytes;
}
