// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_accesses.h"

#include "attention/attention_blocks.h"
#include "cache/gemm_block.h"
#include "common/size_math.h"

#include <math.h>

static double vectors_of(const HypAttentionWalk *walk, size_t floats)
{
    return ceil((double)floats / (double)walk->lanes);
}

static double whole_lines(const HypAttentionWalk *walk, double floats)
{
    return ceil(floats / (double)walk->line_floats);
}

// Of a row of a head in an array, in pieces: some registers lie across two lines.
static double row_accesses(const HypAttentionWalk *walk)
{
    const size_t dim = walk->args->dim;
    return hyp_lines_of_pieces(dim, walk->lanes, dim, walk->line_floats);
}

static double packed_row(const HypAttentionWalk *walk)
{
    return (double)walk->width / (double)walk->line_floats;
}

double hyp_attention_group_accesses(const HypAttentionWalk *walk, size_t rows, size_t seen,
                                    double mean)
{
    const double dim = (double)walk->args->dim;
    const double tile = (double)walk->tile_keys;
    const double panel = whole_lines(walk, tile);
    const double queries = hyp_lines_of_run(rows, rows, walk->line_floats);
    const double score =
        ceil((double)seen / tile) * (dim * (panel + queries) + (double)rows * panel);
    // Scores are read twice and written; so are the greatest score and the sum, and the factor.
    const double weigh = (double)rows * (3 * whole_lines(walk, mean) + 5);
    const double gather =
        ceil(dim / tile) * ((double)rows * (1 + 2 * panel + mean) + panel * (double)seen);
    return score + weigh + gather;
}

double hyp_attention_packing_accesses(const HypAttentionWalk *walk, size_t keys)
{
    const double dim = (double)walk->args->dim;
    const double tile = (double)walk->tile_keys;
    // Registers of a tile's row of keys: that are one float wide, two of a line at a time.
    const double columns = walk->lanes > 1 ? fmin(1, tile / (double)walk->line_floats) : 1;
    return (double)keys * (2 * row_accesses(walk) + 3 * vectors_of(walk, walk->args->dim)) +
           ceil((double)keys / tile) * dim * tile / (double)walk->lanes * columns;
}

double hyp_attention_end_accesses(const HypAttentionWalk *walk, size_t queries)
{
    const double columns = vectors_of(walk, walk->args->dim);
    const double line = (double)walk->line_floats;
    return (double)queries *
           (2 * row_accesses(walk) + 3 * columns + packed_row(walk) + 1 +
            (double)walk->args->dim / line * fmax(1, line / (double)walk->tile_rows));
}

double hyp_attention_alone_accesses(const HypAttentionWalk *walk, size_t seen)
{
    const size_t dim = walk->args->dim;
    const double lanes = (double)walk->lanes;
    const double line = (double)walk->line_floats;
    const double keys = (double)seen;
    const double together = (double)attention_alone_keys(walk->lanes);
    double slices = 0;
    double parts = 0; // touches of a value in all of them
    for (size_t d = 0, columns; d < dim; d += columns) {
        columns = attention_alone_vectors(dim - d, walk->lanes) * walk->lanes;
        const size_t width = columns < dim - d ? columns : dim - d;
        slices++;
        parts += hyp_lines_of_run(width, hyp_size_divisor(dim, d), walk->line_floats);
    }
    const double score = keys * row_accesses(walk) + ceil(keys / lanes) * vectors_of(walk, dim) +
                         ceil(keys / together) * fmax(1, together / line);
    const double weigh = 3 * ceil(keys / line) + 5;
    const double gather = keys * (parts + slices) + slices + 2 * packed_row(walk);
    return score + weigh + gather;
}
