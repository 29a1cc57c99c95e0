// SPDX-License-Identifier: Apache-2.0
// match.h - for rules: what made a tensor, seen as constants, products and sums.
#ifndef HYP_MATCH_H
#define HYP_MATCH_H

#include "model/rewrite/rewrite.h"

// Whether two constants of a formula are the same, as exporters round them.
bool hyp_match_close(float a, float b);

// Whether `tensor` is a constant of one f32 element, and its value.
bool hyp_match_constant(HypRewrite *rewrite, int tensor, float *value);

// The bytes of a constant; NULL if it is none or cannot be read.
const void *hyp_match_bytes(HypRewrite *rewrite, int tensor);

// The operands of the function that makes `tensor` for `uses` readers; NULL if that does not.
const int *hyp_match_binary(const HypRewrite *rewrite, int tensor, HyperionBinary function,
                            int uses);

// The input of the activation that makes `tensor` for one reader; -1 if that does not.
int hyp_match_activation(const HypRewrite *rewrite, int tensor, HyperionActivation activation);

// The operand beside the constant `value` in the sum, read once, that is `tensor`; -1 if it is not.
int hyp_match_sum(HypRewrite *rewrite, int tensor, float value);

// A tensor as scale * product of factors^exponents, taken apart through products, quotients by
// constants and powers that are read once.
enum { HYP_MATCH_MOST_FACTORS = 4 };
typedef struct HypMatchProduct {
    float scale;
    int factor_count;
    struct {
        int tensor;
        float exponent;
    } factors[HYP_MATCH_MOST_FACTORS];
} HypMatchProduct;

// False where there are too many factors. `tensor` itself may be read any number of times.
bool hyp_match_product(HypRewrite *rewrite, int tensor, HypMatchProduct *product);

// Whether `tensor` is scale * x^exponent.
bool hyp_match_power(HypRewrite *rewrite, int tensor, float scale, int x, float exponent);

#endif
