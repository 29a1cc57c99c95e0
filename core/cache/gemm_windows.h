// SPDX-License-Identifier: Apache-2.0
// gemm_windows.h - what the streams of gemm_streams.h have in common: the iterations they are of,
// and the windows between their touches.
#ifndef HYP_GEMM_WINDOWS_H
#define HYP_GEMM_WINDOWS_H

#include "cache/gemm_block.h"
#include "cache/gemm_streams.h"
#include "cache/stream_account.h"

typedef struct HypGemmPredictor {
    HypGemmNest nest;
    HypAccount account;
    const HypGemmBefore *before; // NULL: cold caches
} HypGemmPredictor;

// HypIterations of one size: `exact` counts their lines, `typical` says what lies between touches.
typedef struct HypIterations {
    HypGemmBlock exact, typical;
    double times;
    bool first_column, first_depth, first_row; // the first of jc, pc, ic
} HypIterations;

// The matrix that a line which comes back is of.
typedef enum HypMatrix { HYP_MATRIX_A, HYP_MATRIX_B, HYP_MATRIX_C } HypMatrix;

// `lines` of A are read for the first time in this product.
void hyp_gemm_account_first_a(HypGemmPredictor *predictor, double lines);

// Adds a packed copy, one run of `lines`.
void hyp_window_add_packed(HypWindow *window, double lines);

// Adds `rows` rows of row_lines each, their starts `stride` floats apart.
void hyp_window_add_rows(HypWindow *window, double rows, double row_lines, size_t stride);

// Adds a share of what B's panel is packed from.
void hyp_window_add_b_source(HypWindow *window, const HypGemmBlock *block, double share);

// Makes an empty window what one iteration of pc touches.
void hyp_window_add_depth(HypWindow *window, const HypGemmNest *nest, const HypGemmBlock *block,
                          HypMatrix own);

// Makes an empty window what one iteration of jc touches.
void hyp_window_add_column(HypWindow *window, const HypGemmNest *nest, const HypGemmBlock *block,
                           HypMatrix own);

// The reads of A and of B by the packing of a block and a panel, and the accesses of its writes.
void hyp_gemm_account_a_source(HypGemmPredictor *predictor, const HypIterations *at);
void hyp_gemm_account_b_source(HypGemmPredictor *predictor, const HypIterations *at);

#endif
