// SPDX-License-Identifier: Apache-2.0
#include "cache/gemm_walk.h"

#include "cache/gemm_walk_part.h"
#include "common/size_math.h"

#include <math.h>

// What is told of tiles, and of packing.
enum { READ_A, READ_B, MEET_C, MEET_C_AGAIN, NOT_COUNTED };
enum { READ_SOURCE, WRITE_PACKED };

// Lines that are met, of rows that two slivers share.
typedef struct Rows {
    double shared, fresh; // first with a sliver: the one before met them as well, or none did
    double prefetched;    // a second time,
    double fresh_again;   // and with these
} Rows;

static double share_of(double missed, double lines)
{
    return lines > 0 ? fmin(1, fmax(0, missed) / lines) : -1;
}

// A row of a sliver: so many columns from `start` on, of an array of `stride` columns.
typedef struct Row {
    size_t start, columns, stride;
    bool first_sliver, first_row;
} Row;

// Adds the lines that a sliver meets of a row's first `columns`.
static void count_row(Rows *rows, const HypGemmWalk *walk, const Row *row, size_t columns)
{
    const unsigned shift = walk->line_shift;
    const size_t first = row->start >> shift;
    const size_t last = (row->start + columns - 1) >> shift;
    const bool shared = !row->first_sliver && (row->start - 1) >> shift == first;
    const bool of_row_before =
        !row->first_row && (row->start - row->stride + row->columns - 1) >> shift == first;
    rows->shared += shared;
    rows->fresh += (double)(last - first + 1) - (shared || of_row_before);
}

// A tile of C.
typedef struct Tile {
    size_t panel, sliver;
    size_t rows, columns;
    size_t c; // its place
} Tile;

static Tile tile_at(const HypGemmWalk *walk, size_t panel, size_t sliver)
{
    const HypGemmNest *nest = walk->nest;
    const size_t row = panel * nest->mr;
    const size_t column = sliver * nest->nr;
    return (Tile){.panel = panel,
                  .sliver = sliver,
                  .rows = gemm_least(nest->mr, walk->mc - row),
                  .columns = gemm_least(nest->nr, walk->nc - column),
                  .c = nest->places.c + (walk->at->row + row) * nest->shape.n + walk->at->column +
                       column};
}

// Columns of a row as far as a prefetch of each whole line from its start on reaches.
static size_t prefetched_columns(const HypGemmWalk *walk, size_t columns)
{
    const size_t line = walk->nest->line_floats;
    return (columns - 1) / line * line + 1;
}

static void count_tile(Rows *rows, const HypGemmWalk *walk, const Tile *tile)
{
    const size_t n = walk->nest->shape.n;
    const bool ahead = walk->nest->prefetch_lines > 0;
    const size_t early = ahead ? prefetched_columns(walk, tile->columns) : tile->columns;
    for (size_t i = 0; i < tile->rows; i++) {
        const Row row = {.start = tile->c + i * n,
                         .columns = tile->columns,
                         .stride = n,
                         .first_sliver = tile->sliver == 0,
                         .first_row = i == 0};
        count_row(rows, walk, &row, early);
        if (!ahead)
            continue;
        const size_t first = row.start >> walk->line_shift;
        const size_t end = (row.start + early - 1) >> walk->line_shift;
        const size_t last = (row.start + row.columns - 1) >> walk->line_shift;
        rows->prefetched += (double)(end - first + 1);
        rows->fresh_again += (double)(last - end);
    }
}

static void touch_c(HypGemmWalk *walk, const Tile *tile, unsigned kind, size_t columns)
{
    hyp_stacks_touch_rows(&walk->stacks, kind,
                          &(HypStackRows){.start = tile->c,
                                          .width = columns,
                                          .stride = walk->nest->shape.n,
                                          .count = tile->rows,
                                          .line_shift = walk->line_shift});
}

