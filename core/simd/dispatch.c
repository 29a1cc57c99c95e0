// SPDX-License-Identifier: Apache-2.0
#include "simd/dispatch.h"

#include <assert.h>

// The rest follows HYPERION_SIMD_OP_ACTIVATION, see simd.h.
static HyperionSIMDOpType find_type(HypKernelOp op)
{
    switch (op) {
    case HYP_OP_GEMM: return HYPERION_SIMD_OP_MATRIX_MUL;
    case HYP_OP_CONV2D: return HYPERION_SIMD_OP_CONV;
    case HYP_OP_ATTENTION: return HYPERION_SIMD_OP_ATTENTION;
    default: return HYPERION_SIMD_OP_ACTIVATION;
    }
}

static void choose_kernels(HypDispatch *dispatch)
{
    for (int i = 0; i < HYP_OP_COUNT; i++) {
        const HypKernelOp op = (HypKernelOp)i;
        const bool scalar = dispatch->scalar_only[find_type(op)];
        dispatch->best[op] = hyp_kernel_find(op, scalar ? HYPERION_SIMD_SCALAR : dispatch->level);
    }
}

HypDispatch hyp_dispatch_create(HyperionSIMDLevel level)
{
    HypDispatch dispatch = {.level = level};
    choose_kernels(&dispatch);
    return dispatch;
}

void hyp_dispatch_set_level(HypDispatch *dispatch, HyperionSIMDLevel level)
{
    dispatch->level = level;
    choose_kernels(dispatch);
}

void hyp_dispatch_enable(HypDispatch *dispatch, HyperionSIMDOpType type, bool enable)
{
    assert((unsigned)type < HYP_SIMD_OP_TYPE_COUNT);
    dispatch->scalar_only[type] = !enable;
    choose_kernels(dispatch);
}
