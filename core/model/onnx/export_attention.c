// SPDX-License-Identifier: Apache-2.0
// Attention and rotary position embedding, which ONNX has no operators for before opset 23: in the
// operators that other exporters write them in.
#include "model/onnx/export_node.h"

#include "common/fail.h"
#include "model/layer_op.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

// [batch x seq x heads * dim] as [batch x heads x seq x dim], or [.. x dim x seq].
static const char *split_heads(OnnxExport *x, int input, int64_t heads, bool transposed,
                               const char *const suffixes[3])
{
    static const int64_t by_head[] = {0, 2, 1, 3};
    static const int64_t by_head_transposed[] = {0, 2, 3, 1};
    const HypShape *shape = hyp_layer_input(x->model, x->layer, input);
    const int64_t dims[] = {shape->dims[0], shape->dims[1], heads, shape->dims[2] / heads};
    const char *apart = hyp_onnx_export_reshape(x, hyp_onnx_export_input(x, input), 4, dims,
                                                suffixes[0], hyp_onnx_export_inner(x, suffixes[1]));
    return hyp_onnx_export_transpose(x, apart, 4, transposed ? by_head_transposed : by_head,
                                     hyp_onnx_export_inner(x, suffixes[2]));
}

// [batch x kv_heads x a x b], each head `times` times.
static const char *repeat_heads(OnnxExport *x, const char *in, const int64_t dims[4], int64_t times,
                                const char *const suffixes[6])
{
    if (times == 1)
        return in;
    const int64_t apart_dims[] = {dims[0], dims[1], 1, dims[2], dims[3]};
    const int64_t repeated_dims[] = {dims[0], dims[1], times, dims[2], dims[3]};
    const int64_t joined_dims[] = {dims[0], dims[1] * times, dims[2], dims[3]};
    const char *apart = hyp_onnx_export_reshape(x, in, 5, apart_dims, suffixes[0],
                                                hyp_onnx_export_inner(x, suffixes[1]));
    const char *repeated = hyp_onnx_export_binary(
        x, "Expand", apart, hyp_onnx_export_ints(x, suffixes[2], 5, repeated_dims),
        hyp_onnx_export_inner(x, suffixes[3]));
    return hyp_onnx_export_reshape(x, repeated, 4, joined_dims, suffixes[4],
                                   hyp_onnx_export_inner(x, suffixes[5]));
}

// Scores of the keys that a query does not see become the least there is.
static const char *mask_scores(OnnxExport *x, const char *scores, int64_t queries, int64_t keys)
{
    bool *seen = calloc((size_t)(queries * keys) + 1, sizeof *seen);
    if (!seen) {
        x->failed = true;
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "export to ONNX: no memory for a mask");
        return scores;
    }
    for (int64_t i = 0; i < queries; i++)
        for (int64_t j = 0; j < keys && j <= i + keys - queries; j++)
            seen[i * keys + j] = true;
    const char *mask = hyp_onnx_export_constant(x, "mask", HYPERION_TYPE_BOOL, 4,
                                                (const int64_t[]){1, 1, queries, keys}, seen);
    free(seen);
    const char *masked = hyp_onnx_export_inner(x, "masked");
    hyp_onnx_export_begin(x, "Where");
    hyp_onnx_export_reads(x, mask);
    hyp_onnx_export_reads(x, scores);
    hyp_onnx_export_reads(x, hyp_onnx_export_float(x, "least", -FLT_MAX));
    hyp_onnx_export_writes(x, masked);
    hyp_onnx_export_end(x);
    return masked;
}

static const char *put_weights(OnnxExport *x, const char *q, const char *k, int64_t dim)
{
    const HypShape *q_shape = hyp_layer_input(x->model, x->layer, 0);
    const HypShape *k_shape = hyp_layer_input(x->model, x->layer, 1);
    const char *scores =
        hyp_onnx_export_binary(x, "MatMul", q, k, hyp_onnx_export_inner(x, "scores"));
    scores = hyp_onnx_export_binary(
        x, "Mul", scores, hyp_onnx_export_float(x, "scale", dim ? 1.0F / sqrtf((float)dim) : 1.0F),
        hyp_onnx_export_inner(x, "scaled"));
    if (x->layer->attributes.causal)
        scores = mask_scores(x, scores, q_shape->dims[1], k_shape->dims[1]);
    const char *weights = hyp_onnx_export_inner(x, "weights");
    hyp_onnx_export_begin(x, "Softmax");
    hyp_onnx_export_reads(x, scores);
    hyp_onnx_export_writes(x, weights);
    hyp_onnx_export_set_int(x, "axis", -1);
    hyp_onnx_export_end(x);
    return weights;
}

