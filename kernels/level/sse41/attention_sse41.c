// SPDX-License-Identifier: Apache-2.0
#include "level/sse41/gemm_tile_sse41.h"

#include "attention/attention_nest.h"
#include "kernel_table.h"

void hyp_attention_f32_sse41_keys64(const HypAttentionArgs *args)
{
    attention_nest(args);
}
