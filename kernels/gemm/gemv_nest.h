// SPDX-License-Identifier: Apache-2.0
// gemv_nest.h - the matrix product for few rows, written once over the vector vocabulary of a
// level: B, by far the largest operand, is read once, where it lies, and nothing is packed.
// Included by level/<level>/gemv_<level>.c after its vec_<level>.h.
#ifndef HYP_GEMV_NEST_H
#define HYP_GEMV_NEST_H

#include "activation/activation_math.h"
#include "gemm/gemv_blocks.h"
#include "kernel.h"
#include "parallel_for.h"

// c[r][j .. j + count) += a[r][k .. k + streams) * b[k .. k + streams)[j ..]; a vector of columns.
VEC_FN void gemv_add(const HypGemmArgs *args, size_t k, size_t streams, size_t j, size_t count,
                     size_t rows)
{
    const float *b = args->b + k * args->ldb + j;
    const bool whole = count == VEC_LANES;
    vec lines[GEMV_STREAMS];
#pragma GCC unroll 8
    for (size_t s = 0; s < streams; s++)
        lines[s] = whole ? vec_load(b + s * args->ldb) : vec_load_part(b + s * args->ldb, count);
    for (size_t r = 0; r < rows; r++) {
        const float *a = args->a + r * args->lda + k;
        float *c = args->c + r * args->ldc + j;
        vec sum = vec_zero();
        if (k > 0)
            sum = whole ? vec_load(c) : vec_load_part(c, count);
#pragma GCC unroll 8
        for (size_t s = 0; s < streams; s++)
            sum = vec_fma(vec_set(one_load(a + s)), lines[s], sum);
        if (whole)
            vec_store(c, sum);
        else
            vec_store_part(c, sum, count);
    }
}

VEC_FN void gemv_add_columns(const HypGemmArgs *args, size_t k, size_t streams, HypRange columns,
                             size_t rows)
{
    size_t j = columns.first;
    for (; j + VEC_LANES <= columns.end; j += VEC_LANES)
        gemv_add(args, k, streams, j, VEC_LANES, rows);
    if (j < columns.end)
        gemv_add(args, k, streams, j, columns.end - j, rows);
}

VEC_FN void gemv_straight(const HypGemmArgs *args, HypRange columns)
{
    size_t k = 0;
    for (; k + GEMV_STREAMS <= args->k; k += GEMV_STREAMS)
        if (args->m == 1)
            gemv_add_columns(args, k, GEMV_STREAMS, columns, 1);
        else
            gemv_add_columns(args, k, GEMV_STREAMS, columns, args->m);
    for (; k < args->k; k++)
        gemv_add_columns(args, k, 1, columns, args->m);
}

// c[j .. j + count) = a * b[j .. j + count), one row of A. Two sums a row of B: one would wait for
// each addition. Rows past `count` are the last one again.
VEC_FN void gemv_dots(const HypGemmArgs *args, const float *a, size_t j, size_t count, float *c)
{
    const float *b[GEMV_DOTS];
    vec even[GEMV_DOTS];
    vec odd[GEMV_DOTS];
#pragma GCC unroll 4
    for (size_t d = 0; d < GEMV_DOTS; d++) {
        b[d] = args->b + (j + (d < count ? d : count - 1)) * args->ldb;
        even[d] = odd[d] = vec_zero();
    }
    size_t k = 0;
    for (; k + 2 * VEC_LANES <= args->k; k += 2 * VEC_LANES) {
        const vec first = vec_load(a + k);
        const vec second = vec_load(a + k + VEC_LANES);
#pragma GCC unroll 4
        for (size_t d = 0; d < GEMV_DOTS; d++) {
            even[d] = vec_fma(first, vec_load(b[d] + k), even[d]);
            odd[d] = vec_fma(second, vec_load(b[d] + k + VEC_LANES), odd[d]);
        }
    }
    for (; k < args->k; k += VEC_LANES) {
        const size_t left = args->k - k < VEC_LANES ? args->k - k : VEC_LANES;
        const vec first = vec_load_part(a + k, left);
#pragma GCC unroll 4
        for (size_t d = 0; d < GEMV_DOTS; d++)
            even[d] = vec_fma(first, vec_load_part(b[d] + k, left), even[d]);
    }
    for (size_t d = 0; d < count; d++)
        one_store(c + d, vec_sum(vec_add(even[d], odd[d])));
}

VEC_FN void gemv_transposed(const HypGemmArgs *args, HypRange columns)
{
    for (size_t j = columns.first; j < columns.end; j += GEMV_DOTS) {
        const size_t left = columns.end - j;
        for (size_t r = 0; r < args->m; r++)
            gemv_dots(args, args->a + r * args->lda, j, left < GEMV_DOTS ? left : GEMV_DOTS,
                      args->c + r * args->ldc + j);
    }
}

VEC_FN void gemv_finish(const HypGemmArgs *args, HypRange columns)
{
    const HypEpilogue *epilogue = &args->epilogue;
    const vec alpha = vec_set(epilogue->alpha);
    const vec beta = vec_set(epilogue->beta);
    for (size_t r = 0; r < args->m; r++) {
        const vec row_bias = vec_set(epilogue->row_bias ? one_load(epilogue->row_bias + r) : 0);
        for (size_t j = columns.first; j < columns.end; j += VEC_LANES) {
            const size_t left = columns.end - j < VEC_LANES ? columns.end - j : VEC_LANES;
            float *c = args->c + r * args->ldc + j;
            vec sum = vec_add(args->k > 0 ? vec_load_part(c, left) : vec_zero(), row_bias);
            if (epilogue->column_bias)
                sum = vec_add(sum, vec_load_part(epilogue->column_bias + j, left));
            vec_store_part(c, vec_activate(epilogue->activation, alpha, beta, sum), left);
        }
    }
}

static void gemv_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    const HypGemmArgs args = *(const HypGemmArgs *)call->args;
    const HypRange part = hyp_parallel_part(args.n, HYP_LINE_FLOATS, call->threads, thread);
    for (size_t j = part.first; j < part.end; j += GEMV_COLUMNS) {
        const size_t end = part.end - j < GEMV_COLUMNS ? part.end : j + GEMV_COLUMNS;
        const HypRange columns = {j, end};
        if (args.b_transposed)
            gemv_transposed(&args, columns);
        else
            gemv_straight(&args, columns);
        gemv_finish(&args, columns);
    }
}

static void gemv_nest(const HypGemmArgs *args)
{
    hyp_parallel_call(args->parallel, 2 * (double)args->m * (double)args->n * (double)args->k,
                      gemv_part, args);
}

#endif
