// SPDX-License-Identifier: Apache-2.0
// touch_state.h - who is told of touches. Loads and stores of the vocabulary have no place for a
// context, so this is a variable, one for each thread.
#ifndef HYP_TOUCH_STATE_H
#define HYP_TOUCH_STATE_H

#include "kernel_table.h"

typedef struct HypTouchState {
    uintptr_t start;    // of the line told of last; none: of the last of all lines
    HyperionTouch kind; // and how
    size_t line_bytes;
    uintptr_t stack_end; // of the caller of hyp_kernel_touch: kernels have their frames below
    HypTouchSink sink;
} HypTouchState;

// Found without a call: every touch looks at it.
extern _Thread_local HypTouchState hyp_touch_state __attribute__((tls_model("initial-exec")));

// What touch_bytes does where the touch is more than the one before again.
void hyp_touch_tell(uintptr_t address, size_t bytes, HyperionTouch kind);

// Whether the touch is one more of the kind that was told of last, or a read of what was written.
static inline bool touch_is_of_kind(HyperionTouch kind)
{
    const HyperionTouch last = hyp_touch_state.kind;
    return kind == last || (kind == HYPERION_TOUCH_READ && last == HYPERION_TOUCH_WRITE);
}

static inline void touch_bytes(uintptr_t address, size_t bytes, HyperionTouch kind)
{
    const size_t line_bytes = hyp_touch_state.line_bytes;
    const size_t offset = address - hyp_touch_state.start;
    if (offset >= line_bytes || bytes > line_bytes - offset || !touch_is_of_kind(kind))
        hyp_touch_tell(address, bytes, kind);
}

// As touch_bytes, of a float, which is never of two lines.
static inline void touch_float(const float *p, HyperionTouch kind)
{
    if ((uintptr_t)p - hyp_touch_state.start >= hyp_touch_state.line_bytes ||
        !touch_is_of_kind(kind))
        hyp_touch_tell((uintptr_t)p, sizeof *p, kind);
}

#endif
