// SPDX-License-Identifier: Apache-2.0
// gemm_block.h - the lines that one iteration (jc, pc, ic) of the matrix-product nest is made of,
// for the closed form. Fractions of lines are averages over alignments.
#ifndef HYP_GEMM_BLOCK_H
#define HYP_GEMM_BLOCK_H

#include "gemm/gemm_blocks.h"
#include "hyperion/simulate.h"

// Equal blocks of one loop.
typedef struct HypLoopPart {
    size_t size;    // elements
    size_t count;   // iterations
    size_t start;   // of one that stands for these
    size_t typical; // size of the blocks whose behaviour stands for these
    bool first;     // the one with which the loop begins
} HypLoopPart;

enum { HYP_LOOP_PARTS = 3 };

// The first block, those between and the last; returns how many of these there are. `extent` > 0.
int hyp_loop_split(size_t extent, size_t size, HypLoopPart parts[HYP_LOOP_PARTS]);

// An image in place of B, as kernels/conv packs it: k counts the places of a window in each
// channel, n the pixels of the result.
typedef struct HypImageSource {
    size_t channels;
    size_t height, width; // of a channel, floats
    size_t out_height, out_width;
    size_t kernel_h, kernel_w; // taps of a channel
    size_t stride_h, stride_w;
    size_t dilation_h, dilation_w;
    size_t pad_top, pad_left;
} HypImageSource;

// Addresses of the operands: of one that was packed once, where that is; of B packed from an image,
// where the image is.
typedef struct HypGemmOperands {
    uintptr_t a, b, c, workspace;
} HypGemmOperands;

// The same in floats, and where in the workspace the packed copies start.
typedef struct HypGemmPlaces {
    size_t a, b, c, packed_a, packed_b;
} HypGemmPlaces;

typedef struct HypGemmNest {
    HyperionGemmShape shape;     // no extent is 0
    const HypImageSource *image; // NULL: B is a matrix
    bool packed_a, packed_b;     // before the product, so that it does not
    size_t mr, nr;
    GemmBlocks blocks;
    HypGemmPlaces places;
    size_t lanes; // floats of a register
    size_t line_floats;
    size_t prefetch_lines; // of A, how far ahead; 0: no prefetches, of C neither
    double image_lines;    // that windows reach
} HypGemmNest;

// Products one after another, of one shape: the A of each comes again after all the others.
typedef struct HypGemmProducts {
    const HyperionGemmShape *shape; // valid, as is the blocking: hyp_cache_gemm_is_valid
    const HypImageSource *image;    // B is packed from it; NULL: from a matrix
    const HyperionGemmBlocking *blocking;
    const HypGemmOperands *operands; // of the first; NULL: A, B, C and the packed copies in this
                                     // order, each from the next multiple of 4096 bytes on
    size_t different_a, of_one_a;
    bool packed_a, packed_b; // once, before; B is a matrix then, of the first product
    size_t lanes;            // floats of a register
} HypGemmProducts;

HypGemmNest hyp_gemm_nest(const HypGemmProducts *products, size_t line_bytes);

// All but extents and numbers of panels are lines.
typedef struct HypGemmBlock {
    size_t mc, kc, nc;
    double panels, slivers;    // of mr rows, of nr columns
    double panel, sliver;      // packed, one of them
    double packed_a, packed_b; // all of them
    double tile_row;           // of C, nr floats wide
    double c_row;              // of C, nc floats wide
    double a_row;              // of A, kc floats wide
    double b_source;           // of B, kc x nc, in b_rows rows ldb floats apart
    double b_source_sliver;    // of B, kc x nr
    double b_column;           // of B, k x nc, in b_column_rows rows ldb floats apart
    size_t b_rows, b_column_rows, ldb;
} HypGemmBlock;

HypGemmBlock hyp_gemm_block(const HypGemmNest *nest, size_t mc, size_t kc, size_t nc);

// Mean lines that `width` floats lie in, over all starts that are multiples of `step`.
double hyp_lines_of_run(size_t width, size_t step, size_t line_floats);

// Mean lines that each of many rows adds to those of the rows before it: less than hyp_lines_of_run
// where the gap to the next row (`stride` floats from start to start) is no whole line.
double hyp_lines_of_row(size_t width, size_t stride, size_t step, size_t line_floats);

// Mean lines that `width` floats lie in when they are touched in pieces, each piece counting its
// own.
double hyp_lines_of_pieces(size_t width, size_t piece, size_t step, size_t line_floats);

// Mean lines that a row of `width` floats is touched in, a register at a time.
double hyp_lines_of_registers(const HypGemmNest *nest, size_t width, size_t step);

// Lines that packing with transposition touches to write `depth` steps of `width` floats: squares
// of registers, of which narrow rows spill into the next. One float at a time there are reads
// between.
double hyp_lines_of_transposed(const HypGemmNest *nest, size_t width, size_t depth);

// Lines touched by `count` adjacent runs of `width` floats, the first aligned, each counting its
// own.
double hyp_lines_of_runs(size_t count, size_t width, size_t line_floats);

#endif
