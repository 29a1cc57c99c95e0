// SPDX-License-Identifier: Apache-2.0
// reference_gemm.h - the matrix product as its formula reads, in double, one element at a time.
#ifndef HYP_REFERENCE_GEMM_H
#define HYP_REFERENCE_GEMM_H

#include "kernel.h"

// A sum of products, and what it is made of.
typedef struct HypReferenceSum {
    double value;
    double magnitude; // the sum of the absolute values of its terms: what errors are relative to
} HypReferenceSum;

// C[row][column] before the activation; column < n, row < m. Blocking and workspace do not matter.
HypReferenceSum hyp_reference_gemm(const HypGemmArgs *args, size_t row, size_t column);

// Adds `term` to `sum`.
void hyp_reference_add(HypReferenceSum *sum, double term);

#endif
