// SPDX-License-Identifier: Apache-2.0
// Every activation has memory of its own for as long as the preparation lives; reuse needs a plan.
// Weights are all read before the first layer runs, so that a run that fails has written nothing,
// unless an index among the values is out of range.
#include "model/executor.h"

#include "hyperion/tensor.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/layer_op.h"
#include "model/thread_pool.h"
#include "model/weight_copies.h"
#include "model/weights.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct HypPreparation {
    void *activations;
    void *workspace;                 // of the layer that needs most
    size_t *offsets;                 // by tensor, see hyp_model_place_activations
    void **data;                     // by tensor: its bytes in the run under way
    HyperionGemmBlocking *blockings; // by layer
    HyperionParallel parallel;
};

void hyp_preparation_free(HypPreparation *preparation)
{
    if (!preparation)
        return;
    hyp_platform_release(preparation->activations);
    hyp_platform_release(preparation->workspace);
    free(preparation->offsets);
    free((void *)preparation->data);
    free(preparation->blockings);
    free(preparation);
}

// The output whose memory layers write tensor `root` to: the first that is it or a view of it; -1
// for none, and for weights and inputs, which have memory already.
static int find_direct_output(const HyperionModel *model, int root)
{
    if (model->tensors[root].role != HYP_TENSOR_ACTIVATION)
        return -1;
    for (int i = 0; i < model->output_count; i++)
        if (hyp_model_root(model, model->outputs[i]) == root)
            return i;
    return -1;
}

size_t hyp_model_place_activations(const HyperionModel *model, size_t *offsets)
{
    size_t used_bytes = 0;
    for (int i = 0; i < model->tensor_count; i++) {
        const HypGraphTensor *tensor = &model->tensors[i];
        const bool placed = tensor->role == HYP_TENSOR_ACTIVATION && tensor->view_of < 0 &&
                            find_direct_output(model, i) < 0;
        if (offsets)
            offsets[i] = placed ? used_bytes : SIZE_MAX;
        if (placed && (!hyp_size_add(used_bytes, tensor->shape.size_bytes, &used_bytes) ||
                       !hyp_size_round_up(used_bytes, 64, &used_bytes)))
            return SIZE_MAX;
    }
    return used_bytes;
}

static bool resolve_blocking(const HyperionModel *model, const HypLayer *layer,
                             HyperionGemmBlocking *blocking)
{
    HypLayerProduct product;
    if (!hyp_layer_product(model, layer, &product))
        return true;
    const HypModelSettings *settings = &model->settings;
    const HypKernelVariant *kernel =
        settings->dispatch.best[hyp_layer_op(layer->op)->product_kernel];
    const bool resolved = hyperionResolveGemmBlocking(
        &product.shape, &settings->cache, &settings->topology, (int)kernel->level, blocking);
    // It is for the gemm kernel's tile: a convolution of the same level has the same.
    assert(!resolved || (blocking->mr == kernel->mr && blocking->nr == kernel->nr));
    return resolved;
}

// Blockings, and memory that is large enough for the workspace of every layer.
static bool prepare_layers(const HyperionModel *model, HypPreparation *preparation)
{
    size_t workspace_bytes = 0;
    for (int i = 0; i < model->layer_count; i++) {
        const HypLayer *layer = &model->layers[i];
        if (!resolve_blocking(model, layer, &preparation->blockings[i]))
            return false;
        const HypLayerRun run = {.model = model,
                                 .layer = layer,
                                 .data = preparation->data,
                                 .blocking = preparation->blockings[i],
                                 .parallel = &preparation->parallel};
        const HypLayerOp *op = hyp_layer_op(layer->op);
        const size_t needed_bytes = op->workspace_bytes ? op->workspace_bytes(&run) : 0;
        if (needed_bytes > workspace_bytes)
            workspace_bytes = needed_bytes;
    }
    preparation->workspace = hyp_platform_allocate(workspace_bytes, 64);
    return preparation->workspace != NULL;
}

static HypPreparation *prepare(const HyperionModel *model)
{
    const size_t tensor_count = (size_t)model->tensor_count;
    HypPreparation *made = calloc(1, sizeof *made);
    if (!made)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "run model %s: out of memory", model->name);
    // One more than needed: calloc(0) may be NULL.
    made->parallel = hyperionThreadPoolParallel(model->pool);
    made->offsets = calloc(tensor_count + 1, sizeof *made->offsets);
    made->data = (void **)calloc(tensor_count + 1, sizeof *made->data);
    made->blockings = calloc((size_t)model->layer_count + 1, sizeof *made->blockings);
    bool ready = false;
    if (!made->offsets || !made->data || !made->blockings) {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "run model %s: out of memory", model->name);
    } else {
        made->activations =
            hyp_platform_allocate(hyp_model_place_activations(model, made->offsets), 64);
        ready = made->activations && prepare_layers(model, made);
    }
    if (!ready) {
        hyp_preparation_free(made);
        return NULL;
    }
    return made;
}

// Whether `given` holds what tensor `expected` of the model is.
static bool check_tensor(const HyperionModel *model, const char *what, int index, int expected,
                         const HyperionTensor *given)
{
    const HypGraphTensor *tensor = &model->tensors[expected];
    HypShape shape;
    char want[HYP_SHAPE_TEXT_BYTES];
    char got[HYP_SHAPE_TEXT_BYTES];
    if (!given)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "run model %s: %s %d, '%s', is NULL", model->name,
                        what, index, tensor->name);
    if (!hyp_shape_create(&shape, tensor->name, hyperionTensorType(given),
                          hyperionTensorRank(given), hyperionTensorDims(given)))
        return false;
    return hyp_shape_equal(&shape, &tensor->shape) ||
           hyp_fail(HYPERION_ERROR_ARGUMENT, "run model %s: %s %d, '%s', is %s, given %s",
                    model->name, what, index, tensor->name, hyp_shape_text(&tensor->shape, want),
                    hyp_shape_text(&shape, got));
}

