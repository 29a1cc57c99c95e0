// SPDX-License-Identifier: Apache-2.0
// operand_memory.h - memory for operands with a say in its pages.
#ifndef HYP_OPERAND_MEMORY_H
#define HYP_OPERAND_MEMORY_H

#include "common/problem.h"

#include <stddef.h>

// One anonymous mapping, zeroed and with every page present, carved from its start.
typedef struct OperandMemory {
    char *base; // at a multiple of 2 MiB
    size_t size_bytes;
    size_t used_bytes;
} OperandMemory;

// huge_pages: asks for transparent huge pages, else forbids them; what was got is read back with
// operand_memory_huge_bytes. The caller closes.
bool operand_memory_open(OperandMemory *memory, size_t size_bytes, bool huge_pages,
                         Problem *problem);
void operand_memory_close(OperandMemory *memory); // a zeroed one is allowed

// Bytes that operand_memory_take uses up for an array of size_bytes.
size_t operand_memory_need(size_t size_bytes);

// The next array, 64-byte aligned. Arrays start at different lines of a page: with equal ones,
// loads and stores of several arrays at the same index meet in the same sets of the first-level
// cache and alias in the store buffer. The memory must have been opened large enough.
void *operand_memory_take(OperandMemory *memory, size_t size_bytes);

// Bytes of it on huge pages now, from /proc/self/smaps; NAN where that cannot be read.
double operand_memory_huge_bytes(const OperandMemory *memory);

#endif
