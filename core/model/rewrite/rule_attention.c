// SPDX-License-Identifier: Apache-2.0
// Attention as PyTorch writes it: queries, keys and values [batch x seq x heads*dim] reshaped to
// heads and transposed, softmax(scale q kT + mask) v, transposed and reshaped back. The scale is
// 1 / sqrt(dim), before or behind the product; the mask is none, or a constant that is causal or
// all zero. Keys and values may have fewer heads, each repeated next to itself by Expand.
#include "model/rewrite/match.h"

#include <math.h>
#include <string.h>

// Masked scores are at most this: exp of it is 0 beside any score that is not masked.
static const float masked = -1e4F;

typedef struct Pattern {
    int q, k, v; // before their heads are made
    int64_t heads, kv_heads, dim;
    float scale;
    bool causal;
} Pattern;

static const HypShape *shape_of(const HypRewrite *rewrite, int tensor)
{
    return &hyp_rewrite_model_of(rewrite)->tensors[tensor].shape;
}

// The input of the layer, read once, that transposes four axes to `axes` and makes `tensor`; or -1.
static int match_transpose(const HypRewrite *rewrite, int tensor, const int64_t axes[4])
{
    const int found = hyp_rewrite_find(rewrite, tensor, HYPERION_LAYER_TRANSPOSE, 1);
    if (found < 0)
        return -1;
    const HypLayer *layer = hyp_rewrite_layer(rewrite, found);
    return layer->attributes.rank == 4 &&
                   memcmp(layer->attributes.axes, axes, 4 * sizeof *axes) == 0
               ? layer->inputs[0]
               : -1;
}

// The input of the reshape to [batch x seq x heads x dim] that makes `tensor`; -1 if that is none.
static int match_split(const HypRewrite *rewrite, int tensor, Pattern *pattern, int64_t *heads)
{
    const int found =
        tensor < 0 ? -1 : hyp_rewrite_find(rewrite, tensor, HYPERION_LAYER_RESHAPE, 1);
    if (found < 0)
        return -1;
    const HypShape *split = shape_of(rewrite, tensor);
    const int x = hyp_rewrite_layer(rewrite, found)->inputs[0];
    const HypShape *whole = shape_of(rewrite, x);
    if (split->rank != 4 || whole->rank != 3 || whole->dims[0] != split->dims[0] ||
        whole->dims[1] != split->dims[1])
        return -1;
    if (*heads == 0)
        *heads = split->dims[2];
    if (pattern->dim == 0)
        pattern->dim = split->dims[3];
    return split->dims[2] == *heads && split->dims[3] == pattern->dim ? x : -1;
}

static int match_heads(const HypRewrite *rewrite, int tensor, Pattern *pattern, int64_t *heads)
{
    static const int64_t axes[4] = {0, 2, 1, 3};
    return match_split(rewrite, match_transpose(rewrite, tensor, axes), pattern, heads);
}

// The input of the layer, read once, that makes `tensor` of `rank` dimensions; or -1.
static int match_step(const HypRewrite *rewrite, int tensor, HyperionLayerOp op, int rank)
{
    const int found = tensor < 0 ? -1 : hyp_rewrite_find(rewrite, tensor, op, 1);
    return found >= 0 && shape_of(rewrite, tensor)->rank == rank
               ? hyp_rewrite_layer(rewrite, found)->inputs[0]
               : -1;
}

