// SPDX-License-Identifier: Apache-2.0
// kernel_traffic.h - cache traffic of one call of a kernel in closed form, by operation.
#ifndef HYP_KERNEL_TRAFFIC_H
#define HYP_KERNEL_TRAFFIC_H

#include "cache/stream_account.h"
#include "kernel_table.h"

// Floats of a register.
size_t hyp_level_lanes(HyperionSIMDLevel level);

// Adds the traffic of `repeats` calls like this, each from cold caches, to account->traffic. Of
// `args`, sizes and settings count, and which operands are packed before; no pointer is followed.
void hyp_kernel_traffic(HypKernelOp op, HyperionSIMDLevel level, const HypKernelArgs *args,
                        size_t repeats, HypAccount *account);

#endif
