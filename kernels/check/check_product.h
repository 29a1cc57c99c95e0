// SPDX-License-Identifier: Apache-2.0
// check_product.h - comparing an activated sum of products, for check_gemm.c and check_conv2d.c.
#ifndef HYP_CHECK_PRODUCT_H
#define HYP_CHECK_PRODUCT_H

#include "check/check_support.h"
#include "reference/reference_gemm.h"

// How many elements of a large result are compared.
#define HYP_CHECK_PRODUCT_SAMPLE 4096

// True where `got` is the epilogue's activation of a sum of `terms` products and up to two biases,
// within the rounding of f32 sums in any order. `place` names the element in messages.
bool hyp_check_product(HypCheckRun *run, float got, const HypReferenceSum *sum, size_t terms,
                       const HypEpilogue *epilogue, const char *place);

// True if `blocking` is one that `variant` can be run with.
bool hyp_check_tile(HypCheckRun *run, const HypKernelVariant *variant,
                    const HyperionGemmBlocking *blocking);

// A register tile's worth of blocking drawn from `run`: small blocks, so that problems of a few
// tiles have several of them.
HyperionGemmBlocking hyp_check_random_blocking(HypCheckRun *run, const HypKernelVariant *variant);

#endif
