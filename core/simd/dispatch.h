// SPDX-License-Identifier: Apache-2.0
// dispatch.h - the kernels in use: one an operation, chosen for a level. Per model, not global, so
// that levels can be compared in one process.
#ifndef HYP_SIMD_DISPATCH_H
#define HYP_SIMD_DISPATCH_H

#include "hyperion/simd.h"

#include "kernel_table.h"

enum { HYP_SIMD_OP_TYPE_COUNT = HYPERION_SIMD_OP_ATTENTION + 1 };

typedef struct HypDispatch {
    HyperionSIMDLevel level;                    // asked for
    bool scalar_only[HYP_SIMD_OP_TYPE_COUNT];   // by HyperionSIMDOpType
    const HypKernelVariant *best[HYP_OP_COUNT]; // follows from the two
} HypDispatch;

// The best available kernels of `level`, which this CPU must have, SIMD enabled for all.
HypDispatch hyp_dispatch_create(HyperionSIMDLevel level);

// Each changes `dispatch` and chooses its kernels again.
void hyp_dispatch_set_level(HypDispatch *dispatch, HyperionSIMDLevel level);
void hyp_dispatch_enable(HypDispatch *dispatch, HyperionSIMDOpType type, bool enable);

#endif
