// SPDX-License-Identifier: Apache-2.0
// strided_copy.h - copies an array of up to HYPERION_MAX_RANK axes from one layout to another: what
// transposing, slicing, concatenating and repeating have in common.
#ifndef HYP_STRIDED_COPY_H
#define HYP_STRIDED_COPY_H

#include "hyperion/types.h"

// Element (i, j, ..) goes from in + i * in_strides[0] + j * in_strides[1] + .. to the like place of
// out. Strides are elements; those of `in` may be 0 (one element serves many) or negative. No place
// of out may be meant twice.
typedef struct HypStridedCopy {
    size_t element_bytes; // 1, 4 or 8
    int rank;
    size_t extents[HYPERION_MAX_RANK];
    ptrdiff_t in_strides[HYPERION_MAX_RANK];
    ptrdiff_t out_strides[HYPERION_MAX_RANK];
} HypStridedCopy;

// The strides of a row-major array of these extents.
void hyp_strided_dense(int rank, const int64_t *dims, ptrdiff_t *strides);

// `in` and `out` point to the elements of index 0 and do not overlap. Shared among the threads of
// `parallel` where that pays.
void hyp_strided_copy(const HypStridedCopy *copy, const void *in, void *out,
                      const HyperionParallel *parallel);

#endif
