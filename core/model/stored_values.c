// SPDX-License-Identifier: Apache-2.0
#include "model/stored_values.h"

#include "hyperion/tensor.h"

#include "common/size_math.h"

#include <string.h>

static size_t element_bytes(HypStoredType stored, HyperionType type)
{
    switch (stored) {
    case HYP_STORED_F16:
    case HYP_STORED_BF16: return 2;
    case HYP_STORED_F64: return 8;
    default: return hyperionTypeBytes(type);
    }
}

bool hyp_stored_bytes(HypStoredType stored, HyperionType type, size_t count, size_t *size_bytes)
{
    return hyp_size_multiply(count, element_bytes(stored, type), size_bytes);
}

// Exponent and mantissa move to their places in an f32, whose exponent is 112 larger; multiplying
// by 2^112 adds that to subnormal ones as well.
static float widen_half(uint16_t half)
{
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
    float value;
    if ((half & 0x7c00) == 0x7c00) { // infinity or NaN
        bits |= 0x7f800000;
        memcpy(&value, &bits, sizeof value);
    } else {
        memcpy(&value, &bits, sizeof value);
        value *= 0x1p112F;
    }
    return half & 0x8000 ? -value : value;
}

void hyp_stored_convert(HypStoredType stored, const void *from, float *to, size_t count)
{
    const unsigned char *bytes = from;
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        double wide;
        if (stored == HYP_STORED_F64) {
            memcpy(&wide, bytes + 8 * i, sizeof wide);
            to[i] = (float)wide;
            continue;
        }
        memcpy(&half, bytes + 2 * i, sizeof half);
        if (stored == HYP_STORED_F16) {
            to[i] = widen_half(half);
        } else {
            const uint32_t bits = (uint32_t)half << 16;
            memcpy(&to[i], &bits, sizeof bits);
        }
    }
}
