// SPDX-License-Identifier: Apache-2.0
// kernel.h - what a kernel is. Kernels are leaf functions: no allocation, no I/O, no globals, no
// errors. All arrays are f32 and row-major; any alignment unless said; sizes are in elements and
// may be 0; `out` overlaps no input unless said.
//
// `parallel` shares the work of a call among threads; NULL is one thread. The results are the same
// to the bit for any number of threads. The workspace depends on it.
#ifndef HYP_KERNEL_H
#define HYP_KERNEL_H

#include "hyperion/types.h"

// How a product ends: C = activation(sum + bias). Both biases may be NULL.
typedef struct HypEpilogue {
    const float *column_bias; // n values, one a column of C
    const float *row_bias;    // m values, one a row of C
    HyperionActivation activation;
    float alpha, beta; // of the activation
} HypEpilogue;

// c[m x n] = epilogue(a[m x k] * b[k x n]). gemv is the same for few rows: packs nothing, so that
// blocking, workspace and operands packed before mean nothing to it.
// Packed copies of a and b live in `workspace`, unless
// they were packed before (hyp_gemm_pack_a, hyp_gemm_pack_b): then a or b itself is not read.
typedef struct HypGemmArgs {
    size_t m, n, k;
    const float *a;
    size_t lda; // distance between rows, >= k
    const float *b;
    size_t ldb;            // >= n, or >= k when b_transposed
    bool b_transposed;     // b is stored n x k
    const float *packed_a; // all of a, packed for this m, k and blocking; NULL: packed at each call
    const float *packed_b; // all of b, packed for this n, k and blocking; or NULL
    float *c;
    size_t ldc; // >= n
    HypEpilogue epilogue;
    HyperionGemmBlocking blocking;    // mc a multiple of mr, nc of nr; mr, nr those of the variant
    void *workspace;                  // 64-byte aligned, hyp_gemm_workspace_bytes
    const HyperionParallel *parallel; // NULL: one thread
} HypGemmArgs;

// Cross-correlation of an image [channels x height x width] with filters
// [out_channels x channels/groups x kernel_h x kernel_w]; batch images one after another.
// out is [batch x out_channels x out_h x out_w]. depthwise2d is the same for as many groups as
// channels: blocking and filters packed before mean nothing to it; its workspace has
// hyp_depthwise2d_workspace_bytes.
typedef struct HypConv2dArgs {
    size_t batch, channels, height, width;
    size_t out_channels, out_height, out_width;
    size_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    size_t pad_top, pad_left; // what lies past the image on any side reads as 0
    size_t groups;            // divides channels and out_channels
    const float *image;
    const float *filter;
    const float *packed_filter; // of hyp_conv2d_pack_filter for this blocking: `filter` is not read
    const float *bias;          // out_channels values, or NULL
    HyperionActivation activation;
    float alpha, beta; // of the activation
    float *out;
    HyperionGemmBlocking blocking;
    void *workspace; // 64-byte aligned, hyp_conv2d_workspace_bytes
    const HyperionParallel *parallel;
} HypConv2dArgs;

// out[i] = function(in[i]). `out` may be `in`.
typedef struct HypActivationArgs {
    HyperionActivation function;
    float alpha, beta;
    const float *in;
    float *out;
    size_t count;
    const HyperionParallel *parallel;
} HypActivationArgs;

// Greatest value, or mean, of each window; places past the image do not count. Which value a window
// with a NaN has for its greatest is not defined. A window without a place on the image (padding >=
// kernel) gives -infinity, or NaN.
typedef struct HypPool2dArgs {
    size_t batch, channels, height, width;
    size_t out_height, out_width;
    size_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    size_t pad_top, pad_left;
    // Of the mean: whether padding counts as zeros, and how far it goes below and to the right.
    bool count_padding;
    size_t pad_bottom, pad_right;
    const float *image;
    float *out;
    const HyperionParallel *parallel;
} HypPool2dArgs;

// The functions that the kernel has: those of arithmetic.
enum { HYP_BINARY_COUNT = HYPERION_BINARY_EQUAL };

// out[o][m][i] = function(a[o][m][i], b) at the places below, or function(b, a[o][m][i]) where
// `reversed`; covers every ONNX broadcast after dims of equal behaviour have been merged, b being
// the operand that is repeated: b has `middle` values, each repeated over `inner` and the whole
// over `outer`. Same shapes: outer = inner = 1. `out` may be `a`, and `b` where nothing is
// repeated.
typedef struct HypBinaryArgs {
    HyperionBinary function; // below HYP_BINARY_COUNT
    bool reversed;
    size_t outer, middle, inner;
    const float *a;
    const float *b;
    float *out;
    const HyperionParallel *parallel;
} HypBinaryArgs;

