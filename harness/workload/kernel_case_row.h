// SPDX-License-Identifier: Apache-2.0
// kernel_case_row.h - for kernel_case.c and the files that hold rows of its table.
#ifndef HYP_KERNEL_CASE_ROW_H
#define HYP_KERNEL_CASE_ROW_H

#include "workload/kernel_case.h"

#include <assert.h>

#define PRODUCT_AXES AXIS_BLOCK_SIZE, AXIS_PREFETCH, AXIS_PREFETCH_DISTANCE

typedef struct CaseRow {
    const AxisId *axes; // beside those of every kernel; ended by AXIS_COUNT
    bool (*check)(const AxisValue *values, Problem *problem);
    double (*count_elements)(const AxisValue *values); // of all operands; no overflow
    void (*make)(const AxisValue *values, KernelCase *kernel_case);
} CaseRow;

// Of operations over images: kernel_case_image.c.
extern const CaseRow case_row_conv2d;
extern const CaseRow case_row_depthwise2d;
extern const CaseRow case_row_pool2d; // either

static inline size_t size_of(const AxisValue *values, AxisId axis)
{
    assert(values[axis].integer >= 0);
    return (size_t)values[axis].integer;
}

static inline double number_of(const AxisValue *values, AxisId axis)
{
    return (double)values[axis].integer;
}

static inline void add_operand(KernelCase *kernel_case, size_t count, size_t pointer_offset,
                               OperandRole role)
{
    assert(kernel_case->operand_count < KERNEL_MOST_OPERANDS);
    kernel_case->operands[kernel_case->operand_count++] =
        (KernelOperand){count, pointer_offset, role};
}

// Elements of all images.
static inline double count_image(const AxisValue *values)
{
    return number_of(values, AXIS_BATCH) * number_of(values, AXIS_CHANNELS) *
           number_of(values, AXIS_HEIGHT) * number_of(values, AXIS_WIDTH);
}

#endif
