// SPDX-License-Identifier: Apache-2.0
#include "attention/attention_blocks.h"
#include "kernel_table.h"

size_t hyp_attention_workspace_bytes(const HypAttentionArgs *args)
{
    return hyp_parallel_threads(args->parallel, attention_work(args)) *
           attention_workspace_floats(args) * sizeof(float);
}