void hyp_onnx_export_attention(OnnxExport *x)
{
    static const char *const of_q[] = {"q_shape", "q_heads", "q"};
    static const char *const of_k[] = {"k_shape", "k_heads", "k"};
    static const char *const of_v[] = {"v_shape", "v_heads", "v"};
    static const char *const all_k[] = {"k_groups_shape", "k_groups",    "k_repeats",
                                        "k_repeated",     "k_all_shape", "k_all"};
    static const char *const all_v[] = {"v_groups_shape", "v_groups",    "v_repeats",
                                        "v_repeated",     "v_all_shape", "v_all"};
    static const int64_t back[] = {0, 2, 1, 3};
    static const int64_t swapped[] = {0, 1, 3, 2};
    const HypShape *shape = hyp_layer_output(x->model, x->layer);
    const int64_t heads = x->layer->attributes.heads;
    const int64_t kv_heads = x->layer->attributes.kv_heads ? x->layer->attributes.kv_heads : heads;
    const int64_t dim = shape->dims[2] / heads;
    const int64_t keys = hyp_layer_input(x->model, x->layer, 1)->dims[1];
    const char *q = split_heads(x, 0, heads, false, of_q);
    const int64_t kv_dims[] = {shape->dims[0], kv_heads, keys, dim};
    const int64_t times = heads / kv_heads;
    const char *k = split_heads(x, 1, kv_heads, times == 1, of_k);
    if (times > 1)
        k = hyp_onnx_export_transpose(x, repeat_heads(x, k, kv_dims, times, all_k), 4, swapped,
                                      hyp_onnx_export_inner(x, "k_transposed"));
    const char *v =
        repeat_heads(x, split_heads(x, 2, kv_heads, false, of_v), kv_dims, times, all_v);
    const char *values = hyp_onnx_export_binary(x, "MatMul", put_weights(x, q, k, dim), v,
                                                hyp_onnx_export_inner(x, "values"));
    const char *rows =
        hyp_onnx_export_transpose(x, values, 4, back, hyp_onnx_export_inner(x, "rows"));
    (void)hyp_onnx_export_reshape(x, rows, shape->rank, shape->dims, "shape",
                                  hyp_onnx_export_result(x));
}

// Cosines and sines of every position and pair, as constants; computed as the layer computes them.
static void put_turns(OnnxExport *x, int64_t seq, int64_t half, const char *names[2])
{
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    const bool interleaved = attributes->rotary_interleaved;
    const int64_t dims[] = {seq, 1, interleaved ? half : 1, interleaved ? 1 : half};
    float *turns = calloc((size_t)(2 * seq * half) + 1, sizeof *turns);
    if (!turns) {
        x->failed = true;
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "export to ONNX: no memory for positions");
        return;
    }
    float *sines = turns + seq * half;
    for (int64_t p = 0; p < seq; p++)
        for (int64_t i = 0; i < half; i++) {
            const double angle = ((double)attributes->first_position + (double)p) *
                                 pow((double)attributes->rotary_base, -(double)i / (double)half);
            turns[p * half + i] = (float)cos(angle);
            sines[p * half + i] = (float)sin(angle);
        }
    names[0] = hyp_onnx_export_constant(x, "cosines", HYPERION_TYPE_F32, 4, dims, turns);
    names[1] = hyp_onnx_export_constant(x, "sines", HYPERION_TYPE_F32, 4, dims, sines);
    free(turns);
}

void hyp_onnx_export_rope(OnnxExport *x)
{
    const HyperionLayerAttributes *attributes = &x->layer->attributes;
    const HypShape *shape = hyp_layer_output(x->model, x->layer);
    const int64_t seq = shape->dims[shape->rank - 2];
    const int64_t half = shape->dims[shape->rank - 1] / attributes->heads / 2;
    const int64_t outer = (int64_t)hyp_shape_product(shape, 0, shape->rank - 2);
    const int axis = attributes->rotary_interleaved ? 4 : 3;
    const int64_t dims[] = {outer, seq, attributes->heads, axis == 4 ? half : 2,
                            axis == 4 ? 2 : half};
    const char *turns[2] = {"", ""};
    put_turns(x, seq, half, turns);
    const char *pairs = hyp_onnx_export_reshape(x, hyp_onnx_export_input(x, 0), 5, dims,
                                                "pairs_shape", hyp_onnx_export_inner(x, "pairs"));
    const char *a = hyp_onnx_export_inner(x, "a");
    const char *b = hyp_onnx_export_inner(x, "b");
    hyp_onnx_export_begin(x, "Split");
    hyp_onnx_export_reads(x, pairs);
    hyp_onnx_export_reads(x, hyp_onnx_export_ints(x, "halves", 2, (const int64_t[]){1, 1}));
    hyp_onnx_export_writes(x, a);
    hyp_onnx_export_writes(x, b);
    hyp_onnx_export_set_int(x, "axis", axis);
    hyp_onnx_export_end(x);
    const char *ac = hyp_onnx_export_binary(x, "Mul", a, turns[0], hyp_onnx_export_inner(x, "ac"));
    const char *bs = hyp_onnx_export_binary(x, "Mul", b, turns[1], hyp_onnx_export_inner(x, "bs"));
    const char *bc = hyp_onnx_export_binary(x, "Mul", b, turns[0], hyp_onnx_export_inner(x, "bc"));
    const char *as = hyp_onnx_export_binary(x, "Mul", a, turns[1], hyp_onnx_export_inner(x, "as"));
    const char *first = hyp_onnx_export_binary(x, "Sub", ac, bs, hyp_onnx_export_inner(x, "first"));
    const char *second =
        hyp_onnx_export_binary(x, "Add", bc, as, hyp_onnx_export_inner(x, "second"));
    const char *turned = hyp_onnx_export_inner(x, "turned");
    hyp_onnx_export_begin(x, "Concat");
    hyp_onnx_export_reads(x, first);
    hyp_onnx_export_reads(x, second);
    hyp_onnx_export_writes(x, turned);
    hyp_onnx_export_set_int(x, "axis", axis);
    hyp_onnx_export_end(x);
    (void)hyp_onnx_export_reshape(x, turned, shape->rank, shape->dims, "shape",
                                  hyp_onnx_export_result(x));
}
