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
// parameters: each stream of lines (source and packed copy of A and of B, C) with what the nest
// touches before it comes back to a line (Mattson et al., "Evaluation Techniques for Storage
// Hierarchies", IBM Systems Journal 9(2), 1970), and how that spreads over the sets. Some tens of
// microseconds, whatever the size.
//
// Assumed, here and in hyperionReplayGemm: every level true LRU, write-allocate, write-back,
// neither inclusive nor exclusive; one thread alone in all levels; arrays contiguous in physical
// memory; an access is one touch of a line by a row of a packed panel or of C; lines that are still
// dirty at the end are not written back; software prefetch brings lines in sooner but no others, so
// that misses count every line brought in. Ways unknown: 8 in L1, 16 further out. Here also: arrays
// lie at random to one another. misses_low to misses_high holds 90 % of what replay gave for a
// large set of seeded products. `valid` is false, and the last error says why, where it cannot
// answer.
HyperionCacheStats hyperionPredictGemm(const HyperionGemmShape *shape,
                                       const HyperionGemmBlocking *blocking,
                                       const HyperionCacheTopology *topology);

// The same by replaying the real nest's cache lines through a set-associative LRU simulator: exact
// for what is assumed above, at about the time of the product itself. A, B, C and the packed copies
// lie in this order, each from the next multiple of 4096 bytes on.
HyperionCacheStats hyperionReplayGemm(const HyperionGemmShape *shape,
                                      const HyperionGemmBlocking *blocking,
                                      const HyperionCacheTopology *topology);

#ifdef __cplusplus
}
#endif
#endif
