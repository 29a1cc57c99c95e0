// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "kernel_table.h"

#include <inttypes.h>
#include <math.h>

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    for (int i = 0; i < 3; i++)
        if (!hyp_layer_expect_rank(model, layer, i, 3))
            return false;
    const HypShape *q = hyp_layer_input(model, layer, 0);
    const HypShape *k = hyp_layer_input(model, layer, 1);
    HyperionLayerAttributes *attributes = &layer->attributes;
    char q_text[HYP_SHAPE_TEXT_BYTES];
    char k_text[HYP_SHAPE_TEXT_BYTES];
    if (!hyp_shape_equal(k, hyp_layer_input(model, layer, 2)))
        return hyp_layer_fail(layer, "keys '%s' and values '%s' differ in shape",
                              model->tensors[layer->inputs[1]].name,
                              model->tensors[layer->inputs[2]].name);
    if (!attributes->heads)
        attributes->heads = 1;
    if (attributes->heads < 1 || q->dims[2] % attributes->heads)
        return hyp_layer_fail(layer, "%" PRId64 " heads do not divide width %" PRId64,
                              attributes->heads, q->dims[2]);
    if (!attributes->kv_heads)
        attributes->kv_heads = attributes->heads;
    if (attributes->kv_heads < 1 || attributes->heads % attributes->kv_heads)
        return hyp_layer_fail(layer, "%" PRId64 " heads of keys do not divide %" PRId64 " heads",
                              attributes->kv_heads, attributes->heads);
    if (q->dims[0] != k->dims[0] ||
        q->dims[2] / attributes->heads * attributes->kv_heads != k->dims[2])
        return hyp_layer_fail(layer, "queries are %s and keys %s: batch or width differ",
                              hyp_shape_text(q, q_text), hyp_shape_text(k, k_text));
    // The first query sees keys - queries + 1 keys: it needs one to have a result.
    if (k->dims[1] < 1 || (attributes->causal && k->dims[1] < q->dims[1]))
        return hyp_layer_fail(layer, "%" PRId64 " keys are too few for %" PRId64 "%s queries",
                              k->dims[1], q->dims[1], attributes->causal ? " causal" : "");
    *result = *q;
    return true;
}

// Nominally the two products, of all keys also where causal: 4 * batch * queries * keys * width.
static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return 4.0 * (double)hyp_layer_output(model, layer)->element_count *
           (double)hyp_layer_input(model, layer, 1)->dims[1];
}

static HypAttentionArgs fill_args(const HypLayerRun *run)
{
    const HyperionLayerAttributes *attributes = &run->layer->attributes;
    const HypShape *q = hyp_layer_input(run->model, run->layer, 0);
    const size_t dim = (size_t)(q->dims[2] / attributes->heads);
    return (HypAttentionArgs){
        .batch = (size_t)q->dims[0],
        .heads = (size_t)attributes->heads,
        .kv_heads = (size_t)attributes->kv_heads,
        .queries = (size_t)q->dims[1],
        .keys = (size_t)hyp_layer_input(run->model, run->layer, 1)->dims[1],
        .dim = dim,
        .q = hyp_run_input(run, 0),
        .k = hyp_run_input(run, 1),
        .v = hyp_run_input(run, 2),
        .scale = dim ? 1.0F / sqrtf((float)dim) : 1.0F,
        .causal = attributes->causal,
        .out = hyp_run_output(run),
        .workspace = run->workspace,
        .parallel = run->parallel,
    };
}

static size_t count_workspace_bytes(const HypLayerRun *run)
{
    const HypAttentionArgs args = fill_args(run);
    return hyp_attention_workspace_bytes(&args);
}

static void execute(const HypLayerRun *run)
{
    const HypAttentionArgs args = fill_args(run);
    run->model->settings.dispatch.best[HYP_OP_ATTENTION]->fn.attention(&args);
}

const HypLayerOp hyp_layer_op_attention = {
    .name = "attention",
    .least_inputs = 3,
    .most_inputs = 3,
    .infer = infer,
    .flops = count_flops,
    .workspace_bytes = count_workspace_bytes,
    .execute = execute,
};
