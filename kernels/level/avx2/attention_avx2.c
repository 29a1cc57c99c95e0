// SPDX-License-Identifier: Apache-2.0
#include "level/avx2/gemm_tile_avx2.h"

#include "attention/attention_nest.h"
#include "kernel_table.h"

void hyp_attention_f32_avx2_keys64(const HypAttentionArgs *args)
{
    attention_nest(args);
}
