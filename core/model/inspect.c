// SPDX-License-Identifier: Apache-2.0
#include "model/graph.h"

#include "common/fail.h"
#include "model/layer_op.h"
#include "model/run_plan.h"

// Whether `index` is one of `count` of a model that is there; `what` says of what.
static bool check_index(const HyperionModel *model, const char *what, int index, int count)
{
    if (!model) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: model is NULL", what);
        return false;
    }
    return (index >= 0 && index < count) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "%s: %d of %d", what, index, count);
}

static bool check_model(const HyperionModel *model)
{
    return check_index(model, "inspect model", 0, 1);
}

const char *hyperionModelName(const HyperionModel *model)
{
    return check_model(model) ? model->name : "";
}

int hyperionModelLayerCount(const HyperionModel *model)
{
    return check_model(model) ? model->layer_count : 0;
}

int hyperionModelTensorCount(const HyperionModel *model)
{
    return check_model(model) ? model->tensor_count : 0;
}

int hyperionModelInputCount(const HyperionModel *model)
{
    return check_model(model) ? model->input_count : 0;
}

int hyperionModelOutputCount(const HyperionModel *model)
{
    return check_model(model) ? model->output_count : 0;
}

static size_t count_layer_weight_bytes(const HyperionModel *model, const HypLayer *layer)
{
    size_t total_bytes = 0;
    if (hyp_layer_is_view(model, layer))
        return 0;
    for (int i = 0; i < layer->input_count; i++) {
        const HypGraphTensor *input = &model->tensors[layer->inputs[i]];
        if (input->role != HYP_TENSOR_WEIGHT)
            continue;
        const HypRowFold *rows = &model->tensors[hyp_model_root(model, layer->inputs[i])].rows;
        total_bytes += input->shape.size_bytes;
        if (rows->scaled)
            total_bytes += model->tensors[rows->scale].shape.size_bytes;
        if (rows->shifted)
            total_bytes += model->tensors[rows->shift].shape.size_bytes;
    }
    return total_bytes;
}

static double count_layer_flops(const HyperionModel *model, const HypLayer *layer)
{
    const HypLayerOp *op = hyp_layer_op(layer->op);
    return op->flops ? op->flops(model, layer) : 0.0;
}

HyperionLayerInfo hyperionModelLayer(const HyperionModel *model, int layer)
{
    if (!check_index(model, "model layer", layer, model ? model->layer_count : 0))
        return (HyperionLayerInfo){0};
    const HypLayer *found = &model->layers[layer];
    return (HyperionLayerInfo){
        .name = found->name,
        .op = found->op,
        .op_name = hyperionLayerOpName(found->op),
        .input_count = found->input_count,
        .output_count = found->output_count,
        .weight_bytes = count_layer_weight_bytes(model, found),
        .flops = count_layer_flops(model, found),
    };
}

int hyperionModelLayerInput(const HyperionModel *model, int layer, int index)
{
    if (!check_index(model, "model layer", layer, model ? model->layer_count : 0) ||
        !check_index(model, "layer input", index, model->layers[layer].input_count))
        return -1;
    return model->layers[layer].inputs[index];
}

int hyperionModelLayerOutput(const HyperionModel *model, int layer, int index)
{
    if (!check_index(model, "model layer", layer, model ? model->layer_count : 0) ||
        !check_index(model, "layer output", index, model->layers[layer].output_count))
        return -1;
    return model->layers[layer].outputs[index];
}

HyperionTensorInfo hyperionModelTensor(const HyperionModel *model, int tensor)
{
    if (!check_index(model, "model tensor", tensor, model ? model->tensor_count : 0))
        return (HyperionTensorInfo){0};
    const HypGraphTensor *found = &model->tensors[tensor];
    const HypGraphTensor *root = &model->tensors[hyp_model_root(model, tensor)];
    HyperionTensorInfo info = {
        .name = found->name,
        .type = found->shape.type,
        .rank = found->shape.rank,
        .size_bytes = found->shape.size_bytes,
        .is_weight = found->role == HYP_TENSOR_WEIGHT,
        .file_offset = root->file == 0 && root->stored == HYP_STORED_AS_IS ? root->file_offset : 0,
    };
    for (int i = 0; i < HYPERION_MAX_RANK; i++)
        info.dims[i] = found->shape.dims[i];
    return info;
}

HyperionTensorInfo hyperionModelInput(const HyperionModel *model, int index)
{
    if (!check_index(model, "model input", index, model ? model->input_count : 0))
        return (HyperionTensorInfo){0};
    return hyperionModelTensor(model, model->inputs[index]);
}

HyperionTensorInfo hyperionModelOutput(const HyperionModel *model, int index)
{
    if (!check_index(model, "model output", index, model ? model->output_count : 0))
        return (HyperionTensorInfo){0};
    return hyperionModelTensor(model, model->outputs[index]);
}

int hyperionModelFusionCount(const HyperionModel *model)
{
    return check_model(model) ? model->fusion_count : 0;
}

HyperionFusionInfo hyperionModelFusion(const HyperionModel *model, int index)
{
    if (!check_index(model, "model fusion", index, model ? model->fusion_count : 0))
        return (HyperionFusionInfo){0};
    const HypFusion *fusion = &model->fusions[index];
    int layer = 0;
    while (model->layers[layer].outputs[0] != fusion->result)
        layer++;
    return (HyperionFusionInfo){
        .rule = fusion->rule, .layer = layer, .layer_count = fusion->layer_count};
}

size_t hyperionModelWeightBytes(const HyperionModel *model)
{
    size_t total_bytes = 0;
    for (int i = 0; check_model(model) && i < model->tensor_count; i++)
        if (model->tensors[i].role == HYP_TENSOR_WEIGHT && model->tensors[i].view_of < 0)
            total_bytes += model->tensors[i].shape.size_bytes;
    return total_bytes;
}

size_t hyperionModelActivationBytes(const HyperionModel *model)
{
    return check_model(model) ? hyp_run_plan_place_apart(model, NULL) : 0;
}

double hyperionModelFlops(const HyperionModel *model)
{
    double total = 0.0;
    for (int i = 0; check_model(model) && i < model->layer_count; i++)
        total += count_layer_flops(model, &model->layers[i]);
    return total;
}
