// SPDX-License-Identifier: Apache-2.0
// gemm_windows.h - what the streams of gemm_streams.h have in common: the iterations they are of,
// and the windows between their touches.
#ifndef HYP_GEMM_WINDOWS_H
#define HYP_GEMM_WINDOWS_H

#include "cache/gemm_block.h"
#include "cache/stream_account.h"

// What lies in the caches when a product begins: what a like one left there, its packed copies
// among them.
typedef struct HypGemmBefore {
    bool same_a;             // it multiplied the same A,
    double products_between; // so many products ago
} HypGemmBefore;

enum {
    HYP_REUSES_OF_A = 3, // the first panel, the last, those between
    HYP_REUSES = 8,      // sizes of blocks: of each extent two
};

// How lines come back in the multiplication and packing of a block of one size.
typedef struct HypGemmReuse {
    size_t mc, kc, nc;             // 0: none
    HypChances a[HYP_REUSES_OF_A]; // with the next sliver
    double share_of_a[HYP_REUSES_OF_A];
    HypChances b;                  // with the next panel of A
    HypChances row_of_b, row_of_c; // in a line that two slivers share
    HypChances prefetched_c;       // a tile of C, from its prefetch until it is written
    // Of an image, per channel and sliver but the first: lines that the sliver before had, and that
    // the row above had.
    double near, far;
    HypChances near_miss, far_miss;
    double walked;   // missed in the first level, of a panel; less than 0: not known
    double accesses; // of a tap of its panel: reads and writes
} HypGemmReuse;

typedef struct HypGemmPredictor {
    HypGemmNest nest;
    HypAccount account;
    const HypGemmBefore *before; // NULL: cold caches
    HypGemmReuse reuses[HYP_REUSES];
} HypGemmPredictor;

// HypIterations of one size: `exact` counts their lines, `typical` says what lies between touches,
// of the iteration at (row, depth, column).
typedef struct HypIterations {
    HypGemmBlock exact, typical;
    double times;
    size_t column, depth, row;                 // jc, pc, ic
    bool first_column, first_depth, first_row; // the first of them
} HypIterations;

// The matrix that a line which comes back is of.
typedef enum HypMatrix { HYP_MATRIX_A, HYP_MATRIX_B, HYP_MATRIX_C } HypMatrix;

// `lines` of A are read for the first time in this product.
void hyp_gemm_account_first_a(HypGemmPredictor *predictor, double lines);

// Adds one run of `lines` at an unknown place.
void hyp_window_add_packed(HypWindow *window, double lines);

// Adds `rows` runs of `width` floats (both may be fractions), `stride` floats from start to start,
// the first at `place`.
void hyp_window_add_rows(HypWindow *window, const HypGemmNest *nest, size_t place, double rows,
                         double width, size_t stride);

// Rows that two slivers touch in turn, the first from `place` on.
typedef struct HypSharedRows {
    size_t place, rows, stride;
    size_t done; // rows of the second when the line comes back
} HypSharedRows;

// Adds what lies between the touch of a line by a sliver and by the next, which begins in it.
void hyp_window_add_next_sliver(HypWindow *window, const HypGemmNest *nest,
                                const HypSharedRows *shared);

// Adds a part of the packed block of A or panel of B: from panel or sliver `first` to `end`,
// fractions of which are so much of their depth.
void hyp_window_add_panels(HypWindow *window, const HypGemmNest *nest, const HypGemmBlock *block,
                           double first, double end);
void hyp_window_add_slivers(HypWindow *window, const HypGemmNest *nest, const HypGemmBlock *block,
                            double first, double end);

// Adds rows of A over the block of k, from `first` to `end` of the block of A.
void hyp_window_add_a(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                      double first, double end);

// A part of C, from its corner on.
typedef struct HypPartOfC {
    double row, rows, column, columns;
} HypPartOfC;

void hyp_window_add_c(HypWindow *window, const HypGemmNest *nest, const HypPartOfC *part);

// Adds what B's panel is packed from, from one share to another of its columns.
void hyp_window_add_b_source(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                             double first, double end);

// Makes an empty window what one iteration of pc touches.
void hyp_window_add_depth(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                          HypMatrix own);

// Makes an empty window what one iteration of jc touches.
void hyp_window_add_column(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                           HypMatrix own);

// The reads of A and of B by the packing of a block and a panel, and the accesses of its writes.
void hyp_gemm_account_a_source(HypGemmPredictor *predictor, const HypIterations *at);
void hyp_gemm_account_b_source(HypGemmPredictor *predictor, const HypIterations *at);

// The reads of an image.
void hyp_gemm_account_image(HypGemmPredictor *predictor, const HypIterations *at);
void hyp_gemm_find_image_reuse(const HypGemmPredictor *predictor, const HypIterations *at,
                               HypGemmReuse *reuse);

#endif
