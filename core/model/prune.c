// SPDX-License-Identifier: Apache-2.0
#include "model/prune.h"

#include "common/fail.h"

#include <stdlib.h>

// Marks what is needed: number[tensor] becomes 0, the others stay -1. Layers run in order, so that
// one pass from the last to the first sees every reader before the layer it reads.
static void mark_needed(const HyperionModel *model, int *number)
{
    for (int i = 0; i < model->tensor_count; i++)
        number[i] = -1;
    for (int i = 0; i < model->input_count; i++)
        number[model->inputs[i]] = 0;
    for (int i = 0; i < model->output_count; i++)
        number[model->outputs[i]] = 0;
    for (int i = model->layer_count; i-- > 0;) {
        const HypLayer *layer = &model->layers[i];
        if (number[layer->outputs[0]] < 0)
            continue;
        for (int j = 0; j < layer->input_count; j++)
            number[layer->inputs[j]] = 0;
    }
    for (int i = 0; i < model->tensor_count; i++) {
        const HypRowFold *rows = &model->tensors[i].rows;
        if (number[i] >= 0 && rows->scaled)
            number[rows->scale] = 0;
        if (number[i] >= 0 && rows->shifted)
            number[rows->shift] = 0;
    }
}

static void keep_layers(HyperionModel *model, const int *number)
{
    int kept = 0;
    for (int i = 0; i < model->layer_count; i++) {
        HypLayer *layer = &model->layers[i];
        if (number[layer->outputs[0]] < 0) {
            free(layer->name);
            free(layer->inputs);
            continue;
        }
        for (int j = 0; j < layer->input_count; j++)
            layer->inputs[j] = number[layer->inputs[j]];
        layer->outputs[0] = number[layer->outputs[0]];
        model->layers[kept++] = *layer;
    }
    model->layer_count = kept;
}

static void keep_tensors(HyperionModel *model, const int *number)
{
    int kept = 0;
    for (int i = 0; i < model->tensor_count; i++) {
        HypGraphTensor *tensor = &model->tensors[i];
        if (number[i] < 0) {
            free(tensor->name);
            hyp_platform_release(tensor->data);
            continue;
        }
        if (tensor->view_of >= 0)
            tensor->view_of = number[tensor->view_of];
        if (tensor->rows.scaled)
            tensor->rows.scale = number[tensor->rows.scale];
        if (tensor->rows.shifted)
            tensor->rows.shift = number[tensor->rows.shift];
        model->tensors[kept++] = *tensor;
    }
    model->tensor_count = kept;
}

static void keep_fusions(HyperionModel *model, const int *number)
{
    int kept = 0;
    for (int i = 0; i < model->fusion_count; i++) {
        HypFusion fusion = model->fusions[i];
        fusion.result = number[fusion.result];
        if (fusion.result >= 0)
            model->fusions[kept++] = fusion;
    }
    model->fusion_count = kept;
}

bool hyp_model_prune(HyperionModel *model)
{
    // One more than needed: calloc(0) may be NULL.
    int *number = calloc((size_t)model->tensor_count + 1, sizeof *number);
    if (!number)
        return hyp_fail(HYPERION_ERROR_MEMORY, "model %s: out of memory", model->name);
    mark_needed(model, number);
    int kept = 0;
    HypNameMap names = {0};
    for (int i = 0; i < model->tensor_count; i++) {
        if (number[i] < 0)
            continue;
        if (!hyp_name_map_reserve(&names)) {
            hyp_name_map_free(&names);
            free(number);
            return false;
        }
        number[i] = kept++;
        hyp_name_map_set(&names, model->tensors[i].name, number[i]);
    }
    keep_layers(model, number);
    keep_tensors(model, number);
    keep_fusions(model, number);
    hyp_name_map_free(&model->tensor_names);
    model->tensor_names = names;
    for (int i = 0; i < model->input_count; i++)
        model->inputs[i] = number[model->inputs[i]];
    for (int i = 0; i < model->output_count; i++)
        model->outputs[i] = number[model->outputs[i]];
    free(number);
    return true;
}
