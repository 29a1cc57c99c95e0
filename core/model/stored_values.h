// SPDX-License-Identifier: Apache-2.0
// stored_values.h - floating-point formats that weights have in files and f32 in memory.
#ifndef HYP_STORED_VALUES_H
#define HYP_STORED_VALUES_H

#include "hyperion/types.h"

typedef enum HypStoredType {
    HYP_STORED_AS_IS, // bytes as in memory
    HYP_STORED_F16,   // IEEE 754 binary16
    HYP_STORED_BF16,  // the upper half of an f32
    HYP_STORED_F64
} HypStoredType;

// Bytes of `count` elements in the file that are of `type` in memory. They do not overflow where
// those in memory do not, but for F64: false then.
bool hyp_stored_bytes(HypStoredType stored, HyperionType type, size_t count, size_t *size_bytes);

// Converts `count` values to f32; not for HYP_STORED_AS_IS. Rounds to nearest where that is needed.
void hyp_stored_convert(HypStoredType stored, const void *from, float *to, size_t count);

#endif
