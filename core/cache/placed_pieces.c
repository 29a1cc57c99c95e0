// SPDX-License-Identifier: Apache-2.0
#include "cache/placed_pieces.h"

#include "cache/set_counts.h"

#include <math.h>

// Arrays that nobody knows the places of begin at multiples of pages: in a way of one page at the
// same place, in longer ones at places of which the middle stands for all.
enum { PAGE_FLOATS = 1024 };

void hyp_pieces_add(HypPieces *pieces, double start, double lines)
{
    if (lines <= 0)
        return;
    const size_t end = (size_t)(start + lines + (1 - 1e-9)); // rounded up
    size_t first = (size_t)start;
    const int last = pieces->count - 1;
    if (last >= 0) { // a line in which two pieces meet counts once
        HypPiece *before = &pieces->pieces[last];
        const size_t border = before->start + before->lines;
        if (first + 1 == border && end >= border)
            first = border;
        if (first == border && last > 0) {
            before->lines = end - before->start;
            return;
        }
    }
    if (pieces->count == HYP_MOST_PIECES) // as if it followed
        pieces->pieces[last].lines += end - first;
    else if (end > first)
        pieces->pieces[pieces->count++] = (HypPiece){first, end - first};
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

// From piece `first` to `end` - 1.
static void count_pieces(HypSetCounts *counts, const HypPieces *pieces, int first, int end,
                         HypSets sets)
{
    hyp_counts_clear(counts, sets);
    for (int i = first; i < end; i++)
        hyp_counts_add(counts, pieces->pieces[i].start, pieces->pieces[i].lines);
}

// Where in a way the second array begins, if the first does where the way does.
static size_t find_apart(const HypPlacedRows *rows, size_t way_floats)
{
    if (!rows->apart_known)
        return way_floats / 2 / PAGE_FLOATS * PAGE_FLOATS;
    const ptrdiff_t way = (ptrdiff_t)way_floats;
    return (size_t)((rows->apart_floats % way + way) % way);
}

static void count_rows(HypSetCounts *counts, const HypPlacedRows *rows, HypSets sets,
                       size_t line_floats)
{
    const size_t apart = find_apart(rows, sets.count * line_floats);
    hyp_counts_clear(counts, sets);
    for (size_t i = 0; i < 2; i++) {
        const HypRuns runs = {.start = i * apart + rows->of[i].first * rows->stride_floats,
                              .width = rows->row_floats,
                              .stride = rows->stride_floats,
                              .count = rows->of[i].count};
        hyp_counts_add_runs(counts, &runs, line_floats);
    }
}

// Share of the first piece's lines by how many other lines of the pieces their sets hold.
static HypHeld hold_still(const HypPieces *pieces, HypSets sets, size_t ways)
{
    HypSetCounts own, others;
    count_pieces(&own, pieces, 0, 1, sets);
    count_pieces(&others, pieces, 1, pieces->count, sets);
    size_t lines[HYP_COUNTED_WAYS + 1] = {0};
    for (size_t set = 0; set < sets.count; set++) {
        const size_t mine = own.everywhere + own.more[set];
        if (mine > 0) // the line itself is none of the others
            lines[least_of(mine - 1 + others.everywhere + others.more[set], ways)] += mine;
    }
    HypHeld held = {{0}};
    for (size_t i = 0; i <= ways; i++)
        held.share[i] = (double)lines[i] / (double)pieces->pieces[0].lines;
    return held;
}

// Adds lines that can lie anywhere, as they do to one another.
static void add_moving(const HypSetCounts *counts, size_t ways, HypHeld *held)
{
    const size_t sets = counts->sets.count;
    size_t holding[HYP_COUNTED_WAYS + 1] = {0}; // sets, by how many lines; `ways` stands for more
    for (size_t set = 0; set < sets; set++)
        holding[least_of(counts->everywhere + counts->more[set], ways)]++;
    HypHeld sum = {{0}};
    for (size_t i = 0; i <= ways; i++) {
        if (holding[i] == 0)
            continue;
        const double chance = (double)holding[i] / (double)sets;
        for (size_t j = 0; j <= ways; j++)
            sum.share[least_of(i + j, ways)] += held->share[j] * chance;
    }
    *held = sum;
}

static HypHeld find_held(const HypPlacedWindow *window, const HypCacheShape *cache, HypSets sets)
{
    const size_t ways = (size_t)cache->ways;
    HypHeld held = hold_still(&window->still, sets, ways);
    HypSetCounts counts;
    if (window->moving.count > 0) {
        count_pieces(&counts, &window->moving, 0, window->moving.count, sets);
        add_moving(&counts, ways, &held);
    }
    if (window->rows.of[0].count + window->rows.of[1].count > 0) {
        count_rows(&counts, &window->rows, sets, (size_t)cache->line_floats);
        add_moving(&counts, ways, &held);
    }
    return held;
}

// Bounds on the lines in a set, and all lines.
typedef struct Bounds {
    double least, most, lines;
} Bounds;

static void bound_pieces(const HypPieces *pieces, HypSets sets, Bounds *bounds)
{
    size_t first = SIZE_MAX;
    size_t end = 0;
    size_t least = 0;
    size_t most = 0;
    size_t lines = 0;
    for (int i = 0; i < pieces->count; i++) {
        const HypPiece *piece = &pieces->pieces[i];
        first = least_of(first, piece->start);
        end = piece->start + piece->lines > end ? piece->start + piece->lines : end;
        least += hyp_sets_divide(sets, piece->lines);
        most += hyp_sets_divide(sets, piece->lines + sets.count - 1);
        lines += piece->lines;
    }
    if (pieces->count > 0)
        most = least_of(most, hyp_sets_divide(sets, end - first + sets.count - 1));
    bounds->least += (double)least;
    bounds->most += (double)most;
    bounds->lines += (double)lines;
}

static Bounds find_bounds(const HypPlacedWindow *window, const HypCacheShape *cache, HypSets sets)
{
    const HypPlacedRows *rows = &window->rows;
    Bounds bounds = {.lines = 0};
    HypWindow others = window->others;
    for (int i = 0; i < 2; i++)
        if (rows->of[i].count > 0)
            hyp_window_add(&others,
                           (double)(rows->of[i].count * rows->row_floats) / cache->line_floats,
                           rows->of[i].count, rows->stride_floats);
    hyp_window_bounds(&others, cache, &bounds.least, &bounds.most);
    for (int i = 0; i < others.count; i++)
        bounds.lines += others.regions[i].lines;
    bound_pieces(&window->still, sets, &bounds);
    bound_pieces(&window->moving, sets, &bounds);
    return bounds;
}

static double find_miss(const HypPlacedWindow *window, const HypCacheShape *cache)
{
    const HypSets sets = hyp_find_sets(cache);
    const Bounds bounds = find_bounds(window, cache, sets);
    if (bounds.most <= cache->ways)
        return 0;
    if (bounds.least > cache->ways)
        return 1;
    if (sets.count > HYP_MOST_COUNTED_SETS || cache->ways > HYP_COUNTED_WAYS)
        return bounds.lines <= cache->ways * cache->sets ? 0 : 1;
    const HypHeld held = find_held(window, cache, sets);
    return hyp_window_miss_beside(&window->others, &held, cache);
}

HypChances hyp_placed_chances(const HypAccount *account, const HypPlacedWindow *window)
{
    HypChances chances = {{0}};
    double chance = 1;
    for (int level = 0; level < account->level_count && chance > 0; level++) {
        // What survives in a level does in those further out.
        chance = fmin(chance, find_miss(window, &account->caches[level]));
        chances.miss[level] = chance;
    }
    return chances;
}
