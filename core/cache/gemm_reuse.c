// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_reuse.h"

#include "cache/gemm_walk.h"
#include "cache/rounding.h"

#include <math.h>

enum {
    FEW_SAMPLES = 4, // tiles that are looked at, and so many more where these leave doubt
    MANY_SAMPLES = 16,
    ROW_SAMPLES = 4,     // slivers
    ALIGNED_SAMPLES = 8, // likewise, of rows that lie in few sets
    SMALL_PART = 3,      // blocks smaller than one part in so many of the largest: few samples
};

// Of samples over several ranges at once: multiples of these modulo 1 spread evenly.
#define GOLDEN_RATIO 0.618034
#define SILVER_RATIO 0.414214

// 0: no more. Not for blocks that are small parts of the product.
static int more_samples(const HypGemmNest *nest, const HypGemmBlock *block, int samples,
                        const HypChances *mean)
{
    const GemmBlocks *whole = &nest->blocks;
    const double size = (double)block->mc * (double)block->kc * (double)block->nc;
    const double whole_size = (double)whole->mc * (double)whole->kc * (double)whole->nc;
    const bool counts = size * SMALL_PART >= whole_size;
    return counts && samples < MANY_SAMPLES && !hyp_chances_are_certain_outside(mean) ? MANY_SAMPLES
                                                                                      : 0;
}

// A sliver but the last, and the share of those that it stands for.
typedef struct Sliver {
    double index, share;
} Sliver;

// Of slivers narrower than a line, every so many is the last to end in its line of C: each other
// sample is such a one.
static Sliver sample_sliver(const HypGemmNest *nest, const HypGemmBlock *block, int sample,
                            int samples)
{
    const double period = fmax(1, hyp_round_down((double)nest->line_floats / (double)nest->nr));
    const double last = block->slivers - 2;
    const int pairs = samples / 2;
    const int pair = sample / 2;
    const double share = fmod((pair + 0.5) * GOLDEN_RATIO, 1);
    const bool ends = sample % 2 == 1;
    if (period > last + 1)
        return (Sliver){hyp_round_down(share * (last + 1)), 1.0 / samples};
    const double first = hyp_round_down(share * block->slivers / period) * period;
    return (Sliver){.index = fmin(last, first + (ends || period <= 1 ? period - 1 : 0)),
                    .share = (ends ? 1 / period : 1 - 1 / period) / pairs};
}

// A piece of the packed block of A, from panel to panel, whose lines come back.
typedef struct PieceOfA {
    double first, end;
    double b_before, b_after; // shares of the first sliver read before, of the second read after
    double panels_before;     // of A
} PieceOfA;

// One of `count` samples of the first panels, the last or those between: kind 0, 1 or 2.
typedef struct SampleOfA {
    int kind, index, count;
    double sliver;
} SampleOfA;

// `hidden`: as levels see it behind one that keeps a sliver while panels meet it, which they see
// with the first of these alone.
static PieceOfA sample_piece_of_a(const HypGemmBlock *block, const SampleOfA *sample, bool hidden)
{
    const int kind = sample->kind;
    const int pairs = sample->count / 2;
    const int pair = sample->index / 2;
    const double depth = (pair + 0.5) / pairs;
    const double last = block->panels - 1;
    const double panel = kind == 0 ? 0 : last;
    const double half = 0.5 / pairs;
    if (kind == 2) // both slivers whole for each of these
        return (PieceOfA){1, last, hidden ? 1 : 0, 1, 1 + hyp_round_down(depth * (last - 1))};
    double b_before = depth;
    if (last > 0)
        b_before = hidden ? (kind == 0 ? depth : 1) : (kind == 0 ? 0 : depth);
    return (PieceOfA){.first = panel + depth - half,
                      .end = panel + depth + half,
                      .b_before = b_before,
                      .b_after = last > 0 && kind == 1 ? 1 : depth,
                      .panels_before = panel};
}

// Between two uses of the piece, by a sliver and the next.
static void find_next_use_of_a(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                               const PieceOfA *piece, double sliver)
{
    const HypGemmBlock *typical = &at->typical;
    const double used = fmin(piece->panels_before * (double)nest->mr, (double)typical->mc);
    const double nr = (double)nest->nr;
    const double column = (double)at->column + sliver * nr;
    const double width = fmin(nr, (double)typical->nc);
    hyp_window_add_panels(window, nest, typical, piece->first, piece->end);
    hyp_window_add_panels(window, nest, typical, 0, piece->first);
    hyp_window_add_panels(window, nest, typical, piece->end, typical->panels);
    hyp_window_add_slivers(window, nest, typical, sliver + piece->b_before,
                           sliver + 1 + piece->b_after);
    hyp_window_add_c(
        window, nest,
        &(HypPartOfC){(double)at->row + used, (double)typical->mc - used, column, width});
    // The next sliver's tile is prefetched before it is multiplied.
    const double ahead = nest->prefetch_lines > 0 ? (double)nest->mr : 0;
    hyp_window_add_c(window, nest,
                     &(HypPartOfC){(double)at->row, fmin(used + ahead, (double)typical->mc),
                                   column + nr, width});
}

