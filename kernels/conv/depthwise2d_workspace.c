// SPDX-License-Identifier: Apache-2.0
#include "conv/depthwise2d_layout.h"
#include "kernel_table.h"

size_t hyp_depthwise2d_workspace_bytes(const HypConv2dArgs *args)
{
    const DepthwiseLayout layout = depthwise_layout(args);
    return layout.threads * layout.thread_floats * sizeof(float);
}
