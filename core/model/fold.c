// SPDX-License-Identifier: Apache-2.0
#include "model/fold.h"

#include "hyperion/parallel.h"

#include "common/array.h"
#include "model/layer_op.h"
#include "model/weight_bytes.h"

#include <stdlib.h>

void hyp_folder_free(HypFolder *folder)
{
    free((void *)folder->data);
    *folder = (HypFolder){0};
}

// Weights in a file that are larger go again once a layer is computed: it was mostly that layer
// that read them. Those of shapes stay, for the next.
enum { MOST_KEPT_BYTES = 4096 };

// Bytes in memory that folding `layer` needs; SIZE_MAX where it is not to be folded.
static size_t count_bytes(const HyperionModel *model, const HypLayer *layer)
{
    const HypGraphTensor *result = &model->tensors[layer->outputs[0]];
    size_t total_bytes = result->shape.size_bytes;
    if (result->view_of >= 0 || hyp_layer_op(layer->op)->product)
        return SIZE_MAX;
    for (int i = 0; i < layer->input_count; i++) {
        const HypGraphTensor *root = &model->tensors[hyp_model_root(model, layer->inputs[i])];
        if (root->role != HYP_TENSOR_WEIGHT)
            return SIZE_MAX;
        // Each is below SIZE_MAX / 2: the first that is too large ends the sum.
        total_bytes += root->data ? 0 : root->shape.size_bytes;
        if (total_bytes > PTRDIFF_MAX)
            return SIZE_MAX;
    }
    return total_bytes;
}

// Room for a pointer a tensor, with those of the layer's inputs filled in: NULL for what has not
// been read.
static bool bind_layer(HypFolder *folder, const HypLayer *layer)
{
    const HyperionModel *model = folder->model;
    void **data = (void **)hyp_array_reserve((void *)folder->data, &folder->data_capacity,
                                             (size_t)model->tensor_count, sizeof *data);
    if (!data)
        return false;
    folder->data = data;
    for (int i = 0; i < layer->input_count; i++)
        data[layer->inputs[i]] = model->tensors[hyp_model_root(model, layer->inputs[i])].data;
    data[layer->outputs[0]] = NULL;
    return true;
}

static bool read_inputs(HyperionModel *model, const HypLayer *layer)
{
    for (int i = 0; i < layer->input_count; i++)
        if (!hyp_weights_read(model, layer->inputs[i]))
            return false;
    return true;
}

// Of a bound layer.
static size_t count_workspace_bytes(const HypLayerRun *run)
{
    const HypLayerOp *op = hyp_layer_op(run->layer->op);
    return op->workspace_bytes ? op->workspace_bytes(run) : 0;
}

// False, last error set, where the inputs' values do not allow that.
static bool execute(HypLayerRun *run)
{
    const HypLayerOp *op = hyp_layer_op(run->layer->op);
    run->workspace = hyp_platform_allocate(count_workspace_bytes(run), 64);
    const bool can = run->workspace && (!op->check_values || op->check_values(run));
    if (can)
        op->execute(run);
    hyp_platform_release(run->workspace);
    return can;
}

static void release_inputs(HyperionModel *model, const HypLayer *layer)
{
    for (int i = 0; i < layer->input_count; i++) {
        HypGraphTensor *root = &model->tensors[hyp_model_root(model, layer->inputs[i])];
        if (root->source == HYP_WEIGHT_OWNED || root->shape.size_bytes <= MOST_KEPT_BYTES)
            continue;
        hyp_platform_release(root->data);
        root->data = NULL;
    }
}

bool hyp_fold_last_layer(HypFolder *folder)
{
    HyperionModel *model = folder->model;
    HypLayer *layer = &model->layers[model->layer_count - 1];
    const size_t needed_bytes = count_bytes(model, layer);
    if (needed_bytes > folder->budget_bytes)
        return true;
    if (!bind_layer(folder, layer))
        return false;
    const HyperionParallel alone = hyperionThreadPoolParallel(NULL);
    HypLayerRun run = {.model = model, .layer = layer, .data = folder->data, .parallel = &alone};
    // It goes again, but a file shall not ask for more than it may keep either.
    if (count_workspace_bytes(&run) > folder->budget_bytes)
        return true;
    HypGraphTensor *result = &model->tensors[layer->outputs[0]];
    void *data = hyp_platform_allocate(result->shape.size_bytes, 64);
    bool computed = data && read_inputs(model, layer) && bind_layer(folder, layer);
    if (computed) {
        folder->data[layer->outputs[0]] = data;
        computed = execute(&run);
    }
    if (!computed) {
        hyp_platform_release(data);
        return false;
    }
    release_inputs(model, layer);
    folder->budget_bytes -= result->shape.size_bytes;
    result->role = HYP_TENSOR_WEIGHT;
    result->source = HYP_WEIGHT_OWNED;
    result->data = data;
    free(layer->name);
    free(layer->inputs);
    model->layer_count--;
    return true;
}
