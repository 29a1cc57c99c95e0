// SPDX-License-Identifier: Apache-2.0
// gemm_transpose.h - packing with transposition, of all that multiply in register tiles. Included
// after level/<level>/gemm_tile_<level>.h.
#ifndef HYP_GEMM_TRANSPOSE_H
#define HYP_GEMM_TRANSPOSE_H

#include "gemm/gemm_blocks.h"

#define GEMM_NR ((size_t)GEMM_NV * VEC_LANES)
enum { GEMM_LINE_FLOATS = 16 };

// As vec_load_part and vec_store_part, for counts that are seldom below VEC_LANES: masked stores
// are slow where the mask is not a register of its own.
VEC_FN vec load_up_to(const float *p, size_t count)
{
    return count >= VEC_LANES ? vec_load(p) : vec_load_part(p, count);
}
VEC_FN void store_up_to(float *p, vec v, size_t count)
{
    if (count >= VEC_LANES)
        vec_store(p, v);
    else
        vec_store_part(p, v, count);
}

// A block of pack_transposed: components k to k + count - 1 of up to VEC_LANES rows, into as many
// of `columns` columns of a panel of depth x width that begins at `packed`.
VEC_FN void pack_transposed_block(const float *source, size_t ld, size_t rows, size_t k,
                                  size_t depth, float *packed, size_t width, size_t columns)
{
    const size_t count = gemm_least(VEC_LANES, depth - k);
    vec block[VEC_LANES];
#pragma GCC unroll 16
    for (size_t i = 0; i < VEC_LANES; i++)
        block[i] = i < rows ? load_up_to(source + i * ld + k, count) : vec_zero();
    vec_transpose(block);
#pragma GCC unroll 16
    for (size_t i = 0; i < VEC_LANES; i++) {
        // A row narrower than a register is stored whole all the same, where the panel goes on:
        // what spills over is overwritten by the next row.
        const size_t place = (k + i) * width;
        const bool spill = width < VEC_LANES && place + VEC_LANES <= depth * width;
        if (i < count)
            store_up_to(packed + place, block[i], spill ? VEC_LANES : columns);
    }
}

// packed[k * width + r] = source[r * ld + k] for r < rows, and 0 for rows <= r < width. A register
// of rows is read a line at a time: rows a power of two apart lie in one set of a cache, which does
// not hold those of a whole panel until the rest of their lines is read.
VEC_FN void pack_transposed(const float *source, size_t ld, size_t rows, size_t depth,
                            float *packed, size_t width)
{
    for (size_t line = 0; line < depth; line += GEMM_LINE_FLOATS)
        for (size_t r = 0; r < width; r += VEC_LANES)
            for (size_t k = line; k < gemm_least(line + GEMM_LINE_FLOATS, depth); k += VEC_LANES)
                pack_transposed_block(source + r * ld, ld, rows > r ? rows - r : 0, k, depth,
                                      packed + r, width, width - r);
}

#endif