// Panel and sliver are read side by side: here, in parts.
static void walk_tile(HypGemmWalk *walk, const Tile *tile, unsigned kind_of_b)
{
    enum { LINES_TOGETHER = 64 };
    const HypGemmNest *nest = walk->nest;
    const size_t kc = walk->kc;
    const size_t lines = ((nest->mr + nest->nr) * kc) >> walk->line_shift;
    const size_t parts = gemm_least(kc, 1 + lines / LINES_TOGETHER);
    const size_t a = nest->places.packed_a + tile->panel * kc * nest->mr;
    const size_t b = nest->places.packed_b + tile->sliver * kc * nest->nr;
    const size_t ahead = nest->prefetch_lines * nest->line_floats;
    if (ahead > 0)
        touch_c(walk, tile, MEET_C, prefetched_columns(walk, tile->columns));
    for (size_t part = 0; part < parts; part++) {
        const size_t from = part * kc / parts;
        const size_t depth = (part + 1) * kc / parts - from;
        if (ahead > 0)
            hyp_walk_touch(walk, READ_A, a + from * nest->mr + ahead, depth * nest->mr);
        hyp_walk_touch(walk, READ_A, a + from * nest->mr, depth * nest->mr);
        hyp_walk_touch(walk, kind_of_b, b + from * nest->nr, depth * nest->nr);
    }
    touch_c(walk, tile, ahead > 0 ? MEET_C_AGAIN : MEET_C, tile->columns);
}

// What is walked of the tiles.
typedef struct Part {
    size_t first_panel, panels;
    size_t first_sliver, slivers;
    size_t filling; // slivers that are not counted
} Part;

static void walk_part(HypGemmWalk *walk, const Part *part, Rows *rows)
{
    for (size_t i = 0; i < part->slivers; i++) {
        const bool counted = i >= part->filling;
        hyp_stacks_weigh(&walk->stacks, counted ? 1 : 0);
        for (size_t j = 0; j < part->panels; j++) {
            const Tile tile = tile_at(walk, part->first_panel + j, part->first_sliver + i);
            if (counted)
                count_tile(rows, walk, &tile);
            walk_tile(walk, &tile, j == 0 ? NOT_COUNTED : READ_B);
        }
    }
}

static size_t tile_touches(const HypGemmWalk *walk)
{
    const HypGemmNest *nest = walk->nest;
    const size_t lines = ((nest->mr + nest->nr) * walk->kc) >> walk->line_shift;
    const size_t rows = nest->mr * (nest->prefetch_lines > 0 ? 2 : 1);
    return rows + 2 + lines / HYP_STACK_LANES;
}

// Slivers of which each line of C is as likely the first as any other, and narrow ones of B come
// round the sets if there are not too many; of small blocks more. The first fills the cache.
static size_t count_slivers(const HypGemmWalk *walk)
{
    enum { LEAST_SLIVERS = 2, MOST_SLIVERS = 32, FEW_TOUCHES = 500, MANY_TOUCHES = 2000 };
    const size_t touches = walk->panels * tile_touches(walk); // of a sliver
    const size_t of_line = walk->nest->line_floats / walk->nest->nr;
    const double of_sets = fmin(MOST_SLIVERS, ceil(walk->cache.sets / walk->at->typical.sliver));
    const size_t worth = gemm_least((size_t)of_sets, MANY_TOUCHES / touches);
    const size_t counted = hyp_walk_most(hyp_walk_most(worth, of_line), LEAST_SLIVERS);
    const size_t times = FEW_TOUCHES / (counted * touches);
    return gemm_least(walk->slivers, 1 + counted * hyp_walk_most(times, 1));
}

// Places of the block at which slivers are looked at: where rows of C crowd in some of the sets, it
// counts which of A's and B's lines lie there.
static size_t count_places(const HypGemmWalk *walk, size_t slivers)
{
    enum { MOST_PLACES = 4, MOST_TOUCHES = 3000 };
    const HypGemmNest *nest = walk->nest;
    const size_t touches = slivers * walk->panels * tile_touches(walk);
    const size_t stride = nest->shape.n / nest->line_floats;
    const bool crowded = nest->shape.n % nest->line_floats == 0 &&
                         hyp_size_divisor(stride, (size_t)walk->cache.sets) > 1;
    const size_t worth = gemm_least(MOST_PLACES, MOST_TOUCHES / touches);
    const size_t places = gemm_least(worth, walk->slivers / (2 * slivers));
    return crowded ? hyp_walk_most(places, 1) : 1;
}

