// SPDX-License-Identifier: Apache-2.0
// blocking.h - from a cache configuration and geometry to the blocking of the matrix-product nest.
#ifndef HYP_BLOCKING_H
#define HYP_BLOCKING_H

#include "hyperion/simulate.h"

// As hyperionResolveGemmBlocking, for a register tile of mr x nr (> 0) and arguments known valid.
HyperionGemmBlocking hyp_blocking_resolve(const HyperionGemmShape *shape,
                                          const HyperionCacheConfig *config,
                                          const HyperionCacheTopology *topology, size_t mr,
                                          size_t nr);

#endif
