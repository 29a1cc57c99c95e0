// SPDX-License-Identifier: Apache-2.0
// rewrite.h - graph rewriting: several layers, as exporters write them, become one. A rule is a
// struct in its own file rule_<name>.c and one row of the table in rewrite.c.
//
// A rule looks at the last layer of its pattern and turns that into the layer that does the work of
// all: what comes before has been made by then, and the result stays the tensor it was. Layers
// whose result nobody needs any more die.
#ifndef HYP_REWRITE_H
#define HYP_REWRITE_H

#include "model/graph.h"

// A rewriting under way.
typedef struct HypRewrite HypRewrite;

typedef struct HypRewriteRule {
    const char *name; // "conv_batchnorm"
    // Turns layer `last` into a faster one and returns true, or changes nothing.
    bool (*apply)(HypRewrite *rewrite, int last);
} HypRewriteRule;

extern const HypRewriteRule hyp_rule_batchnorm;
extern const HypRewriteRule hyp_rule_layernorm;
extern const HypRewriteRule hyp_rule_bias;
extern const HypRewriteRule hyp_rule_gelu_erf;
extern const HypRewriteRule hyp_rule_gelu_tanh;
extern const HypRewriteRule hyp_rule_silu;
extern const HypRewriteRule hyp_rule_hard_swish;
extern const HypRewriteRule hyp_rule_attention;
extern const HypRewriteRule hyp_rule_product_activation;
extern const HypRewriteRule hyp_rule_transposed_product;

// Applies all rules wherever they fit and drops layers and tensors that nothing needs after. The
// model is new: nothing is attached to it. False, last error set, when out of memory or a weight
// that decides cannot be read; the model is then good for nothing but to be freed.
bool hyp_rewrite_model(HyperionModel *model);

// --- For rules. Tensors and layers are numbers; -1 is none.

HyperionModel *hyp_rewrite_model_of(const HypRewrite *rewrite);
const HypLayer *hyp_rewrite_layer(const HypRewrite *rewrite, int layer);

// How many inputs of layers, and outputs of the model, are `tensor`.
int hyp_rewrite_uses(const HypRewrite *rewrite, int tensor);

// The layer that makes `tensor`, if it is `op`; else -1.
int hyp_rewrite_find_any(const HypRewrite *rewrite, int tensor, HyperionLayerOp op);

// The layer that makes `tensor`, if it is `op` and exactly `uses` inputs of layers (and outputs of
// the model) read the tensor; else -1.
int hyp_rewrite_find(const HypRewrite *rewrite, int tensor, HyperionLayerOp op, int uses);

// Makes `layer` an `op` with these attributes and inputs, named like layer `named_like`, unless
// that could not be or would have another shape: then false, and nothing has changed.
bool hyp_rewrite_replace(HypRewrite *rewrite, int layer, HyperionLayerOp op,
                         const HyperionLayerAttributes *attributes, const int *inputs,
                         int input_count, int named_like);

// Ends the rewriting, the last error set: for failures that are not the pattern's.
void hyp_rewrite_fail(HypRewrite *rewrite);

#endif
