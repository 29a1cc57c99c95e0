// SPDX-License-Identifier: Apache-2.0
#include "reference/reference.h"

#include <math.h>

size_t hyp_reference_visible_keys(const HypAttentionArgs *args, size_t query)
{
    if (!args->causal)
        return args->keys;
    const size_t end = query + 1 + args->keys;
    return end > args->queries ? end - args->queries : 0;
}

void hyp_reference_attention(const HypAttentionArgs *args, size_t batch, size_t head, size_t query,
                             double *weights, double *out)
{
    const size_t dim = args->dim;
    const size_t position = args->heads * dim; // floats from one query to the next
    const size_t kv_heads = args->kv_heads ? args->kv_heads : args->heads;
    const size_t key_position = kv_heads * dim; // and from one key to the next
    const size_t key_head = head / (args->heads / kv_heads);
    const float *q = args->q + (batch * args->queries + query) * position + head * dim;
    const float *k = args->k + batch * args->keys * key_position + key_head * dim;
    const float *v = args->v + batch * args->keys * key_position + key_head * dim;
    const size_t visible = hyp_reference_visible_keys(args, query);
    double greatest = -INFINITY;
    for (size_t j = 0; j < visible; j++) {
        double dot = 0;
        for (size_t d = 0; d < dim; d++)
            dot += (double)q[d] * (double)k[j * key_position + d];
        weights[j] = dot * (double)args->scale;
        greatest = fmax(greatest, weights[j]);
    }
    double sum = 0;
    for (size_t j = 0; j < visible; j++)
        sum += weights[j] = exp(weights[j] - greatest);
    for (size_t d = 0; d < dim; d++)
        out[d] = 0;
    for (size_t j = 0; j < visible; j++) {
        weights[j] /= sum;
        for (size_t d = 0; d < dim; d++)
            out[d] += weights[j] * (double)v[j * key_position + d];
    }
}
