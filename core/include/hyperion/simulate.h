// SPDX-License-Identifier: Apache-2.0
// simulate.h - blocking and cache prediction as pure functions, without a model: for tools.
#ifndef HYPERION_SIMULATE_H
#define HYPERION_SIMULATE_H

#include "hyperion/cache.h"
#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// C[m x n] = A[m x k] B[k x n], f32, row-major; b_transposed: B is stored n x k.
typedef struct HyperionGemmShape {
    size_t m, n, k;
    bool b_transposed;
} HyperionGemmShape;

// The blocking that `config` resolves to for the gemm kernel of `level` (0..3, clamped to what the
// library was built with) on `topology`. config->block_size 0 chooses from the geometry, following
// the analytical model of Low et al., "Analytical Modeling Is Enough for High-Performance BLIS",
// ACM TOMS 43(2), 2016. False, and *blocking unchanged, on NULL or values out of range.
bool hyperionResolveGemmBlocking(const HyperionGemmShape *shape, const HyperionCacheConfig *config,
                                 const HyperionCacheTopology *topology, int level,
                                 HyperionGemmBlocking *blocking);

// Predicted cache statistics of that product from cold caches, by formulas over the nest's
// parameters. `valid` is false, and the last error says why, where it cannot answer.
HyperionCacheStats hyperionPredictGemm(const HyperionGemmShape *shape,
                                       const HyperionGemmBlocking *blocking,
                                       const HyperionCacheTopology *topology);

// The same by replaying the real nest's cache lines through a set-associative LRU simulator:
// exact for that replacement and contiguous buffers, at about the time of the product itself.
HyperionCacheStats hyperionReplayGemm(const HyperionGemmShape *shape,
                                      const HyperionGemmBlocking *blocking,
                                      const HyperionCacheTopology *topology);

#ifdef __cplusplus
}
#endif
#endif
