// SPDX-License-Identifier: Apache-2.0
// gemm_streams.h - the matrix-product nest as streams of cache lines, for the closed form.
//
// Every touch of kernels/gemm/gemm_nest.h belongs to a stream (source of B, packed B, C, ...). For
// each stream and each way it comes back to a line, the stream says how many lines come back and
// what was touched in between; occupancy.h turns that into misses per level. Equal blocks are
// counted once: the cost does not grow with the number of blocks.
#ifndef HYP_GEMM_STREAMS_H
#define HYP_GEMM_STREAMS_H

#include "cache/gemm_block.h"
#include "cache/stream_account.h"
#include "hyperion/simulate.h"

// What lies in the caches when the product begins: what a like one left there, its packed copies
// among them.
typedef struct HypGemmBefore {
    bool same_a;             // it multiplied the same A,
    double products_between; // so many products ago
} HypGemmBefore;

// `level_count` caches of one line size, from cold or, where `before` is not NULL, after that.
// shape and blocking are valid (hyp_cache_gemm_is_valid) and no extent of the shape is 0. `image`:
// B is packed from it; NULL: from a matrix.
HypTraffic hyp_gemm_traffic(const HyperionGemmShape *shape, const HypImageSource *image,
                            const HyperionGemmBlocking *blocking, const HypGemmBefore *before,
                            const HypCacheShape *caches, int level_count);

#endif
