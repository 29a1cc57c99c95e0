// SPDX-License-Identifier: Apache-2.0
// GELU as exporters write it, its factors in any order: x/2 (1 + erf(x / sqrt 2)), and with tanh
// (Hendrycks and Gimpel 2016): x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
#include "model/rewrite/match.h"

static const float sqrt_half = 0.70710678F;
static const float sqrt_2_by_pi = 0.79788456F;
static const float cubic = 0.044715F;

// Whether `tensor` is sqrt(2/pi) (x + 0.044715 x^3), or x (1 + 0.044715 x^2) for the brackets.
static bool is_tanh_argument(HypRewrite *rewrite, int tensor, int x)
{
    HypMatchProduct product;
    if (!hyp_match_product(rewrite, tensor, &product) ||
        !hyp_match_close(product.scale, sqrt_2_by_pi))
        return false;
    if (product.factor_count == 1) {
        const int *sum =
            hyp_match_binary(rewrite, product.factors[0].tensor, HYPERION_BINARY_ADD, 1);
        for (int i = 0; sum && i < 2; i++)
            if (sum[i] == x && hyp_match_power(rewrite, sum[1 - i], cubic, x, 3.0F))
                return true;
        return false;
    }
    for (int i = 0; product.factor_count == 2 && i < 2; i++) {
        const int square = hyp_match_sum(rewrite, product.factors[1 - i].tensor, 1.0F);
        if (product.factors[i].tensor == x && square >= 0 &&
            hyp_match_power(rewrite, square, cubic, x, 2.0F))
            return true;
    }
    return false;
}

static bool is_erf_argument(HypRewrite *rewrite, int tensor, int x)
{
    return hyp_match_power(rewrite, tensor, sqrt_half, x, 1.0F);
}

// x/2 (1 + outer(argument of x)).
static bool replace(HypRewrite *rewrite, int last, HyperionActivation outer,
                    bool (*is_argument)(HypRewrite *rewrite, int tensor, int x),
                    HyperionActivation gelu)
{
    const HypLayer *layer = hyp_rewrite_layer(rewrite, last);
    HypMatchProduct product;
    if (layer->op != HYPERION_LAYER_BINARY || layer->attributes.binary > HYPERION_BINARY_DIV ||
        !hyp_match_product(rewrite, layer->outputs[0], &product) || product.factor_count != 2 ||
        !hyp_match_close(product.scale, 0.5F))
        return false;
    for (int i = 0; i < 2; i++) {
        const int x = product.factors[i].tensor;
        const int one_plus = product.factors[1 - i].tensor;
        const int inner = hyp_match_sum(rewrite, one_plus, 1.0F);
        const int argument = inner < 0 ? -1 : hyp_match_activation(rewrite, inner, outer);
        const HyperionLayerAttributes attributes = {.activation = gelu};
        if (argument >= 0 && product.factors[0].exponent == 1.0F &&
            product.factors[1].exponent == 1.0F && is_argument(rewrite, argument, x))
            return hyp_rewrite_replace(rewrite, last, HYPERION_LAYER_ACTIVATION, &attributes, &x, 1,
                                       last);
    }
    return false;
}

static bool apply_erf(HypRewrite *rewrite, int last)
{
    return replace(rewrite, last, HYPERION_ACTIVATION_ERF, is_erf_argument,
                   HYPERION_ACTIVATION_GELU);
}

static bool apply_tanh(HypRewrite *rewrite, int last)
{
    return replace(rewrite, last, HYPERION_ACTIVATION_TANH, is_tanh_argument,
                   HYPERION_ACTIVATION_GELU_TANH);
}

const HypRewriteRule hyp_rule_gelu_erf = {.name = "gelu_erf", .apply = apply_erf};
const HypRewriteRule hyp_rule_gelu_tanh = {.name = "gelu_tanh", .apply = apply_tanh};
