// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_windows.h"

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
    HypWindow window = {.count = 0};
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

void hyp_window_add_rows(HypWindow *window, double rows, double row_lines, size_t stride)
{
    hyp_window_add(window, rows * row_lines, (size_t)ceil(rows), stride);
}

void hyp_window_add_b_source(HypWindow *window, const HypGemmBlock *block, double share)
{
    hyp_window_add(window, share * block->b_source, block->b_rows, block->ldb);
}

void hyp_window_add_depth(HypWindow *window, const HypGemmNest *nest, const HypGemmBlock *block,
                          HypMatrix own)
{
    const double m = (double)nest->shape.m;
    hyp_window_add_rows(window, m, block->a_row, nest->shape.k);
    hyp_window_add_b_source(window, block, 1);
    hyp_window_add_rows(window, m, block->c_row, nest->shape.n);
    hyp_window_add_packed(window, block->packed_a);
    hyp_window_add_packed(window, block->packed_b);
    hyp_window_put_first(window, (int)own);
}

void hyp_window_add_column(HypWindow *window, const HypGemmNest *nest, const HypGemmBlock *block,
                           HypMatrix own)
{
    const double m = (double)nest->shape.m;
    const double k = (double)nest->shape.k;
    // From one block of k of a panel to the same of the next panel: of C the one panel by the
    // blocks of k that follow, the other by those before, both whole but for the first and the
    // last.
    const double panels_of_c = 2 - (double)nest->blocks.kc / fmax(k, (double)nest->blocks.kc);
    hyp_window_add(window, m * k / (double)nest->line_floats, 1, 0);
    hyp_window_add(window, block->b_column, block->b_column_rows, block->ldb);
    hyp_window_add_rows(window, m, panels_of_c * block->c_row, nest->shape.n);
    hyp_window_add_packed(window, block->packed_a);
    hyp_window_add_packed(window, block->packed_b);
    hyp_window_put_first(window, (int)own);
}
