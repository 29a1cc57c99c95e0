// SPDX-License-Identifier: Apache-2.0
#include "level/avx512/gemm_tile_avx512.h"

#include "attention/attention_nest.h"
#include "kernel_table.h"

void hyp_attention_f32_avx512_keys64(const HypAttentionArgs *args)
{
    attention_nest(args);
}