// Whether the first level keeps a sliver of B while panels of A meet it.
static bool keeps_sliver(const HypGemmReuse *reuse)
{
    static const double most = 0.05; // that is evicted
    return reuse->b.miss[0] < most;
}

// Chances of the first level by one window, of those further out by another.
static HypChances join_chances(const HypGemmPredictor *predictor, const HypWindow *first,
                               const HypWindow *outer)
{
    HypAccount account = {
        .caches = predictor->account.caches, .level_count = 1, .memo = predictor->account.memo};
    const HypChances near = hyp_account_chances(&account, first);
    account.first_level = 1;
    account.level_count = predictor->account.level_count;
    HypChances chances = hyp_account_chances(&account, outer);
    chances.miss[0] = near.miss[0];
    for (int level = 1; level < account.level_count; level++)
        chances.miss[level] = fmin(chances.miss[level], near.miss[0]);
    return chances;
}

static HypChances find_piece_reuse(const HypGemmPredictor *predictor, const HypIterations *at,
                                   const SampleOfA *sample, bool hidden)
{
    const PieceOfA piece = sample_piece_of_a(&at->typical, sample, false);
    HypWindow window;
    hyp_window_start(&window);
    find_next_use_of_a(&window, &predictor->nest, at, &piece, sample->sliver);
    if (!hidden)
        return hyp_account_chances(&predictor->account, &window);
    const PieceOfA seen = sample_piece_of_a(&at->typical, sample, true);
    HypWindow outer;
    hyp_window_start(&outer);
    find_next_use_of_a(&outer, &predictor->nest, at, &seen, sample->sliver);
    return join_chances(predictor, &window, &outer);
}

// Over a few slivers, and where these leave doubt, many.
static HypChances find_reuse_of_a(const HypGemmPredictor *predictor, const HypIterations *at,
                                  int kind, bool hidden)
{
    const HypGemmBlock *typical = &at->typical;
    HypChances mean = {{0}};
    for (int samples = FEW_SAMPLES; samples > 0;
         samples = more_samples(&predictor->nest, &at->typical, samples, &mean)) {
        mean = (HypChances){{0}};
        for (int i = 0; i < samples; i++) {
            const Sliver sliver = sample_sliver(&predictor->nest, typical, i, samples);
            const SampleOfA sample = {kind, i, samples, sliver.index};
            const HypChances chances = find_piece_reuse(predictor, at, &sample, hidden);
            hyp_chances_add(&mean, &chances, sliver.share);
        }
    }
    return mean;
}

// The first and the last panel meet less of B between than those in the middle.
static void find_reuses_of_a(const HypGemmPredictor *predictor, const HypIterations *at,
                             HypGemmReuse *reuse)
{
    const double panels = at->typical.panels;
    const double edge = panels > 1 ? 1 / panels : 1;
    reuse->share_of_a[0] = edge;
    reuse->share_of_a[1] = panels > 1 ? edge : 0;
    reuse->share_of_a[2] = panels > 2 ? 1 - 2 * edge : 0;
    for (int i = 0; i < HYP_REUSES_OF_A && at->typical.slivers > 1; i++)
        if (reuse->share_of_a[i] > 0)
            reuse->a[i] = find_reuse_of_a(predictor, at, i, keeps_sliver(reuse));
}

// A row of a tile is prefetched at every whole line from its start on: not where it ends in
// another.
static double prefetched_width(const HypGemmNest *nest, double width)
{
    const double line = (double)nest->line_floats;
    return (hyp_round_up(width / line) - 1) * line + 1;
}

// Between two uses of a sliver, so much of A as a panel.
static void find_next_use_of_b(HypWindow *window, const HypGemmNest *nest, const HypIterations *at,
                               int sample, int samples)
{
    const HypGemmBlock *typical = &at->typical;
    const double depth = fmod((sample + 0.5) * SILVER_RATIO, 1);
    const double sliver = hyp_round_down(fmod((sample + 0.5) * GOLDEN_RATIO, 1) * typical->slivers);
    const double panel = hyp_round_down((sample + 0.5) / samples * (typical->panels - 1));
    const double row = panel * (double)nest->mr;
    const double width = fmin((double)nest->nr, (double)typical->nc);
    const HypPartOfC c = {(double)at->row + row, fmin((double)nest->mr, (double)typical->mc - row),
                          (double)at->column + sliver * (double)nest->nr, width};
    const double ahead = (double)nest->prefetch_lines / typical->panel;
    hyp_window_add_slivers(window, nest, typical, sliver, sliver + 1);
    hyp_window_add_panels(window, nest, typical, panel + depth, panel + 1 + depth + ahead);
    hyp_window_add_c(window, nest, &c);
    if (nest->prefetch_lines > 0) { // the next panel's tile
        const double next = row + (double)nest->mr;
        hyp_window_add_c(window, nest,
                         &(HypPartOfC){(double)at->row + next,
                                       fmax(0, fmin((double)nest->mr, (double)typical->mc - next)),
                                       c.column, prefetched_width(nest, width)});
    }
}

