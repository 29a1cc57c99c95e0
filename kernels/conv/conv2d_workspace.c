// SPDX-License-Identifier: Apache-2.0
#include "conv/conv2d_product.h"
#include "kernel_table.h"

size_t hyp_conv2d_workspace_bytes(const HypConv2dArgs *args)
{
    const HypGemmArgs product = conv2d_product(args);
    return conv2d_product_threads(args, &product) * gemm_blocks(&product).packed_bytes;
}
