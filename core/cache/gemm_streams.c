// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_streams.h"

#include <math.h>

enum {
    TRANSPOSED_TOGETHER = 16, // floats of a row that packing with transposition reads at once
    WINDOW_SAMPLES = 2,       // places at which a window that grows along a loop is looked at
};

typedef struct Predictor {
    HypGemmNest nest;
    HypAccount account;
} Predictor;

// Iterations of one size: `exact` counts their lines, `typical` says what lies between touches.
typedef struct Iterations {
    HypGemmBlock exact, typical;
    double times;
    bool first_column, first_depth, first_row; // the first of jc, pc, ic
} Iterations;

static double sample_share(int sample)
{
    return (sample + 0.5) / WINDOW_SAMPLES;
}

static void add_packed(HypWindow *window, double lines)
{
    hyp_window_add(window, lines, 1, 0);
}

static void add_rows(HypWindow *window, double rows, double row_lines, size_t stride)
{
    hyp_window_add(window, rows * row_lines, (size_t)ceil(rows), stride);
}

static void add_b_source(HypWindow *window, const HypGemmBlock *block, double share)
{
    hyp_window_add(window, share * block->b_source, block->b_rows, block->ldb);
}

// The matrix that a line which comes back is of.
typedef enum Matrix { MATRIX_A, MATRIX_B, MATRIX_C } Matrix;

// What one iteration of pc touches.
static void add_depth_iteration(HypWindow *window, const HypGemmNest *nest,
                                const HypGemmBlock *block, Matrix own)
{
    const double m = (double)nest->shape.m;
    add_rows(window, m, block->a_row, nest->shape.k);
    add_b_source(window, block, 1);
    add_rows(window, m, block->c_row, nest->shape.n);
    add_packed(window, block->packed_a);
    add_packed(window, block->packed_b);
    hyp_window_put_first(window, (int)own);
}

// What one iteration of jc touches.
static void add_column_iteration(HypWindow *window, const HypGemmNest *nest,
                                 const HypGemmBlock *block, Matrix own)
{
    const double m = (double)nest->shape.m;
    const double k = (double)nest->shape.k;
    hyp_window_add(window, m * k / (double)nest->line_floats, 1, 0);
    hyp_window_add(window, block->b_column, block->b_rows, block->ldb);
    add_rows(window, m, block->c_row, nest->shape.n);
    add_packed(window, block->packed_a);
    add_packed(window, block->packed_b);
    hyp_window_put_first(window, (int)own);
}

// Rows that packing reads 16 floats at a time, `group` rows in turn, and writes transposed.
typedef struct TransposedRows {
    Matrix matrix;
    double count;
    size_t group, width, stride; // width and stride of a row in floats
    double packed;               // lines written for a group
    bool cold;                   // never read before
} TransposedRows;

static void account_transposed(Predictor *predictor, const Iterations *at,
                               const TransposedRows *rows)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const size_t line = nest->line_floats;
    const size_t step = hyp_greatest_divisor(rows->stride, nest->blocks.kc);
    const double group = (double)rows->group;
    const double touches = hyp_lines_of_pieces(rows->width, TRANSPOSED_TOGETHER, step, line);
    const double row_lines = hyp_lines_of_run(rows->width, step, line);
    const double distinct = hyp_lines_of_row(rows->width, rows->stride, step, line);
    const double compulsory = (double)rows->width / (double)line;
    account->traffic.accesses += rows->count * touches;

    HypWindow next_piece = {.count = 0}; // the next 16 floats begin in the line that these end in
    add_rows(&next_piece, group, hyp_lines_of_run(TRANSPOSED_TOGETHER, step, line), rows->stride);
    add_packed(&next_piece, group * TRANSPOSED_TOGETHER / (double)line);
    hyp_account(account, rows->count * (touches - row_lines), &next_piece);

    HypWindow next_row = {.count = 0}; // the next row begins in the line that this one ends in
    add_rows(&next_row, group, row_lines, rows->stride);
    add_packed(&next_row, rows->packed);
    hyp_account(account, rows->count * (row_lines - distinct), &next_row);

    HypWindow next_depth = {.count = 0}; // likewise the next block of k
    add_depth_iteration(&next_depth, nest, &at->typical, rows->matrix);
    hyp_account(account, rows->count * (distinct - compulsory), &next_depth);

    if (rows->cold) {
        hyp_account_cold(account, rows->count * compulsory);
        return;
    }
    HypWindow again = {.count = 0};
    add_column_iteration(&again, nest, &at->typical, rows->matrix);
    hyp_account(account, rows->count * compulsory, &again);
}

