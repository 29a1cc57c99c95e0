// SPDX-License-Identifier: Apache-2.0
#include "cache/attention_call.h"

#include "attention/attention_blocks.h"
#include "cache/gemm_block.h"
#include "kernel_table.h"

#include <math.h>

HypAttentionCall hyp_attention_call(const HypAttentionArgs *args, HyperionSIMDLevel level,
                                    HypAccount *account)
{
    const size_t sharing = attention_sharing(args);
    const HypKernelVariant *tile = hyp_kernel_find(HYP_OP_GEMM, level);
    HypAttentionCall call = {.args = args,
                             .account = account,
                             .lanes = tile->nr / HYP_TILE_VECTORS,
                             .tile_rows = tile->mr,
                             .tile_keys = tile->nr,
                             .panel_columns = attention_panel(tile->nr),
                             .position = args->heads * args->dim,
                             .key_position = args->heads / sharing * args->dim,
                             .line = account->caches[0].line_floats,
                             .heads = (double)args->batch * (double)args->heads,
                             .fresh = 1 / (double)sharing};
    call.row = hyp_lines_of_run(args->dim, args->dim, (size_t)call.line);
    if (call.key_position ==
        args->dim) // rows without gaps: lines that two share are touched at once
        call.row = (double)args->dim / call.line;
    call.own = (double)args->dim / call.line / call.row;
    const size_t width = (args->dim + call.lanes - 1) / call.lanes * call.lanes;
    call.packed_row = (double)width / call.line;
    call.value_panels = (int)((width + call.panel_columns - 1) / call.panel_columns);
    HypAttentionArgs placed = *args;
    placed.workspace = (void *)(uintptr_t)(HYP_LINE_FLOATS * sizeof(float)); // anywhere
    const AttentionWorkspace work = attention_workspace(&placed, 0);
    call.values = (double)(work.values - work.keys) / call.line;
    call.queries = (double)(work.queries - work.keys) / call.line;
    call.results = (double)(work.results - work.keys) / call.line;
    call.scores = (double)(work.scores - work.keys) / call.line;
    call.factors = (double)(work.factors - work.keys) / call.line;
    call.greatest = (double)(work.greatest - work.keys) / call.line;
    call.sums = (double)(work.sum - work.keys) / call.line;
    call.end = (double)attention_workspace_floats(args) / call.line;
    return call;
}

static double seen_keys(const HypAttentionCall *call, const HypKeyBlock *block, size_t query)
{
    const double seen =
        (double)attention_visible(call->args, block->first_query + query) - block->first;
    return fmax(0, fmin(block->keys, seen));
}

HypQueryGroup hyp_attention_group(const HypAttentionCall *call, const HypKeyBlock *block,
                                  size_t first)
{
    const size_t rows = attention_group_rows(block->queries - first, call->tile_rows);
    return (HypQueryGroup){.first = first,
                           .rows = rows,
                           .begin = first,
                           .keys = block->keys,
                           .seen = seen_keys(call, block, first + rows - 1),
                           .seen_by_first = seen_keys(call, block, first)};
}

double hyp_attention_panels(const HypAttentionCall *call, double keys)
{
    return ceil(keys / (double)call->tile_keys);
}

double hyp_attention_queries(const HypAttentionCall *call, double rows)
{
    return rows * (double)call->args->dim / call->line;
}

double hyp_attention_keys(const HypAttentionCall *call, double keys)
{
    return hyp_attention_queries(call, hyp_attention_panels(call, keys) * (double)call->tile_keys);
}

double hyp_attention_value_row(const HypAttentionCall *call, int panel)
{
    const double columns = (double)call->panel_columns / call->line;
    return fmin(columns, call->packed_row - panel * columns);
}

HypValueSample hyp_attention_value_sample(const HypAttentionCall *call, int index, int samples)
{
    HypValueSample sample = {0, 0};
    const int panels = call->value_panels;
    double all = 0;
    for (int i = 0; i < samples; i++) {
        const int panel = (2 * i + 1) * panels / (2 * samples);
        const double row = hyp_attention_value_row(call, panel);
        all += row;
        if (i == index)
            sample = (HypValueSample){panel, row};
    }
    sample.share /= all;
    return sample;
}