// [batch x kv_heads x seq x dim] that [batch x heads x seq x dim] is, each head repeated next to
// itself; `tensor` itself where nothing is repeated.
static int strip_repeats(const HypRewrite *rewrite, int tensor)
{
    const int repeated = match_step(rewrite, tensor, HYPERION_LAYER_RESHAPE, 4);
    const int apart = match_step(rewrite, repeated, HYPERION_LAYER_EXPAND, 5);
    const int heads = match_step(rewrite, apart, HYPERION_LAYER_RESHAPE, 5);
    if (heads < 0)
        return tensor;
    const int64_t *all = shape_of(rewrite, tensor)->dims;
    const int64_t *many = shape_of(rewrite, repeated)->dims;
    const int64_t *one = shape_of(rewrite, apart)->dims;
    const HypShape *few = shape_of(rewrite, heads);
    const int64_t wanted[] = {many[0], many[1], 1, many[3], many[4]};
    const int64_t joined[] = {many[0], many[1] * many[2], many[3], many[4]};
    const int64_t kept[] = {many[0], many[1], many[3], many[4]};
    return few->rank == 4 && memcmp(one, wanted, sizeof wanted) == 0 &&
                   memcmp(all, joined, sizeof joined) == 0 &&
                   memcmp(few->dims, kept, sizeof kept) == 0
               ? heads
               : tensor;
}

// Keys or values [batch x heads x seq x dim].
static int match_shared_heads(const HypRewrite *rewrite, int tensor, Pattern *pattern)
{
    const int64_t heads = shape_of(rewrite, tensor)->dims[1];
    return heads == pattern->heads || heads == 1
               ? match_heads(rewrite, strip_repeats(rewrite, tensor), pattern, &pattern->kv_heads)
               : -1;
}

// Keys with heads made and transposed, in one step or two.
static int match_keys(const HypRewrite *rewrite, int tensor, Pattern *pattern)
{
    static const int64_t at_once[4] = {0, 2, 3, 1};
    static const int64_t behind[4] = {0, 1, 3, 2};
    const int split = match_transpose(rewrite, tensor, at_once);
    if (split >= 0)
        return match_split(rewrite, split, pattern, &pattern->kv_heads);
    const int heads = match_transpose(rewrite, tensor, behind);
    return heads < 0 ? -1 : match_shared_heads(rewrite, heads, pattern);
}

// `tensor` without a factor that is constant, which goes into the scale.
static int strip_scale(HypRewrite *rewrite, int tensor, Pattern *pattern)
{
    HypMatchProduct product;
    if (hyp_rewrite_find(rewrite, tensor, HYPERION_LAYER_BINARY, 1) < 0 ||
        !hyp_match_product(rewrite, tensor, &product) || product.factor_count != 1 ||
        product.factors[0].exponent != 1.0F)
        return tensor;
    pattern->scale *= product.scale;
    return product.factors[0].tensor;
}

// Whether row i of the matrices of a constant lets pass the first i + 1 and those that rows have
// less than columns, and no others; all where `*causal` comes back false.
static bool is_causal(const HypShape *shape, bool (*passes)(const void *bytes, size_t index),
                      const void *bytes, bool *causal)
{
    const size_t rows = shape->rank < 2 ? 0 : (size_t)shape->dims[shape->rank - 2];
    const size_t columns = shape->rank < 2 ? 0 : (size_t)shape->dims[shape->rank - 1];
    if (!bytes || rows == 0 || columns < rows || shape->element_count != rows * columns)
        return false;
    for (size_t i = 0; i < rows * columns; i++)
        if (passes(bytes, i) != (i % columns <= i / columns + columns - rows))
            return false;
    *causal = true;
    return true;
}

static bool adds_nothing(const void *bytes, size_t index)
{
    return ((const float *)bytes)[index] == 0.0F;
}

static bool is_true(const void *bytes, size_t index)
{
    return ((const bool *)bytes)[index];
}

static bool adds_nothing_at_all(const float *mask, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (mask[i] != 0.0F)
            return false;
    return true;
}

// Whether all that does not pass an added mask is out of sight, and nothing else is in it.
static bool hides_the_rest(const float *mask, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (mask[i] != 0.0F && !(mask[i] <= masked))
            return false;
    return true;
}

