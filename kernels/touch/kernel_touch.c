// SPDX-License-Identifier: Apache-2.0
#include "touch/touch_state.h"

_Thread_local HypTouchState hyp_touch_state;

void hyp_touch_tell(uintptr_t address, size_t bytes, HyperionTouch kind)
{
    HypTouchState *state = &hyp_touch_state;
    const uintptr_t stack_top = (uintptr_t)__builtin_frame_address(0);
    if (address >= stack_top && address < state->stack_end)
        return;
    state->start = (address + bytes - 1) & ~(uintptr_t)(state->line_bytes - 1);
    state->kind = kind;
    state->sink.touch(state->sink.context, address, bytes, kind);
}

void hyp_touch_begin(const HypTouchSink *sink)
{
    hyp_touch_state = (HypTouchState){.start = ~(uintptr_t)(sink->line_bytes - 1),
                                      .line_bytes = sink->line_bytes,
                                      .stack_end = (uintptr_t)__builtin_frame_address(0),
                                      .sink = *sink};
}

void hyp_touch_copy(void *to, const void *from, size_t bytes)
{
    const size_t line_bytes = hyp_touch_state.line_bytes;
    for (size_t done = 0, step; done < bytes; done += step) {
        const uintptr_t place = (uintptr_t)from + done;
        const size_t rest = line_bytes - place % line_bytes; // of the line that is read
        step = rest < bytes - done ? rest : bytes - done;
        touch_bytes(place, step, HYPERION_TOUCH_READ);
        touch_bytes((uintptr_t)to + done, step, HYPERION_TOUCH_WRITE);
    }
}

void hyp_kernel_touch(const HypKernelVariant *variant, const HypKernelArgs *args,
                      const HypTouchSink *sink)
{
    hyp_touch_begin(sink);
    switch (variant->op) {
#define OP(name, args_type, ENUM)                                                                  \
    case HYP_OP_##ENUM: variant->touch.name(&args->name); break;
        HYP_KERNEL_OPS(OP)
#undef OP
    case HYP_OP_COUNT: break;
    }
}
