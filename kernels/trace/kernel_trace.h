// SPDX-License-Identifier: Apache-2.0
// kernel_trace.h - every access of a kernel to memory, in order, as it runs. For programs that link
// the CMake target hyperion_kernels_traced: the kernels of every level once more, compiled by gcc
// with -fsanitize=thread, whose library is replaced by hooks that tell a sink.
#ifndef HYP_KERNEL_TRACE_H
#define HYP_KERNEL_TRACE_H

#include "hyperion/types.h"

#include <stddef.h>
#include <stdint.h>

// `access` is told of each load and store of `bytes` (at least 1; 1 for a prefetch) before it
// happens. It must not call kernels.
typedef struct HypTraceSink {
    void (*access)(void *context, uintptr_t address, size_t bytes, HyperionTouch kind);
    void *context;
} HypTraceSink;

// From here to hyp_trace_end, accesses of traced kernels that the calling thread runs go to `sink`:
// to operands and workspace, and to the arguments, which the nests of products, convolutions and
// attention copy into their frames first. Not told of: the kernel's own stack frames, where the
// compiler of an ordinary build keeps other things than that of a traced one; what does not stay in
// registers there is a few lines that hardly leave the first level.
void hyp_trace_begin(const HypTraceSink *sink);
void hyp_trace_end(void);

#endif
