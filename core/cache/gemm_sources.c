// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_reuse.h"

#include "common/size_math.h"

#include <math.h>

// Floats of a row that packing with transposition reads at once.
enum { TRANSPOSED_TOGETHER = 16 };

// Rows that packing reads 16 floats at a time, `group` rows in turn, and writes transposed.
typedef struct TransposedRows {
    HypMatrix matrix;
    size_t start; // of the matrix
    size_t place; // of the first
    double count;
    size_t group, width, stride; // width and stride of a row in floats
    double packed;               // lines written for a group
    bool cold;                   // never read before
} TransposedRows;

// Lines that a row from `start` on touches in pieces of so many floats. Of pieces that divide a
// line either none reaches into two lines or, where `start` is none of their multiples, one at each
// border.
static size_t count_lines_of_pieces(size_t start, size_t width, size_t piece, size_t line)
{
    const size_t borders = (start + width - 1) / line - start / line;
    if (piece >= width)
        return borders + 1;
    if (line % piece == 0)
        return (width + piece - 1) / piece + (start % piece != 0 ? borders : 0);
    size_t lines = 0;
    for (size_t done = 0, count; done < width; done += count) {
        count = piece < width - done ? piece : width - done;
        lines += (start + done + count - 1) / line - (start + done) / line + 1;
    }
    return lines;
}

// The same on average over blocks of k: all rows of a block begin at one place of a line.
static double lines_of_aligned_pieces(const HypGemmNest *nest, const TransposedRows *rows,
                                      size_t piece)
{
    const size_t line = nest->line_floats;
    const size_t kc = nest->blocks.kc;
    const size_t all = (nest->shape.k + kc - 1) / kc;
    const size_t blocks = all < line ? all : line;
    size_t lines = 0;
    for (size_t i = 0; i < blocks; i++)
        lines += count_lines_of_pieces(rows->start + i * kc, rows->width, piece, line);
    return (double)lines / (double)blocks;
}

static double lines_of_pieces(const HypGemmNest *nest, const TransposedRows *rows, size_t piece,
                              size_t step)
{
    if (rows->stride % nest->line_floats == 0)
        return lines_of_aligned_pieces(nest, rows, piece);
    return hyp_lines_of_pieces(rows->width, piece, step, nest->line_floats);
}

static void account_transposed(HypGemmPredictor *predictor, const HypIterations *at,
                               const TransposedRows *rows)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const size_t line = nest->line_floats;
    const size_t step = hyp_size_divisor(rows->stride, nest->blocks.kc);
    const double group = (double)rows->group;
    const double touches = lines_of_pieces(nest, rows, TRANSPOSED_TOGETHER, step);
    const double registers = lines_of_pieces(nest, rows, nest->lanes, step);
    const double row_lines = lines_of_pieces(nest, rows, rows->width, step);
    const double distinct = hyp_lines_of_row(rows->width, rows->stride, step, line);
    const double compulsory = (double)rows->width / (double)line;
    account->traffic.accesses += rows->count * hyp_lines_of_registers(nest, rows->width, step);

    // the next register begins in the line that this one ends in
    const double lanes = (double)nest->lanes;
    HypWindow next_register;
    hyp_window_start(&next_register);
    hyp_window_add_rows(&next_register, nest, rows->place, fmin(group, lanes), lanes, rows->stride);
    hyp_window_add_packed(&next_register, lanes * fmin(1, group / (double)line));
    hyp_account(account, rows->count * (registers - touches), &next_register);

    // likewise the next 16 floats
    HypWindow next_piece;
    hyp_window_start(&next_piece);
    hyp_window_add_rows(&next_piece, nest, rows->place, group, TRANSPOSED_TOGETHER, rows->stride);
    hyp_window_add_packed(&next_piece, group * TRANSPOSED_TOGETHER / (double)line);
    hyp_account(account, rows->count * (touches - row_lines), &next_piece);

    // the next row begins in the line that this one ends in
    HypWindow next_row;
    hyp_window_start(&next_row);
    hyp_window_add_rows(&next_row, nest, rows->place, group, (double)rows->width, rows->stride);
    hyp_window_add_packed(&next_row, rows->packed);
    hyp_account(account, rows->count * (row_lines - distinct), &next_row);

    // likewise the next block of k
    HypWindow next_depth;
    hyp_window_start(&next_depth);
    hyp_window_add_depth(&next_depth, nest, at, rows->matrix);
    hyp_account(account, rows->count * (distinct - compulsory), &next_depth);

    if (rows->cold) {
        if (rows->matrix == HYP_MATRIX_A)
            hyp_gemm_account_first_a(predictor, rows->count * compulsory);
        else
            hyp_account_cold(account, rows->count * compulsory);
        return;
    }
    HypWindow again;
    hyp_window_start(&again);
    hyp_window_add_column(&again, nest, at, rows->matrix);
    hyp_account(account, rows->count * compulsory, &again);
}

