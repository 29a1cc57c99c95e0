// SPDX-License-Identifier: Apache-2.0
#include "kernel_table.h"

#define KERNEL(op_, OP, dtype, level_, LEVEL, tuning_, mr_, nr_)                                   \
    {.name = #op_ "_" #dtype "_" #level_ "_" #tuning_,                                             \
     .op_name = #op_,                                                                              \
     .tuning = #tuning_,                                                                           \
     .op = HYP_OP_##OP,                                                                            \
     .level = HYPERION_SIMD_##LEVEL,                                                               \
     .mr = (mr_),                                                                                  \
     .nr = (nr_),                                                                                  \
     .fn.op_ = hyp_##op_##_##dtype##_##level_##_##tuning_,                                         \
     .touch.op_ = hyp_touch_##op_##_##level_},
const HypKernelVariant hyp_kernel_table[] = {
#include "kernel_list.def"
};
#undef KERNEL

const size_t hyp_kernel_count = sizeof hyp_kernel_table / sizeof hyp_kernel_table[0];

const char *hyp_kernel_op_name(HypKernelOp op)
{
#define OP(name, args_type, ENUM) #name,
    static const char *const names[] = {HYP_KERNEL_OPS(OP)};
#undef OP
    return (unsigned)op < HYP_OP_COUNT ? names[op] : NULL;
}

const HypKernelVariant *hyp_kernel_find(HypKernelOp op, HyperionSIMDLevel highest)
{
    const HypKernelVariant *best = NULL;
    for (size_t i = 0; i < hyp_kernel_count; i++) {
        const HypKernelVariant *variant = &hyp_kernel_table[i];
        if (variant->op == op && variant->level <= highest &&
            (!best || variant->level >= best->level))
            best = variant;
    }
    return best;
}

const HyperionParallel **hyp_kernel_parallel(HypKernelOp op, HypKernelArgs *args)
{
    switch (op) {
#define OP(name, args_type, ENUM)                                                                  \
    case HYP_OP_##ENUM: return &args->name.parallel;
        HYP_KERNEL_OPS(OP)
#undef OP
    default: return NULL;
    }
}

void **hyp_kernel_workspace(HypKernelOp op, HypKernelArgs *args, size_t *size_bytes)
{
    switch (op) {
    case HYP_OP_GEMM:
        *size_bytes = hyp_gemm_workspace_bytes(&args->gemm);
        return &args->gemm.workspace;
    case HYP_OP_CONV2D:
        *size_bytes = hyp_conv2d_workspace_bytes(&args->conv2d);
        return &args->conv2d.workspace;
    case HYP_OP_DEPTHWISE2D:
        *size_bytes = hyp_depthwise2d_workspace_bytes(&args->depthwise2d);
        return &args->depthwise2d.workspace;
    case HYP_OP_ATTENTION:
        *size_bytes = hyp_attention_workspace_bytes(&args->attention);
        return &args->attention.workspace;
    default: *size_bytes = 0; return NULL;
    }
}
