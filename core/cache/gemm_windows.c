// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_windows.h"

#include "cache/rounding.h"
#include "common/size_math.h"

#include <math.h>

void hyp_gemm_account_first_a(HypGemmPredictor *predictor, double lines)
{
    const HypGemmBefore *before = predictor->before;
    if (!before || !before->same_a) {
        hyp_account_cold(&predictor->account, lines);
        return;
    }
    const HypGemmNest *nest = &predictor->nest;
    const HyperionGemmShape *shape = &nest->shape;
    const double line = (double)nest->line_floats;
    const double m = (double)shape->m;
    const double n = (double)shape->n;
    const double k = (double)shape->k;
    const double products = before->products_between;
    HypWindow window;
    hyp_window_start(&window);
    hyp_window_add_packed(&window, products * m * k / line);
    hyp_window_add_packed(&window, (double)nest->blocks.mc * (double)nest->blocks.kc / line);
    hyp_window_add_packed(&window, (double)nest->blocks.nc * (double)nest->blocks.kc / line);
    hyp_window_add_packed(&window, products * (nest->image ? nest->image_lines : k * n / line));
    hyp_window_add_packed(&window, products * m * n / line);
    hyp_account(&predictor->account, lines, &window);
}

void hyp_window_add_packed(HypWindow *window, double lines)
{
    hyp_window_add(window, lines, 1, 0);
}

void hyp_window_add_rows(HypWindow *window, const HypGemmNest *nest, size_t place, double rows,
                         double width, size_t stride)
{
    const size_t whole_rows = (size_t)hyp_round_up(rows);
    const size_t whole_width = (size_t)hyp_round_up(width);
    if (whole_rows == 0 || whole_width == 0)
        return;
    const size_t step = hyp_size_divisor(stride, place);
    const double lines = rows * hyp_lines_of_run(whole_width, step, nest->line_floats);
    hyp_window_add(window, lines, whole_rows, stride);
    hyp_window_place(window, &(HypPlace){.known = true, .start = place, .width = whole_width});
}

void hyp_window_add_next_sliver(HypWindow *window, const HypGemmNest *nest,
                                const HypSharedRows *shared)
{
    const size_t end = shared->place + nest->nr - 1;
    const size_t stride = shared->stride;
    const size_t done = shared->done;
    const size_t to_do = shared->rows - done;
    const double line = (double)nest->line_floats;
    const double beside = ((double)nest->nr - 1) / line; // lines of a sliver but for the shared one
    hyp_window_add(window, (double)shared->rows, shared->rows, stride);
    hyp_window_place(window, &(HypPlace){.known = true, .start = end, .width = 1});
    if (nest->nr == 1)
        return;
    if (to_do > 0) {
        hyp_window_add(window, beside * (double)to_do, to_do, stride);
        hyp_window_place(window, &(HypPlace){.known = true,
                                             .start = shared->place + done * stride,
                                             .width = nest->nr,
                                             .left_out_last = 1});
    }
    if (done > 0) {
        hyp_window_add(window, beside * (double)done, done, stride);
        hyp_window_place(
            window,
            &(HypPlace){.known = true, .start = end, .width = nest->nr + 1, .left_out_first = 1});
    }
}

// A part of one run, from one place in floats to another: in whole lines, so that parts of a run
// add up to its lines. The window's first region has at least one.
static void add_part(HypWindow *window, const HypGemmNest *nest, size_t run, double first,
                     double end)
{
    const double line = (double)nest->line_floats;
    const double first_line = hyp_round_down(first / line + 0.5);
    double lines = hyp_round_down(end / line + 0.5) - first_line;
    if (lines <= 0 && window->count == 0)
        lines = 1;
    if (lines <= 0)
        return;
    hyp_window_add(window, lines, 1, 0);
    hyp_window_place(window, &(HypPlace){.known = true,
                                         .start = run + (size_t)(first_line * line),
                                         .width = (size_t)(lines * line)});
}

void hyp_window_add_panels(HypWindow *window, const HypGemmNest *nest, const HypGemmBlock *block,
                           double first, double end)
{
    const double floats = (double)(block->kc * nest->mr);
    add_part(window, nest, nest->places.packed_a, first * floats, end * floats);
}

void hyp_window_add_slivers(HypWindow *window, const HypGemmNest *nest, const HypGemmBlock *block,
                            double first, double end)
{
    const double floats = (double)(block->kc * nest->nr);
    add_part(window, nest, nest->places.packed_b, first * floats, end * floats);
}

void hyp_window_add_a(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                      double first, double end)
{
    const size_t k = nest->shape.k;
    const size_t place = nest->places.a + (at->row + (size_t)first) * k + at->depth;
    if (nest->packed_a)
        return;
    hyp_window_add_rows(window, nest, place, end - first, (double)at->typical.kc, k);
}

