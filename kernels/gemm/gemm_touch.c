// SPDX-License-Identifier: Apache-2.0
#include "gemm/gemm_touch.h"

#include "gemm/gemm_blocks.h"

enum { FLOAT_BYTES = sizeof(float), TRANSPOSED_TOGETHER = 16 };

typedef struct GemmContext {
    const HypGemmArgs *args;
    const HypTouchSink *sink;
    uintptr_t packed_a;
    uintptr_t packed_b;
} GemmContext;

static void touch_floats(const GemmContext *context, uintptr_t base, size_t index, size_t count,
                         bool write)
{
    const HypTouchSink *sink = context->sink;
    sink->touch(sink->context, base + index * FLOAT_BYTES, count * FLOAT_BYTES, write);
}

static void touch_transposed(const GemmContext *context, uintptr_t source, size_t ld, size_t rows,
                             size_t depth, uintptr_t packed, size_t width)
{
    for (size_t k = 0; k < depth; k += TRANSPOSED_TOGETHER) {
        const size_t count = gemm_least(TRANSPOSED_TOGETHER, depth - k);
        for (size_t r = 0; r < rows; r++)
            touch_floats(context, source, r * ld + k, count, false);
        touch_floats(context, packed, k * width, count * width, true);
    }
}

static void pack_a_block(const GemmContext *context, size_t ic, size_t pc, size_t mc, size_t kc,
                         size_t to)
{
    const HypGemmArgs *args = context->args;
    const size_t mr = args->blocking.mr;
    for (size_t ir = 0; ir < mc; ir += mr) {
        const uintptr_t source = (uintptr_t)args->a + ((ic + ir) * args->lda + pc) * FLOAT_BYTES;
        touch_transposed(context, source, args->lda, gemm_least(mr, mc - ir), kc,
                         context->packed_a + (to + ir * kc) * FLOAT_BYTES, mr);
    }
}

static void pack_b_slivers(const GemmContext *context, size_t pc, size_t jc, size_t kc, size_t nc,
                           size_t to)
{
    const HypGemmArgs *args = context->args;
    const size_t nr = args->blocking.nr;
    const uintptr_t b = (uintptr_t)args->b;
    for (size_t jr = 0; jr < nc; jr += nr) {
        const size_t columns = gemm_least(nr, nc - jr);
        const uintptr_t packed = context->packed_b + (to + jr * kc) * FLOAT_BYTES;
        if (args->b_transposed) {
            touch_transposed(context, b + ((jc + jr) * args->ldb + pc) * FLOAT_BYTES, args->ldb,
                             columns, kc, packed, nr);
            continue;
        }
        for (size_t k = 0; k < kc; k++) {
            touch_floats(context, b, (pc + k) * args->ldb + jc + jr, columns, false);
            touch_floats(context, packed, k * nr, nr, true);
        }
    }
}

static void multiply_tile(const GemmContext *context, const GemmTile *tile)
{
    const HypGemmArgs *args = context->args;
    const HypEpilogue *epilogue = &args->epilogue;
    const size_t mr = args->blocking.mr;
    const size_t nr = args->blocking.nr;
    for (size_t k = 0; k < tile->depth; k++) {
        touch_floats(context, context->packed_b, tile->panel_b + k * nr, nr, false);
        touch_floats(context, context->packed_a, tile->panel_a + k * mr, mr, false);
    }
    for (size_t row = tile->row; row < tile->row + tile->rows; row++) {
        const size_t place = row * args->ldc + tile->column;
        if (!tile->first)
            touch_floats(context, (uintptr_t)args->c, place, tile->columns, false);
        if (tile->last && epilogue->row_bias)
            touch_floats(context, (uintptr_t)epilogue->row_bias, row, 1, false);
        if (tile->last && epilogue->column_bias)
            touch_floats(context, (uintptr_t)epilogue->column_bias, tile->column, tile->columns,
                         false);
        touch_floats(context, (uintptr_t)args->c, place, tile->columns, true);
    }
}

#include "gemm/gemm_nest.h" // after the steps it calls

void hyp_gemm_touch(const HypGemmArgs *args, const HypTouchSink *sink)
{
    const uintptr_t workspace = (uintptr_t)args->workspace;
    HypGemmArgs serial = *args;
    serial.parallel = NULL;
    const GemmBlocks blocks = gemm_blocks(&serial);
    const GemmContext context = {.args = &serial,
                                 .sink = sink,
                                 .packed_a = args->packed_a ? (uintptr_t)args->packed_a : workspace,
                                 .packed_b = args->packed_b ? (uintptr_t)args->packed_b
                                                            : workspace + blocks.packed_b};
    gemm_nest(&serial, &blocks, &context);
}
