// SPDX-License-Identifier: Apache-2.0
// capabilities.h - what may be executed here, from CPUID and the register state the system saves.
#ifndef HYP_SIMD_CAPABILITIES_H
#define HYP_SIMD_CAPABILITIES_H

#include "hyperion/simd.h"

// HYPERION_FEATURE_* that the CPU has and whose registers the operating system saves.
uint32_t hyp_simd_detect_features(void);

// Bit set of the levels that `features` allow up to `limit`, a level's name or number as a user
// writes it; NULL or anything else limits nothing. Bit 0 is always set.
uint32_t hyp_simd_levels(uint32_t features, const char *limit);

#endif