// Rows of B as they are, nr floats of each in turn. Every line is new, but for shared ones.
static void account_b_rows(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    HypAccount *account = &predictor->account;
    const size_t line = nest->line_floats;
    const size_t n = nest->shape.n;
    const size_t nc = at->exact.nc;
    const double rows = (double)at->exact.kc * at->times;
    const size_t step = hyp_size_divisor(n, nest->blocks.nc);
    const double touches = hyp_lines_of_pieces(nc, nest->nr, n, line);
    const double distinct = hyp_lines_of_row(nc, n, step, line);
    const double compulsory = (double)nc / (double)line;
    account->traffic.accesses += rows * hyp_lines_of_registers(nest, nc, n);
    hyp_account_cold(account, rows * compulsory);

    const double shared = rows * (touches - at->exact.c_row); // by this sliver and the next
    if (shared > 0)
        hyp_account_chance(account, shared, &hyp_gemm_reuse(predictor, at)->row_of_b);

    // The end of a row is in the last sliver, the beginning of the next was in the first one.
    const bool at_once = at->exact.slivers <= 1;
    HypWindow next_row;
    hyp_window_start(&next_row);
    if (at_once) {
        hyp_window_add_packed(&next_row, 2);
    } else {
        hyp_window_add_b_source(&next_row, nest, at, 0, 1);
        hyp_window_add_slivers(&next_row, nest, &at->typical, 0, at->typical.slivers);
    }
    hyp_account(account, rows * (at->exact.c_row - distinct), &next_row);

    HypWindow next_column;
    hyp_window_start(&next_column);
    hyp_window_add_column(&next_column, nest, at, HYP_MATRIX_B);
    hyp_account(account, rows * (distinct - compulsory), &next_column);
}

void hyp_gemm_account_b_source(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *exact = &at->exact;
    double written; // a sliver
    if (nest->packed_b)
        return;
    if (nest->image) {
        hyp_gemm_account_image(predictor, at);
        return;
    }
    if (nest->shape.b_transposed) {
        const TransposedRows rows = {.matrix = HYP_MATRIX_B,
                                     .start = nest->places.b,
                                     .place =
                                         nest->places.b + at->column * nest->shape.k + at->depth,
                                     .count = (double)exact->nc * at->times,
                                     .group = nest->nr,
                                     .width = exact->kc,
                                     .stride = nest->shape.k,
                                     .packed = exact->sliver,
                                     .cold = true};
        account_transposed(predictor, at, &rows);
        written = hyp_lines_of_transposed(nest, nest->nr, exact->kc);
    } else {
        account_b_rows(predictor, at);
        written = (double)exact->kc * hyp_lines_of_registers(nest, nest->nr, nest->nr);
    }
    predictor->account.traffic.accesses += at->times * exact->slivers * written;
}

void hyp_gemm_account_a_source(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *exact = &at->exact;
    const TransposedRows rows = {.matrix = HYP_MATRIX_A,
                                 .start = nest->places.a,
                                 .place = nest->places.a + at->row * nest->shape.k + at->depth,
                                 .count = (double)exact->mc * at->times,
                                 .group = nest->mr,
                                 .width = exact->kc,
                                 .stride = nest->shape.k,
                                 .packed = exact->panel,
                                 .cold = at->first_column};
    if (nest->packed_a)
        return;
    account_transposed(predictor, at, &rows);
    predictor->account.traffic.accesses +=
        at->times * exact->panels * hyp_lines_of_transposed(nest, nest->mr, exact->kc);
}