// A block that comes back in part: all of it, with some slivers.
static bool walk_whole(HypGemmWalk *walk, HypGemmWalked *walked)
{
    const size_t mr = walk->nest->mr;
    const size_t nr = walk->nest->nr;
    const size_t slivers = count_slivers(walk);
    const size_t places = count_places(walk, slivers);
    const size_t filling = slivers > 1 ? 1 : 0;
    if (places * slivers * walk->panels * tile_touches(walk) > HYP_WALK_MOST_TOUCHES)
        return true;
    if (!hyp_walk_open(walk))
        return false;
    Rows rows = {0};
    for (size_t i = 0; i < places; i++)
        walk_part(walk,
                  &(Part){.panels = walk->panels,
                          .first_sliver = i * walk->slivers / places,
                          .slivers = slivers,
                          .filling = filling},
                  &rows);
    const HypStackMisses misses = hyp_walk_close(walk);
    const double counted =
        (double)(places * (slivers - filling)) * (double)walk->kc / (double)walk->nest->line_floats;
    if (filling > 0) {
        walked->a = share_of(misses.of[READ_A], counted * (double)(walk->panels * mr));
        walked->row_of_c = share_of(misses.of[MEET_C] - rows.fresh, rows.shared);
    }
    walked->b = share_of(misses.of[READ_B], counted * (double)((walk->panels - 1) * nr));
    walked->prefetched_c = share_of(misses.of[MEET_C_AGAIN] - rows.fresh_again, rows.prefetched);
    return true;
}

// A block that passes through the cache: a sliver meets some panels at its beginning, another some
// in its middle.
static bool walk_passing(HypGemmWalk *walk, HypGemmWalked *walked)
{
    enum { PANELS = 7, PLACES = 2 };
    const HypGemmNest *nest = walk->nest;
    const size_t panels = gemm_least(walk->panels, PANELS);
    if (PLACES * panels * tile_touches(walk) > HYP_WALK_MOST_TOUCHES)
        return true;
    if (!hyp_walk_open(walk))
        return false;
    Rows rows = {0};
    for (size_t i = 0; i < PLACES; i++)
        walk_part(walk,
                  &(Part){.first_panel = i * (walk->panels - panels) / PLACES,
                          .panels = panels,
                          .first_sliver = i * walk->slivers / PLACES,
                          .slivers = 1},
                  &rows);
    const HypStackMisses misses = hyp_walk_close(walk);
    const double of_b = (double)(PLACES * (panels - 1) * nest->nr * walk->kc);
    walked->b = share_of(misses.of[READ_B], of_b / (double)nest->line_floats);
    walked->prefetched_c = share_of(misses.of[MEET_C_AGAIN] - rows.fresh_again, rows.prefetched);
    return true;
}

bool hyp_gemm_walk_tiles(const HypGemmNest *nest, const HypIterations *at,
                         const HypCacheShape *cache, HypGemmWalked *walked)
{
    HypGemmWalk walk = hyp_walk_start(nest, at, cache);
    const double lines = at->typical.panels * at->typical.panel;
    return lines > 2 * hyp_walk_capacity(&walk) ? walk_passing(&walk, walked)
                                                : walk_whole(&walk, walked);
}

static void pack_sliver(HypGemmWalk *walk, size_t sliver, Rows *rows)
{
    enum { ROWS_TOGETHER = 8 };
    const HypGemmNest *nest = walk->nest;
    const size_t column = walk->at->column + sliver * nest->nr;
    const size_t packed = nest->places.packed_b + sliver * walk->kc * nest->nr;
    Row row = {.start = nest->places.b + walk->at->depth * nest->shape.n + column,
               .columns = gemm_least(nest->nr, walk->nc - sliver * nest->nr),
               .stride = nest->shape.n,
               .first_sliver = sliver == 0};
    for (size_t k = 0; k < walk->kc; k++, row.start += row.stride) {
        row.first_row = k == 0;
        if (sliver > 0)
            count_row(rows, walk, &row, row.columns);
        hyp_walk_touch(walk, READ_SOURCE, row.start, row.columns);
        if (k % ROWS_TOGETHER == 0)
            hyp_walk_touch(walk, WRITE_PACKED, packed + k * nest->nr,
                           gemm_least(ROWS_TOGETHER, walk->kc - k) * nest->nr);
    }
}

bool hyp_gemm_walk_packing(const HypGemmNest *nest, const HypIterations *at,
                           const HypCacheShape *cache, HypGemmWalked *walked)
{
    HypGemmWalk walk = hyp_walk_start(nest, at, cache);
    const size_t slivers = count_slivers(&walk);
    if (slivers < 2 || slivers * walk.kc > HYP_WALK_MOST_TOUCHES)
        return true;
    if (!hyp_walk_open(&walk))
        return false;
    Rows rows = {0};
    for (size_t i = 0; i < slivers; i++) {
        hyp_stacks_weigh(&walk.stacks, i > 0 ? 1 : 0);
        pack_sliver(&walk, i, &rows);
    }
    const HypStackMisses misses = hyp_walk_close(&walk);
    walked->row_of_b = share_of(misses.of[READ_SOURCE] - rows.fresh, rows.shared);
    return true;
}
