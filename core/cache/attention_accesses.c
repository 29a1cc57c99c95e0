// SPDX-License-Identifier: Apache-2.0
// attention_accesses.c - how often attention touches lines: register by register, neighbouring
// touches of one line as one.
#include "cache/attention_call.h"
#include "cache/gemm_block.h"

#include <math.h>

static double vectors_of(const HypAttentionCall *call, double floats)
{
    return ceil(floats / (double)call->lanes);
}

static double whole_lines(const HypAttentionCall *call, double floats)
{
    return ceil(floats / call->line);
}

// To a row of a head in an array: some registers lie across two lines.
static double row_accesses(const HypAttentionCall *call)
{
    return hyp_lines_of_pieces(call->args->dim, call->lanes, call->args->dim, (size_t)call->line);
}

double hyp_attention_step_accesses(const HypAttentionCall *call, const HypQueryGroup *group)
{
    const double rows = (double)group->rows;
    const double dim = (double)call->args->dim;
    const double panel = whole_lines(call, (double)call->tile_keys);
    const double queries = hyp_lines_of_run(group->rows, group->rows, (size_t)call->line);
    const double score =
        hyp_attention_panels(call, group->seen) * (dim * (panel + queries) + rows * panel);
    const double seen = (group->seen_by_first + group->seen) / 2; // on average
    // Scores are read twice and written; so are the greatest score and the sum, and the factor.
    const double weigh = rows * (3 * whole_lines(call, seen) + 5);
    const double tiles = ceil(dim / (double)call->tile_keys);
    const double gather = tiles * (rows * (1 + 2 * panel + seen) + panel * group->seen);
    return score + weigh + gather;
}

double hyp_attention_packing_accesses(const HypAttentionCall *call, double keys)
{
    const double dim = (double)call->args->dim;
    const double columns = vectors_of(call, dim);
    const double column = call->lanes > 1 ? fmin(1, (double)call->tile_keys / call->line) : 1;
    return keys * (2 * row_accesses(call) + 3 * columns) +
           hyp_attention_panels(call, keys) * dim * HYP_TILE_VECTORS * column;
}

double hyp_attention_end_accesses(const HypAttentionCall *call, double queries)
{
    const double columns = vectors_of(call, (double)call->args->dim);
    return queries * (2 * row_accesses(call) + 3 * columns + call->packed_row + 1) +
           hyp_attention_queries(call, queries) * fmax(1, call->line / (double)call->tile_rows);
}
