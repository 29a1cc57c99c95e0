// SPDX-License-Identifier: Apache-2.0
#include "workload/simd_choice.h"

#include <stdio.h>
#include <string.h>

bool simd_choice_resolve(const char *word, bool emulated, HyperionSIMDLevel *level,
                         Problem *problem)
{
    const HyperionSIMDCapabilities machine = hyperionGetSIMDCapabilities();
    if (strcmp(word, "best") == 0) {
        *level = emulated && machine.best_level > HYPERION_SIMD_AVX2 ? HYPERION_SIMD_AVX2
                                                                     : machine.best_level;
        return true;
    }
    char present[128] = "";
    for (int i = 0; i < HYPERION_SIMD_LEVEL_COUNT; i++) {
        if (!(machine.levels >> i & 1))
            continue;
        const char *name = hyperionSIMDLevelName(i);
        if (strcmp(word, name) == 0) {
            *level = (HyperionSIMDLevel)i;
            return true;
        }
        const size_t used = strlen(present);
        (void)snprintf(present + used, sizeof present - used, "%s%s", used ? ", " : "", name);
    }
    return problem_set(problem, "SIMD level %s cannot run here: this CPU, or HYPERION_SIMD, has %s",
                       word, present);
}
