// SPDX-License-Identifier: Apache-2.0
#include "trace_hooks.h"

void (*trace_access)(uintptr_t address, size_t bytes, bool write);

static void report(const void *address, size_t bytes, bool write)
{
    if (trace_access)
        trace_access((uintptr_t)address, bytes, write);
}

#define HOOK(name, bytes, write)                                                                   \
    void __tsan_##name(void *address);                                                             \
    void __tsan_##name(void *address)                                                              \
    {                                                                                              \
        report(address, bytes, write);                                                             \
    }
HOOK(read1, 1, false)
HOOK(read2, 2, false)
HOOK(read4, 4, false)
HOOK(read8, 8, false)
HOOK(read16, 16, false)
HOOK(unaligned_read4, 4, false)
HOOK(unaligned_read8, 8, false)
HOOK(unaligned_read16, 16, false)
HOOK(write1, 1, true)
HOOK(write2, 2, true)
HOOK(write4, 4, true)
HOOK(write8, 8, true)
HOOK(write16, 16, true)
HOOK(unaligned_write4, 4, true)
HOOK(unaligned_write8, 8, true)
HOOK(unaligned_write16, 16, true)

#define RANGE_HOOK(name, write)                                                                    \
    void __tsan_##name(void *address, size_t bytes);                                               \
    void __tsan_##name(void *address, size_t bytes)                                                \
    {                                                                                              \
        report(address, bytes, write);                                                             \
    }
RANGE_HOOK(read_range, false)
RANGE_HOOK(write_range, true)

void __tsan_init(void);
void __tsan_init(void)
{
}
void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
    (void)caller;
}
void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}
