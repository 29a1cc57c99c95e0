// SPDX-License-Identifier: Apache-2.0
// kernel_case.h - one problem of the kernel workload: which axes an operation uses, and from their
// values to the kernel's arguments, operands and nominal costs. One table row an operation.
#ifndef HYP_KERNEL_CASE_H
#define HYP_KERNEL_CASE_H

#include "hyperion/simulate.h"
#include "kernel_table.h"
#include "scenario/axes.h"

enum { KERNEL_MOST_OPERANDS = 5 };

typedef enum OperandRole {
    OPERAND_INPUT,
    OPERAND_WEIGHT, // the same in every call of a layer
    OPERAND_OUTPUT
} OperandRole;

// One array of f32 and the pointer in the arguments that it goes to.
typedef struct KernelOperand {
    size_t count;          // elements
    size_t pointer_offset; // in the args struct
    OperandRole role;
} KernelOperand;

typedef struct KernelCase {
    HypKernelOp op;
    HypKernelArgs args; // sizes and settings; pointers and blocking are NULL and zero
    KernelOperand operands[KERNEL_MOST_OPERANDS];
    size_t operand_count;
    double flops; // nominal; NAN where floating-point work is no measure of the operation
    double elements;
    bool has_product; // built on the matrix-product nest, whose shape is:
    HyperionGemmShape product;
} KernelCase;

// Whether the operation bound in values[AXIS_OP] uses the axis.
bool kernel_case_uses(const AxisValue *values, AxisId axis);

// What single values cannot show: windows larger than the image, operands larger than any memory.
bool kernel_case_check(const AxisValue *values, Problem *problem);

// The problem that checked values describe.
KernelCase kernel_case_make(const AxisValue *values);

// Bytes of all operands, each once.
double kernel_case_bytes(const KernelCase *kernel_case);

#endif
