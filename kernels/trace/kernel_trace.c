// SPDX-License-Identifier: Apache-2.0
// kernel_trace.c - the functions that code compiled with gcc's -fsanitize=thread calls at each
// access. This file itself must be compiled without. gcc tells of accesses of 1 to 16 bytes by
// functions of their own, of others, vectors of 32 and 64 bytes among them, as a range.
#include "trace/kernel_trace.h"

#define HYP_KERNELS_TRACED // for the prototypes
#include "trace/trace_note.h"

#include "trace/trace_copies.h"
#undef memcpy
#undef memset

#include <stdbool.h>

static _Thread_local HypTraceSink current;
// Where the stack of whoever began the trace ends: kernels that it calls have theirs below.
static _Thread_local uintptr_t stack_end;

void hyp_trace_begin(const HypTraceSink *sink)
{
    stack_end = (uintptr_t)__builtin_frame_address(0);
    current = *sink;
}

void hyp_trace_end(void)
{
    current = (HypTraceSink){0};
}

static void tell(const void *address, size_t bytes, HyperionTouch kind)
{
    const uintptr_t place = (uintptr_t)address;
    const uintptr_t stack_top = (uintptr_t)__builtin_frame_address(0);
    const bool own_stack = place >= stack_top && place < stack_end;
    if (current.access && !own_stack)
        current.access(current.context, place, bytes, kind);
}

void hyp_trace_note_read(const void *address, size_t bytes)
{
    if (bytes > 0)
        tell(address, bytes, HYPERION_TOUCH_READ);
}

void hyp_trace_note_write(const void *address, size_t bytes)
{
    if (bytes > 0)
        tell(address, bytes, HYPERION_TOUCH_WRITE);
}

void hyp_trace_note_prefetch(const void *address)
{
    tell(address, 1, HYPERION_TOUCH_PREFETCH);
}

// Of `bytes` from `done` on at `place`, those in one of its lines.
static size_t count_in_line(const void *place, size_t done, size_t bytes)
{
    enum { LINE_BYTES = 64 };
    const size_t rest = LINE_BYTES - ((uintptr_t)place + done) % LINE_BYTES;
    return rest < bytes - done ? rest : bytes - done;
}

void *hyp_trace_memcpy(void *to, const void *from, size_t bytes)
{
    for (size_t done = 0, step; done < bytes; done += step) {
        step = count_in_line(from, done, bytes);
        tell((const char *)from + done, step, HYPERION_TOUCH_READ);
        tell((const char *)to + done, step, HYPERION_TOUCH_WRITE);
    }
    return memcpy(to, from, bytes);
}

void *hyp_trace_memset(void *to, int value, size_t bytes)
{
    for (size_t done = 0, step; done < bytes; done += step) {
        step = count_in_line(to, done, bytes);
        tell((const char *)to + done, step, HYPERION_TOUCH_WRITE);
    }
    return memset(to, value, bytes);
}

#define HOOK(name, bytes, kind)                                                                    \
    void __tsan_##name(const void *address);                                                       \
    void __tsan_##name(const void *address)                                                        \
    {                                                                                              \
        tell(address, bytes, kind);                                                                \
    }
HOOK(read1, 1, HYPERION_TOUCH_READ)
HOOK(read2, 2, HYPERION_TOUCH_READ)
HOOK(read4, 4, HYPERION_TOUCH_READ)
HOOK(read8, 8, HYPERION_TOUCH_READ)
HOOK(read16, 16, HYPERION_TOUCH_READ)
HOOK(unaligned_read2, 2, HYPERION_TOUCH_READ)
HOOK(unaligned_read4, 4, HYPERION_TOUCH_READ)
HOOK(unaligned_read8, 8, HYPERION_TOUCH_READ)
HOOK(unaligned_read16, 16, HYPERION_TOUCH_READ)
HOOK(write1, 1, HYPERION_TOUCH_WRITE)
HOOK(write2, 2, HYPERION_TOUCH_WRITE)
HOOK(write4, 4, HYPERION_TOUCH_WRITE)
HOOK(write8, 8, HYPERION_TOUCH_WRITE)
HOOK(write16, 16, HYPERION_TOUCH_WRITE)
HOOK(unaligned_write2, 2, HYPERION_TOUCH_WRITE)
HOOK(unaligned_write4, 4, HYPERION_TOUCH_WRITE)
HOOK(unaligned_write8, 8, HYPERION_TOUCH_WRITE)
HOOK(unaligned_write16, 16, HYPERION_TOUCH_WRITE)

#define RANGE_HOOK(name, kind)                                                                     \
    void __tsan_##name(const void *address, size_t bytes);                                         \
    void __tsan_##name(const void *address, size_t bytes)                                          \
    {                                                                                              \
        tell(address, bytes, kind);                                                                \
    }
RANGE_HOOK(read_range, HYPERION_TOUCH_READ)
RANGE_HOOK(write_range, HYPERION_TOUCH_WRITE)

// Entries into functions and the start of the library, which mean nothing here.
void __tsan_init(void);
void __tsan_init(void)
{
}
void __tsan_func_entry(const void *caller);
void __tsan_func_entry(const void *caller)
{
    (void)caller;
}
void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}
