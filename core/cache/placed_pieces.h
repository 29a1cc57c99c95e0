// SPDX-License-Identifier: Apache-2.0
// placed_pieces.h - whether a line survives while pieces of one array are touched, whose places to
// one another are known: lines are counted set by set, without chance. Others can be touched beside
// them: pieces that lie as they do to one another but move along the array from one time to the
// next, rows of other arrays, and regions anywhere (occupancy.h).
#ifndef HYP_PLACED_PIECES_H
#define HYP_PLACED_PIECES_H

#include "cache/stream_account.h"

// Consecutive lines of the array.
typedef struct HypPiece {
    size_t start, lines;
} HypPiece;

enum { HYP_MOST_PIECES = 48 };

// They do not overlap.
typedef struct HypPieces {
    HypPiece pieces[HYP_MOST_PIECES];
    int count;
} HypPieces;

// Rows of two arrays of one shape.
typedef struct HypPlacedRows {
    struct {
        size_t first, count;
    } of[2]; // each array
    size_t row_floats, stride_floats;
    bool apart_known;       // else both begin at multiples of pages
    ptrdiff_t apart_floats; // from the beginning of the first array to that of the second
} HypPlacedRows;

// What was touched since a line's last touch. Piece 0 of `still` holds that line.
typedef struct HypPlacedWindow {
    HypPieces still, moving;
    HypPlacedRows rows;
    HypWindow others;
} HypPlacedWindow;

// Nothing was touched. Larger than what is in most, so that it is not set to 0 as a whole.
static inline void hyp_placed_start(HypPlacedWindow *window)
{
    window->still.count = 0;
    window->moving.count = 0;
    window->rows = (HypPlacedRows){.row_floats = 0};
    window->others.count = 0;
}

// Adds `lines` lines from `start` on, whole ones; nothing for none. A piece that follows the one
// added last becomes a part of it, but for the first; so does what comes after HYP_MOST_PIECES.
void hyp_pieces_add(HypPieces *pieces, double start, double lines);

// Chance per level that the line has been evicted.
HypChances hyp_placed_chances(const HypAccount *account, const HypPlacedWindow *window);

#endif