// `tensor` without the mask added to it or chosen by it; -1 where that hides other scores.
static int strip_mask(HypRewrite *rewrite, int tensor, Pattern *pattern)
{
    const int *sum = hyp_match_binary(rewrite, tensor, HYPERION_BINARY_ADD, 1);
    for (int i = 0; sum && i < 2; i++) {
        const HypShape *shape = shape_of(rewrite, sum[i]);
        const float *mask = hyp_match_bytes(rewrite, sum[i]);
        if (mask && adds_nothing_at_all(mask, shape->element_count))
            return sum[1 - i];
        if (mask)
            return is_causal(shape, adds_nothing, mask, &pattern->causal) &&
                           hides_the_rest(mask, shape->element_count)
                       ? sum[1 - i]
                       : -1;
    }
    const int found = hyp_rewrite_find(rewrite, tensor, HYPERION_LAYER_WHERE, 1);
    if (found < 0)
        return sum ? -1 : tensor;
    const int *chosen = hyp_rewrite_layer(rewrite, found)->inputs;
    float otherwise;
    return hyp_match_constant(rewrite, chosen[2], &otherwise) && otherwise <= masked &&
                   is_causal(shape_of(rewrite, chosen[0]), is_true,
                             hyp_match_bytes(rewrite, chosen[0]), &pattern->causal)
               ? chosen[1]
               : -1;
}

// Whether `tensor` is the probabilities: softmax of scores of queries and keys.
static bool match_probabilities(HypRewrite *rewrite, int tensor, Pattern *pattern)
{
    const int softmax = hyp_rewrite_find(rewrite, tensor, HYPERION_LAYER_SOFTMAX, 1);
    if (softmax < 0 || hyp_rewrite_layer(rewrite, softmax)->attributes.axis_from_end != 0)
        return false;
    int scores = strip_mask(rewrite, hyp_rewrite_layer(rewrite, softmax)->inputs[0], pattern);
    if (scores < 0)
        return false;
    scores = strip_scale(rewrite, scores, pattern);
    const int product = hyp_rewrite_find(rewrite, scores, HYPERION_LAYER_MATMUL, 1);
    if (product < 0)
        return false;
    const HypLayer *layer = hyp_rewrite_layer(rewrite, product);
    const int q = strip_scale(rewrite, layer->inputs[0], pattern);
    const int k = strip_scale(rewrite, layer->inputs[1], pattern);
    pattern->q = match_heads(rewrite, q, pattern, &pattern->heads);
    if (pattern->q < 0 || shape_of(rewrite, k)->rank != 4)
        return false;
    pattern->k = layer->attributes.transpose_b ? match_shared_heads(rewrite, k, pattern)
                                               : match_keys(rewrite, k, pattern);
    return pattern->k >= 0 && hyp_match_close(pattern->scale, 1.0F / sqrtf((float)pattern->dim));
}

static bool apply(HypRewrite *rewrite, int last)
{
    static const int64_t axes[4] = {0, 2, 1, 3};
    const HypLayer *merge = hyp_rewrite_layer(rewrite, last);
    if (merge->op != HYPERION_LAYER_RESHAPE || shape_of(rewrite, merge->outputs[0])->rank != 3)
        return false;
    const int heads = match_transpose(rewrite, merge->inputs[0], axes);
    const int product = heads < 0 ? -1 : hyp_rewrite_find(rewrite, heads, HYPERION_LAYER_MATMUL, 1);
    if (product < 0 || hyp_rewrite_layer(rewrite, product)->attributes.transpose_b)
        return false;
    const int *operands = hyp_rewrite_layer(rewrite, product)->inputs;
    Pattern pattern = {.scale = 1.0F};
    if (!match_probabilities(rewrite, operands[0], &pattern))
        return false;
    if (shape_of(rewrite, operands[1])->rank != 4)
        return false;
    pattern.v = match_shared_heads(rewrite, operands[1], &pattern);
    if (pattern.v < 0)
        return false;
    const HyperionLayerAttributes attributes = {
        .heads = pattern.heads, .kv_heads = pattern.kv_heads, .causal = pattern.causal};
    return hyp_rewrite_replace(rewrite, last, HYPERION_LAYER_ATTENTION, &attributes,
                               (int[]){pattern.q, pattern.k, pattern.v}, 3, last);
}

const HypRewriteRule hyp_rule_attention = {.name = "attention", .apply = apply};
