// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_windows.h"

#include "common/size_math.h"

#include <math.h>

// Floats of a row that packing with transposition reads at once.
enum { TRANSPOSED_TOGETHER = 16 };

// Rows that packing reads 16 floats at a time, `group` rows in turn, and writes transposed.
typedef struct TransposedRows {
    HypMatrix matrix;
    double count;
    size_t group, width, stride; // width and stride of a row in floats
    double packed;               // lines written for a group
    bool cold;                   // never read before
} TransposedRows;

static void account_transposed(HypGemmPredictor *predictor, const HypIterations *at,
                               const TransposedRows *rows)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const size_t line = nest->line_floats;
    const size_t step = hyp_size_divisor(rows->stride, nest->blocks.kc);
    const double group = (double)rows->group;
    const double touches = hyp_lines_of_pieces(rows->width, TRANSPOSED_TOGETHER, step, line);
    const double row_lines = hyp_lines_of_run(rows->width, step, line);
    const double distinct = hyp_lines_of_row(rows->width, rows->stride, step, line);
    const double compulsory = (double)rows->width / (double)line;
    account->traffic.accesses += rows->count * touches;

    HypWindow next_piece = {.count = 0}; // the next 16 floats begin in the line that these end in
    hyp_window_add_rows(&next_piece, group, hyp_lines_of_run(TRANSPOSED_TOGETHER, step, line),
                        rows->stride);
    hyp_window_add_packed(&next_piece, group * TRANSPOSED_TOGETHER / (double)line);
    hyp_account(account, rows->count * (touches - row_lines), &next_piece);

    HypWindow next_row = {.count = 0}; // the next row begins in the line that this one ends in
    hyp_window_add_rows(&next_row, group, row_lines, rows->stride);
    hyp_window_add_packed(&next_row, rows->packed);
    hyp_account(account, rows->count * (row_lines - distinct), &next_row);

    HypWindow next_depth = {.count = 0}; // likewise the next block of k
    hyp_window_add_depth(&next_depth, nest, &at->typical, rows->matrix);
    hyp_account(account, rows->count * (distinct - compulsory), &next_depth);

    if (rows->cold) {
        if (rows->matrix == HYP_MATRIX_A)
            hyp_gemm_account_first_a(predictor, rows->count * compulsory);
        else
            hyp_account_cold(account, rows->count * compulsory);
        return;
    }
    HypWindow again = {.count = 0};
    hyp_window_add_column(&again, nest, &at->typical, rows->matrix);
    hyp_account(account, rows->count * compulsory, &again);
}

// Rows of B as they are, nr floats of each in turn. Every line is new, but for shared ones.
static void account_b_rows(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const HypGemmBlock *typical = &at->typical;
    const size_t line = nest->line_floats;
    const size_t n = nest->shape.n;
    const size_t nc = at->exact.nc;
    const double rows = (double)at->exact.kc * at->times;
    const size_t step = hyp_size_divisor(n, nest->blocks.nc);
    const double touches = hyp_lines_of_pieces(nc, nest->nr, n, line);
    const double distinct = hyp_lines_of_row(nc, n, step, line);
    const double compulsory = (double)nc / (double)line;
    account->traffic.accesses += rows * touches;
    hyp_account_cold(account, rows * compulsory);

    HypWindow next_sliver = {.count = 0};
    hyp_window_add(&next_sliver, typical->b_source_sliver, typical->kc, n);
    hyp_window_add_packed(&next_sliver, typical->sliver);
    hyp_account(account, rows * (touches - at->exact.c_row), &next_sliver);

    // The end of a row is in the last sliver, the beginning of the next was in the first one.
    const bool at_once = at->exact.slivers <= 1;
    HypWindow next_row = {.count = 0};
    hyp_window_add_b_source(&next_row, typical, at_once ? 1 / (double)typical->kc : 1);
    hyp_window_add_packed(&next_row, at_once ? 0 : typical->packed_b);
    hyp_account(account, rows * (at->exact.c_row - distinct), &next_row);

    HypWindow next_column = {.count = 0};
    hyp_window_add_column(&next_column, nest, typical, HYP_MATRIX_B);
    hyp_account(account, rows * (distinct - compulsory), &next_column);
}

// Windows of an image, nr pixels of each tap in turn. The taps of a channel share its lines; what a
// row of pixels needs beyond the rows above is new.
static void account_image(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypImageSource *image = nest->image;
    HypAccount *account = &predictor->account;
    const HypGemmBlock *typical = &at->typical;
    const double line = (double)nest->line_floats;
    const double pixel_rows = (double)at->exact.nc / (double)image->out_width;
    const double pieces = at->exact.slivers + pixel_rows - 1; // runs of pixels in one row
    const double piece = (double)at->exact.nc / pieces;
    const double piece_lines = 1 + (piece - 1) * fmin(1, (double)image->stride_w / line);
    account->traffic.accesses += at->times * (double)at->exact.kc * pieces * piece_lines;

    const double fresh = at->times * at->exact.b_source;
    hyp_account_cold(account, fresh);

    const double channels = (double)at->exact.kc / (double)(image->kernel_h * image->kernel_w);
    const double lines_of_rows =
        at->times * channels * (double)image->kernel_h * pixel_rows * (double)image->width / line;
    HypWindow next_sliver = {.count = 0}; // begins in the lines in which this one ends
    hyp_window_add_packed(&next_sliver, typical->b_source_sliver);
    hyp_window_add_packed(&next_sliver, typical->sliver);
    hyp_account(account, at->times * channels * (double)image->kernel_h * (pieces - pixel_rows),
                &next_sliver);

    const double slivers_of_row = (double)image->out_width / (double)nest->nr;
    HypWindow next_row = {.count = 0}; // rows of the image that rows of pixels have in common
    hyp_window_add_packed(&next_row, fmax(1, slivers_of_row) * typical->b_source_sliver);
    hyp_window_add_packed(&next_row, fmax(1, slivers_of_row) * typical->sliver);
    hyp_account(account, lines_of_rows - fresh, &next_row);
}

void hyp_gemm_account_b_source(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *exact = &at->exact;
    const size_t line = nest->line_floats;
    double written;
    if (nest->image) {
        account_image(predictor, at);
        written = hyp_lines_of_runs((size_t)exact->slivers * exact->kc, nest->nr, line);
    } else if (nest->shape.b_transposed) {
        const TransposedRows rows = {.matrix = HYP_MATRIX_B,
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

void hyp_gemm_account_a_source(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *exact = &at->exact;
    const TransposedRows rows = {.matrix = HYP_MATRIX_A,
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
