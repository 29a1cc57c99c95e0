// SPDX-License-Identifier: Apache-2.0
#include "touch/vec_touch.h"

#include "gemm/gemm_compute.h"

void TOUCH_FN(gemm)(const HypGemmArgs *args)
{
    gemm_compute(args);
}