static HypChances find_reuse_of_b(const HypGemmPredictor *predictor, const HypIterations *at)
{
    HypChances mean = {{0}};
    for (int samples = at->typical.panels > 1 ? FEW_SAMPLES : 0; samples > 0;
         samples = more_samples(&predictor->nest, &at->typical, samples, &mean)) {
        mean = (HypChances){{0}};
        for (int i = 0; i < samples; i++) {
            HypWindow window;
            hyp_window_start(&window);
            find_next_use_of_b(&window, &predictor->nest, at, i, samples);
            const HypChances chances = hyp_account_chances(&predictor->account, &window);
            hyp_chances_add(&mean, &chances, 1.0 / samples);
        }
    }
    return mean;
}

static HypChances find_prefetched_c(const HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const double mr = (double)nest->mr;
    HypChances mean = {{0}};
    for (int i = 0; i < FEW_SAMPLES; i++) {
        const double panel = hyp_round_down((i + 0.5) / FEW_SAMPLES * typical->panels);
        const double sliver = hyp_round_down(fmod((i + 0.5) * GOLDEN_RATIO, 1) * typical->slivers);
        const double row = panel * mr;
        const HypPartOfC c = {(double)at->row + row, fmin(mr, (double)typical->mc - row),
                              (double)at->column + sliver * (double)nest->nr,
                              prefetched_width(nest, fmin((double)nest->nr, (double)typical->nc))};
        HypWindow window;
        hyp_window_start(&window);
        hyp_window_add_c(&window, nest, &c);
        hyp_window_add_slivers(&window, nest, typical, sliver, sliver + 1);
        hyp_window_add_panels(&window, nest, typical, panel, panel + 1);
        const HypChances chances = hyp_account_chances(&predictor->account, &window);
        hyp_chances_add(&mean, &chances, 1.0 / FEW_SAMPLES);
    }
    return mean;
}

// Rows whole lines apart can fill the sets they lie in, so that it depends on few other lines which
// of them stay.
static int row_samples(const HypGemmNest *nest)
{
    return nest->shape.n % nest->line_floats == 0 ? ALIGNED_SAMPLES : ROW_SAMPLES;
}

// The line in which a row of C's tile ends, and that of the next sliver begins.
static HypChances find_reuse_of_c_rows(const HypGemmPredictor *predictor, const HypIterations *at,
                                       bool hidden)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const size_t n = nest->shape.n;
    const size_t corner = nest->places.c + at->row * n + at->column;
    const int samples = row_samples(nest);
    HypChances mean = {{0}};
    for (int i = 0; i < samples; i++) {
        const double share = (i + 0.5) / samples;
        const double sliver =
            hyp_round_down(fmod((i + 0.5) * GOLDEN_RATIO, 1) * fmax(typical->slivers - 1, 0));
        const HypSharedRows shared = {.place = corner + (size_t)sliver * nest->nr,
                                      .rows = typical->mc,
                                      .stride = n,
                                      .done = (size_t)(share * (double)typical->mc)};
        HypWindow window;
        hyp_window_start(&window);
        hyp_window_add_next_sliver(&window, nest, &shared);
        hyp_window_add_panels(&window, nest, typical, 0, typical->panels);
        HypWindow outer = window;
        hyp_window_add_slivers(&window, nest, typical, sliver, sliver + 2);
        hyp_window_add_slivers(&outer, nest, typical, sliver + (hidden ? 1 : 0), sliver + 2);
        const HypChances chances = join_chances(predictor, &window, &outer);
        hyp_chances_add(&mean, &chances, 1.0 / samples);
    }
    return mean;
}

// Likewise of a row of B that is packed, with as much of the packed copy between as a sliver.
static HypChances find_reuse_of_b_rows(const HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypGemmBlock *typical = &at->typical;
    const size_t n = nest->shape.n;
    const size_t corner = nest->places.b + at->depth * n + at->column;
    const int samples = row_samples(nest);
    HypChances mean = {{0}};
    for (int i = 0; i < samples; i++) {
        const double share = (i + 0.5) / samples;
        const double sliver =
            hyp_round_down(fmod((i + 0.5) * GOLDEN_RATIO, 1) * fmax(typical->slivers - 1, 0));
        const HypSharedRows shared = {.place = corner + (size_t)sliver * nest->nr,
                                      .rows = typical->kc,
                                      .stride = n,
                                      .done = (size_t)(share * (double)typical->kc)};
        HypWindow window;
        hyp_window_start(&window);
        hyp_window_add_next_sliver(&window, nest, &shared);
        hyp_window_add_slivers(&window, nest, typical, sliver + share, sliver + 1 + share);
        const HypChances chances = hyp_account_chances(&predictor->account, &window);
        hyp_chances_add(&mean, &chances, 1.0 / samples);
    }
    return mean;
}

