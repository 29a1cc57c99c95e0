// SPDX-License-Identifier: Apache-2.0
#include "run/emulated_region.h"

__attribute__((noinline)) void emulated_region(void (*run)(void *context), void *context)
{
    run(context);
    // Or the call would become a jump, and callgrind would see this function leave at once.
    __asm__ volatile("" ::: "memory");
}
