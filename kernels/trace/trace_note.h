// SPDX-License-Identifier: Apache-2.0
// trace_note.h - accesses that gcc does not instrument in kernels compiled for tracing: those by
// intrinsics that end in a builtin of the target (masked loads and stores, halves of a register)
// and prefetches. A plain dereference is never noted: it would be told twice. Nothing in other
// builds.
#ifndef HYP_TRACE_NOTE_H
#define HYP_TRACE_NOTE_H

#if defined(HYP_KERNELS_TRACED)
#include <stddef.h>

void hyp_trace_note_read(const void *address, size_t bytes);
void hyp_trace_note_write(const void *address, size_t bytes);
void hyp_trace_note_prefetch(const void *address);
// The first `count` floats, at most a register of them.
#define VEC_NOTE_FLOATS(note, address, count)                                                      \
    note(address, ((count) < VEC_LANES ? (count) : VEC_LANES) * sizeof(float))
#define VEC_NOTE_READ(address, count) VEC_NOTE_FLOATS(hyp_trace_note_read, address, count)
#define VEC_NOTE_WRITE(address, count) VEC_NOTE_FLOATS(hyp_trace_note_write, address, count)
#define VEC_NOTE_PREFETCH(address) hyp_trace_note_prefetch(address)
#else
#define VEC_NOTE_READ(address, count) ((void)0)
#define VEC_NOTE_WRITE(address, count) ((void)0)
#define VEC_NOTE_PREFETCH(address) ((void)0)
#endif

#endif
