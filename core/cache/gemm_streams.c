// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_streams.h"

#include "cache/cache_check.h"
#include "cache/gemm_reuse.h"
#include "common/size_math.h"

#include <math.h>

enum {
    WINDOW_SAMPLES = 2, // places at which a window that grows along a loop is looked at
};

static double sample_share(int sample)
{
    return (sample + 0.5) / WINDOW_SAMPLES;
}

// Whether the first level keeps the block of A, one panel, from sliver to sliver: those further out
// see it with the first alone.
static bool keeps_block_of_a(HypGemmPredictor *predictor, const HypIterations *at)
{
    static const double most = 0.05; // that is evicted
    return at->typical.panels <= 1 && at->typical.slivers > 1 &&
           hyp_gemm_reuse(predictor, at)->a[0].miss[0] < most;
}

// Between two packings of a place in the panel of B: of the panel before, the multiplication of the
// slivers from there on, of this one the packing of those before.
static HypChances account_b_packing(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double mc = (double)typical->mc;
    const double nc = (double)typical->nc;
    const double lines = at->times * at->exact.packed_b;
    HypChances evicted = {{0}};
    if (nest->packed_b)
        return evicted;
    if (!predictor->before && at->first_column && at->first_depth) {
        hyp_account_cold(&predictor->account, lines);
        return evicted;
    }
    const bool keeps_a = keeps_block_of_a(predictor, at);
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the slivers packed so far
        const HypPartOfC c = {fmax((double)nest->shape.m - mc, 0), mc,
                              (double)at->column + share * nc, (1 - share) * nc};
        HypWindow window;
        hyp_window_start(&window);
        hyp_window_add_slivers(&window, nest, typical, 0, typical->slivers);
        // After its last sliver comes no more of A than the end of the last panel.
        if (!keeps_a)
            hyp_window_add_panels(&window, nest, typical, typical->slivers > 1 ? 0 : share,
                                  typical->slivers > 1 ? typical->panels : 1);
        hyp_window_add_c(&window, nest, &c);
        hyp_window_add_b_source(&window, nest, at, 0, share);
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
    const double nr = (double)nest->nr;
    const double last_column = fmax((double)typical->nc - nr, 0);
    const double row = at->first_row ? (double)nest->shape.m : (double)at->row;
    const double lines = at->times * at->exact.packed_a;
    HypChances evicted = {{0}};
    if (nest->packed_a)
        return evicted;
    if (!predictor->before && at->first_column && at->first_depth && at->first_row) {
        hyp_account_cold(&predictor->account, lines);
        return evicted;
    }
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the panels packed so far
        const double rest = (1 - share) * mc;
        const HypPartOfC c = {fmax(row - rest, 0), rest, (double)at->column + last_column,
                              fmin(nr, (double)typical->nc)};
        HypWindow window;
        hyp_window_start(&window);
        hyp_window_add_panels(&window, nest, typical, 0, typical->panels);
        hyp_window_add_c(&window, nest, &c);
        hyp_window_add_a(&window, nest, at, 0, share * mc);
        hyp_window_add_slivers(&window, nest, typical,
                               at->first_row ? 0 : fmax(typical->slivers - 1, 0), typical->slivers);
        if (at->first_row)
            hyp_window_add_b_source(&window, nest, at, 0, 1);
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

// The same, of A packed before: for the first time, or since the panel of B before.
static void account_a_packed(HypGemmPredictor *predictor, const HypIterations *at)
{
    const double lines = at->times * at->exact.packed_a;
    HypWindow column;
    if (at->first_column) {
        hyp_gemm_account_first_a(predictor, lines);
        return;
    }
    hyp_window_start(&column);
    hyp_window_add_column(&column, &predictor->nest, at, HYP_MATRIX_A);
    hyp_account(&predictor->account, lines, &column);
}

// The block of A read with the first sliver of B, after it was packed.
static HypChances account_a_first_use(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double mc = (double)typical->mc;
    const double lines = at->times * at->exact.packed_a;
    HypChances evicted = {{0}};
    if (nest->packed_a) {
        account_a_packed(predictor, at);
        return evicted;
    }
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the panels used so far
        const HypPartOfC c = {(double)at->row, typical->panels > 1 ? share * mc : 0,
                              (double)at->column, fmin((double)nest->nr, (double)typical->nc)};
        HypWindow window;
        hyp_window_start(&window);
        hyp_window_add_panels(&window, nest, typical, 0, typical->panels);
        // Of the sliver, the first panel has met only the beginning.
        hyp_window_add_slivers(&window, nest, typical, 0, fmin(1, share * typical->panels));
        hyp_window_add_a(&window, nest, at, share * mc, mc);
        hyp_window_add_c(&window, nest, &c);
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

// The block of A read with the other slivers.
static HypChances account_a_reuse(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmReuse *reuse = hyp_gemm_reuse(predictor, at);
    const double lines = at->times * (at->exact.slivers - 1) * at->exact.packed_a;
    HypChances evicted = {{0}};
    for (int i = 0; i < HYP_REUSES_OF_A && lines > 0; i++) {
        hyp_account_chance(&predictor->account, lines * reuse->share_of_a[i], &reuse->a[i]);
        hyp_chances_add(&evicted, &reuse->a[i], reuse->share_of_a[i]);
    }
    return evicted;
}

// The panel of B read with the first panel of A: after packing, or after the block of A before; for
// the first time where it was packed before the product.
static HypChances account_b_first_use(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double mc = (double)typical->mc;
    const double nc = (double)typical->nc;
    const double column = (double)at->column;
    const double lines = at->times * at->exact.packed_b;
    HypChances evicted = {{0}};
    if (nest->packed_b && at->first_row) {
        hyp_account_cold(&predictor->account, lines);
        return evicted;
    }
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double used = floor(sample_share(i) * typical->slivers); // slivers
        const double share = used / typical->slivers;
        HypWindow window;
        hyp_window_start(&window);
        hyp_window_add_slivers(&window, nest, typical, 0, typical->slivers);
        // A block that was packed before lies beside the one before.
        hyp_window_add_panels(&window, nest, typical, 0,
                              typical->panels * (nest->packed_a && !at->first_row ? 2 : 1));
        hyp_window_add_a(&window, nest, at, 0, mc);
        hyp_window_add_c(&window, nest, &(HypPartOfC){(double)at->row, mc, column, share * nc});
        if (at->first_row)
            hyp_window_add_b_source(&window, nest, at, share, 1);
        else
            hyp_window_add_c(&window, nest,
                             &(HypPartOfC){fmax((double)at->row - mc, 0), mc, column + share * nc,
                                           (1 - share) * nc});
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

// The panel of B read with the other panels of A.
static HypChances account_b_reuse(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmReuse *reuse = hyp_gemm_reuse(predictor, at);
    const double lines = at->times * (at->exact.panels - 1) * at->exact.packed_b;
    hyp_account_chance(&predictor->account, lines, &reuse->b);
    return reuse->b;
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
    if (nest->prefetch_lines > 0)
        hyp_account_chance(account,
                           rows * at->exact.slivers * ceil((double)nest->nr / (double)line),
                           &hyp_gemm_reuse(predictor, at)->prefetched_c);
    const double shared =
        rows * (touches - at->exact.c_row); // by this sliver's tiles and the next's
    if (shared > 0)
        hyp_account_written_at(account, shared, &hyp_gemm_reuse(predictor, at)->row_of_c);

    HypWindow next_row;
    hyp_window_start(&next_row);
    const bool at_once = at->exact.slivers <= 1; // the next row is of the same tile
    const HypPartOfC c = {(double)at->row, at_once ? fmin((double)nest->mr, mc) : mc,
                          (double)at->column, (double)typical->nc};
    hyp_window_add_c(&next_row, nest, &c);
    if (!at_once) {
        hyp_window_add_panels(&next_row, nest, typical, 0, typical->panels);
        hyp_window_add_slivers(&next_row, nest, typical, 0, typical->slivers);
    }
    hyp_account_written(account, rows * (at->exact.c_row - distinct), &next_row);

    // All of this panel comes back with the next block of k; the lines in which the next panel
    // begins come back from the last block of k to its first, which is as far.
    const double fresh = at->first_depth ? compulsory : 0;
    hyp_account_cold(account, rows * fresh);
    if (rows * (distinct - fresh) <= 0)
        return;
    HypWindow next_depth;
    hyp_window_start(&next_depth);
    hyp_window_add_depth(&next_depth, nest, at, HYP_MATRIX_C);
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
    if (!predictor->nest.packed_a)
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
        .column = column->start,
        .depth = depth->start,
        .row = row->start,
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
    if (!predictor->nest.packed_b)
        hyp_account_write_back(&predictor->account, lines, &evicted_b);
}

// What is dirty when the product ends stays where it is: of C's last version, what came after it
// has evicted the rest.
static void account_end(HypGemmPredictor *predictor, const HypIterations *last)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const HypGemmBlock *exact = &last->exact;
    const HypIterations all_rows = {.typical = *exact, .depth = last->depth};
    const double m = (double)nest->shape.m;
    const double line = (double)nest->line_floats;
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the rows of C that came after
        const double row = floor((1 - share) * m);
        HypWindow window;
        hyp_window_start(&window);
        hyp_window_add_c(&window, nest,
                         &(HypPartOfC){row, m - row, (double)last->column, (double)exact->nc});
        hyp_window_add_a(&window, nest, &all_rows, row, m);
        hyp_window_add_slivers(&window, nest, exact, 0, exact->slivers);
        hyp_window_add_panels(&window, nest, exact, 0,
                              nest->packed_a ? (m - row) / (double)nest->mr : exact->panels);
        const HypChances evicted = hyp_account_chances(account, &window);
        hyp_account_write_back(account, m * (double)exact->nc / line / WINDOW_SAMPLES, &evicted);
    }
    HypWindow window;
    hyp_window_start(&window);
    hyp_window_add_column(&window, nest, last, HYP_MATRIX_C);
    const HypChances evicted = hyp_account_chances(account, &window);
    hyp_account_write_back(account, m * (double)(nest->shape.n - exact->nc) / line, &evicted);
}

static void add_product(HypGemmPredictor *predictor)
{
    const HypGemmNest *nest = &predictor->nest;
    const GemmBlocks *blocks = &nest->blocks;
    HypLoopPart columns[HYP_LOOP_PARTS], depths[HYP_LOOP_PARTS], rows[HYP_LOOP_PARTS];
    const int column_parts = hyp_loop_split(nest->shape.n, blocks->nc, columns);
    const int depth_parts = hyp_loop_split(nest->shape.k, blocks->kc, depths);
    const int row_parts = hyp_loop_split(nest->shape.m, blocks->mc, rows);
    for (int j = 0; j < column_parts; j++)
        for (int p = 0; p < depth_parts; p++)
            account_panel(predictor, &columns[j], &depths[p], rows, row_parts);
    HypIterations last = make_iterations(nest, &columns[column_parts - 1], &depths[depth_parts - 1],
                                         &rows[row_parts - 1]);
    last.typical = last.exact;
    account_end(predictor, &last);
}

void hyp_gemm_add_traffic(HypAccount *account, const HypGemmProducts *products)
{
    const HyperionGemmShape *shape = products->shape;
    const size_t repeats = products->of_one_a * products->different_a;
    if (!shape->m || !shape->n || !shape->k || !repeats)
        return;
    const HypGemmBefore other = {.same_a = false};
    const HypGemmBefore same = {.same_a = true, .products_between = (double)products->different_a};
    const struct {
        const HypGemmBefore *before;
        size_t times;
    } kinds[] = {
        {NULL, 1}, {&other, products->different_a - 1}, {&same, repeats - products->different_a}};
    HypGemmPredictor predictor = {
        .nest = hyp_gemm_nest(products, (size_t)account->caches[0].line_floats * sizeof(float)),
        .account = *account};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        predictor.account.traffic = (HypTraffic){0};
        predictor.before = kinds[i].before;
        if (kinds[i].times == 0)
            continue;
        add_product(&predictor);
        hyp_traffic_add(&account->traffic, &predictor.account.traffic, (double)kinds[i].times);
    }
    account->failed = predictor.account.failed;
    account->traffic.prefetches += repeats * hyp_cache_gemm_prefetches(shape, products->blocking);
}
