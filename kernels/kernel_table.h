// SPDX-License-Identifier: Apache-2.0
// kernel_table.h - prototypes, the table and workspace sizes, expanded from kernel_list.def.
#ifndef HYP_KERNEL_TABLE_H
#define HYP_KERNEL_TABLE_H

#include "kernel.h"

#define OP(name, args_type, ENUM) typedef args_type HypArgs_##name;
HYP_KERNEL_OPS(OP)
#undef OP

#define KERNEL(op, OP, dtype, level, LEVEL, tuning, mr, nr)                                        \
    void hyp_##op##_##dtype##_##level##_##tuning(const HypArgs_##op *args);                        \
    void hyp_touch_##op##_##level(const HypArgs_##op *args);
#include "kernel_list.def"
#undef KERNEL

extern const HypKernelVariant hyp_kernel_table[];
extern const size_t hyp_kernel_count;

// Name of an operation, "gemm"; NULL past the last.
const char *hyp_kernel_op_name(HypKernelOp op);

// The last variant of `op` in the table whose level is at most `highest`. Every operation has a
// scalar variant, so never NULL. Does not look at the CPU: the caller passes a level it can run.
const HypKernelVariant *hyp_kernel_find(HypKernelOp op, HyperionSIMDLevel highest);

// Bytes of workspace that `args` needs; only sizes, blocking and which operands are packed are
// read.
size_t hyp_gemm_workspace_bytes(const HypGemmArgs *args);
size_t hyp_conv2d_workspace_bytes(const HypConv2dArgs *args);
size_t hyp_depthwise2d_workspace_bytes(const HypConv2dArgs *args);
size_t hyp_attention_workspace_bytes(const HypAttentionArgs *args);

#define OP(name, args_type, ENUM) args_type name;
typedef union HypKernelArgs {
    HYP_KERNEL_OPS(OP)
} HypKernelArgs;
#undef OP

// The member of `args` that points to the workspace of `op`, and the bytes that are needed there;
// NULL and 0 for operations without one.
void **hyp_kernel_workspace(HypKernelOp op, HypKernelArgs *args, size_t *size_bytes);

// Where the arguments of `op` hold their threads.
const HyperionParallel **hyp_kernel_parallel(HypKernelOp op, HypKernelArgs *args);

// `touch` is told of each run of bytes (at least 1) that is read, written or prefetched next. A run
// may span lines; what is done to one line in a row is told once, twice where it is read and then
// written.
typedef struct HypTouchSink {
    void (*touch)(void *context, uintptr_t address, size_t bytes, HyperionTouch kind);
    void *context;
    size_t line_bytes; // a power of two
} HypTouchSink;

// Tells `sink` what the variant would touch, in its order, by its own loop nest over loads and
// stores that only tell (kernels/touch): with several threads of args->parallel, whatever it runs.
// Pointers in `args` are places only, never followed: any values do that are as far apart as those
// of the call meant. Only the workspace of depthwise2d has to exist: offsets are written there.
// Left out: the kernel's stack and its arguments.
void hyp_kernel_touch(const HypKernelVariant *variant, const HypKernelArgs *args,
                      const HypTouchSink *sink);

// From here on, `touch` functions of variants that this thread calls tell `sink`: for who calls
// them through code that takes them for kernels.
void hyp_touch_begin(const HypTouchSink *sink);

// Tells of a copy between places that do not overlap, line by line, and copies nothing. In a thread
// that has called hyp_touch_begin.
void hyp_touch_copy(void *to, const void *from, size_t bytes);

// Operands that do not change from call to call can be packed once: into `packed`, 64-byte aligned
// and as large as said. What is packed suits any number of threads, but only the k, kc, mr and nr
// of `args` (and, of b, its n and nc). The last panel is filled up with zeros: at most mr - 1 rows
// of a (of each group of a filter), nr - 1 columns of b. Results are those of packing at each call.
size_t hyp_gemm_packed_a_bytes(const HypGemmArgs *args);
size_t hyp_gemm_packed_b_bytes(const HypGemmArgs *args);
size_t hyp_conv2d_packed_filter_bytes(const HypConv2dArgs *args);
void hyp_gemm_pack_a(const HypGemmArgs *args, float *packed);
void hyp_gemm_pack_b(const HypGemmArgs *args, float *packed);
void hyp_conv2d_pack_filter(const HypConv2dArgs *args, float *packed);

#endif
