// SPDX-License-Identifier: Apache-2.0
// trace_hooks.h - what code compiled with gcc's -fsanitize=thread reads and writes, without that
// sanitizer's library. Masked loads and stores and prefetches are not seen.
#ifndef TRACE_HOOKS_H
#define TRACE_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Called for each access of traced code, once set. One thread only.
extern void (*trace_access)(uintptr_t address, size_t bytes, bool write);

#endif
