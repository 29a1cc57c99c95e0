// SPDX-License-Identifier: Apache-2.0
#include "model/rewrite/rewrite.h"

#include "common/array.h"
#include "common/fail.h"
#include "model/layer_op.h"
#include "model/prune.h"

#include <stdlib.h>
#include <string.h>

// Patterns come before what takes their result in.
static const HypRewriteRule *const rules[] = {
    &hyp_rule_batchnorm,          &hyp_rule_layernorm, &hyp_rule_bias,
    &hyp_rule_gelu_erf,           &hyp_rule_gelu_tanh, &hyp_rule_silu,
    &hyp_rule_hard_swish,         &hyp_rule_attention, &hyp_rule_product_activation,
    &hyp_rule_transposed_product,
};
enum { RULE_COUNT = sizeof rules / sizeof rules[0] };

struct HypRewrite {
    HyperionModel *model;
    int *producers;   // by tensor: the layer that makes it, -1 for none
    int *uses;        // by tensor: inputs of layers, and outputs, that are it
    int *absorbed_by; // by layer: the layer that does its work; itself while it is alive
    int *dying;       // a stack of layers
    int died;         // layers, since the rule under way began
    bool failed;      // and not for the pattern's sake
};

HyperionModel *hyp_rewrite_model_of(const HypRewrite *rewrite)
{
    return rewrite->model;
}

const HypLayer *hyp_rewrite_layer(const HypRewrite *rewrite, int layer)
{
    return &rewrite->model->layers[layer];
}

int hyp_rewrite_uses(const HypRewrite *rewrite, int tensor)
{
    return rewrite->uses[tensor];
}

int hyp_rewrite_find_any(const HypRewrite *rewrite, int tensor, HyperionLayerOp op)
{
    const int layer = rewrite->producers[tensor];
    return layer >= 0 && rewrite->model->layers[layer].op == op ? layer : -1;
}

int hyp_rewrite_find(const HypRewrite *rewrite, int tensor, HyperionLayerOp op, int uses)
{
    return rewrite->uses[tensor] == uses ? hyp_rewrite_find_any(rewrite, tensor, op) : -1;
}

void hyp_rewrite_fail(HypRewrite *rewrite)
{
    rewrite->failed = true;
}

// One use less; who made a tensor that nobody uses any more is put on the stack.
static void drop_use(HypRewrite *rewrite, int tensor, int absorber, int *dying_count)
{
    const int layer = --rewrite->uses[tensor] == 0 ? rewrite->producers[tensor] : -1;
    if (layer < 0)
        return;
    rewrite->absorbed_by[layer] = absorber;
    rewrite->dying[(*dying_count)++] = layer;
    rewrite->died++;
}

static void drop_inputs(HypRewrite *rewrite, const HypLayer *layer, int absorber)
{
    int dying_count = 0;
    for (;;) {
        for (int i = 0; i < layer->input_count; i++)
            drop_use(rewrite, layer->inputs[i], absorber, &dying_count);
        if (dying_count == 0)
            return;
        layer = &rewrite->model->layers[rewrite->dying[--dying_count]];
    }
}

// Whether `layer` could be, and has the shape of the tensor it makes.
static bool fits(const HyperionModel *model, HypLayer *layer)
{
    const HypLayerOp *op = hyp_layer_op(layer->op);
    HypShape shape;
    for (int i = 0; i < layer->input_count; i++)
        if (!op->any_type && hyp_layer_input(model, layer, i)->type != HYPERION_TYPE_F32)
            return false;
    return op->infer(model, layer, &shape) &&
           hyp_shape_equal(&shape, hyp_layer_output(model, layer));
}

bool hyp_rewrite_replace(HypRewrite *rewrite, int layer, HyperionLayerOp op,
                         const HyperionLayerAttributes *attributes, const int *inputs,
                         int input_count, int named_like)
{
    HypLayer *old = &rewrite->model->layers[layer];
    HypLayer made = {.name = old->name,
                     .op = op,
                     .attributes = *attributes,
                     .input_count = input_count,
                     .output_count = 1};
    const size_t input_bytes = (size_t)input_count * sizeof *inputs;
    made.inputs = malloc(input_bytes + sizeof *made.outputs);
    if (!made.inputs) {
        rewrite->failed = true;
        return hyp_fail(HYPERION_ERROR_MEMORY, "rewrite model %s: out of memory",
                        rewrite->model->name);
    }
    memcpy(made.inputs, inputs, input_bytes);
    made.outputs = made.inputs + input_count;
    made.outputs[0] = old->outputs[0];
    if (!fits(rewrite->model, &made)) {
        free(made.inputs);
        return false;
    }
    for (int i = 0; i < input_count; i++)
        rewrite->uses[inputs[i]]++;
    drop_inputs(rewrite, old, layer);
    free(old->inputs);
    HypLayer *namesake = &rewrite->model->layers[named_like];
    *old = made;
    old->name = namesake->name;
    namesake->name = made.name;
    return true;
}