// Rows of B as they are, nr floats of each in turn. Every line is new, but for shared ones.
static void account_b_rows(Predictor *predictor, const Iterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const HypGemmBlock *typical = &at->typical;
    const size_t line = nest->line_floats;
    const size_t n = nest->shape.n;
    const size_t nc = at->exact.nc;
    const double rows = (double)at->exact.kc * at->times;
    const size_t step = hyp_greatest_divisor(n, nest->blocks.nc);
    const double touches = hyp_lines_of_pieces(nc, nest->nr, n, line);
    const double distinct = hyp_lines_of_row(nc, n, step, line);
    const double compulsory = (double)nc / (double)line;
    account->traffic.accesses += rows * touches;
    hyp_account_cold(account, rows * compulsory);

    HypWindow next_sliver = {.count = 0};
    hyp_window_add(&next_sliver, typical->b_source_sliver, typical->kc, n);
    add_packed(&next_sliver, typical->sliver);
    hyp_account(account, rows * (touches - at->exact.c_row), &next_sliver);

    HypWindow next_row = {.count = 0};
    add_b_source(&next_row, typical, 1);
    add_packed(&next_row, typical->packed_b);
    hyp_account(account, rows * (at->exact.c_row - distinct), &next_row);

    HypWindow next_column = {.count = 0};
    add_column_iteration(&next_column, nest, typical, MATRIX_B);
    hyp_account(account, rows * (distinct - compulsory), &next_column);
}

// Windows of an image, nr pixels of each tap in turn. The taps of a channel share its lines; what a
// row of pixels needs beyond the rows above is new.
static void account_image(Predictor *predictor, const Iterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypImageSource *image = nest->image;
    HypAccount *account = &predictor->account;
    const HypGemmBlock *typical = &at->typical;
    const double line = (double)nest->line_floats;
    const double pixel_rows = (double)at->exact.nc / (double)image->out_width;
    const double pieces = at->exact.slivers + pixel_rows - 1; // runs of pixels in one row
    const double piece = (double)at->exact.nc / pieces;
    // Neighbours in the image are copied as one run, others one by one.
    const double piece_lines = image->stride_w == 1 ? 1 + (piece - 1) / line : piece;
    account->traffic.accesses += at->times * (double)at->exact.kc * pieces * piece_lines;

    const double fresh = at->times * at->exact.b_source;
    hyp_account_cold(account, fresh);

    const double channels = (double)at->exact.kc / (double)(image->kernel_h * image->kernel_w);
    const double lines_of_rows =
        at->times * channels * (double)image->kernel_h * pixel_rows * (double)image->width / line;
    HypWindow next_sliver = {.count = 0}; // begins in the lines in which this one ends
    add_packed(&next_sliver, typical->b_source_sliver);
    add_packed(&next_sliver, typical->sliver);
    hyp_account(account, at->times * channels * (double)image->kernel_h * (pieces - pixel_rows),
                &next_sliver);

    const double slivers_of_row = (double)image->out_width / (double)nest->nr;
    HypWindow next_row = {.count = 0}; // rows of the image that rows of pixels have in common
    add_packed(&next_row, fmax(1, slivers_of_row) * typical->b_source_sliver);
    add_packed(&next_row, fmax(1, slivers_of_row) * typical->sliver);
    hyp_account(account, lines_of_rows - fresh, &next_row);
}

static void account_b_source(Predictor *predictor, const Iterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *exact = &at->exact;
    const size_t line = nest->line_floats;
    double written;
    if (nest->image) {
        account_image(predictor, at);
        written = hyp_lines_of_runs((size_t)exact->slivers * exact->kc, nest->nr, line);
    } else if (nest->shape.b_transposed) {
        const TransposedRows rows = {.matrix = MATRIX_B,
                                     .count = (double)exact->nc * at->times,
                                     .group = nest->nr,
                                     .width = exact->kc,
                                     .stride = nest->shape.k,
                                     .packed = exact->sliver,
                                     .cold = true};
        account_transposed(predictor, at, &rows);
        const size_t sliver = exact->kc * nest->nr;
        written = exact->slivers *
                  hyp_lines_of_pieces(sliver, TRANSPOSED_TOGETHER * nest->nr, sliver, line);
    } else {
        account_b_rows(predictor, at);
        written = hyp_lines_of_runs((size_t)exact->slivers * exact->kc, nest->nr, line);
    }
    predictor->account.traffic.accesses += at->times * written;
}

