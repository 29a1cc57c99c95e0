// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_streams.h"

#include "cache/gemm_windows.h"
#include "common/size_math.h"

#include <math.h>

enum {
    WINDOW_SAMPLES = 2, // places at which a window that grows along a loop is looked at
};

static double sample_share(int sample)
{
    return (sample + 0.5) / WINDOW_SAMPLES;
}

// The panel of B written, over the one before. Returns the chance that that was evicted.
static HypChances account_b_packing(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double lines = at->times * at->exact.packed_b;
    HypChances evicted = {{0}};
    if (!predictor->before && at->first_column && at->first_depth) {
        hyp_account_cold(&predictor->account, lines);
        return evicted;
    }
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the slivers packed so far
        HypWindow window = {.count = 0};
        hyp_window_add_packed(&window, typical->packed_b);
        // After its last sliver comes no more of A than the end of the last panel.
        hyp_window_add_packed(&window, typical->slivers > 1 ? typical->packed_a
                                                            : (1 - share) * typical->panel);
        hyp_window_add_rows(&window, (double)typical->mc, (1 - share) * typical->c_row,
                            nest->shape.n);
        hyp_window_add_b_source(&window, typical, share);
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

// The block of A written, over the one before. Returns the chance that that was evicted.
static HypChances account_a_packing(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double mc = (double)typical->mc;
    const double lines = at->times * at->exact.packed_a;
    HypChances evicted = {{0}};
    if (!predictor->before && at->first_column && at->first_depth && at->first_row) {
        hyp_account_cold(&predictor->account, lines);
        return evicted;
    }
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the panels packed so far
        HypWindow window = {.count = 0};
        hyp_window_add_packed(&window, typical->packed_a);
        hyp_window_add_rows(&window, (1 - share) * mc, typical->tile_row, nest->shape.n);
        hyp_window_add_rows(&window, share * mc, typical->a_row, nest->shape.k);
        hyp_window_add_packed(&window, at->first_row ? typical->packed_b : typical->sliver);
        if (at->first_row)
            hyp_window_add_b_source(&window, typical, 1);
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

// The block of A read with the first sliver of B, after it was packed.
static HypChances account_a_first_use(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double mc = (double)typical->mc;
    const double lines = at->times * at->exact.packed_a;
    HypChances evicted = {{0}};
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the panels used so far
        HypWindow window = {.count = 0};
        hyp_window_add_packed(&window, typical->packed_a);
        // Of the sliver, the first panel has met only the beginning.
        hyp_window_add_packed(&window, fmin(1, share * typical->panels) * typical->sliver);
        hyp_window_add_rows(&window, (1 - share) * mc, typical->a_row, nest->shape.k);
        hyp_window_add_rows(&window, typical->panels > 1 ? share * mc : 0, typical->tile_row,
                            nest->shape.n);
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

// The block of A read with the other slivers. Between two uses of a line lie the rest of one sliver
// and the beginning of the next: both whole, but for the first and the last panel.
static HypChances account_a_reuse(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmBlock *typical = &at->typical;
    const double lines = at->times * (at->exact.slivers - 1) * at->exact.packed_a;
    const double edges = fmin(1, 2 / typical->panels); // share of the first and last panel
    HypChances evicted = {{0}};
    for (int i = 0; i <= WINDOW_SAMPLES; i++) {
        const bool inner = i == WINDOW_SAMPLES;
        const double share = inner ? 1 - edges : edges / WINDOW_SAMPLES;
        const double both = inner ? 2 : 1 + sample_share(i);
        HypWindow window = {.count = 0};
        hyp_window_add_packed(&window, typical->packed_a);
        hyp_window_add_packed(&window, (typical->panels > 1 ? both : 1) * typical->sliver);
        hyp_window_add_rows(&window, (double)typical->mc, typical->tile_row,
                            predictor->nest.shape.n);
        const HypChances chances = hyp_account(&predictor->account, lines * share, &window);
        hyp_chances_add(&evicted, &chances, share);
    }
    return evicted;
}

// The panel of B read with the first panel of A: after packing, or after the block of A before.
static HypChances account_b_first_use(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double mc = (double)typical->mc;
    const double lines = at->times * at->exact.packed_b;
    HypChances evicted = {{0}};
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the slivers used so far
        HypWindow window = {.count = 0};
        hyp_window_add_packed(&window, typical->packed_b);
        hyp_window_add_packed(&window, typical->packed_a);
        hyp_window_add_rows(&window, mc, typical->a_row, nest->shape.k);
        hyp_window_add_rows(&window, mc, (at->first_row ? share : 1) * typical->c_row,
                            nest->shape.n);
        if (at->first_row)
            hyp_window_add_b_source(&window, typical, 1 - share);
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

// The panel of B read with the other panels of A.
static HypChances account_b_reuse(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmBlock *typical = &at->typical;
    const double lines = at->times * (at->exact.panels - 1) * at->exact.packed_b;
    HypWindow window = {.count = 0};
    hyp_window_add_packed(&window, typical->sliver);
    hyp_window_add_packed(&window, typical->panel);
    hyp_window_add_rows(&window, (double)typical->mc / typical->panels, typical->tile_row,
                        predictor->nest.shape.n);
    return hyp_account(&predictor->account, lines, &window);
}

static void account_c(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const HypGemmBlock *typical = &at->typical;
    const size_t line = nest->line_floats;
    const size_t n = nest->shape.n;
    const size_t nc = at->exact.nc;
    const double mc = (double)typical->mc;
    const double rows = (double)at->exact.mc * at->times;
    const double touches = hyp_lines_of_pieces(nc, nest->nr, n, line);
    const double distinct = hyp_lines_of_row(nc, n, hyp_size_divisor(n, nest->blocks.nc), line);
    const double compulsory = (double)nc / (double)line;
    account->traffic.accesses += rows * touches * (at->first_depth ? 1 : 2);

    HypWindow next_sliver = {.count = 0}; // its tiles begin in the lines that these end in
    hyp_window_add_rows(&next_sliver, mc, typical->tile_row, n);
    hyp_window_add_packed(&next_sliver, typical->packed_a);
    hyp_window_add_packed(&next_sliver, 2 * typical->sliver);
    hyp_account_written(account, rows * (touches - at->exact.c_row), &next_sliver);

    HypWindow next_row = {.count = 0};
    const bool at_once = at->exact.slivers <= 1; // the next row is of the same tile
    hyp_window_add_rows(&next_row, at_once ? (double)nest->mr : mc, typical->c_row, n);
    hyp_window_add_packed(&next_row, at_once ? 0 : typical->packed_a);
    hyp_window_add_packed(&next_row, at_once ? 0 : typical->packed_b);
    hyp_account_written(account, rows * (at->exact.c_row - distinct), &next_row);

    // All of this panel comes back with the next block of k; the lines in which the next panel
    // begins come back from the last block of k to its first, which is as far.
    HypWindow next_depth = {.count = 0};
    hyp_window_add_depth(&next_depth, nest, typical, HYP_MATRIX_C);
    const double fresh = at->first_depth ? compulsory : 0;
    hyp_account_cold(account, rows * fresh);
    hyp_account_written(account, rows * (distinct - fresh), &next_depth);
}

static void account_packed_reads(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *exact = &at->exact;
    const size_t line = nest->line_floats;
    const double a = hyp_lines_of_runs((size_t)exact->panels * exact->kc, nest->mr, line);
    const double b = hyp_lines_of_runs((size_t)exact->slivers * exact->kc, nest->nr, line);
    predictor->account.traffic.accesses += at->times * (exact->slivers * a + exact->panels * b);
}

// One iteration of ic; *evicted_b: the chance that the panel of B has been evicted so far.
static void account_row_block(HypGemmPredictor *predictor, const HypIterations *at,
                              HypChances *evicted_b)
{
    hyp_gemm_account_a_source(predictor, at);
    HypChances evicted_a = account_a_packing(predictor, at);
    const HypChances first_use_of_a = account_a_first_use(predictor, at);
    const HypChances reuse_of_a = account_a_reuse(predictor, at);
    const HypChances first_use_of_b = account_b_first_use(predictor, at);
    const HypChances reuse_of_b = account_b_reuse(predictor, at);
    account_packed_reads(predictor, at);
    account_c(predictor, at);
    hyp_chances_keep_greatest(&evicted_a, &first_use_of_a);
    hyp_chances_keep_greatest(&evicted_a, &reuse_of_a);
    hyp_account_write_back(&predictor->account, at->times * at->exact.packed_a, &evicted_a);
    hyp_chances_keep_greatest(evicted_b, &first_use_of_b);
    hyp_chances_keep_greatest(evicted_b, &reuse_of_b);
}

static HypIterations make_iterations(const HypGemmNest *nest, const HypLoopPart *column,
                                     const HypLoopPart *depth, const HypLoopPart *row)
{
    return (HypIterations){
        .exact = hyp_gemm_block(nest, row->size, depth->size, column->size),
        .typical = hyp_gemm_block(nest, row->typical, depth->typical, column->typical),
        .times = (double)column->count * (double)depth->count * (double)row->count,
        .first_column = column->first,
        .first_depth = depth->first,
        .first_row = row->first};
}

static void account_panel(HypGemmPredictor *predictor, const HypLoopPart *column,
                          const HypLoopPart *depth, const HypLoopPart *rows, int row_parts)
{
    HypIterations at = make_iterations(&predictor->nest, column, depth, &rows[0]);
    hyp_gemm_account_b_source(predictor, &at);
    HypChances evicted_b = account_b_packing(predictor, &at);
    const double lines = at.times * at.exact.packed_b;
    account_row_block(predictor, &at, &evicted_b);
    for (int i = 1; i < row_parts; i++) {
        at = make_iterations(&predictor->nest, column, depth, &rows[i]);
        account_row_block(predictor, &at, &evicted_b);
    }
    hyp_account_write_back(&predictor->account, lines, &evicted_b);
}

// What is dirty when the product ends stays where it is: of C's last version, what came after it
// has evicted the rest.
static void account_end(HypGemmPredictor *predictor, const HypGemmBlock *last)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const double m = (double)nest->shape.m;
    const double line = (double)nest->line_floats;
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the rows of C that came after
        HypWindow window = {.count = 0};
        hyp_window_add_rows(&window, share * m, last->c_row, nest->shape.n);
        hyp_window_add_rows(&window, share * m, last->a_row, nest->shape.k);
        hyp_window_add_packed(&window, last->packed_b);
        hyp_window_add_packed(&window, last->packed_a);
        const HypChances evicted = hyp_account_chances(account, &window);
        hyp_account_write_back(account, m * (double)last->nc / line / WINDOW_SAMPLES, &evicted);
    }
    HypWindow window = {.count = 0};
    hyp_window_add_column(&window, nest, last, HYP_MATRIX_C);
    const HypChances evicted = hyp_account_chances(account, &window);
    hyp_account_write_back(account, m * (double)(nest->shape.n - last->nc) / line, &evicted);
}

HypTraffic hyp_gemm_traffic(const HyperionGemmShape *shape, const HypImageSource *image,
                            const HyperionGemmBlocking *blocking, const HypGemmBefore *before,
                            const HypCacheShape *caches, int level_count)
{
    HypWindowMemo memo;
    hyp_window_memo_clear(&memo);
    const size_t line_bytes = (size_t)caches[0].line_floats * sizeof(float);
    HypGemmPredictor predictor = {
        .nest = hyp_gemm_nest(shape, image, blocking, line_bytes),
        .account = {.caches = caches, .level_count = level_count, .memo = &memo},
        .before = before};
    const GemmBlocks *blocks = &predictor.nest.blocks;
    HypLoopPart columns[HYP_LOOP_PARTS], depths[HYP_LOOP_PARTS], rows[HYP_LOOP_PARTS];
    const int column_parts = hyp_loop_split(shape->n, blocks->nc, columns);
    const int depth_parts = hyp_loop_split(shape->k, blocks->kc, depths);
    const int row_parts = hyp_loop_split(shape->m, blocks->mc, rows);
    for (int j = 0; j < column_parts; j++)
        for (int p = 0; p < depth_parts; p++)
            account_panel(&predictor, &columns[j], &depths[p], rows, row_parts);
    const HypGemmBlock last =
        hyp_gemm_block(&predictor.nest, rows[row_parts - 1].size, depths[depth_parts - 1].size,
                       columns[column_parts - 1].size);
    account_end(&predictor, &last);
    return predictor.account.traffic;
}