// out[o][i] = function over m of in[o][m][i]. Of no values: 0 for a sum, 1 for a product, NaN for a
// mean, -infinity for a maximum, infinity for a minimum.
typedef struct HypReduceArgs {
    HyperionReduce function;
    size_t outer, middle, inner;
    const float *in;
    float *out;
    const HyperionParallel *parallel;
} HypReduceArgs;

// out[b][c][i] = in[b][c][i] * scale[c] + shift[c]. `out` may be `in`.
typedef struct HypScaleShiftArgs {
    size_t batch, channels, inner;
    const float *in;
    const float *scale; // channels values
    const float *shift; // channels values
    float *out;
    const HyperionParallel *parallel;
} HypScaleShiftArgs;

// Softmax over c of in[r][c][i], shifted by the maximum. `out` may be `in`.
typedef struct HypSoftmaxArgs {
    size_t rows, columns, inner;
    const float *in;
    float *out;
    const HyperionParallel *parallel;
} HypSoftmaxArgs;

// (x - mean) / sqrt(variance + epsilon) * scale + bias of each row; with `rms`, x / sqrt(mean of
// x^2 + epsilon) * scale + bias (Zhang and Sennrich 2019). `out` may be `in`.
typedef struct HypLayernormArgs {
    size_t rows, columns;
    const float *in;
    const float *scale; // columns values
    const float *bias;  // columns values, or NULL
    float epsilon;
    bool rms;
    float *out;
    const HyperionParallel *parallel;
} HypLayernormArgs;

// out = softmax(scale * q kT) v for each batch and head, with an online softmax (Milakov and
// Gimelshein 2018). q and out: [batch x queries x heads x dim]; k and v: [batch x keys x kv_heads x
// dim], each of their heads serving heads / kv_heads in turn. causal: query i sees keys 0 .. i +
// keys - queries; one that sees none gives zeros. Scores must be finite.
typedef struct HypAttentionArgs {
    size_t batch, heads, queries, keys, dim;
    size_t kv_heads; // divides heads; 0 = heads
    const float *q;
    const float *k;
    const float *v;
    float scale;
    bool causal;
    float *out;
    void *workspace; // 64-byte aligned, hyp_attention_workspace_bytes
    const HyperionParallel *parallel;
} HypAttentionArgs;

// One line per operation: OP(name, args type, enum suffix). Adding one: a line here, a check in
// check/, its variants in kernel_list.def.
#define HYP_KERNEL_OPS(OP)                                                                         \
    OP(gemm, HypGemmArgs, GEMM)                                                                    \
    OP(conv2d, HypConv2dArgs, CONV2D)                                                              \
    OP(activation, HypActivationArgs, ACTIVATION)                                                  \
    OP(max_pool2d, HypPool2dArgs, MAX_POOL2D)                                                      \
    OP(average_pool2d, HypPool2dArgs, AVERAGE_POOL2D)                                              \
    OP(binary, HypBinaryArgs, BINARY)                                                              \
    OP(softmax, HypSoftmaxArgs, SOFTMAX)                                                           \
    OP(layernorm, HypLayernormArgs, LAYERNORM)                                                     \
    OP(attention, HypAttentionArgs, ATTENTION)                                                     \
    OP(depthwise2d, HypConv2dArgs, DEPTHWISE2D)                                                    \
    OP(gemv, HypGemmArgs, GEMV)                                                                    \
    OP(reduce, HypReduceArgs, REDUCE)                                                              \
    OP(scale_shift, HypScaleShiftArgs, SCALE_SHIFT)

#define OP(name, args_type, ENUM) HYP_OP_##ENUM,
typedef enum HypKernelOp { HYP_KERNEL_OPS(OP) HYP_OP_COUNT } HypKernelOp;
#undef OP

// Typed per operation, so neither the table nor its users cast function pointers.
#define OP(name, args_type, ENUM) void (*name)(const args_type *args);
typedef union HypKernelFn {
    HYP_KERNEL_OPS(OP)
} HypKernelFn;
#undef OP

typedef struct HypKernelVariant {
    const char *name; // "gemm_f32_avx512_14x32": <op>_<dtype>_<level>_<tuning>
    const char *op_name;
    const char *tuning;
    HypKernelOp op;
    HyperionSIMDLevel level;
    size_t mr, nr; // register tile; 0 where the operation has none
    HypKernelFn fn;
    HypKernelFn touch; // for hyp_kernel_touch
} HypKernelVariant;

#endif
