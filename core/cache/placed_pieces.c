// SPDX-License-Identifier: Apache-2.0
#include "cache/placed_pieces.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

// Of more sets a piece fills but a small part, and is taken as spread over all.
enum { MOST_SETS = 4096 };

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

// Sets of a cache, mostly a power of two: a window divides by them some hundred times.
typedef struct Sets {
    size_t count;
    int shift; // below 0: no power of two
} Sets;

static Sets find_sets(const HypCacheShape *cache)
{
    Sets sets = {(size_t)cache->sets, 0};
    while ((size_t)1 << sets.shift < sets.count)
        sets.shift++;
    if ((size_t)1 << sets.shift != sets.count)
        sets.shift = -1;
    return sets;
}

static size_t divide(size_t lines, Sets sets)
{
    return sets.shift >= 0 ? lines >> sets.shift : lines / sets.count;
}

static size_t remainder_of(size_t lines, Sets sets)
{
    return sets.shift >= 0 ? lines & (sets.count - 1) : lines % sets.count;
}

// How lines lie in the sets: in each `everywhere` and what rises and falls have summed up to.
typedef struct SetCounts {
    size_t everywhere;
    int16_t change[MOST_SETS + 1];
} SetCounts;

// `lines` lines from set `first` on, fewer than there are sets.
static void count_arc(SetCounts *counts, size_t first, size_t lines, size_t sets)
{
    const size_t end = first + lines;
    counts->change[first]++;
    if (end > sets) { // around
        counts->change[sets]--;
        counts->change[0]++;
    }
    counts->change[end > sets ? end - sets : end]--;
}

static void clear_counts(SetCounts *counts, size_t sets)
{
    counts->everywhere = 0;
    memset(counts->change, 0, (sets + 1) * sizeof counts->change[0]);
}

static void count_pieces(SetCounts *counts, const HypPieces *pieces, Sets sets)
{
    clear_counts(counts, sets.count);
    for (int i = 0; i < pieces->count; i++) {
        const HypPiece *piece = &pieces->pieces[i];
        counts->everywhere += divide(piece->lines, sets);
        count_arc(counts, remainder_of(piece->start, sets), remainder_of(piece->lines, sets),
                  sets.count);
    }
}

// Where in a way the second array begins, if the first does where the way does.
static size_t find_apart(const HypPlacedRows *rows, size_t way_floats)
{
    if (!rows->apart_known)
        return way_floats / 2 / PAGE_FLOATS * PAGE_FLOATS;
    const ptrdiff_t way = (ptrdiff_t)way_floats;
    return (size_t)((rows->apart_floats % way + way) % way);
}

static void count_rows(SetCounts *counts, const HypPlacedRows *rows, Sets sets, size_t line_floats)
{
    const size_t way = sets.count * line_floats;
    const size_t stride = rows->stride_floats % way;
    const size_t apart = find_apart(rows, way);
    clear_counts(counts, sets.count);
    for (size_t i = 0; i < 2; i++) {
        size_t at = (i * apart + rows->of[i].first * rows->stride_floats) % way;
        for (size_t j = 0; j < rows->of[i].count; j++) {
            const size_t first = (uint32_t)at / (uint32_t)line_floats; // 32 bits divide faster
            const size_t end = (uint32_t)(at + rows->row_floats - 1) / (uint32_t)line_floats + 1;
            counts->everywhere += divide(end - first, sets);
            count_arc(counts, first, remainder_of(end - first, sets), sets.count);
            at += stride;
            at -= at >= way ? way : 0;
        }
    }
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Sets by how many lines they hold; `ways` stands for more.
typedef struct Histogram {
    size_t sets[HYP_COUNTED_WAYS + 2];
} Histogram;

// Of sets `first` to `end` - 1.
static void add_sets(Histogram *histogram, const SetCounts *all, size_t ways, size_t first,
                     size_t end)
{
    size_t lines = all->everywhere;
    for (size_t set = 0; set < first; set++)
        lines += (size_t)all->change[set]; // below 0: wraps around, as it does back
    for (size_t set = first; set < end; set++) {
        lines += (size_t)all->change[set];
        histogram->sets[least_of(lines, ways)]++;
    }
}

// Share of the first piece's lines by how many other lines of the pieces their sets hold.
static HypHeld hold_still(const SetCounts *all, const HypPiece *own, Sets sets, size_t ways)
{
    const size_t whole = divide(own->lines, sets);
    const size_t first = remainder_of(own->start, sets);
    const size_t end = first + remainder_of(own->lines, sets);
    Histogram every = {{0}};
    Histogram part = {{0}};
    if (whole > 0)
        add_sets(&every, all, ways + 1, 0, sets.count);
    add_sets(&part, all, ways + 1, first, least_of(end, sets.count));
    if (end > sets.count)
        add_sets(&part, all, ways + 1, 0, end - sets.count);
    HypHeld held = {{0}};
    for (size_t i = 0; i <= ways; i++) // the line itself is none of the others
        held.share[i] = (double)(whole * every.sets[i + 1] + part.sets[i + 1]) / (double)own->lines;
    return held;
}

// Adds lines that can lie anywhere, as they do to one another.
static void add_moving(const SetCounts *all, size_t sets, size_t ways, HypHeld *held)
{
    Histogram histogram = {{0}};
    add_sets(&histogram, all, ways, 0, sets);
    HypHeld sum = {{0}};
    for (size_t i = 0; i <= ways; i++) {
        if (histogram.sets[i] == 0)
            continue;
        const double chance = (double)histogram.sets[i] / (double)sets;
        for (size_t j = 0; j <= ways; j++)
            sum.share[least_of(i + j, ways)] += held->share[j] * chance;
    }
    *held = sum;
}

static HypHeld find_held(const HypPlacedWindow *window, const HypCacheShape *cache, Sets sets)
{
    const size_t ways = (size_t)cache->ways;
    SetCounts counts;
    count_pieces(&counts, &window->still, sets);
    HypHeld held = hold_still(&counts, &window->still.pieces[0], sets, ways);
    if (window->moving.count > 0) {
        count_pieces(&counts, &window->moving, sets);
        add_moving(&counts, sets.count, ways, &held);
    }
    if (window->rows.of[0].count + window->rows.of[1].count > 0) {
        count_rows(&counts, &window->rows, sets, (size_t)cache->line_floats);
        add_moving(&counts, sets.count, ways, &held);
    }
    return held;
}

// Bounds on the lines in a set, and all lines.
typedef struct Bounds {
    double least, most, lines;
} Bounds;

static void bound_pieces(const HypPieces *pieces, Sets sets, Bounds *bounds)
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
        least += divide(piece->lines, sets);
        most += divide(piece->lines + sets.count - 1, sets);
        lines += piece->lines;
    }
    if (pieces->count > 0)
        most = least_of(most, divide(end - first + sets.count - 1, sets));
    bounds->least += (double)least;
    bounds->most += (double)most;
    bounds->lines += (double)lines;
}

static Bounds find_bounds(const HypPlacedWindow *window, const HypCacheShape *cache, Sets sets)
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
    const Sets sets = find_sets(cache);
    const Bounds bounds = find_bounds(window, cache, sets);
    if (bounds.most <= cache->ways)
        return 0;
    if (bounds.least > cache->ways)
        return 1;
    if (sets.count > MOST_SETS || cache->ways > HYP_COUNTED_WAYS)
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
