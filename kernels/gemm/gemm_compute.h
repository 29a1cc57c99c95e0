// SPDX-License-Identifier: Apache-2.0
// gemm_compute.h - the matrix product of one level: nest, steps and packing of B put together.
// Included after level/<level>/gemm_tile_<level>.h.
#ifndef HYP_GEMM_COMPUTE_H
#define HYP_GEMM_COMPUTE_H

#include "gemm/gemm_compute_steps.h"
#include "gemm/gemm_pack_b.h"

#include "gemm/gemm_nest.h" // after the steps it calls

#include <assert.h>

static void gemm_compute(const HypGemmArgs *args)
{
    assert(args->blocking.mr == GEMM_MR && args->blocking.nr == GEMM_NR);
    const GemmBlocks blocks = gemm_blocks(args);
    const GemmContext context = gemm_context(args, &blocks, args->workspace);
    gemm_nest(args, &blocks, &context);
}

#endif
