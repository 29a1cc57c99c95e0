// SPDX-License-Identifier: Apache-2.0
// gemm_compute_steps.h - the steps of gemm_nest.h that multiply, over the vector vocabulary of a
// level. Included after level/<level>/gemm_tile_<level>.h, which gives
//
//   GEMM_MR, GEMM_NV     register tile: GEMM_MR rows by GEMM_NV vectors
//   vec_transpose(rows)  of VEC_LANES registers in place
//
// pack_b_slivers, the step that knows where B comes from, stands in gemm_pack_b.h,
// conv2d_columns.h.
#ifndef HYP_GEMM_COMPUTE_STEPS_H
#define HYP_GEMM_COMPUTE_STEPS_H

#include "activation/activation_math.h"
#include "gemm/gemm_pack.h"

// Steps of k in a cache line of A's panel, at least one.
enum { STEPS_PER_LINE = GEMM_LINE_FLOATS / GEMM_MR };

// sums += one column of A's panel times one row of B's.
VEC_FN void accumulate_step(const float *a, const float *b, vec sums[GEMM_MR][GEMM_NV])
{
    vec row[GEMM_NV];
#pragma GCC unroll 8
    for (size_t v = 0; v < GEMM_NV; v++)
        row[v] = vec_load(b + v * VEC_LANES);
#pragma GCC unroll 16
    for (size_t r = 0; r < GEMM_MR; r++) {
        const vec value = vec_set(one_load(a + r));
#pragma GCC unroll 8
        for (size_t v = 0; v < GEMM_NV; v++)
            sums[r][v] = vec_fma(value, row[v], sums[r][v]);
    }
}

// sums += panel_a (depth x MR) * panel_b (depth x NR). `ahead` > 0: brings in A that lies so many
// floats ahead, at a panel's end the next panel's; B stays in the first level from tile to tile.
VEC_FN void accumulate(const float *panel_a, const float *panel_b, size_t depth, size_t ahead,
                       vec sums[GEMM_MR][GEMM_NV])
{
    size_t k = 0;
    for (; k + STEPS_PER_LINE <= depth; k += STEPS_PER_LINE) {
        if (ahead > 0)
            vec_prefetch(panel_a + ahead);
#pragma GCC unroll 16
        for (size_t step = 0; step < STEPS_PER_LINE; step++) {
            accumulate_step(panel_a, panel_b, sums);
            panel_a += GEMM_MR;
            panel_b += GEMM_NR;
        }
    }
    for (; k < depth; k++) {
        accumulate_step(panel_a, panel_b, sums);
        panel_a += GEMM_MR;
        panel_b += GEMM_NR;
    }
}

// C's rows of a tile, needed when its sums are done. They are further away than the packed panels:
// without this, large products lose a tenth of their time to it.
VEC_FN void prefetch_c(const HypGemmArgs *args, const GemmTile *tile)
{
    const float *c = args->c + tile->row * args->ldc + tile->column;
    for (size_t r = 0; r < tile->rows; r++)
        for (size_t j = 0; j < tile->columns; j += GEMM_LINE_FLOATS)
            vec_prefetch(c + r * args->ldc + j);
}

// The whole tile, no epilogue: from registers to C.
VEC_FN void store_tile(vec sums[GEMM_MR][GEMM_NV], float *c, size_t ldc, bool first)
{
#pragma GCC unroll 16
    for (size_t r = 0; r < GEMM_MR; r++) {
        float *row = c + r * ldc;
#pragma GCC unroll 8
        for (size_t v = 0; v < GEMM_NV; v++) {
            float *place = row + v * VEC_LANES;
            vec_store(place, first ? sums[r][v] : vec_add(vec_load(place), sums[r][v]));
        }
    }
}

VEC_FN vec apply_epilogue(const HypEpilogue *epilogue, vec sum, size_t row, size_t column,
                          size_t count)
{
    if (epilogue->row_bias)
        sum = vec_add(sum, vec_set(one_load(epilogue->row_bias + row)));
    if (epilogue->column_bias)
        sum = vec_add(sum, load_up_to(epilogue->column_bias + column, count));
    return vec_activate(epilogue->activation, vec_set(epilogue->alpha), vec_set(epilogue->beta),
                        sum);
}

// What store_tile leaves: edges of C and epilogues. Takes the sums from memory, so that this can be
// a loop; a tile is small against the product it is the result of.
static void finish_tile(const HypGemmArgs *args, const GemmTile *tile, const float *sums)
{
    for (size_t r = 0; r < tile->rows; r++) {
        float *row = args->c + (tile->row + r) * args->ldc + tile->column;
        for (size_t j = 0; j < tile->columns; j += VEC_LANES) {
            const size_t count = gemm_least(VEC_LANES, tile->columns - j);
            vec sum = vec_load(sums + r * GEMM_NR + j);
            if (!tile->first)
                sum = vec_add(load_up_to(row + j, count), sum);
            if (tile->last)
                sum = apply_epilogue(&args->epilogue, sum, tile->row + r, tile->column + j, count);
            store_up_to(row + j, sum, count);
        }
    }
}

static bool has_epilogue(const HypEpilogue *epilogue)
{
    return epilogue->row_bias || epilogue->column_bias ||
           epilogue->activation != HYPERION_ACTIVATION_NONE;
}

VEC_FN void multiply_tile_ahead(const GemmContext *context, const GemmTile *tile, size_t ahead)
{
    const HypGemmArgs *args = context->args;
    vec sums[GEMM_MR][GEMM_NV];
#pragma GCC unroll 16
    for (size_t r = 0; r < GEMM_MR; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < GEMM_NV; v++)
            sums[r][v] = vec_zero();
    if (ahead > 0)
        prefetch_c(args, tile);
    accumulate(context->packed_a + tile->panel_a, context->packed_b + tile->panel_b, tile->depth,
               ahead, sums);
    if (tile->rows == GEMM_MR && tile->columns == GEMM_NR &&
        !(tile->last && has_epilogue(&args->epilogue))) {
        store_tile(sums, args->c + tile->row * args->ldc + tile->column, args->ldc, tile->first);
        return;
    }
    float stored[GEMM_MR * GEMM_NR];
    store_tile(sums, stored, GEMM_NR, true);
    finish_tile(args, tile, stored);
}

// Two copies of the loop over k: with prefetches and without any.
static __attribute__((noinline)) void multiply_tile(const GemmContext *context,
                                                    const GemmTile *tile)
{
    const size_t ahead = context->args->blocking.prefetch_lines * GEMM_LINE_FLOATS;
    if (ahead > 0)
        multiply_tile_ahead(context, tile, ahead);
    else
        multiply_tile_ahead(context, tile, 0);
}

#endif
