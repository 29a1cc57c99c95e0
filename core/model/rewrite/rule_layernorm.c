// SPDX-License-Identifier: Apache-2.0
// Normalisation over the last axis as exporters write it, up to the product with the scale:
// c = x - mean(x), c / sqrt(mean(c^2) + epsilon) * scale; and with x for c, RMS normalisation.
#include "model/rewrite/match.h"

#include <math.h>

// What `tensor` is the mean of, over the last axis, which stays; -1 if it is none.
static int match_mean(const HypRewrite *rewrite, int tensor)
{
    const int found = hyp_rewrite_find(rewrite, tensor, HYPERION_LAYER_REDUCE, 1);
    if (found < 0)
        return -1;
    const HypLayer *layer = hyp_rewrite_layer(rewrite, found);
    const HyperionLayerAttributes *attributes = &layer->attributes;
    const int last = hyp_rewrite_model_of(rewrite)->tensors[tensor].shape.rank - 1;
    const bool is_last =
        attributes->axis_count == 1 && (attributes->axes[0] == -1 || attributes->axes[0] == last);
    return attributes->reduce == HYPERION_REDUCE_MEAN && attributes->keep_dims && is_last
               ? layer->inputs[0]
               : -1;
}

// x of the difference x - mean(x), which is read `uses` times; -1 if it is none.
static int match_centred(const HypRewrite *rewrite, int tensor, int uses)
{
    const int *operands = hyp_match_binary(rewrite, tensor, HYPERION_BINARY_SUB, uses);
    return operands && match_mean(rewrite, operands[1]) == operands[0] ? operands[0] : -1;
}

// What the square that is `tensor` is of; -1 if it is none.
static int match_square(HypRewrite *rewrite, int tensor)
{
    float exponent;
    const int *operands = hyp_match_binary(rewrite, tensor, HYPERION_BINARY_POW, 1);
    if (operands)
        return hyp_match_constant(rewrite, operands[1], &exponent) && exponent == 2.0F ? operands[0]
                                                                                       : -1;
    operands = hyp_match_binary(rewrite, tensor, HYPERION_BINARY_MUL, 1);
    return operands && operands[0] == operands[1] ? operands[0] : -1;
}

// What `tensor`, sqrt(mean(square) + epsilon), is of; -1 if it is none.
static int match_deviation(HypRewrite *rewrite, int tensor, float *epsilon)
{
    const int sum = hyp_match_activation(rewrite, tensor, HYPERION_ACTIVATION_SQRT);
    const int *operands = sum < 0 ? NULL : hyp_match_binary(rewrite, sum, HYPERION_BINARY_ADD, 1);
    for (int i = 0; operands && i < 2; i++) {
        const int mean = match_mean(rewrite, operands[i]);
        if (mean >= 0 && hyp_match_constant(rewrite, operands[1 - i], epsilon) && *epsilon > 0.0F)
            return match_square(rewrite, mean);
    }
    return -1;
}

// The deviation of what `tensor`, 1 / sqrt(..), is the inverse of; -1 if it is none.
static int match_inverse(HypRewrite *rewrite, int tensor)
{
    float one;
    const int *operands = hyp_match_binary(rewrite, tensor, HYPERION_BINARY_DIV, 1);
    if (operands)
        return hyp_match_constant(rewrite, operands[0], &one) && one == 1.0F ? operands[1] : -1;
    return hyp_match_activation(rewrite, tensor, HYPERION_ACTIVATION_RECIPROCAL);
}

typedef struct Normalised {
    int centred; // what is divided
    int squared; // what the deviation is of
    float epsilon;
} Normalised;

// Whether `tensor` is something divided by a deviation, or times its inverse.
static bool match_normalised(HypRewrite *rewrite, int tensor, Normalised *found)
{
    const int *operands = hyp_match_binary(rewrite, tensor, HYPERION_BINARY_DIV, 1);
    if (operands) {
        found->centred = operands[0];
        found->squared = match_deviation(rewrite, operands[1], &found->epsilon);
        return found->squared >= 0;
    }
    operands = hyp_match_binary(rewrite, tensor, HYPERION_BINARY_MUL, 1);
    for (int i = 0; operands && i < 2; i++) {
        const int deviation = match_inverse(rewrite, operands[1 - i]);
        found->centred = operands[i];
        found->squared = deviation < 0 ? -1 : match_deviation(rewrite, deviation, &found->epsilon);
        if (found->squared >= 0)
            return true;
    }
    return false;
}

// What is normalised; -1 if this is no normalisation. Readers of a difference are the quotient and
// the square, which may be a product and read it twice; some exporters subtract twice instead.
static int find_source(const HypRewrite *rewrite, const Normalised *found, bool *rms)
{
    *rms = false;
    if (found->centred == found->squared) {
        for (int uses = 2; uses <= 3; uses++) {
            const int x = match_centred(rewrite, found->centred, uses);
            if (x >= 0)
                return x;
        }
        *rms = true;
        return found->centred;
    }
    const int x = match_centred(rewrite, found->centred, 1);
    for (int uses = 1; x >= 0 && uses <= 2; uses++)
        if (match_centred(rewrite, found->squared, uses) == x)
            return x;
    return -1;
}

static bool apply(HypRewrite *rewrite, int last)
{
    const HypLayer *product = hyp_rewrite_layer(rewrite, last);
    if (product->op != HYPERION_LAYER_BINARY || product->attributes.binary != HYPERION_BINARY_MUL)
        return false;
    for (int i = 0; i < 2; i++) {
        Normalised found;
        if (!match_normalised(rewrite, product->inputs[i], &found))
            continue;
        HyperionLayerAttributes attributes = {.epsilon = found.epsilon};
        const int x = find_source(rewrite, &found, &attributes.rms);
        const int inputs[] = {x, product->inputs[1 - i]};
        return x >= 0 && hyp_rewrite_replace(rewrite, last, HYPERION_LAYER_LAYERNORM, &attributes,
                                             inputs, 2, last);
    }
    return false;
}

const HypRewriteRule hyp_rule_layernorm = {.name = "layernorm", .apply = apply};
