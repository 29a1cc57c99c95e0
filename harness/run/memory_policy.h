// SPDX-License-Identifier: Apache-2.0
// memory_policy.h - on which NUMA nodes this process gets its memory, and where it got it. System
// calls alone: hwloc takes 10 ms to start, libnuma is one more library.
#ifndef HYP_MEMORY_POLICY_H
#define HYP_MEMORY_POLICY_H

#include "scenario/axes.h"

#include <stddef.h>

enum { MEMORY_MOST_NODES = 1024 };

// Sets what values[AXIS_MEM_POLICY] says for memory that the calling thread, and threads it starts
// from now on, touch first. False, and the reason, where there is no such node, or one alone to
// interleave.
bool memory_policy_apply(const AxisValue *values, Problem *problem);

// Pages of [start, start + size_bytes) that are there, by node: adds their bytes to
// node_bytes[MEMORY_MOST_NODES]. False where the kernel does not tell.
bool memory_policy_count(const void *start, size_t size_bytes, double *node_bytes);

#endif
