// SPDX-License-Identifier: Apache-2.0
#include "level/scalar/gemm_tile_scalar.h"

#include "attention/attention_nest.h"
#include "kernel_table.h"

void hyp_attention_f32_scalar_keys64(const HypAttentionArgs *args)
{
    attention_nest(args);
}
