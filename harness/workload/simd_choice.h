// SPDX-License-Identifier: Apache-2.0
// simd_choice.h - from the word of the axis simd_level to a level this machine can run.
#ifndef HYP_SIMD_CHOICE_H
#define HYP_SIMD_CHOICE_H

#include "common/problem.h"
#include "hyperion/simd.h"

// "best" or the name of a level; the best that can be emulated where `emulated`. False, and the
// levels that can run here are named, otherwise.
bool simd_choice_resolve(const char *word, bool emulated, HyperionSIMDLevel *level,
                         Problem *problem);

#endif