// The panel of B written, over the one before. Returns the chance that that was evicted.
static HypChances account_b_packing(Predictor *predictor, const Iterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double lines = at->times * at->exact.packed_b;
    HypChances evicted = {{0}};
    if (at->first_column && at->first_depth) {
        hyp_account_cold(&predictor->account, lines);
        return evicted;
    }
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the slivers packed so far
        HypWindow window = {.count = 0};
        add_packed(&window, typical->packed_b);
        add_packed(&window, typical->packed_a);
        add_rows(&window, (double)typical->mc, (1 - share) * typical->c_row, nest->shape.n);
        add_b_source(&window, typical, share);
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

static void account_a_source(Predictor *predictor, const Iterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *exact = &at->exact;
    const TransposedRows rows = {.matrix = MATRIX_A,
                                 .count = (double)exact->mc * at->times,
                                 .group = nest->mr,
                                 .width = exact->kc,
                                 .stride = nest->shape.k,
                                 .packed = exact->panel,
                                 .cold = at->first_column};
    account_transposed(predictor, at, &rows);
    const size_t panel = exact->kc * nest->mr;
    predictor->account.traffic.accesses +=
        at->times * exact->panels *
        hyp_lines_of_pieces(panel, TRANSPOSED_TOGETHER * nest->mr, panel, nest->line_floats);
}

// The block of A written, over the one before. Returns the chance that that was evicted.
static HypChances account_a_packing(Predictor *predictor, const Iterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double mc = (double)typical->mc;
    const double lines = at->times * at->exact.packed_a;
    HypChances evicted = {{0}};
    if (at->first_column && at->first_depth && at->first_row) {
        hyp_account_cold(&predictor->account, lines);
        return evicted;
    }
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the panels packed so far
        HypWindow window = {.count = 0};
        add_packed(&window, typical->packed_a);
        add_rows(&window, (1 - share) * mc, typical->tile_row, nest->shape.n);
        add_rows(&window, share * mc, typical->a_row, nest->shape.k);
        add_packed(&window, at->first_row ? typical->packed_b : typical->sliver);
        if (at->first_row)
            add_b_source(&window, typical, 1);
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

// The block of A read with the first sliver of B, after it was packed.
static HypChances account_a_first_use(Predictor *predictor, const Iterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double mc = (double)typical->mc;
    const double lines = at->times * at->exact.packed_a;
    HypChances evicted = {{0}};
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the panels used so far
        HypWindow window = {.count = 0};
        add_packed(&window, typical->packed_a);
        add_packed(&window, typical->sliver);
        add_rows(&window, (1 - share) * mc, typical->a_row, nest->shape.k);
        add_rows(&window, share * mc, typical->tile_row, nest->shape.n);
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

// The block of A read with the other slivers. Between two uses of a line lie the rest of one sliver
// and the beginning of the next: both whole, but for the first and the last panel.
static HypChances account_a_reuse(Predictor *predictor, const Iterations *at)
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
        add_packed(&window, typical->packed_a);
        add_packed(&window, (typical->panels > 1 ? both : 1) * typical->sliver);
        add_rows(&window, (double)typical->mc, typical->tile_row, predictor->nest.shape.n);
        const HypChances chances = hyp_account(&predictor->account, lines * share, &window);
        hyp_chances_add(&evicted, &chances, share);
    }
    return evicted;
}

// The panel of B read with the first panel of A: after packing, or after the block of A before.
static HypChances account_b_first_use(Predictor *predictor, const Iterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double mc = (double)typical->mc;
    const double lines = at->times * at->exact.packed_b;
    HypChances evicted = {{0}};
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the slivers used so far
        HypWindow window = {.count = 0};
        add_packed(&window, typical->packed_b);
        add_packed(&window, typical->packed_a);
        add_rows(&window, mc, typical->a_row, nest->shape.k);
        add_rows(&window, mc, (at->first_row ? share : 1) * typical->c_row, nest->shape.n);
        if (at->first_row)
            add_b_source(&window, typical, 1 - share);
        const HypChances chances =
            hyp_account(&predictor->account, lines / WINDOW_SAMPLES, &window);
        hyp_chances_add(&evicted, &chances, 1.0 / WINDOW_SAMPLES);
    }
    return evicted;
}

// The panel of B read with the other panels of A.
static HypChances account_b_reuse(Predictor *predictor, const Iterations *at)
{
    const HypGemmBlock *typical = &at->typical;
    const double lines = at->times * (at->exact.panels - 1) * at->exact.packed_b;
    HypWindow window = {.count = 0};
    add_packed(&window, typical->sliver);
    add_packed(&window, typical->panel);
    add_rows(&window, (double)typical->mc / typical->panels, typical->tile_row,
             predictor->nest.shape.n);
    return hyp_account(&predictor->account, lines, &window);
}

