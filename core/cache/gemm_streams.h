// SPDX-License-Identifier: Apache-2.0
// gemm_streams.h - the matrix-product nest as streams of cache lines, for the closed form.
//
// Every touch of kernels/gemm/gemm_nest.h belongs to a stream (source of B, packed B, C, ...). For
// each stream and each way it comes back to a line, the stream says how many lines come back and
// what was touched in between; occupancy.h turns that into misses per level, and a walk
// (gemm_walk.h) where that leaves doubt of the first. Equal blocks are counted once: the cost does
// not grow with the number of blocks.
#ifndef HYP_GEMM_STREAMS_H
#define HYP_GEMM_STREAMS_H

#include "cache/gemm_block.h"
#include "cache/stream_account.h"
#include "hyperion/simulate.h"

// Adds the traffic of products of one shape from cold caches, each after those before it.
void hyp_gemm_add_traffic(HypAccount *account, const HypGemmProducts *products);

#endif