void hyp_window_add_c(HypWindow *window, const HypGemmNest *nest, const HypPartOfC *part)
{
    const size_t n = nest->shape.n;
    const size_t place = nest->places.c + (size_t)part->row * n + (size_t)part->column;
    hyp_window_add_rows(window, nest, place, part->rows, part->columns, n);
}

// The rows of the image that the panel's pixels see, taken as whole, in every channel.
static void add_image(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                      double first, double end)
{
    const HypImageSource *image = nest->image;
    const double taps = (double)(image->kernel_h * image->kernel_w);
    const double channels = hyp_round_up((double)at->typical.kc / taps);
    const size_t channel = image->height * image->width;
    const double share = at->typical.b_source / channels;
    const size_t skipped = (size_t)(first * share) * nest->line_floats;
    const size_t place = nest->places.b + (size_t)((double)at->depth / taps) * channel +
                         (size_t)((double)(channel * at->column) / (double)nest->shape.n) + skipped;
    hyp_window_add_rows(window, nest, place, channels,
                        (end - first) * share * (double)nest->line_floats, channel);
}

void hyp_window_add_b_source(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                             double first, double end)
{
    const HypGemmBlock *block = &at->typical;
    const double nc = (double)block->nc;
    const double kc = (double)block->kc;
    const size_t column = at->column + (size_t)(first * nc);
    const size_t n = nest->shape.n;
    const size_t k = nest->shape.k;
    if (nest->packed_b)
        return;
    if (nest->image)
        add_image(window, nest, at, first, end);
    else if (nest->shape.b_transposed)
        hyp_window_add_rows(window, nest, nest->places.b + column * k + at->depth,
                            (end - first) * nc, kc, k);
    else
        hyp_window_add_rows(window, nest, nest->places.b + at->depth * n + column, kc,
                            (end - first) * nc, n);
}

// Adds the packed block and panel, unless they are the operands themselves.
static void add_copies(HypWindow *window, const HypGemmNest *nest, const HypGemmBlock *block)
{
    if (!nest->packed_a)
        hyp_window_add_panels(window, nest, block, 0, block->panels);
    if (!nest->packed_b)
        hyp_window_add_slivers(window, nest, block, 0, block->slivers);
}

void hyp_window_add_depth(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                          HypMatrix own)
{
    const HypGemmBlock *block = &at->typical;
    const double m = (double)nest->shape.m;
    const HypPartOfC c = {0, m, (double)at->column, (double)block->nc};
    const HypIterations all_rows = {.typical = *block, .depth = at->depth};
    if (nest->packed_a)
        hyp_window_add_panels(window, nest, block, 0, m / (double)nest->mr);
    else
        hyp_window_add_a(window, nest, &all_rows, 0, m);
    if (nest->packed_b)
        hyp_window_add_slivers(window, nest, block, 0, block->slivers);
    else
        hyp_window_add_b_source(window, nest, at, 0, 1);
    hyp_window_add_c(window, nest, &c);
    add_copies(window, nest, block);
    hyp_window_put_first(window, (int)own);
}

// Adds B over all of k, nc columns of it.
static void add_columns_of_b(HypWindow *window, const HypGemmNest *nest, const HypIterations *at)
{
    const double k = (double)nest->shape.k;
    const double nc = (double)at->typical.nc;
    const size_t first = nest->places.b + at->column * nest->shape.k;
    if (nest->image)
        hyp_window_add_packed(window, at->typical.b_column);
    else if (nest->shape.b_transposed || nest->packed_b)
        hyp_window_add_rows(window, nest, first, 1, nc * k, 0);
    else
        hyp_window_add_rows(window, nest, nest->places.b + at->column, k, nc, nest->shape.n);
}

void hyp_window_add_column(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                           HypMatrix own)
{
    const HypGemmBlock *block = &at->typical;
    const double m = (double)nest->shape.m;
    const double k = (double)nest->shape.k;
    // From one block of k of a panel to the same of the next panel: of C the one panel by the
    // blocks of k that follow, the other by those before, both whole but for the first and the
    // last.
    const double panels_of_c = 2 - (double)nest->blocks.kc / fmax(k, (double)nest->blocks.kc);
    const HypPartOfC c = {0, m, (double)at->column, panels_of_c * (double)block->nc};
    hyp_window_add_rows(window, nest, nest->places.a, 1, m * k, 0);
    add_columns_of_b(window, nest, at);
    hyp_window_add_c(window, nest, &c);
    add_copies(window, nest, block);
    hyp_window_put_first(window, (int)own);
}