static void account_c(Predictor *predictor, const Iterations *at)
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
    const double distinct = hyp_lines_of_row(nc, n, hyp_greatest_divisor(n, nest->blocks.nc), line);
    const double compulsory = (double)nc / (double)line;
    account->traffic.accesses += rows * touches * (at->first_depth ? 1 : 2);

    HypWindow next_sliver = {.count = 0}; // its tiles begin in the lines that these end in
    add_rows(&next_sliver, mc, typical->tile_row, n);
    add_packed(&next_sliver, typical->packed_a);
    add_packed(&next_sliver, 2 * typical->sliver);
    hyp_account_written(account, rows * (touches - at->exact.c_row), &next_sliver);

    HypWindow next_row = {.count = 0};
    add_rows(&next_row, mc, typical->c_row, n);
    add_packed(&next_row, typical->packed_a);
    add_packed(&next_row, typical->packed_b);
    hyp_account_written(account, rows * (at->exact.c_row - distinct), &next_row);

    HypWindow next_column = {.count = 0};
    add_column_iteration(&next_column, nest, typical, MATRIX_C);
    hyp_account_written(account, rows * (distinct - compulsory), &next_column);

    if (at->first_depth) {
        hyp_account_cold(account, rows * compulsory);
        return;
    }
    HypWindow next_depth = {.count = 0};
    add_depth_iteration(&next_depth, nest, typical, MATRIX_C);
    hyp_account_written(account, rows * compulsory, &next_depth);
}

static void account_packed_reads(Predictor *predictor, const Iterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *exact = &at->exact;
    const size_t line = nest->line_floats;
    const double a = hyp_lines_of_runs((size_t)exact->panels * exact->kc, nest->mr, line);
    const double b = hyp_lines_of_runs((size_t)exact->slivers * exact->kc, nest->nr, line);
    predictor->account.traffic.accesses += at->times * (exact->slivers * a + exact->panels * b);
}

// One iteration of ic; *evicted_b: the chance that the panel of B has been evicted so far.
static void account_row_block(Predictor *predictor, const Iterations *at, HypChances *evicted_b)
{
    account_a_source(predictor, at);
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

static Iterations make_iterations(const HypGemmNest *nest, const HypLoopPart *column,
                                  const HypLoopPart *depth, const HypLoopPart *row)
{
    return (Iterations){.exact = hyp_gemm_block(nest, row->size, depth->size, column->size),
                        .typical =
                            hyp_gemm_block(nest, row->typical, depth->typical, column->typical),
                        .times = (double)column->count * (double)depth->count * (double)row->count,
                        .first_column = column->first,
                        .first_depth = depth->first,
                        .first_row = row->first};
}

static void account_panel(Predictor *predictor, const HypLoopPart *column, const HypLoopPart *depth,
                          const HypLoopPart *rows, int row_parts)
{
    Iterations at = make_iterations(&predictor->nest, column, depth, &rows[0]);
    account_b_source(predictor, &at);
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
static void account_end(Predictor *predictor, const HypGemmBlock *last)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const double m = (double)nest->shape.m;
    const double line = (double)nest->line_floats;
    for (int i = 0; i < WINDOW_SAMPLES; i++) {
        const double share = sample_share(i); // of the rows of C that came after
        HypWindow window = {.count = 0};
        add_rows(&window, share * m, last->c_row, nest->shape.n);
        add_rows(&window, share * m, last->a_row, nest->shape.k);
        add_packed(&window, last->packed_b);
        add_packed(&window, last->packed_a);
        const HypChances evicted = hyp_account_chances(account, &window);
        hyp_account_write_back(account, m * (double)last->nc / line / WINDOW_SAMPLES, &evicted);
    }
    HypWindow window = {.count = 0};
    add_column_iteration(&window, nest, last, MATRIX_C);
    const HypChances evicted = hyp_account_chances(account, &window);
    hyp_account_write_back(account, m * (double)(nest->shape.n - last->nc) / line, &evicted);
}

HypTraffic hyp_gemm_traffic(const HyperionGemmShape *shape, const HypImageSource *image,
                            const HyperionGemmBlocking *blocking, const HypCacheShape *caches,
                            int level_count)
{
    HypWindowMemo memo;
    hyp_window_memo_clear(&memo);
    const size_t line_bytes = (size_t)caches[0].line_floats * sizeof(float);
    Predictor predictor = {
        .nest = hyp_gemm_nest(shape, image, blocking, line_bytes),
        .account = {.caches = caches, .level_count = level_count, .memo = &memo}};
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