// What survives in the first level does in those further out.
static void replace_first(HypChances *chances, double walked)
{
    if (walked < 0)
        return;
    chances->miss[0] = walked;
    for (int level = 1; level < HYPERION_MAX_CACHE_LEVELS; level++)
        chances->miss[level] = fmin(chances->miss[level], walked);
}

static bool is_certain(double chance)
{
    static const double doubt = 0.01;
    return chance <= doubt || chance >= 1 - doubt;
}

static bool tiles_are_certain(const HypGemmReuse *reuse)
{
    for (int i = 0; i < HYP_REUSES_OF_A; i++)
        if (!is_certain(reuse->a[i].miss[0]))
            return false;
    return is_certain(reuse->b.miss[0]) && is_certain(reuse->row_of_c.miss[0]) &&
           is_certain(reuse->prefetched_c.miss[0]);
}

// Where windows leave doubt what they say of the first level gives way to what a walk counts.
static void walk_first_level(HypGemmPredictor *predictor, const HypIterations *at,
                             HypGemmReuse *reuse)
{
    const HypGemmNest *nest = &predictor->nest;
    const HypCacheShape *cache = &predictor->account.caches[0];
    const bool rows_overlap = nest->shape.n < 2 * nest->line_floats;
    HypGemmWalked walked = {-1, -1, -1, -1, -1};
    bool ok = tiles_are_certain(reuse) || hyp_gemm_walk_tiles(nest, at, cache, &walked);
    if (ok && !nest->image && !nest->shape.b_transposed &&
        (rows_overlap || !is_certain(reuse->row_of_b.miss[0])))
        ok = hyp_gemm_walk_packing(nest, at, cache, &walked);
    predictor->account.failed = predictor->account.failed || !ok;
    for (int i = 0; i < HYP_REUSES_OF_A; i++)
        replace_first(&reuse->a[i], walked.a);
    replace_first(&reuse->b, walked.b);
    replace_first(&reuse->row_of_c, walked.row_of_c);
    replace_first(&reuse->prefetched_c, walked.prefetched_c);
    replace_first(&reuse->row_of_b, walked.row_of_b);
}

static void find_image_reuse(HypGemmPredictor *predictor, const HypIterations *at,
                             HypGemmReuse *reuse)
{
    reuse->walked = -1;
    if (!hyp_gemm_walk_image(&predictor->nest, at, &predictor->account.caches[0], &reuse->walked))
        predictor->account.failed = true;
    hyp_gemm_find_image_reuse(predictor, at, reuse);
}

static void find_reuse(HypGemmPredictor *predictor, const HypIterations *at, HypGemmReuse *reuse)
{
    const HypGemmNest *nest = &predictor->nest;
    const bool slivers_share_lines =
        nest->nr % nest->line_floats || nest->shape.n % nest->line_floats;
    *reuse = (HypGemmReuse){.mc = at->typical.mc, .kc = at->typical.kc, .nc = at->typical.nc};
    reuse->b = find_reuse_of_b(predictor, at);
    find_reuses_of_a(predictor, at, reuse);
    if (nest->prefetch_lines > 0)
        reuse->prefetched_c = find_prefetched_c(predictor, at);
    if (slivers_share_lines)
        reuse->row_of_c = find_reuse_of_c_rows(predictor, at, keeps_sliver(reuse));
    if (nest->image)
        find_image_reuse(predictor, at, reuse);
    else if (slivers_share_lines && !nest->shape.b_transposed)
        reuse->row_of_b = find_reuse_of_b_rows(predictor, at);
    walk_first_level(predictor, at, reuse);
}

const HypGemmReuse *hyp_gemm_reuse(HypGemmPredictor *predictor, const HypIterations *at)
{
    const HypGemmBlock *block = &at->typical;
    int place = 0;
    while (place < HYP_REUSES - 1 && predictor->reuses[place].mc > 0 &&
           !(predictor->reuses[place].mc == block->mc && predictor->reuses[place].kc == block->kc &&
             predictor->reuses[place].nc == block->nc))
        place++;
    HypGemmReuse *reuse = &predictor->reuses[place];
    if (reuse->mc != block->mc || reuse->kc != block->kc || reuse->nc != block->nc)
        find_reuse(predictor, at, reuse);
    return reuse;
}