static bool tensors_overlap(const HyperionTensor *a, const HyperionTensor *b)
{
    const uintptr_t a_first = (uintptr_t)hyperionTensorConstData(a);
    const uintptr_t b_first = (uintptr_t)hyperionTensorConstData(b);
    const size_t a_bytes = hyperionTensorBytes(a);
    const size_t b_bytes = hyperionTensorBytes(b);
    return a_bytes && b_bytes && a_first < b_first + b_bytes && b_first < a_first + a_bytes;
}

// Layers write outputs while others are still to read inputs: an output shares memory with nothing.
static bool check_overlap(const HyperionModel *model, HyperionTensor *const *inputs,
                          HyperionTensor *const *outputs)
{
    for (int i = 0; i < model->output_count; i++) {
        const char *name = model->tensors[model->outputs[i]].name;
        for (int j = 0; j < i; j++)
            if (tensors_overlap(outputs[i], outputs[j]))
                return hyp_fail(HYPERION_ERROR_ARGUMENT,
                                "run model %s: outputs %d and %d ('%s') share memory", model->name,
                                j, i, name);
        for (int j = 0; j < model->input_count; j++)
            if (tensors_overlap(outputs[i], inputs[j]))
                return hyp_fail(HYPERION_ERROR_ARGUMENT,
                                "run model %s: input %d and output %d ('%s') share memory",
                                model->name, j, i, name);
    }
    return true;
}

static bool check_call(const HyperionModel *model, HyperionTensor *const *inputs,
                       HyperionTensor *const *outputs)
{
    if ((!inputs && model->input_count) || (!outputs && model->output_count))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "run model %s: %s is NULL", model->name,
                        inputs ? "outputs" : "inputs");
    for (int i = 0; i < model->input_count; i++)
        if (!check_tensor(model, "input", i, model->inputs[i], inputs[i]))
            return false;
    for (int i = 0; i < model->output_count; i++)
        if (!check_tensor(model, "output", i, model->outputs[i], outputs[i]))
            return false;
    return check_overlap(model, inputs, outputs);
}

// NULL where the tensor is none.
static void *find_weight(const HyperionModel *model, int tensor)
{
    void *copy = hyp_weight_copies_data(model->weight_copies, tensor);
    return copy ? copy : model->tensors[tensor].data;
}

// Fills preparation->data for this run.
static void bind_memory(const HyperionModel *model, HyperionTensor *const *inputs,
                        HyperionTensor *const *outputs)
{
    const HypPreparation *preparation = model->preparation;
    void **data = preparation->data;
    for (int i = 0; i < model->tensor_count; i++) {
        const size_t offset = preparation->offsets[i];
        data[i] =
            offset == SIZE_MAX ? find_weight(model, i) : (char *)preparation->activations + offset;
    }
    for (int i = 0; i < model->input_count; i++)
        data[model->inputs[i]] = hyperionTensorData(inputs[i]);
    for (int i = 0; i < model->output_count; i++) {
        const int root = hyp_model_root(model, model->outputs[i]);
        if (find_direct_output(model, root) == i)
            data[root] = hyperionTensorData(outputs[i]);
    }
    for (int i = 0; i < model->tensor_count; i++)
        data[i] = data[hyp_model_root(model, i)];
}

// False where the values of an input cannot be computed with.
static bool run_layers(const HyperionModel *model)
{
    const HypPreparation *preparation = model->preparation;
    for (int i = 0; i < model->layer_count; i++) {
        const HypLayerOp *op = hyp_layer_op(model->layers[i].op);
        if (hyp_layer_is_view(model, &model->layers[i]))
            continue;
        const HypLayerRun run = {.model = model,
                                 .layer = &model->layers[i],
                                 .data = preparation->data,
                                 .blocking = preparation->blockings[i],
                                 .workspace = preparation->workspace,
                                 .parallel = &preparation->parallel};
        if (op->check_values && !op->check_values(&run))
            return false;
        op->execute(&run);
    }
    return true;
}

// Outputs that no layer writes: inputs, weights, and further views of an output.
static void copy_outputs(const HyperionModel *model, HyperionTensor *const *outputs)
{
    for (int i = 0; i < model->output_count; i++) {
        const int tensor = model->outputs[i];
        const size_t size_bytes = model->tensors[tensor].shape.size_bytes;
        if (size_bytes && find_direct_output(model, hyp_model_root(model, tensor)) != i)
            memcpy(hyperionTensorData(outputs[i]), model->preparation->data[tensor], size_bytes);
    }
}

static bool start_threads(HyperionModel *model)
{
    if (!model->pool && model->settings.thread_count > 1)
        model->pool = hyperionCreateThreadPool(model->settings.thread_count, NULL);
    return model->pool || model->settings.thread_count == 1;
}

bool hyperionRunModel(HyperionModel *model, HyperionTensor *const *inputs,
                      HyperionTensor *const *outputs)
{
    if (!hyp_model_hold(model, "run model"))
        return false;
    bool ran = false;
    if (check_call(model, inputs, outputs) && hyp_weights_read_all(model)) {
        if (!model->preparation && start_threads(model))
            model->preparation = prepare(model);
        if (model->preparation) {
            hyp_weight_copies_turn(model->weight_copies);
            bind_memory(model, inputs, outputs);
            ran = run_layers(model);
            if (ran)
                copy_outputs(model, outputs);
        }
    }
    hyp_model_end_change(model);
    return ran;
}
