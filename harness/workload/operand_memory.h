// SPDX-License-Identifier: Apache-2.0
// operand_memory.h - memory for operands with a say in its pages.
#ifndef HYP_OPERAND_MEMORY_H
#define HYP_OPERAND_MEMORY_H

#include "common/problem.h"

#include <stddef.h>

// Indices are those of the words of the axis pages.
typedef enum OperandPages {
    OPERAND_PAGES_BASE,        // the machine's, 4 KiB on x86; transparent huge pages are forbidden
    OPERAND_PAGES_TRANSPARENT, // huge where the kernel has some
    OPERAND_PAGES_RESERVED     // of 2 MiB, from the administrator's reserve
} OperandPages;

// One anonymous mapping of zeroes, carved from its start. Its pages come as they are touched.
typedef struct OperandMemory {
    char *base; // at a multiple of 2 MiB
    size_t size_bytes;
    size_t used_bytes;
} OperandMemory;

// What was got is to be read back. False, with the reason and nothing to close: no memory, too few
// reserved pages free, a kernel that gives no transparent ones. The caller closes.
bool operand_memory_open(OperandMemory *memory, size_t size_bytes, OperandPages pages,
                         Problem *problem);
void operand_memory_close(OperandMemory *memory); // a zeroed one is allowed

// Bytes that operand_memory_take uses up for an array of size_bytes.
size_t operand_memory_need(size_t size_bytes);

// The next array, 64-byte aligned. Arrays start at different lines of a page: with equal ones,
// loads and stores of several arrays at the same index meet in the same sets of the first-level
// cache and alias in the store buffer. The memory must have been opened large enough.
void *operand_memory_take(OperandMemory *memory, size_t size_bytes);

#endif
