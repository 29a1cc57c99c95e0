// SPDX-License-Identifier: Apache-2.0
// gemm_compute.h - the matrix product of one level: nest, steps and packing of B put together.
// Included after level/<level>/gemm_tile_<level>.h.
#ifndef HYP_GEMM_COMPUTE_H
#define HYP_GEMM_COMPUTE_H

#include "gemm/gemm_compute_steps.h"
#include "gemm/gemm_pack_b.h"

#include "gemm/gemm_nest.h" // after the steps it calls

#include <assert.h>

// With arguments in the kernel's own frame, where they are read at every tile: no line of the
// caller's competes with the panels.
static void gemm_compute(const HypGemmArgs *args)
{
    assert(args->blocking.mr == GEMM_MR && args->blocking.nr == GEMM_NR);
    const HypGemmArgs own = *args;
    const GemmBlocks blocks = gemm_blocks(&own);
    const GemmContext context = gemm_context(&own, &blocks, own.workspace);
    gemm_nest(&own, &blocks, &context);
}

#endif
