// SPDX-License-Identifier: Apache-2.0
#include "cache/kernel_memory.h"

#include <assert.h>

typedef struct MemoryList {
    HypMemory *memory;
    int count;
} MemoryList;

// `rows` rows of `width` floats, `stride` floats from start to start.
static void add_rows(MemoryList *list, const void *start, size_t rows, size_t width, size_t stride)
{
    if (!start || rows == 0 || width == 0)
        return;
    assert(list->count < HYP_MOST_KERNEL_MEMORY);
    const size_t span = (rows - 1) * stride + width;
    list->memory[list->count++] = (HypMemory){.start = (uintptr_t)start,
                                              .size_bytes = span * sizeof(float),
                                              .share = (double)(rows * width) / (double)span};
}

static void add(MemoryList *list, const void *start, size_t floats)
{
    add_rows(list, start, 1, floats, floats);
}

static void add_workspace(MemoryList *list, HypKernelOp op, const HypKernelArgs *args)
{
    HypKernelArgs copy = *args;
    size_t size_bytes = 0;
    void **place = hyp_kernel_workspace(op, &copy, &size_bytes);
    const int before = list->count;
    if (place)
        add(list, *place, size_bytes / sizeof(float));
    if (list->count > before)
        list->memory[before].written = list->memory[before].all_the_while = true;
}

// Element by element, over one of the operands, where that is `out`.
static void add_result(MemoryList *list, float *out, size_t floats)
{
    const int operands = list->count;
    add(list, out, floats);
    for (int i = 0; i < operands && list->count > operands; i++)
        list->memory[operands].in_place |= list->memory[i].start == (uintptr_t)out;
}

static void list_gemm(MemoryList *list, HypKernelOp op, const HypKernelArgs *args)
{
    const HypGemmArgs *gemm = &args->gemm;
    const size_t m = gemm->m;
    const size_t n = gemm->n;
    const size_t k = gemm->k;
    if (gemm->packed_a)
        add(list, gemm->packed_a, hyp_gemm_packed_a_bytes(gemm) / sizeof(float));
    else
        add_rows(list, gemm->a, m, k, gemm->lda);
    if (gemm->packed_b)
        add(list, gemm->packed_b, hyp_gemm_packed_b_bytes(gemm) / sizeof(float));
    else
        add_rows(list, gemm->b, gemm->b_transposed ? n : k, gemm->b_transposed ? k : n, gemm->ldb);
    add_workspace(list, op, args);
    add_rows(list, gemm->c, m, n, gemm->ldc);
}

static void list_conv2d(MemoryList *list, HypKernelOp op, const HypKernelArgs *args)
{
    const HypConv2dArgs *conv = &args->conv2d;
    const size_t window = conv->channels / conv->groups * conv->kernel_h * conv->kernel_w;
    add(list, conv->image, conv->batch * conv->channels * conv->height * conv->width);
    if (op == HYP_OP_CONV2D && conv->packed_filter)
        add(list, conv->packed_filter, hyp_conv2d_packed_filter_bytes(conv) / sizeof(float));
    else
        add(list, conv->filter, conv->out_channels * window);
    add(list, conv->bias, conv->out_channels);
    add_workspace(list, op, args);
    add(list, conv->out, conv->batch * conv->out_channels * conv->out_height * conv->out_width);
}

static void list_pool(MemoryList *list, const HypPool2dArgs *pool)
{
    const size_t planes = pool->batch * pool->channels;
    add(list, pool->image, planes * pool->height * pool->width);
    add(list, pool->out, planes * pool->out_height * pool->out_width);
}

static void list_attention(MemoryList *list, HypKernelOp op, const HypKernelArgs *args)
{
    const HypAttentionArgs *attention = &args->attention;
    const size_t kv_heads = attention->kv_heads ? attention->kv_heads : attention->heads;
    const size_t queries =
        attention->batch * attention->queries * attention->heads * attention->dim;
    const size_t keys = attention->batch * attention->keys * kv_heads * attention->dim;
    add(list, attention->q, queries);
    add(list, attention->k, keys);
    add(list, attention->v, keys);
    add_workspace(list, op, args);
    add(list, attention->out, queries);
}

static void list_binary(MemoryList *list, const HypBinaryArgs *binary)
{
    const size_t count = binary->outer * binary->middle * binary->inner;
    add(list, binary->a, count);
    add(list, binary->b, binary->middle);
    add_result(list, binary->out, count);
}

static void list_scale_shift(MemoryList *list, const HypScaleShiftArgs *scale_shift)
{
    const size_t count = scale_shift->batch * scale_shift->channels * scale_shift->inner;
    add(list, scale_shift->in, count);
    add(list, scale_shift->scale, scale_shift->channels);
    add(list, scale_shift->shift, scale_shift->channels);
    add_result(list, scale_shift->out, count);
}

static void list_layernorm(MemoryList *list, const HypLayernormArgs *layernorm)
{
    const size_t count = layernorm->rows * layernorm->columns;
    add(list, layernorm->in, count);
    add(list, layernorm->scale, layernorm->columns);
    add(list, layernorm->bias, layernorm->columns);
    add_result(list, layernorm->out, count);
}

static void list_softmax(MemoryList *list, const HypSoftmaxArgs *softmax)
{
    const size_t count = softmax->rows * softmax->columns * softmax->inner;
    add(list, softmax->in, count);
    add_result(list, softmax->out, count);
}

int hyp_kernel_memory(HypKernelOp op, const HypKernelArgs *args,
                      HypMemory memory[HYP_MOST_KERNEL_MEMORY])
{
    MemoryList list = {.memory = memory};
    switch (op) {
    case HYP_OP_GEMM:
    case HYP_OP_GEMV: list_gemm(&list, op, args); break;
    case HYP_OP_CONV2D:
    case HYP_OP_DEPTHWISE2D: list_conv2d(&list, op, args); break;
    case HYP_OP_MAX_POOL2D:
    case HYP_OP_AVERAGE_POOL2D: list_pool(&list, &args->max_pool2d); break;
    case HYP_OP_ATTENTION: list_attention(&list, op, args); break;
    case HYP_OP_BINARY: list_binary(&list, &args->binary); break;
    case HYP_OP_SCALE_SHIFT: list_scale_shift(&list, &args->scale_shift); break;
    case HYP_OP_LAYERNORM: list_layernorm(&list, &args->layernorm); break;
    case HYP_OP_SOFTMAX: list_softmax(&list, &args->softmax); break;
    case HYP_OP_ACTIVATION:
        add(&list, args->activation.in, args->activation.count);
        add_result(&list, args->activation.out, args->activation.count);
        break;
    case HYP_OP_REDUCE:
        add(&list, args->reduce.in, args->reduce.outer * args->reduce.middle * args->reduce.inner);
        add(&list, args->reduce.out, args->reduce.outer * args->reduce.inner);
        break;
    case HYP_OP_COUNT: break;
    }
    if (list.count > 0)
        memory[list.count - 1].written = true;
    return list.count;
}
