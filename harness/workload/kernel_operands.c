// SPDX-License-Identifier: Apache-2.0
#include "workload/kernel_operands.h"

#include "workload/random_fill.h"

#include <assert.h>
#include <string.h>

// Pages are touched at this distance: the smallest there are.
enum { PAGE_BYTES = 4096 };

// What stands behind KernelOperands.arrays[i] while it is made.
typedef struct Array {
    size_t size_bytes;
    bool is_input, rotates;
} Array;

typedef struct Making {
    KernelOperands *operands;
    KernelCase *problem;
    const OperandOrder *order;
    Array arrays[KERNEL_MOST_OPERANDS + 1];
    size_t fixed_bytes, rotating_bytes; // of one copy
    size_t cold_bytes;                  // of it data: what rotation must push out
} Making;

static void add_array(Making *making, size_t size_bytes, size_t pointer_offset, OperandRole role)
{
    KernelOperands *operands = making->operands;
    const CacheState state = making->order->cache_state;
    const bool rotates =
        state == CACHE_ALL_COLD || (state == CACHE_WEIGHTS_COLD && role == OPERAND_WEIGHT);
    operands->arrays[operands->array_count].pointer_offset = pointer_offset;
    operands->arrays[operands->array_count].rotates = rotates;
    making->arrays[operands->array_count++] =
        (Array){size_bytes, role == OPERAND_INPUT || role == OPERAND_WEIGHT, rotates};
    *(rotates ? &making->rotating_bytes : &making->fixed_bytes) += operand_memory_need(size_bytes);
    if (rotates)
        making->cold_bytes += (size_bytes + 63) / 64 * 64; // lines
}

static void list_arrays(Making *making)
{
    KernelCase *problem = making->problem;
    for (size_t i = 0; i < problem->operand_count; i++)
        add_array(making, problem->operands[i].count * sizeof(float),
                  problem->operands[i].pointer_offset, problem->operands[i].role);
    size_t workspace_bytes = 0;
    void **workspace = hyp_kernel_workspace(problem->op, &problem->args, &workspace_bytes);
    if (workspace)
        add_array(making, workspace_bytes, (size_t)((char *)workspace - (char *)&problem->args),
                  OPERAND_OUTPUT);
}

static bool choose_copies(Making *making, Problem *reason)
{
    KernelOperands *operands = making->operands;
    const double most_bytes = 0x1p46;
    operands->copies = 1;
    operands->step = 1;
    operands->stride_bytes = making->rotating_bytes;
    if (making->order->cache_state == CACHE_WARM)
        return true;
    if (!cold_copies_count(making->cold_bytes, making->order->last_level_bytes, &operands->copies,
                           reason))
        return false;
    operands->step = cold_copies_step(operands->copies);
    const double bytes = (double)operands->copies * (double)operands->stride_bytes;
    return bytes < most_bytes ||
           problem_set(reason, "cache_state: %zu copies of %zu bytes are more than any memory",
                       operands->copies, operands->stride_bytes);
}

static void place_arrays(Making *making, bool rotating)
{
    KernelOperands *operands = making->operands;
    for (size_t i = 0; i < operands->array_count; i++)
        if (making->arrays[i].rotates == rotating)
            operands->arrays[i].first =
                operand_memory_take(&operands->memory, making->arrays[i].size_bytes);
}

static void point_arguments(const KernelOperands *operands, size_t copy, HypKernelArgs *args)
{
    for (size_t i = 0; i < operands->array_count; i++) {
        char *array = operands->arrays[i].first;
        if (operands->arrays[i].rotates)
            array += copy * operands->stride_bytes;
        memcpy((char *)args + operands->arrays[i].pointer_offset, &array, sizeof array);
    }
}

typedef struct Touch {
    char *array;
    size_t size_bytes, threads;
} Touch;

static void touch_share(void *context, size_t thread)
{
    const Touch *touch = context;
    const size_t pages = (touch->size_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    const size_t end = pages * (thread + 1) / touch->threads;
    for (size_t page = pages * thread / touch->threads; page < end; page++)
        *(volatile char *)(touch->array + page * PAGE_BYTES) = 0;
}

static void touch_array(const HyperionParallel *parallel, Touch touch)
{
    touch.threads = parallel->threads;
    if (touch.size_bytes)
        parallel->run(parallel->pool, parallel->threads, touch_share, &touch);
}

static void fill_first(const Making *making)
{
    const KernelOperands *operands = making->operands;
    uint64_t seed = making->order->seed;
    for (size_t i = 0; i < operands->array_count; i++) {
        const Array *array = &making->arrays[i];
        char *first = operands->arrays[i].first;
        if (array->is_input || operands->copies > 1)
            touch_array(&making->order->parallel, (Touch){first, array->size_bytes, 1});
        if (array->is_input)
            seed = random_fill((float *)(void *)first, array->size_bytes / sizeof(float), seed);
    }
}

static void fill_copy(const Making *making, size_t copy)
{
    const KernelOperands *operands = making->operands;
    for (size_t i = 0; i < operands->array_count; i++) {
        const Array *array = &making->arrays[i];
        char *first = operands->arrays[i].first;
        char *at = first + copy * operands->stride_bytes;
        if (!array->rotates)
            continue;
        touch_array(&making->order->parallel, (Touch){at, array->size_bytes, 1});
        if (array->is_input)
            memcpy(at, first, array->size_bytes);
    }
}

// In the order in which they will be used, so that they are cold the first time, too.
static void fill_arrays(const Making *making)
{
    const KernelOperands *operands = making->operands;
    fill_first(making);
    for (size_t i = 1, copy = operands->step; i < operands->copies; i++) {
        fill_copy(making, copy);
        copy = (copy + operands->step) % operands->copies;
    }
}

bool kernel_operands_open(KernelOperands *operands, KernelCase *problem, const OperandOrder *order,
                          Problem *reason)
{
    Making making = {.operands = operands, .problem = problem, .order = order};
    *operands = (KernelOperands){0};
    list_arrays(&making);
    if (!choose_copies(&making, reason) ||
        !operand_memory_open(&operands->memory,
                             making.fixed_bytes + operands->copies * operands->stride_bytes,
                             order->pages, reason))
        return false;
    place_arrays(&making, false);
    place_arrays(&making, true);
    fill_arrays(&making);
    point_arguments(operands, 0, &problem->args);
    return true;
}

void kernel_operands_close(KernelOperands *operands)
{
    operand_memory_close(&operands->memory);
}

void kernel_operands_rotate(KernelOperands *operands, HypKernelArgs *args)
{
    operands->next = (operands->next + operands->step) % operands->copies;
    point_arguments(operands, operands->next, args);
}