static bool record(HyperionModel *model, const char *rule, int result, int layer_count)
{
    HypFusion *fusions = hyp_array_reserve(model->fusions, &model->fusion_capacity,
                                           (size_t)model->fusion_count + 1, sizeof *fusions);
    if (!fusions)
        return false;
    model->fusions = fusions;
    model->fusions[model->fusion_count++] =
        (HypFusion){.rule = rule, .result = result, .layer_count = layer_count};
    return true;
}

// Rules at one layer until none fits: each leaves fewer layers, or a layer of another op.
static bool apply_rules(HypRewrite *rewrite, int layer)
{
    for (int i = 0; i < RULE_COUNT && !rewrite->failed; i++) {
        rewrite->died = 0;
        if (!rules[i]->apply(rewrite, layer))
            continue;
        if (!record(rewrite->model, rules[i]->name, hyp_rewrite_layer(rewrite, layer)->outputs[0],
                    rewrite->died + 1))
            return false;
        i = -1;
    }
    return !rewrite->failed;
}

static bool create(HypRewrite *rewrite, HyperionModel *model)
{
    const size_t tensor_count = (size_t)model->tensor_count;
    const size_t layer_count = (size_t)model->layer_count;
    *rewrite = (HypRewrite){.model = model};
    // One more than needed: calloc(0) may be NULL.
    rewrite->producers = calloc(tensor_count + 1, sizeof *rewrite->producers);
    rewrite->uses = calloc(tensor_count + 1, sizeof *rewrite->uses);
    rewrite->absorbed_by = calloc(layer_count + 1, sizeof *rewrite->absorbed_by);
    rewrite->dying = calloc(layer_count + 1, sizeof *rewrite->dying);
    if (!rewrite->producers || !rewrite->uses || !rewrite->absorbed_by || !rewrite->dying)
        return hyp_fail(HYPERION_ERROR_MEMORY, "rewrite model %s: out of memory", model->name);
    for (int i = 0; i < model->tensor_count; i++)
        rewrite->producers[i] = -1;
    for (int i = 0; i < model->layer_count; i++) {
        const HypLayer *layer = &model->layers[i];
        rewrite->absorbed_by[i] = i;
        rewrite->producers[layer->outputs[0]] = i;
        for (int j = 0; j < layer->input_count; j++)
            rewrite->uses[layer->inputs[j]]++;
    }
    for (int i = 0; i < model->output_count; i++)
        rewrite->uses[model->outputs[i]]++;
    return true;
}

static void release(HypRewrite *rewrite)
{
    free(rewrite->producers);
    free(rewrite->uses);
    free(rewrite->absorbed_by);
    free(rewrite->dying);
}

// Has records name the result of the layer that does the work in the end.
static void follow_absorbers(const HypRewrite *rewrite)
{
    const HyperionModel *model = rewrite->model;
    // Who absorbs comes later, so from the end each is one step from the last.
    for (int i = model->layer_count - 1; i >= 0; i--)
        rewrite->absorbed_by[i] = rewrite->absorbed_by[rewrite->absorbed_by[i]];
    for (int i = 0; i < model->fusion_count; i++) {
        const int layer = rewrite->producers[model->fusions[i].result];
        model->fusions[i].result = model->layers[rewrite->absorbed_by[layer]].outputs[0];
    }
}

// A layer that made a view may have become one that does not.
static void find_views(const HypRewrite *rewrite)
{
    HyperionModel *model = rewrite->model;
    for (int i = 0; i < model->layer_count; i++) {
        const HypLayer *layer = &model->layers[i];
        const HypLayerOp *op = hyp_layer_op(layer->op);
        HypGraphTensor *result = &model->tensors[layer->outputs[0]];
        const bool is_view =
            op->is_view || (op->keeps_memory && op->keeps_memory(model, layer, &result->shape));
        result->view_of = is_view ? hyp_model_root(model, layer->inputs[0]) : -1;
        result->role = is_view ? model->tensors[result->view_of].role : HYP_TENSOR_ACTIVATION;
    }
}

bool hyp_rewrite_model(HyperionModel *model)
{
    HypRewrite rewrite;
    bool done = create(&rewrite, model);
    for (int i = 0; done && i < model->layer_count; i++)
        if (rewrite.absorbed_by[i] == i)
            done = apply_rules(&rewrite, i);
    if (done && model->fusion_count) {
        follow_absorbers(&rewrite);
        find_views(&rewrite);
        done = hyp_model_prune(model);
    }
    release(&rewrite);
    return done;
}
