// SPDX-License-Identifier: Apache-2.0
// trace_copies.h - memcpy and memset that tell a trace, line by line: gcc instruments neither. For
// sources compiled for tracing outside of kernels, which include it before anything else.
#ifndef HYP_TRACE_COPIES_H
#define HYP_TRACE_COPIES_H

#include <string.h>

void *hyp_trace_memcpy(void *to, const void *from, size_t bytes);
void *hyp_trace_memset(void *to, int value, size_t bytes);

#define memcpy hyp_trace_memcpy
#define memset hyp_trace_memset

#endif
