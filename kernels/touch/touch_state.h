// SPDX-License-Identifier: Apache-2.0
// touch_state.h - who is told of touches. Loads and stores of the vocabulary have no place for a
// context, so this is a variable, one for each thread.
#ifndef HYP_TOUCH_STATE_H
#define HYP_TOUCH_STATE_H

#include "kernel_table.h"

typedef struct HypTouchState {
    uintptr_t line;     // told of last; none: UINTPTR_MAX
    HyperionTouch kind; // and how
    unsigned line_shift;
    uintptr_t stack_end; // of the caller of hyp_kernel_touch: kernels have their frames below
    HypTouchSink sink;
} HypTouchState;

// Found without a call: every touch looks at it.
extern _Thread_local HypTouchState hyp_touch_state __attribute__((tls_model("initial-exec")));

// What touch_bytes does where the touch is more than the one before again.
void hyp_touch_tell(uintptr_t address, size_t bytes, HyperionTouch kind);

static inline void touch_bytes(uintptr_t address, size_t bytes, HyperionTouch kind)
{
    const HypTouchState *state = &hyp_touch_state;
    const bool again =
        kind == state->kind || (kind == HYPERION_TOUCH_READ && state->kind == HYPERION_TOUCH_WRITE);
    if (!again || address >> state->line_shift != state->line ||
        (address + bytes - 1) >> state->line_shift != state->line)
        hyp_touch_tell(address, bytes, kind);
}

#endif
