// SPDX-License-Identifier: Apache-2.0
// cache_check.h - which configurations, geometries and blockings can be; shared by the cache
// module.
#ifndef HYP_CACHE_CHECK_H
#define HYP_CACHE_CHECK_H

#include "hyperion/simulate.h"

// False, and the last error names field, limit and value: a negative field, block_size above 65536,
// a cache_line_size that is neither 0 nor a power of two from 16 to 1024.
bool hyp_cache_config_is_valid(const HyperionCacheConfig *config);

// False, and the last error says why: no level or too many, a size above 1 TiB, a line size as
// above, ways below -1 or more than the level has lines, a negative sharing count. Unknown (0)
// fields are valid.
bool hyp_cache_topology_is_valid(const HyperionCacheTopology *topology);

// The same geometry without unknowns, for prediction: lines of 64 bytes where no level says (else
// those of the first that does), 8 ways in L1 and 16 further out, at most as many as there are
// lines. False, last error set, when the topology is not valid, a size is unknown or line sizes
// differ between levels.
bool hyp_cache_topology_complete(const HyperionCacheTopology *topology,
                                 HyperionCacheTopology *complete);

// False, and the last error names what cannot be: a replacement or placement that does not exist, a
// victim level that is neither 0 nor the outermost of several.
bool hyp_cache_assumptions_are_valid(const HyperionCacheAssumptions *assumptions, int level_count);

// Cores that share one cache of level `level` (0 = L1) by its logical CPUs
// and those of L1. Where either is unknown: 1 up to L2, all (INT_MAX) further out.
int hyp_cache_level_cores(const HyperionCacheTopology *topology, int level);

// False, and the last error says why, unless mc, kc, nc, mr, nr are from 1 to 2^48, mc a multiple
// of mr, nc of nr, and no array of the product passes the address space.
bool hyp_cache_gemm_is_valid(const HyperionGemmShape *shape, const HyperionGemmBlocking *blocking);

// The arguments of a prediction, none of them trusted: false, and the last error says why, on a
// NULL or where one of the three checks above fails.
bool hyp_cache_gemm_arguments(const HyperionGemmShape *shape, const HyperionGemmBlocking *blocking,
                              const HyperionCacheTopology *topology,
                              HyperionCacheTopology *complete);

// Software prefetch instructions of one product: for each tile one a line of A's panel and of C,
// none with prefetch_lines 0.
uint64_t hyp_cache_gemm_prefetches(const HyperionGemmShape *shape,
                                   const HyperionGemmBlocking *blocking);

#endif
