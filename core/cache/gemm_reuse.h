// SPDX-License-Identifier: Apache-2.0
// gemm_reuse.h - what comes back within a block: of A with the next sliver, of B with the next
// panel, of rows in the lines that two slivers share. Looked at in some tiles of a block, and for
// blocks of one size once. Of the first level, where that leaves doubt, by a walk (gemm_walk.h).
#ifndef HYP_GEMM_REUSE_H
#define HYP_GEMM_REUSE_H

#include "cache/gemm_windows.h"

// Good until the next call.
const HypGemmReuse *hyp_gemm_reuse(HypGemmPredictor *predictor, const HypIterations *at);

#endif