void hyp_add_values_of(HypPieces *pieces, const HypAttentionCall *call, int panel, double from,
                       double to)
{
    const double columns = (double)call->panel_columns / call->line;
    const double before = panel * columns; // columns, as lines of a row
    const double row = hyp_attention_value_row(call, panel);
    const double start = call->values + before * (double)ATTENTION_KEYS;
    hyp_pieces_add(pieces, start + from * row, (to - from) * row);
}

void hyp_add_other_values(HypPieces *pieces, const HypAttentionCall *call, int panel, double to)
{
    for (int i = 0; i < call->value_panels; i++)
        if (i != panel)
            hyp_add_values_of(pieces, call, i, 0, to);
}

void hyp_add_keys(HypPieces *pieces, const HypAttentionCall *call, double from_line, double to_line)
{
    (void)call;
    hyp_pieces_add(pieces, from_line, to_line - from_line); // they come first
}

void hyp_add_queries(HypPieces *pieces, const HypAttentionCall *call, double first, double rows)
{
    hyp_pieces_add(pieces, call->queries + hyp_attention_queries(call, first),
                   hyp_attention_queries(call, rows));
}

void hyp_add_results(HypPieces *pieces, const HypAttentionCall *call, double first, double rows)
{
    hyp_pieces_add(pieces, call->results + first * call->packed_row, rows * call->packed_row);
}

void hyp_add_columns(HypPieces *pieces, const HypAttentionCall *call, const HypQueryGroup *group,
                     double from, double to)
{
    for (size_t i = 0; i < group->rows; i++) {
        const double row = call->results + (double)(group->first + i) * call->packed_row;
        hyp_pieces_add(pieces, row + call->packed_row * from, call->packed_row * (to - from));
    }
}

void hyp_add_scores(HypPieces *pieces, const HypAttentionCall *call, double rows)
{
    hyp_pieces_add(pieces, call->scores, rows * (double)ATTENTION_KEYS / call->line);
}

void hyp_add_states(HypPieces *pieces, const HypAttentionCall *call, double first, double rows)
{
    hyp_pieces_add(pieces, call->factors, 1);
    hyp_pieces_add(pieces, call->greatest + first / call->line, rows / call->line);
    hyp_pieces_add(pieces, call->sums + first / call->line, rows / call->line);
}

static void add_span(HypPlacedWindow *window, const HypAttentionCall *call, int array, double from,
                     double to)
{
    const size_t first = (size_t)(from + 0.5);
    const size_t end = (size_t)(to + 0.5);
    window->rows.of[array].first = first;
    window->rows.of[array].count = end - first;
    window->rows.row_floats = call->args->dim;
    window->rows.stride_floats = call->key_position;
    window->rows.apart_known = call->args->k && call->args->v;
    if (window->rows.apart_known)
        window->rows.apart_floats =
            ((intptr_t)call->args->v - (intptr_t)call->args->k) / (intptr_t)sizeof(float);
}

void hyp_add_key_rows(HypPlacedWindow *window, const HypAttentionCall *call, double from, double to)
{
    add_span(window, call, 0, from, to);
}

void hyp_add_value_rows(HypPlacedWindow *window, const HypAttentionCall *call, double from,
                        double to)
{
    add_span(window, call, 1, from, to);
}

void hyp_add_head_rows(HypWindow *window, const HypAttentionCall *call, double rows, size_t stride)
{
    hyp_window_add(window, rows * call->row, (size_t)ceil(rows), stride);
}

void hyp_attention_back(const HypAttentionCall *call, double lines, const HypPlacedWindow *window)
{
    if (lines <= 0)
        return;
    const HypChances chances = hyp_placed_chances(call->account, window);
    hyp_account_chance(call->account, lines, &chances);
}

void hyp_attention_back_written(const HypAttentionCall *call, double lines,
                                const HypPlacedWindow *window)
{
    if (lines <= 0)
        return;
    const HypChances chances = hyp_placed_chances(call->account, window);
    hyp_account_chance(call->account, lines, &chances);
    hyp_account_write_back(call->account, lines, &chances);
}
