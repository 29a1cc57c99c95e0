// SPDX-License-Identifier: Apache-2.0
// attention_alone.c - what queries that take keys and values as they lie touch beside the first
// touch of each row.
#include "attention/attention_blocks.h"
#include "cache/attention_call.h"
#include "cache/gemm_block.h"

#include <math.h>

// Queries in front of all keys that they see, `times` over.
typedef struct Alone {
    const HypAttentionCall *call;
    double times;
    double rows;   // keys that one query multiplies at a time
    double pieces; // touches of a key
    double slices; // times that a query passes over the values
    double parts;  // touches of a value in all of these
} Alone;

static size_t common_divisor(size_t a, size_t b)
{
    while (b > 0) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static Alone find_alone(const HypAttentionCall *call, double times)
{
    const size_t line = (size_t)call->line;
    const size_t dim = call->args->dim;
    Alone alone = {.call = call, .times = times, .rows = (double)attention_alone_keys(call->lanes)};
    alone.pieces = hyp_lines_of_pieces(dim, call->lanes, dim, line);
    for (size_t d = 0, columns; d < dim; d += columns) {
        columns = attention_alone_vectors(dim - d, call->lanes) * call->lanes;
        const size_t width = columns < dim - d ? columns : dim - d;
        alone.slices++;
        alone.parts += hyp_lines_of_run(width, common_divisor(dim, d), line);
    }
    return alone;
}

// Scores, weights and state, which a query has in common with those before it.
static double shared_lines(const HypAttentionCall *call)
{
    return (double)ATTENTION_KEYS / call->line + 3;
}

double hyp_attention_alone_lines(const HypAttentionCall *call, double queries)
{
    return queries * (call->packed_row + hyp_attention_queries(call, 1)) + shared_lines(call);
}

static double alone_accesses(const Alone *alone, double seen)
{
    const HypAttentionCall *call = alone->call;
    const double lanes = (double)call->lanes;
    const double blocks = ceil(seen / (double)ATTENTION_KEYS);
    const double registers = ceil((double)call->args->dim / lanes);
    const double score = seen * alone->pieces + ceil(seen / lanes) * registers +
                         ceil(seen / alone->rows) * fmax(1, alone->rows / call->line);
    const double weigh = 3 * ceil(seen / call->line) + 5 * blocks;
    const double gather =
        seen * (alone->parts + alone->slices) + blocks * (alone->slices + 2 * call->packed_row);
    return score + weigh + gather;
}

// `lines` of a query's own come back after `keys` rows of keys or values.
static void come_after_rows(const Alone *alone, double lines, double keys, bool written)
{
    const HypAttentionCall *call = alone->call;
    HypWindow window = {.count = 0};
    hyp_window_add(&window, hyp_attention_alone_lines(call, 1), 1, 0);
    hyp_add_head_rows(&window, call, keys, call->key_position);
    if (written)
        hyp_account_written(call->account, alone->times * lines, &window);
    else
        hyp_account(call->account, alone->times * lines, &window);
}

// A line of each of `rows` rows, `lines` in all, comes back after one of all others.
static void come_across(const Alone *alone, double lines, double rows)
{
    if (lines <= 0)
        return;
    const HypAttentionCall *call = alone->call;
    HypWindow window = {.count = 0};
    hyp_window_add(&window, rows, (size_t)ceil(rows), call->key_position);
    hyp_window_add(&window, shared_lines(call), 1, 0);
    hyp_account(call->account, alone->times * lines, &window);
}

// The `seen` keys of a query, of which the one before it has read the first `again`.
static void add_query(const Alone *alone, double seen, double again)
{
    const HypAttentionCall *call = alone->call;
    const double block = fmin(seen, (double)ATTENTION_KEYS);
    const double blocks = ceil(seen / (double)ATTENTION_KEYS);
    call->account->traffic.accesses += alone->times * alone_accesses(alone, seen);
    come_across(alone, seen * (alone->pieces - call->row), fmin(seen, alone->rows));
    come_across(alone, seen * (alone->parts - call->row), block);
    if (again > 0) {
        HypWindow window = {.count = 0};
        hyp_add_head_rows(&window, call, 2 * block, call->key_position);
        hyp_window_add(&window, hyp_attention_alone_lines(call, 1), 1, 0);
        hyp_account(call->account, alone->times * 2 * again * call->row, &window);
    }
    come_after_rows(alone, blocks * hyp_attention_queries(call, 1), block, false);
    come_after_rows(alone, blocks * (call->packed_row + shared_lines(call)), block, true);
}

void hyp_attention_alone(const HypAttentionCall *call, double times, size_t first, size_t queries)
{
    const Alone alone = find_alone(call, times);
    const double dim = (double)call->args->dim;
    const double columns = ceil(dim / (double)call->lanes);
    call->account->traffic.accesses +=
        times * (double)queries *
        (2 * hyp_lines_of_pieces(call->args->dim, call->lanes, call->args->dim,
                                 (size_t)call->line) +
         4 * columns + call->packed_row + 1);
    double before = 0;
    for (size_t i = 0; i < queries; i++) {
        const double seen = (double)attention_visible(call->args, first + i);
        if (seen > 0)
            add_query(&alone, seen, before);
        before = seen;
    }
}
