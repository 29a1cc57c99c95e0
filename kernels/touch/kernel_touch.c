// SPDX-License-Identifier: Apache-2.0
#include "touch/touch_state.h"

_Thread_local HypTouchState hyp_touch_state;

void hyp_touch_tell(uintptr_t address, size_t bytes, HyperionTouch kind)
{
    HypTouchState *state = &hyp_touch_state;
    const uintptr_t stack_top = (uintptr_t)__builtin_frame_address(0);
    if (address >= stack_top && address < state->stack_end)
        return;
    state->line = (address + bytes - 1) >> state->line_shift;
    state->kind = kind;
    state->sink.touch(state->sink.context, address, bytes, kind);
}

void hyp_touch_begin(const HypTouchSink *sink)
{
    hyp_touch_state = (HypTouchState){
        .line = UINTPTR_MAX, .stack_end = (uintptr_t)__builtin_frame_address(0), .sink = *sink};
    for (size_t bytes = sink->line_bytes; bytes > 1; bytes /= 2)
        hyp_touch_state.line_shift++;
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
