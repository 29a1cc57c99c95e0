// SPDX-License-Identifier: Apache-2.0
#include "gemm/gemm_blocks.h"
#include "kernel_table.h"

size_t hyp_gemm_workspace_bytes(const HypGemmArgs *args)
{
    return gemm_blocks(args).packed_bytes;
}
