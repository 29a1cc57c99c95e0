// SPDX-License-Identifier: Apache-2.0
#include "model/rewrite/match.h"

#include "model/weight_bytes.h"

#include <math.h>

// Products of products deeper than this are no formula of an activation.
enum { MOST_DEPTH = 8 };

bool hyp_match_close(float a, float b)
{
    return fabsf(a - b) <= 1e-3F * fabsf(b); // exporters keep 3 digits or more
}

const void *hyp_match_bytes(HypRewrite *rewrite, int tensor)
{
    HyperionModel *model = hyp_rewrite_model_of(rewrite);
    if (model->tensors[tensor].role != HYP_TENSOR_WEIGHT)
        return NULL;
    if (!hyp_weights_read(model, tensor)) {
        hyp_rewrite_fail(rewrite);
        return NULL;
    }
    return model->tensors[hyp_model_root(model, tensor)].data;
}

bool hyp_match_constant(HypRewrite *rewrite, int tensor, float *value)
{
    const HypShape *shape = &hyp_rewrite_model_of(rewrite)->tensors[tensor].shape;
    if (shape->element_count != 1 || shape->type != HYPERION_TYPE_F32)
        return false;
    const float *bytes = hyp_match_bytes(rewrite, tensor);
    if (bytes)
        *value = bytes[0];
    return bytes != NULL;
}

const int *hyp_match_binary(const HypRewrite *rewrite, int tensor, HyperionBinary function,
                            int uses)
{
    const int found = hyp_rewrite_find(rewrite, tensor, HYPERION_LAYER_BINARY, uses);
    if (found < 0 || hyp_rewrite_layer(rewrite, found)->attributes.binary != function)
        return NULL;
    return hyp_rewrite_layer(rewrite, found)->inputs;
}

int hyp_match_activation(const HypRewrite *rewrite, int tensor, HyperionActivation activation)
{
    const int found = hyp_rewrite_find(rewrite, tensor, HYPERION_LAYER_ACTIVATION, 1);
    if (found < 0 || hyp_rewrite_layer(rewrite, found)->attributes.activation != activation)
        return -1;
    return hyp_rewrite_layer(rewrite, found)->inputs[0];
}

int hyp_match_sum(HypRewrite *rewrite, int tensor, float value)
{
    const int *operands = hyp_match_binary(rewrite, tensor, HYPERION_BINARY_ADD, 1);
    float constant;
    for (int i = 0; operands && i < 2; i++)
        if (hyp_match_constant(rewrite, operands[i], &constant) && hyp_match_close(constant, value))
            return operands[1 - i];
    return -1;
}

static bool add_factor(HypMatchProduct *product, int tensor, float exponent)
{
    for (int i = 0; i < product->factor_count; i++)
        if (product->factors[i].tensor == tensor) {
            product->factors[i].exponent += exponent;
            return true;
        }
    if (product->factor_count == HYP_MATCH_MOST_FACTORS)
        return false;
    product->factors[product->factor_count].tensor = tensor;
    product->factors[product->factor_count++].exponent = exponent;
    return true;
}

// Takes `tensor` apart if the layer that makes it is `layer`, a product, quotient or power.
static bool take_apart(HypRewrite *rewrite, int tensor, int layer, int depth,
                       HypMatchProduct *product);

static bool multiply(HypRewrite *rewrite, int tensor, int depth, HypMatchProduct *product)
{
    float constant;
    if (hyp_match_constant(rewrite, tensor, &constant)) {
        product->scale *= constant;
        return true;
    }
    return take_apart(rewrite, tensor, hyp_rewrite_find(rewrite, tensor, HYPERION_LAYER_BINARY, 1),
                      depth + 1, product);
}

static bool take_apart(HypRewrite *rewrite, int tensor, int layer, int depth,
                       HypMatchProduct *product)
{
    float constant;
    if (layer < 0 || depth > MOST_DEPTH)
        return add_factor(product, tensor, 1.0F);
    const HypLayer *made = hyp_rewrite_layer(rewrite, layer);
    switch (made->attributes.binary) {
    case HYPERION_BINARY_MUL:
        return multiply(rewrite, made->inputs[0], depth, product) &&
               multiply(rewrite, made->inputs[1], depth, product);
    case HYPERION_BINARY_DIV:
        if (!hyp_match_constant(rewrite, made->inputs[1], &constant))
            return add_factor(product, tensor, 1.0F);
        product->scale /= constant;
        return multiply(rewrite, made->inputs[0], depth, product);
    case HYPERION_BINARY_POW:
        if (!hyp_match_constant(rewrite, made->inputs[1], &constant))
            return add_factor(product, tensor, 1.0F);
        return add_factor(product, made->inputs[0], constant);
    default: return add_factor(product, tensor, 1.0F);
    }
}

bool hyp_match_product(HypRewrite *rewrite, int tensor, HypMatchProduct *product)
{
    *product = (HypMatchProduct){.scale = 1.0F};
    return take_apart(rewrite, tensor, hyp_rewrite_find_any(rewrite, tensor, HYPERION_LAYER_BINARY),
                      0, product);
}

bool hyp_match_power(HypRewrite *rewrite, int tensor, float scale, int x, float exponent)
{
    HypMatchProduct product;
    return hyp_match_product(rewrite, tensor, &product) && product.factor_count == 1 &&
           product.factors[0].tensor == x && product.factors[0].exponent == exponent &&
           hyp_match_close(product.scale, scale);
}
